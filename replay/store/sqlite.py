"""The store in one SQLite file: short transactions, so that two runs share it; what is committed survives `kill -9`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from replay.errors import InputError, StoreError
from replay.models import OutcomeName, Result, Summary, Verdict
from replay.store.base import RunRecord, RunState
from replay.store.bodies import unpack
from replay.store.codec import decode_run, encode_run
from replay.store.file import connect
from replay.store.journal import Journal, frames, incomplete, journal_path, journals, reading
from replay.store.order import rows_in_order
from replay.store.outcomes import StoredResults, among
from replay.store.pages import Draft, Packed, Page, StoredPage, bindable, packed, pages_of
from replay.store.rows import add_rows
from replay.store.transactions import Transactions

_PAGE: Final = 500
_REMEMBERED: Final = 10_000
_PAGES_AT_HAND: Final = 3
"""Where results were replaced, those before and after it lie on other pages, in turn."""

_ADD_PAGE: Final = "INSERT INTO pages (data, size, bodies, bodies_size) VALUES (?, ?, ?, ?)"

# Each part has an index of its own; one condition with ORs in it would read the whole table.
_FIND: Final = """
SELECT seq, page, slot FROM results WHERE (:run IS NULL OR run = :run) AND seq IN (
    SELECT seq FROM results WHERE id = :key
    UNION SELECT seq FROM results WHERE correlation_id = :key
    UNION SELECT seq FROM results WHERE run IN (SELECT number FROM runs) AND identity = :key
) ORDER BY run DESC, seq
"""

Amended = Callable[[RunRecord], RunRecord]
"""Returns what is to be known of a run instead of what is; the same object where nothing changes."""


class SqliteStore(Transactions):
    """Results in one SQLite file. May be used from several threads and, at once, by several processes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self._numbers: dict[str, int] = {}
        self._taken: dict[Path, int] = {}
        """How far each journal has been taken in."""
        self._known: set[bytes] = set()
        """Digests of bodies that are committed; bounded, and only there to save look-ups."""

    @classmethod
    def open(cls, path: Path | str, *, create: bool = True, patience: float | None = None) -> Self:
        """Open the store at `path`, and make it where `create` allows it.

        Others who write are waited for so many seconds, half a minute unless told. Raise StoreError for a file that is
        something else, of another version or cut off; such a file is not touched.
        """
        return cls(connect(Path(path), create=create, patience=patience), Path(path))

    # ------------------------------------------------------------------------------------------------------- writing

    def begin(self, record: RunRecord) -> None:
        """Keep a new run. Raise StoreError where its id is taken."""
        with self._writing() as connection:
            if connection.execute("SELECT 1 FROM runs WHERE id = ?", (record.id,)).fetchone():
                raise StoreError(f"there is a run {record.id} already", place=str(self._path))
            self._begin(connection, record)

    def _begin(self, connection: sqlite3.Connection, record: RunRecord) -> None:
        row = (record.id, record.started.isoformat(), record.state, *packed(encode_run(record)))
        connection.execute("INSERT INTO runs (id, started, state, doc, size) VALUES (?, ?, ?, ?, ?)", row)

    def join(self, record: RunRecord, results: Sequence[Result], amended: Amended) -> None:
        """Keep results in a run that several processes share, and what changes about it; all of it, or nothing.

        The run is begun by this record where it is not there: nobody has come before, or somebody has purged it.
        """
        pages = list(pages_of(results))
        with self._writing() as connection:
            # Once it was purged, its number may be that of another run, and its bodies are gone.
            self._numbers.pop(record.id, None)
            self._known.clear()
            if not connection.execute("SELECT 1 FROM runs WHERE id = ?", (record.id,)).fetchone():
                self._begin(connection, record)
            self._amend(connection, record.id, amended)
            added = self._put(connection, record.id, pages)
        self._remember(added)

    def amend(self, run: str, amended: Amended) -> RunRecord:
        """Change what is known of a run, whoever else does so meanwhile, and return it."""
        with self._writing() as connection:
            return self._amend(connection, run, amended)

    def _amend(self, connection: sqlite3.Connection, run: str, amended: Amended) -> RunRecord:
        row = connection.execute("SELECT doc, size FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise StoreError(f"there is no run {run}", place=str(self._path))
        before = decode_run(unpack(*row))
        after = amended(before)
        if after is not before:
            self._keep_record(connection, after)
        return after

    def add(self, run: str, results: Sequence[Result]) -> None:
        """Keep all of these results or, on an error, none; a second result of one identity replaces the first."""
        self._add_pages(run, list(pages_of(results)))

    def write(self, run: str, draft: Draft) -> None:
        """Keep all that is drafted, as `add` does."""
        self._add_pages(run, list(draft.pages()))

    def take_in(self, run: str, *, ended: bool = False, whole: Collection[int] = ()) -> dict[Path, int]:
        """Keep what the journals of a run hold by now; once that has `ended`, they are removed.

        Return how many bytes at the end of which removed journal could not be read: a process that was killed leaves a
        torn frame, and nothing behind it was finished. `whole` are the processes that said that they had written
        everything: once all others are taken in, raise StoreError where the journal of one is gone or cannot be
        read to its end; then the file stays.
        """
        behind = {path: self._take_in(run, path) for path in journals(self._path, run)}
        if not ended:
            return {}
        owed = [journal_path(self._path, run, index) for index in sorted(whole)]
        faults = [incomplete(path, behind.get(path)) for path in owed if behind.get(path) != 0]
        for path, unread in behind.items():
            if not unread or path not in owed:
                self._drop(path)
        if faults:
            raise faults[0]
        return {path: unread for path, unread in behind.items() if unread}

    def _take_in(self, run: str, path: Path) -> int:
        """Keep each whole page of a journal, and return how many bytes there are behind them."""
        with reading(path):
            for page, end in frames(path, self._taken.get(path, 0)):
                self._add_pages(run, [page])
                self._taken[path] = end
            return path.stat().st_size - self._taken.get(path, 0)

    def _drop(self, path: Path) -> None:
        with reading(path):
            path.unlink(missing_ok=True)
        self._taken.pop(path, None)

    def journal(self, run: str, index: int) -> Journal:
        """Return what process `index` of a run may keep its results in; `take_in` then brings them here."""
        return Journal(journal_path(self._path, run, index))

    def _add_pages(self, run: str, pages: Iterable[Page]) -> None:
        with self._writing() as connection:
            added = self._put(connection, run, pages)
        self._remember(added)

    def _put(self, connection: sqlite3.Connection, run: str, pages: Iterable[Page]) -> set[bytes]:
        """Put pages into the file, and return the digests of the bodies that they refer to."""
        added: set[bytes] = set()
        number = self._number(run)
        for page in pages:
            for address in page.outside.keys() - self._known - added:
                self._add_body(address, page.outside[address])
            added |= page.outside.keys()
            place = connection.execute(_ADD_PAGE, (*page.documents, *page.bodies)).lastrowid
            self._add_rows(connection, [(number, *row, place, slot) for slot, row in enumerate(page.rows)])
        return added

    def _add_rows(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        add_rows(connection, rows)

    def _add_body(self, address: bytes, body: bytes) -> None:
        if not self._connection.execute("SELECT 1 FROM bodies WHERE digest = ?", (address,)).fetchone():
            row = (address, *packed(body))
            self._connection.execute("INSERT INTO bodies (digest, data, size) VALUES (?, ?, ?)", row)

    def _remember(self, added: set[bytes]) -> None:
        if len(self._known) + len(added) > _REMEMBERED:
            self._known.clear()
        self._known |= added

    def mark(self, run: str, state: RunState) -> None:
        """Keep that the run is in this state: `running` again when it is resumed."""
        self.keep_record(replace(self.run(run), state=state))

    def finish(self, run: str, state: RunState, summary: Summary | None, verdict: Verdict | None) -> None:
        """Keep how the run ended."""
        self.keep_record(replace(self.run(run), state=state, summary=summary, verdict=verdict))

    def keep_record(self, record: RunRecord) -> None:
        """Keep what is known of a run by now."""
        with self._writing() as connection:
            self._keep_record(connection, record)

    def _keep_record(self, connection: sqlite3.Connection, record: RunRecord) -> None:
        row = (record.state, *packed(encode_run(record)), record.id)
        connection.execute("UPDATE runs SET state = ?, doc = ?, size = ? WHERE id = ?", row)

    # ------------------------------------------------------------------------------------------------------- reading

    def run(self, id: str | None = None) -> RunRecord:  # noqa: A002 - what people type after `replay report`
        """Return a run by its id or an unambiguous beginning of it; None is the newest. Raise InputError for others."""
        return decode_run(unpack(*self._run_row(id)[1:]))

    def _run_row(self, id: str | None) -> Any:  # noqa: A002 - as above
        with self._reading() as connection:
            found = connection.execute(
                "SELECT id, doc, size FROM runs WHERE ? IS NULL OR substr(id, 1, length(?)) = ? ORDER BY number DESC",
                (id, id, id),
            ).fetchmany(_PAGE)
        exact = [row for row in found if row[0] == id] or found
        if not exact or (id is not None and len(exact) > 1):
            raise self._not_one_run(id, [str(row[0]) for row in exact])
        return exact[0]

    def _not_one_run(self, wanted: str | None, ids: list[str]) -> InputError:
        if wanted is None:
            return InputError("the store holds no run", place=str(self._path), hint="`replay run` makes one")
        if ids:
            return InputError(f"'{wanted}' is the beginning of several runs", hint=f"name one: {', '.join(ids[:5])}")
        newest = [record.id for record, _ in zip(self.runs(), range(5), strict=False)]
        hint = f"the newest are {', '.join(newest)}" if newest else "the store holds no run"
        return InputError(f"there is no run '{wanted}'", place=str(self._path), hint=hint)

    def earlier(self, run: str) -> list[RunRecord]:
        """Return what a run was before each time that it was judged again, the first one first."""
        question = "SELECT doc, size FROM judgements WHERE run = ? AND doc IS NOT NULL ORDER BY number"
        with self._reading() as connection:
            found = connection.execute(question, (self._number(run),)).fetchall()
        return [decode_run(unpack(*row)) for row in found]

    def runs(self) -> Iterator[RunRecord]:
        """Yield every run, the newest first."""
        for row in self._pages("SELECT number, doc, size FROM runs WHERE number < ? ORDER BY number DESC", (), 2**62):
            yield decode_run(unpack(*row[1:]))

    def done(self, run: str, identity: str) -> bool:
        """Return whether the run holds a result of this case."""
        with self._reading() as connection:
            question = "SELECT 1 FROM results WHERE run = ? AND identity = ?"
            return connection.execute(question, (self._number(run), bindable(identity))).fetchone() is not None

    def count(self, run: str) -> int:
        """Return how many results the run holds."""
        with self._reading() as connection:
            question = "SELECT count(*) FROM results WHERE run = ?"
            return int(connection.execute(question, (self._number(run),)).fetchone()[0])

    def outcomes(self, run: str) -> Mapping[OutcomeName, int]:
        """Return how many results the run holds of each outcome that any has."""
        with self._reading() as connection:
            question = "SELECT outcome, count(*) FROM results WHERE run = ? GROUP BY outcome"
            return dict(connection.execute(question, (self._number(run),)).fetchall())

    def results(
        self, run: str, outcomes: Collection[OutcomeName] | None = None, *, bodies: bool = True
    ) -> StoredResults:
        """Return a view of the run's results in the order of their first arrival: see `Store.results`."""
        return StoredResults(lambda: self.stream(run, outcomes, bodies=bodies))

    def in_order(self, run: str) -> StoredResults:
        """Return a view of the run's results without bodies in the order of their sources: see `rows_in_order`."""
        asked = self._reading, partial(self._number, run), self._question
        return StoredResults(lambda: self._results(rows_in_order(*asked), bodies=False))

    def find(self, key: str, run: str | None = None) -> list[Result]:
        """Return the results whose id, correlation id or identity is exactly this, those of the newest run first."""
        # What a run with 10,000 causes has found takes long to read, and is not asked for here.
        number = None if run is None else self._number(self._run_row(run)[0])
        with self._reading() as connection:
            rows = connection.execute(_FIND, {"key": bindable(key), "run": number}).fetchall()
            rows = [self._latest(connection, row) for row in rows]
        return list(self._results(rows, bodies=True))

    def _latest(self, _connection: sqlite3.Connection, row: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return where the result of a row lies that is to be read."""
        return row

    def stream(self, run: str, outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterator[Result]:
        """Yield the run's results, those with one of these outcomes if any are given."""
        with self._reading():
            number = self._number(run)
        return self._results(self._pages(*self._question(number, outcomes), -1), bodies=bodies)

    def _question(self, number: int, outcomes: Collection[OutcomeName] | None) -> tuple[str, tuple[Any, ...]]:
        """Return the question for a run's results behind some row, which is its last parameter, and the others."""
        wanted = () if outcomes is None else tuple(outcomes)
        question = f"SELECT seq, page, slot FROM results WHERE {among(outcomes)} run = ? AND seq > ? ORDER BY seq"  # noqa: S608 - ours
        return question, (*wanted, number)

    def _pages(self, question: str, arguments: tuple[Any, ...], start: int) -> Iterator[Any]:
        """Yield rows page by page, each page beginning behind the first column of the last row.

        A cursor that stayed open would keep the log from being folded into the file while somebody reads.
        """
        while True:
            with self._reading() as connection:
                rows = connection.execute(f"{question} LIMIT {_PAGE}", (*arguments, start)).fetchall()
            yield from rows
            if len(rows) < _PAGE:
                return
            start = rows[-1][0]

    def _results(self, rows: Iterable[tuple[int, int, int]], *, bodies: bool) -> Iterator[Result]:
        """Yield the result of each row. A few pages are kept at hand, and one result is made at a time."""
        pages: dict[int, StoredPage] = {}
        for _, number, slot in rows:
            page = pages.get(number)
            if page is None:
                if len(pages) >= _PAGES_AT_HAND:
                    del pages[next(iter(pages))]
                page = pages[number] = self._page(number, bodies=bodies)
            try:
                result = page.result(slot)
            except (sqlite3.Error, ValueError) as error:
                raise self._fault("read", error) from error
            yield result

    def _page(self, number: int, *, bodies: bool) -> StoredPage:
        columns = "data, size, bodies, bodies_size" if bodies else "data, size"
        with self._reading() as connection:
            row = connection.execute(f"SELECT {columns} FROM pages WHERE number = ?", (number,)).fetchone()  # noqa: S608 - ours
            if row is None:
                raise ValueError(f"page {number} is not in the store")
            return StoredPage(Packed(*row[:2]), Packed(*row[2:]) if bodies else None, self._body)

    def _body(self, address: bytes) -> bytes:
        with self._lock:
            row = self._connection.execute("SELECT data, size FROM bodies WHERE digest = ?", (address,)).fetchone()
        if row is None:
            raise ValueError(f"body {address.hex()} is not in the store")
        return unpack(*row)

    def _number(self, run: str) -> int:
        if run not in self._numbers:
            row = self._connection.execute("SELECT number FROM runs WHERE id = ?", (run,)).fetchone()
            if row is None:
                raise StoreError(f"there is no run {run}", place=str(self._path))
            self._numbers[run] = row[0]
        return self._numbers[run]
