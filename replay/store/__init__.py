"""Results kept: one row a result, bodies once by their digest."""

from __future__ import annotations

from replay.store.base import RunRecord, RunState, Store
from replay.store.sqlite import SqliteStore

__all__ = ["RunRecord", "RunState", "SqliteStore", "Store"]
