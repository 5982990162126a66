"""A clock that a file sets: by libfaketime, and in Python without it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from replay.errors import SettingsError
from replay.services.clock import Clock, clock_for, libfaketime, set_clock

LEAP: Final = datetime(2024, 2, 29, 23, 59, 59, 250000, tzinfo=UTC)
LATER: Final = datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
PROGRAM: Final = """
import datetime, sys, threading, time
def tell():
    print(time.time(), datetime.datetime.now(datetime.timezone.utc).isoformat(), datetime.date.today(), flush=True)
tell()
sys.stdin.readline()
tell()
begun = time.monotonic()
time.sleep(0.05)
threading.Event().wait(0.05)
print(0.09 < time.monotonic() - begun < 5)
"""
HOW: Final = [
    pytest.param("", marks=pytest.mark.skipif(libfaketime() is None, reason="NOT TESTED: libfaketime is missing")),
    "off",
]


def began(clock: Clock, *python: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "TZ": "UTC", **clock.env}
    command = [sys.executable, *python, "-c", PROGRAM]
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", HOW)
def test_a_running_program_follows_its_file_and_its_timers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", how)
    clock = clock_for(tmp_path, {}, LEAP)
    assert clock.file is not None
    with began(clock) as process:
        assert process.stdout is not None
        seconds, now, today = process.stdout.readline().split()
        assert abs(float(seconds) - LEAP.timestamp()) < 1e-5
        assert (now[:26], today) == ("2024-02-29T23:59:59.250000", "2024-02-29")
        set_clock(clock.file, LATER)
        told, _ = process.communicate("\n", timeout=60)
    assert told.splitlines() == ["2147483648.0 2038-01-19T03:14:08+00:00 2038-01-19", "True"]


@pytest.mark.parametrize("how", HOW)
def test_a_clock_may_run_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", how)
    clock = clock_for(tmp_path, {}, LEAP)
    assert clock.file is not None
    set_clock(clock.file, LEAP, tick=True)
    with began(clock) as process:
        told, _ = process.communicate("\n", timeout=60)
    first, second = (float(line.split()[0]) - LEAP.timestamp() for line in told.splitlines()[:2])
    assert 0 <= first < second < 60


def test_a_sitecustomize_of_the_service_is_imported_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", "off")
    (tmp_path / "sitecustomize.py").write_text("import datetime, sys\nsys.stderr.write(str(datetime.date.today()))\n")
    clock = clock_for(tmp_path, {"PYTHONPATH": str(tmp_path)}, LEAP)
    variables = {**os.environ, **clock.env}
    done = subprocess.run([sys.executable, "-c", ""], env=variables, capture_output=True, text=True, check=True)
    assert done.stderr == "2024-02-29"


def test_a_clock_cannot_stand_before_1970_where_its_seconds_would_be_taken_for_a_difference(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot stand before 1970, as at 1969-12-31"):
        clock_for(tmp_path, {}, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    tmp_path.mkdir()
    assert clock_for(tmp_path, {}, datetime(1970, 1, 1, tzinfo=UTC)).file is not None


@pytest.mark.parametrize("given", ["/nowhere/libfaketime.so.1", "libfaketime.so.1", "OFF", "/"])
def test_a_library_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", given)
    with pytest.raises(SettingsError, match=f"REPLAY_FAKETIME={given}: there is no such library"):
        libfaketime()


def test_a_clock_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "moment.next").symlink_to("/dev/full")
    with pytest.raises(SettingsError, match="the cache cannot be written: No space left on device"):
        clock_for(folder, {}, LEAP)
    assert not folder.exists()
