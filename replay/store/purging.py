"""Runs that are taken out of a store for good: nothing of them is left in the file, nor in what SQLite keeps beside it.

What is deleted in SQLite only becomes free, and can be read from the file until something else is written there. So
freed pages are overwritten with zeros, the log is folded in and cut off, and the file is written anew without them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Final

from replay.errors import RunError, StoreError
from replay.store.pages import Packed, outside_of
from replay.store.sqlite import SqliteStore

_SOME: Final = 500
_PAGES: Final = "SELECT number, data, size FROM pages WHERE number > ? ORDER BY number LIMIT ?"
_DELETES: Final = (
    "DELETE FROM judged WHERE judgement IN (SELECT number FROM judgements WHERE run = :run)",
    "DELETE FROM judgements WHERE run = :run",
    "DELETE FROM results WHERE run = :run",
    "DELETE FROM runs WHERE number = :run",
)
_UNUSED_PAGES: Final = "DELETE FROM pages WHERE number NOT IN (SELECT page FROM results UNION SELECT page FROM judged)"


def purge_runs(store: SqliteStore, runs: Collection[str]) -> int:
    """Delete runs with all that only they hold, and return how many bytes smaller the store is. All of it, or nothing.

    Nobody else may be writing to the store. Raise StoreError where it cannot be written anew, for want of room or since
    somebody reads; then the runs are deleted all the same, and their space is zeros.
    """
    before = _size(store)
    view = _Purged(store)
    if runs:
        view.delete(runs)
    if runs or view.has_room:
        view.write_anew()
    return max(0, before - _size(store))


def _size(store: SqliteStore) -> int:
    beside = (store.path, store.path.with_name(f"{store.path.name}-wal"))
    return sum(path.stat().st_size for path in beside if path.exists())


class _Purged(SqliteStore):
    """The same store, seen by whoever takes something out of it."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store._connection, store.path)  # noqa: SLF001 - the same store, seen otherwise
        self._lock = store._lock  # noqa: SLF001 - likewise
        store._known.clear()  # noqa: SLF001 - bodies that it knows may be gone
        store._numbers.clear()  # noqa: SLF001 - and runs

    def delete(self, runs: Collection[str]) -> None:
        """Delete runs, the pages that nothing refers to any more, and the large bodies that no page refers to."""
        self._connection.execute("PRAGMA secure_delete = ON")
        # Pages are deleted by what refers to them: to look for each once more would read all results for every page.
        self._connection.execute("PRAGMA foreign_keys = OFF")
        with self._writing() as connection:
            for number in [self._number(run) for run in runs]:
                for statement in _DELETES:
                    connection.execute(statement, {"run": number})
            connection.execute(_UNUSED_PAGES)
            if bodies := connection.execute("SELECT digest FROM bodies").fetchall():
                kept = frozenset(self._referred(connection))
                unused = [row for row in bodies if row[0] not in kept]
                connection.executemany("DELETE FROM bodies WHERE digest = ?", unused)
        self._connection.execute("PRAGMA foreign_keys = ON")

    def _referred(self, connection: sqlite3.Connection) -> Iterator[bytes]:
        """Yield the digest of each large body that a page refers to."""
        last = -1
        while rows := connection.execute(_PAGES, (last, _SOME)).fetchall():
            last = rows[-1][0]
            try:
                for _, data, size in rows:
                    yield from outside_of(Packed(data, size))
            except ValueError as error:
                raise self._fault("read", error) from error

    @property
    def has_room(self) -> bool:
        """Tell whether the file has pages that nothing uses: an earlier purge may have been broken off."""
        with self._reading() as connection:
            return bool(connection.execute("PRAGMA freelist_count").fetchone()[0])

    def write_anew(self) -> None:
        """Write the file anew without what was deleted, and leave nothing in the log beside it."""
        with self._lock:
            try:
                self._connection.execute("VACUUM")
                busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.Error as error:
                raise self._unfinished(str(error)) from error
        if busy:
            raise self._unfinished("somebody is reading it")

    def _unfinished(self, why: str) -> StoreError:
        fact = f"the runs are deleted, and the file could not be written anew without them: {why}"
        fault = StoreError(fact, place=str(self.path), hint="make room, let readers end, and purge once more")
        fault.exit_code = RunError.exit_code  # something was done
        return fault
