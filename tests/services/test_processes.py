"""Only what was started here is ever ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from replay.services import processes
from replay.services.records import Record, end_leftovers, records

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    variables = {**os.environ, processes.MARK: "f" * 32}
    with subprocess.Popen(["sleep", "60"], start_new_session=True, env=variables) as process:
        yield process
        process.kill()


def test_a_process_is_known_by_its_number_and_when_it_began(sleeper: subprocess.Popen[bytes]) -> None:
    began = processes.born(sleeper.pid)
    assert began
    assert processes.alive(sleeper.pid, began)
    assert not processes.alive(sleeper.pid, f"{began}0")
    sleeper.kill()
    sleeper.wait()
    assert not processes.alive(sleeper.pid, began)
    assert processes.born(sleeper.pid) == ""


def test_one_that_has_ended_and_was_not_waited_for_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    began = processes.born(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.alive(sleeper.pid, began)


def test_a_record_whose_number_is_now_a_strangers_ends_nobody(sleeper: subprocess.Popen[bytes]) -> None:
    Record("a" * 32, sleeper.pid, "1", 2**22 + 1, "1").write()
    assert end_leftovers() == 0
    assert sleeper.poll() is None
    assert list(records()) == []


def test_what_carries_the_mark_of_a_record_is_ended_whatever_its_number(sleeper: subprocess.Popen[bytes]) -> None:
    Record("f" * 32, 2**22 + 1, "1", 2**22 + 1, "1").write()
    assert end_leftovers() == 1
    assert sleeper.wait(timeout=30) == -9


def test_what_somebody_still_looks_after_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    record = Record("f" * 32, sleeper.pid, processes.born(sleeper.pid), os.getpid(), processes.born(os.getpid()))
    record.write()
    assert end_leftovers() == 0
    assert sleeper.poll() is None
    assert list(records()) == [record]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"token": "", "pid": -1, "x": 2}'])
def test_a_record_that_cannot_be_read_is_removed(text: str) -> None:
    Record("b" * 32, 0, "", 2**22 + 1, "1").write()
    next(iter(Path(os.environ["REPLAY_CACHE"], "started").glob("*.json"))).write_text(text)
    assert list(records()) == []
    assert end_leftovers() == 0
