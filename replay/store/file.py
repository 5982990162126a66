"""Opening the store's file: only one that is ours, of this version and whole is ever written to."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from replay.errors import StoreError

APPLICATION_ID: Final = 0x72706C79  # "rply"
VERSION: Final = 5
_MAGIC: Final = b"SQLite format 3\0"
_HEADER_SIZE: Final = 100
_BUSY_SECONDS: Final = 30.0
"""How many seconds others who write are waited for."""
_ELSEWHERE: Final = "name another file with --store"

_SCHEMA: Final = f"""
BEGIN EXCLUSIVE;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    state TEXT NOT NULL,
    doc BLOB NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE results (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number),
    identity TEXT NOT NULL,
    id TEXT NOT NULL,
    correlation_id TEXT,
    outcome TEXT NOT NULL,
    page INTEGER NOT NULL REFERENCES pages (number),
    slot INTEGER NOT NULL,
    UNIQUE (run, identity)
);
CREATE TABLE pages (
    number INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    size INTEGER NOT NULL,
    bodies BLOB NOT NULL,
    bodies_size INTEGER NOT NULL
);
CREATE INDEX results_of_run ON results (run);
CREATE INDEX results_not_matching ON results (run) WHERE outcome <> 'match';
CREATE INDEX results_by_id ON results (id);
CREATE INDEX results_by_correlation_id ON results (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE TABLE judgements (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number),
    doc BLOB,
    size INTEGER
);
CREATE TABLE judged (
    judgement INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    page INTEGER NOT NULL REFERENCES pages (number),
    slot INTEGER NOT NULL,
    PRIMARY KEY (judgement, seq)
) WITHOUT ROWID;
CREATE TABLE bodies (digest BLOB PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""


def connect(path: Path, *, create: bool, patience: float | None = None) -> sqlite3.Connection:
    """Return a connection to the store at `path`, made where `create` allows it; else raise StoreError."""
    try:
        if not _is_ours(path):
            if not create:
                raise StoreError("there is no store", place=str(path), hint="`replay run` makes one")
            _make_file(path)
        return _open(path, patience)
    except OSError as error:
        raise StoreError(_told(error), place=str(path), hint=_ELSEWHERE) from error
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"the store cannot be opened: {error}", place=str(path), hint=_ELSEWHERE) from error


def _told(error: OSError) -> str:
    return f"the store cannot be opened: {(error.strerror or str(error)).lower()}"


def _is_ours(path: Path) -> bool:
    """Return whether a store stands at `path`, or nothing does yet. Raise StoreError for anything else."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise StoreError("this is no regular file", place=str(path), hint=_ELSEWHERE)
    # Read by hand: SQLite itself would make files beside it.
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if header:
        _check_header(header, path)
    return bool(header)


def _check_header(header: bytes, path: Path) -> None:
    if not header.startswith(_MAGIC[: len(header)]):
        raise StoreError("this is no database", place=str(path), hint=_ELSEWHERE)
    if len(header) < _HEADER_SIZE:
        raise StoreError("the store is cut off", place=str(path), hint=f"restore it from a backup, or {_ELSEWHERE}")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError("this database belongs to another program", place=str(path), hint=_ELSEWHERE)
    version = int.from_bytes(header[60:64], "big")
    if version != VERSION:
        age, remedy = (
            ("a newer", "update replay") if version > VERSION else ("an older", "use the replay that wrote it")
        )
        fact = f"this store was written by {age} replay (format {version}, this one reads {VERSION})"
        raise StoreError(fact, place=str(path), hint=f"{remedy}, or {_ELSEWHERE}")


def _make_file(path: Path) -> None:
    folder = path.parent
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_from_git(folder)
    elif folder.name == ".replay":
        _keep_from_git(folder)
    # SQLite gives its -wal and -shm files the mode of the database.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
    path.chmod(0o600)


def _keep_from_git(folder: Path) -> None:
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")


def _open(path: Path, patience: float | None) -> sqlite3.Connection:
    # The event loop and the thread that writes for it may share a connection: SqliteStore lets them take turns.
    seconds = _BUSY_SECONDS if patience is None else patience
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if _is_blank(connection):
        _lay_out(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("SELECT count(*) FROM runs").fetchone()


def _is_blank(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _lay_out(connection: sqlite3.Connection) -> None:
    # Before WAL is switched on: a process that is killed here leaves a blank file or a whole one.
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if _is_blank(connection):
            raise
        # Another run has laid the store out in the meantime.
