"""A run that is judged again: its new results lie beside the stored ones until all are there, then in their place.

Whoever is killed in between has changed nothing. What the results were before is kept under the judgement's number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from replay.models import OutcomeName
from replay.store.base import RunRecord
from replay.store.codec import encode_run
from replay.store.pages import packed
from replay.store.sqlite import SqliteStore

_ADD: Final = """
INSERT INTO judged (judgement, seq, outcome, page, slot)
SELECT ?, seq, ?, ?, ? FROM results WHERE run = ? AND identity = ?
ON CONFLICT (judgement, seq) DO UPDATE SET outcome = excluded.outcome, page = excluded.page, slot = excluded.slot
"""
_READ: Final = """
SELECT results.seq, coalesce(judged.page, results.page), coalesce(judged.slot, results.slot) FROM results
LEFT JOIN judged ON judged.judgement = ? AND judged.seq = results.seq
WHERE {} results.run = ? AND results.seq > ? ORDER BY results.seq
"""
_KEPT: Final = 0
"""The judgement that nothing belongs to: from then on, the run's results are what is read."""
_OPEN: Final = "SELECT number FROM judgements WHERE run = ? AND doc IS NULL"

# What was there before is kept under a number that nobody uses until both have changed places.
_CHANGE_PLACES: Final = (
    """
    INSERT INTO judged (judgement, seq, outcome, page, slot)
    SELECT -judged.judgement, results.seq, results.outcome, results.page, results.slot
    FROM judged JOIN results ON results.seq = judged.seq WHERE judged.judgement = :judgement
    """,
    """
    UPDATE results SET (outcome, page, slot) = (
        SELECT outcome, page, slot FROM judged WHERE judgement = :judgement AND judged.seq = results.seq
    ) WHERE seq IN (SELECT seq FROM judged WHERE judgement = :judgement)
    """,
    "DELETE FROM judged WHERE judgement = :judgement",
    "UPDATE judged SET judgement = :judgement WHERE judgement = -:judgement",
)


class Rejudged(SqliteStore):
    """The store as it will be once a run's new judgement is kept; what is added replaces results of that run alone."""

    def __init__(self, store: SqliteStore, run: str) -> None:
        """Begin a judgement of a run. Nobody else may be judging that run meanwhile."""
        super().__init__(store._connection, store.path)  # noqa: SLF001 - the same store, seen otherwise
        self._lock = store._lock  # noqa: SLF001 - likewise
        self._run = run
        with self._writing() as connection:
            number = self._number(run)
            for (left,) in connection.execute(_OPEN, (number,)).fetchall():
                _forget(connection, left)
            begun = connection.execute("INSERT INTO judgements (run) VALUES (?)", (number,))
            self._judgement = int(begun.lastrowid or 0)

    def keep(self, record: RunRecord) -> None:
        """Put the new results in the place of those before, and the record of the run too. All of it, or nothing."""
        before = self.run(record.id)
        with self._writing() as connection:
            connection.execute(
                "UPDATE judgements SET doc = ?, size = ? WHERE number = ?",
                (*packed(encode_run(before)), self._judgement),
            )
            for statement in _CHANGE_PLACES:
                connection.execute(statement, {"judgement": self._judgement})
            connection.execute(
                "UPDATE runs SET state = ?, doc = ?, size = ? WHERE id = ?",
                (record.state, *packed(encode_run(record)), record.id),
            )
        self._judgement = _KEPT

    def drop(self) -> None:
        """Forget what was not kept; what was, stays."""
        with self._writing() as connection:
            _forget(connection, self._judgement)

    def close(self) -> None:
        """Leave the file to the store that opened it."""

    def _add_rows(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        judged = [
            (self._judgement, outcome, page, slot, run, identity) for run, identity, _, _, outcome, page, slot in rows
        ]
        connection.executemany(_ADD, judged)

    def _latest(self, connection: sqlite3.Connection, row: tuple[int, int, int]) -> tuple[int, int, int]:
        question = "SELECT seq, page, slot FROM judged WHERE judgement = ? AND seq = ?"
        found: tuple[int, int, int] | None = connection.execute(question, (self._judgement, row[0])).fetchone()
        return found or row

    def _question(self, number: int, outcomes: Collection[OutcomeName] | None) -> tuple[str, tuple[Any, ...]]:
        wanted = () if outcomes is None else tuple(outcomes)
        among = f"coalesce(judged.outcome, results.outcome) IN ({', '.join('?' * len(wanted))}) AND"
        return _READ.format("" if outcomes is None else among), (self._judgement, *wanted, number)


def _forget(connection: sqlite3.Connection, judgement: int) -> None:
    connection.execute("DELETE FROM judged WHERE judgement = ?", (judgement,))
    connection.execute("DELETE FROM judgements WHERE number = ?", (judgement,))


@contextmanager
def rejudging(store: SqliteStore, run: str) -> Iterator[Rejudged]:
    """Give a run to be judged again. Unless `keep` was called, nothing has changed in the end."""
    view = Rejudged(store, run)
    try:
        yield view
    finally:
        view.drop()
