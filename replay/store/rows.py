"""The rows by which results are found: all those of a page are added by one statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

_ADD: Final = """
INSERT INTO results (run, identity, id, correlation_id, outcome, page, slot) VALUES {}
ON CONFLICT (run, identity) DO UPDATE SET
    id = excluded.id, correlation_id = excluded.correlation_id, outcome = excluded.outcome,
    page = excluded.page, slot = excluded.slot
"""
_ROW: Final = "(?, ?, ?, ?, ?, ?, ?)"
"""A page has a hundred rows at most: that makes fewer parameters than any SQLite takes."""


def add_rows(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add a page's rows, each with its columns in order; a result that was there before is replaced."""
    if rows:
        connection.execute(_adding(len(rows)), tuple(chain.from_iterable(rows)))


@lru_cache(maxsize=8)
def _adding(rows: int) -> str:
    # Row by row, SQLite would let go of the interpreter's lock and ask for it again a hundred times a page.
    return _ADD.format(", ".join([_ROW] * rows))
