"""Results kept: one row a result, bodies once by their digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from replay.store.base import RunRecord, RunState, Store
from replay.store.sqlite import SqliteStore

STORES: Final[Mapping[str, Callable[..., Store]]] = {"sqlite": SqliteStore.open}

__all__ = ["STORES", "RunRecord", "RunState", "SqliteStore", "Store"]
