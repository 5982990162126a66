"""`kill -9` at any moment: the store opens, and no result is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from replay.store import SqliteStore

WRITER = """
import sys
from datetime import UTC, datetime
from replay.models import Case, Observation, Request, Result
from replay.store import RunRecord, SqliteStore

path, name = sys.argv[1:]
with SqliteStore.open(path) as store:
    store.begin(RunRecord(name, datetime(2026, 1, 2, tzinfo=UTC)))
    print("begun", flush=True)
    for batch in range(100_000):
        numbers = range(batch * 5, batch * 5 + 5)
        answer = lambda number, side: Observation(200, body=f"{side} {number} ".encode() * 200)
        store.add(name, [
            Result(Case(f"{n}", "traffic", f"f:{n}", Request()), "match", answer(n, "old"), answer(n, "new"))
            for n in numbers
        ])
        print(numbers[-1], flush=True)
"""


def write_and_kill(path: Path, name: str, seconds: float) -> int:
    """Start a writer, kill it, and return how many results it had been promised to be kept."""
    command = [sys.executable, "-c", WRITER, str(path), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        lines = writer.stdout.read().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1]) + 1 if whole else 0


def test_what_was_promised_before_a_kill_is_there_and_whole(tmp_path: Path) -> None:
    path, random_moment = tmp_path / "store.db", random.Random(7)  # noqa: S311 - moments, no secrets
    for attempt in range(10):
        promised = write_and_kill(path, f"run-{attempt}", random_moment.uniform(0.0, 0.12))
        with SqliteStore.open(path, create=False) as store:
            results = list(store.results(f"run-{attempt}"))
            assert store.run(f"run-{attempt}").state == "running"
        assert len(results) >= promised
        assert len(results) % 5 == 0
        assert [each.case.id for each in results] == [f"{number}" for number in range(len(results))]
        assert all(each.old and each.old.body == f"old {each.case.id} ".encode() * 200 for each in results)


def test_a_kill_while_the_file_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    program = "import sys\nfrom replay.store import SqliteStore\nprint(1, flush=True)\nSqliteStore.open(sys.argv[1])"
    for attempt in range(6):
        path = tmp_path / f"{attempt}.db"
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as maker:
            assert maker.stdout is not None
            maker.stdout.readline()
            time.sleep(attempt * 0.0015)
            maker.kill()
        with SqliteStore.open(path) as store:
            assert list(store.runs()) == []
