"""The store in one SQLite file: short transactions, so that two runs share it; what is committed survives `kill -9`."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from replay.errors import InputError, StoreError
from replay.models import OutcomeName, Result, Summary, Verdict
from replay.store.base import RunRecord, RunState
from replay.store.bodies import digest, pack, split_digests, unpack
from replay.store.codec import decode_result, decode_run, encode_result, encode_run
from replay.store.file import connect

_PAGE: Final = 500
_REMEMBERED: Final = 10_000

_ADD_RESULT: Final = """
INSERT INTO results (run, identity, id, correlation_id, kind, outcome, session, bodies, doc, size)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, identity) DO UPDATE SET
    id = excluded.id, correlation_id = excluded.correlation_id, kind = excluded.kind, outcome = excluded.outcome,
    session = excluded.session, bodies = excluded.bodies, doc = excluded.doc, size = excluded.size
"""

# Each part has an index of its own; one condition with ORs in it would read the whole table.
_FIND: Final = """
SELECT seq FROM results WHERE (:run IS NULL OR run = :run) AND seq IN (
    SELECT seq FROM results WHERE id = :key
    UNION SELECT seq FROM results WHERE correlation_id = :key
    UNION SELECT seq FROM results WHERE run IN (SELECT number FROM runs) AND identity = :key
) ORDER BY run DESC, seq
"""


class SqliteStore:
    """Results in one SQLite file. May be used from several threads and, at once, by several processes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()
        self._numbers: dict[str, int] = {}
        self._known: set[bytes] = set()
        """Digests of bodies that are committed; bounded, and only there to save look-ups."""

    @classmethod
    def open(cls, path: Path | str, *, create: bool = True) -> Self:
        """Open the store at `path`, and make it where `create` allows it.

        Raise StoreError for a file that is something else, of another version or cut off; such a file is not touched.
        """
        return cls(connect(Path(path), create=create), Path(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        with self._lock:
            self._connection.close()

    # ------------------------------------------------------------------------------------------------------- writing

    def begin(self, record: RunRecord) -> None:
        """Keep a new run. Raise StoreError where its id is taken."""
        text, size = _packed(encode_run(record))
        row = (record.id, record.started.isoformat(), record.state, text, size)
        with self._writing() as connection:
            if connection.execute("SELECT 1 FROM runs WHERE id = ?", (record.id,)).fetchone():
                raise StoreError(f"there is a run {record.id} already", place=str(self._path))
            connection.execute("INSERT INTO runs (id, started, state, doc, size) VALUES (?, ?, ?, ?, ?)", row)

    def add(self, run: str, results: Sequence[Result]) -> None:
        """Keep all of these results or, on an error, none; a second result of one identity replaces the first.

        A StoreError from here has exit code 3: cases had been sent.
        """
        added: set[bytes] = set()
        with self._sent(), self._writing() as connection:
            number = self._number(run)
            for result in results:
                text, bodies = encode_result(result)
                digests = [digest(body) for body in bodies]
                for address, body in zip(digests, bodies, strict=True):
                    if address not in self._known and address not in added:
                        self._add_body(address, body)
                        added.add(address)
                connection.execute(_ADD_RESULT, (number, *_columns(result), b"".join(digests), *_packed(text)))
        self._remember(added)

    def _add_body(self, address: bytes, body: bytes) -> None:
        if not self._connection.execute("SELECT 1 FROM bodies WHERE digest = ?", (address,)).fetchone():
            row = (address, len(body), pack(body))
            self._connection.execute("INSERT INTO bodies (digest, size, data) VALUES (?, ?, ?)", row)

    def _remember(self, added: set[bytes]) -> None:
        if len(self._known) + len(added) > _REMEMBERED:
            self._known.clear()
        self._known |= added

    def mark(self, run: str, state: RunState) -> None:
        """Keep that the run is in this state: `running` again when it is resumed."""
        self._update(replace(self.run(run), state=state))

    def finish(self, run: str, state: RunState, summary: Summary | None, verdict: Verdict | None) -> None:
        """Keep how the run ended. A StoreError from here has exit code 3: cases had been sent."""
        with self._sent():
            self._update(replace(self.run(run), state=state, summary=summary, verdict=verdict))

    def _update(self, record: RunRecord) -> None:
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET state = ?, doc = ?, size = ? WHERE id = ?",
                (record.state, *_packed(encode_run(record)), record.id),
            )

    # ------------------------------------------------------------------------------------------------------- reading

    def run(self, id: str | None = None) -> RunRecord:  # noqa: A002 - what people type after `replay report`
        """Return a run by its id or an unambiguous beginning of it; None is the newest. Raise InputError for others."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT id, doc, size FROM runs WHERE ? IS NULL OR substr(id, 1, length(?)) = ? ORDER BY number DESC",
                (id, id, id),
            ).fetchmany(_PAGE)
        exact = [row for row in found if row[0] == id] or found
        if not exact or (id is not None and len(exact) > 1):
            raise self._not_one_run(id, [str(row[0]) for row in exact])
        return decode_run(unpack(*exact[0][1:]))

    def _not_one_run(self, wanted: str | None, ids: list[str]) -> InputError:
        if wanted is None:
            return InputError("the store holds no run", place=str(self._path), hint="`replay run` makes one")
        if ids:
            return InputError(f"'{wanted}' is the beginning of several runs", hint=f"name one: {', '.join(ids[:5])}")
        newest = [record.id for record, _ in zip(self.runs(), range(5), strict=False)]
        hint = f"the newest are {', '.join(newest)}" if newest else "the store holds no run"
        return InputError(f"there is no run '{wanted}'", place=str(self._path), hint=hint)

    def runs(self) -> Iterator[RunRecord]:
        """Yield every run, the newest first."""
        for row in self._pages("SELECT number, doc, size FROM runs WHERE number < ? ORDER BY number DESC", (), 2**62):
            yield decode_run(unpack(*row[1:]))

    def done(self, run: str, identity: str) -> bool:
        """Return whether the run holds a result of this case."""
        with self._reading() as connection:
            question = "SELECT 1 FROM results WHERE run = ? AND identity = ?"
            return connection.execute(question, (self._number(run), _bindable(identity))).fetchone() is not None

    def results(self, run: str, outcomes: Collection[OutcomeName] | None = None) -> StoredResults:
        """Return a view that streams the run's results in the order of their first arrival, at every iteration."""
        return StoredResults(self, run, outcomes)

    def find(self, key: str, run: str | None = None) -> list[Result]:
        """Return the results whose id, correlation id or identity is exactly this, those of the newest run first."""
        number = None if run is None else self._number(self.run(run).id)
        with self._reading() as connection:
            rows = connection.execute(_FIND, {"key": _bindable(key), "run": number}).fetchall()
        return [self._result(seq) for (seq,) in rows]

    def stream(self, run: str, outcomes: Collection[OutcomeName] | None) -> Iterator[Result]:
        """Yield the run's results, those with one of these outcomes if any are given."""
        wanted = () if outcomes is None else tuple(outcomes)
        question = f"SELECT seq FROM results WHERE {_of(outcomes)} run = ? AND seq > ? ORDER BY seq"  # noqa: S608 - ours
        with self._reading():
            number = self._number(run)
        for (seq,) in self._pages(question, (*wanted, number), -1):
            yield self._result(seq)

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

    def _result(self, seq: int) -> Result:
        # One at a time: a page of whole results could hold any number of megabytes.
        with self._reading() as connection:
            row = connection.execute("SELECT bodies, doc, size FROM results WHERE seq = ?", (seq,)).fetchone()
            digests, doc, size = row
            bodies = [self._body(address) for address in split_digests(digests)]
            return decode_result(unpack(doc, size), bodies)

    def _body(self, address: bytes) -> bytes:
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

    # --------------------------------------------------------------------------------------------------------- faults

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except (sqlite3.Error, ValueError) as error:
                raise self._fault("read", error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise self._fault("written", error) from error
                raise

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # The error that led here is the one to tell; SQLite rolls back by itself when the file is opened next.
            return

    def _fault(self, done: str, error: Exception) -> StoreError:
        hint = "is there room on the disk, and may you write there?" if done == "written" else None
        return StoreError(f"the store cannot be {done}: {error}", place=str(self._path), hint=hint)

    @contextmanager
    def _sent(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            error.exit_code = 3
            raise


class StoredResults:
    """A run's results: streamed at every iteration, in the order of their first arrival; never all in memory."""

    def __init__(self, store: SqliteStore, run: str, outcomes: Collection[OutcomeName] | None = None) -> None:
        self._store = store
        self._run = run
        self._outcomes = outcomes

    def __iter__(self) -> Iterator[Result]:
        return self._store.stream(self._run, self._outcomes)


def _of(outcomes: Collection[OutcomeName] | None) -> str:
    if outcomes is None:
        return ""
    # Said beside the list, since it is what lets SQLite use the short index of everything but matches.
    short = "" if "match" in outcomes else "outcome <> 'match' AND "
    return f"{short}outcome IN ({', '.join('?' * len(outcomes))}) AND"


def _columns(result: Result) -> tuple[str | None, ...]:
    case = result.case
    correlation_id = case.correlation_id if case.correlation_id not in ("", case.id) else None
    columns = (case.identity, case.id, correlation_id, case.kind, result.outcome, case.session)
    return tuple(column if column is None else _bindable(column) for column in columns)


def _bindable(text: str) -> str:
    # SQLite takes no lone surrogates; the document keeps them, and the column is only there to be looked up.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _packed(text: str) -> tuple[bytes, int]:
    data = text.encode("ascii")
    return pack(data), len(data)
