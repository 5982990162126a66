"""What the store does to the file system, and what it refuses to touch."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replay.errors import StoreError
from replay.models import Case, Request, Result
from replay.store import RunRecord, SqliteStore
from replay.store.file import VERSION


def make_store(path: Path, cases: int = 1) -> None:
    with SqliteStore.open(path) as store:
        store.begin(RunRecord("r", datetime(2026, 1, 2, tzinfo=UTC)))
        body = os.urandom(5_000)
        store.add("r", [Result(Case(f"{n}", "traffic", f"{n}", Request(body=body)), "match") for n in range(cases)])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_private_and_kept_from_git(tmp_path: Path) -> None:
    make_store(tmp_path / ".replay" / "store.db")
    assert mode(tmp_path / ".replay") == 0o700
    assert (tmp_path / ".replay" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_gets_no_files_of_ours(tmp_path: Path) -> None:
    make_store(tmp_path / "store.db")
    assert [entry.name for entry in tmp_path.iterdir()] == ["store.db"]


def test_every_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with SqliteStore.open(tmp_path / "store.db") as store:
            store.begin(RunRecord("r", datetime(2026, 1, 2, tzinfo=UTC)))
            modes = {entry.name: mode(entry) for entry in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    make_store(tmp_path / "store.db")
    assert mode(tmp_path / "store.db") == 0o600


def test_no_store_is_made_where_none_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        SqliteStore.open(tmp_path / ".replay" / "store.db", create=False)
    assert list(tmp_path.iterdir()) == []


def foreign_files(folder: Path) -> dict[str, Path]:
    names = ("text", "short", "other", "newer", "older", "cut", "cut-in-header")
    files = {name: folder / f"{name}.db" for name in names}
    files["text"].write_text("this is a letter to my aunt, and it is longer than one hundred bytes. " * 3)
    files["short"].write_bytes(b"abc")
    with sqlite3.connect(files["other"]) as connection:
        connection.execute("CREATE TABLE aunts (name TEXT)")
    connection.close()
    for name, version in (("newer", VERSION + 1), ("older", VERSION - 1)):
        make_store(files[name])
        with sqlite3.connect(files[name]) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
    make_store(files["cut"], cases=30)
    os.truncate(files["cut"], 9_000)
    make_store(files["cut-in-header"])
    os.truncate(files["cut-in-header"], 60)
    return files


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("text", "no database"),
        ("short", "no database"),
        ("other", "another program"),
        ("newer", "newer replay"),
        ("older", "older replay"),
        ("cut", "malformed"),
        ("cut-in-header", "cut off"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_not_touched(tmp_path: Path, name: str, fact: str) -> None:
    path = foreign_files(tmp_path)[name]
    content, entries = path.read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=fact) as caught:
        SqliteStore.open(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == (content, entries)


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null", "/", "/proc/no/store.db", "/dev/null/store.db", "a\0b"])
def test_a_path_that_can_hold_no_store_is_told(path: str) -> None:
    with pytest.raises(StoreError):
        SqliteStore.open(path)


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="no regular file"):
        SqliteStore.open(tmp_path / "pipe")


def test_a_symlink_loop_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore.open(tmp_path / "a")


FULL_DISK = """
import os, resource, signal, sys
from datetime import UTC, datetime
from replay.errors import StoreError
from replay.models import Case, Request, Result
from replay.store import RunRecord, SqliteStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with SqliteStore.open(sys.argv[1]) as store:
    store.begin(RunRecord("r", datetime(2026, 1, 2, tzinfo=UTC)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    added = 0
    try:
        for added in range(1_000):
            store.add("r", [Result(Case(f"{added}", "traffic", f"{added}", Request(body=os.urandom(5_000))), "match")])
    except StoreError as error:
        print(added, str(error).replace(chr(10), " "))
"""


def test_a_file_that_can_grow_no_more_is_told_and_what_was_added_stays(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "store.db")], capture_output=True, text=True, check=True
    )
    added, message = done.stdout.split(" ", 1)
    assert done.stderr == ""
    assert "the store cannot be written" in message
    assert "room on the disk" in message
    with SqliteStore.open(tmp_path / "store.db") as store:
        assert [each.case.id for each in store.results("r")] == [f"{number}" for number in range(int(added))]
    assert int(added) > 2
