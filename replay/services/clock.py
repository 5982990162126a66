"""The clock of a started command: a file that says what time it is there, and what makes the command obey.

libfaketime does, where it is installed: preloaded, it answers for the system whoever asks the C library for the time.
The monotonic clock is left alone, so that timers, deadlines and keep-alive go on. Without it, a `sitecustomize` does
the same in Python. A static program, such as one in Go, asks the system itself and obeys neither. So nothing is taken
for granted: an answer has to show that it was given at the instant of its case.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import glob
from pathlib import Path
from typing import Final

from replay.errors import SettingsError
from replay.services.cache import unwritable

VARIABLE: Final = "REPLAY_FAKETIME"
NAME: Final = "moment"
SHIM: Final = Path(__file__).with_name("shim")
"""What Python imports at its start, where this folder is on its path."""
SPARE: Final = ("freezegun", "dateutil", "six", "tzdata")
"""What freezegun is made of; an interpreter that lacks it borrows these, and nothing else of ours."""
_PLACES: Final = (
    "/usr/lib/*/faketime",
    "/usr/lib/faketime",
    "/usr/lib64/faketime",
    "/usr/local/lib/*/faketime",
    "/usr/local/lib/faketime",
    "/opt/*/lib/faketime",
)
# The one for programs with threads first: it is right for the others too.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LIBRARIES: Final = ("libfaketimeMT.so.1", "libfaketime.so.1")
_SHM: Final = Path("/dev/shm")  # noqa: S108 - where libfaketime shares memory
_UNSHOWN: Final = "libfaketime is not obeyed: a static program (Go) asks the system itself"
_PYTHON_ALONE: Final = "libfaketime is not installed (Debian: apt install faketime); without it only Python can obey"


@dataclass(frozen=True, slots=True)
class Clock:
    """How a command is made to obey: what it gets in its variables, the file it looks at, and what if it does not."""

    env: Mapping[str, str]
    file: Path | None
    note: str


LEFT_ALONE: Final = Clock({}, None, "freeze: false leaves its clock alone")
OBEYING: Final = Clock({}, None, "")
"""That of a command which is told the time by the headers of each case."""


class BeforeClocksError(Exception):
    """An instant before any at which the clock of a command can stand."""


def clock_for(folder: Path, variables: Mapping[str, str], instant: datetime) -> Clock:
    """Return the clock of a command that is to begin at an instant; `variables` are what it has besides.

    Raise SettingsError where its file cannot be written, or cannot tell that instant.
    """
    file = folder / NAME
    try:
        set_clock(file, instant)
    except BeforeClocksError as error:
        remove_clock(file)
        raise SettingsError(str(error), hint="`freeze` it at a later instant") from None
    except OSError as error:
        remove_clock(file)
        raise unwritable(file, error) from None
    library = libfaketime()
    if library is None:
        return Clock(_shimmed(variables, REPLAY_SHIM_MOMENT=str(file), **_shim_needs()), file, _PYTHON_ALONE)
    preloaded = " ".join(filter(None, (library, variables.get("LD_PRELOAD"))))
    obeying = {
        "LD_PRELOAD": preloaded,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_FMT": "%s",
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # What the library does by itself to waits with a deadline makes those of a JVM end at once.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
    }
    return Clock({**obeying, **_shimmed(variables, REPLAY_SHIM_SLEEP="1")}, file, _UNSHOWN)


def libfaketime() -> str | None:
    """Return where libfaketime is, if it is installed. $REPLAY_FAKETIME names another one; `off` is none.

    Raise SettingsError where that names no file: whatever is to load it would go on without it.
    """
    given = os.environ.get(VARIABLE)
    if given == "off":
        return None
    if given:
        if not Path(given).is_file():
            raise SettingsError("there is no such library", place=f"{VARIABLE}={given}", hint="name its file, or off")
        return str(Path(given).absolute())
    if not sys.platform.startswith("linux"):
        return None  # pragma: no cover
    return next(_installed(), None)


def _installed() -> Iterator[str]:
    for place in _PLACES:
        for library in _LIBRARIES:
            yield from sorted(glob(f"{place}/{library}"))  # noqa: PTH207 - patterns with a root


def _shimmed(variables: Mapping[str, str], **more: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(SHIM), variables.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, **more}


def _shim_needs() -> dict[str, str]:
    """Return where the shim finds what it is made of: the worker's clock, and freezegun with what that needs."""
    worker = importlib.util.find_spec("replay.targets.worker")
    return {
        "REPLAY_SHIM_WORKER": str(worker.origin) if worker is not None else "",
        "REPLAY_SHIM_SPARE": json.dumps(spare_folders()),
    }


def spare_folders() -> dict[str, str]:
    """Return the folder of each module that freezegun needs, for an interpreter without it to freeze time even so."""
    specs = {name: importlib.util.find_spec(name) for name in SPARE}
    return {
        name: str(Path(spec.origin).parent.parent if spec.submodule_search_locations else Path(spec.origin).parent)
        for name, spec in specs.items()
        if spec is not None and spec.origin
    }


def set_clock(file: Path, instant: datetime, *, tick: bool = False) -> None:
    """Have a clock stand at an instant, or run on from there. Whoever looks sees the old time or the new one.

    What stands still is written in seconds since 1970, what runs as the difference from the real time. Raise
    BeforeClocksError for a clock that is to stand before 1970: with a sign, its seconds would be such a difference.
    """
    seconds = (instant - _EPOCH).total_seconds()
    if seconds < 0 and not tick:
        raise BeforeClocksError(f"the clock of a command cannot stand before 1970, as at {instant.isoformat()}")
    text = f"{seconds - datetime.now(UTC).timestamp():+.6f}" if tick else f"{seconds:.6f}"
    partial = _next_to(file)
    partial.write_text(text + "\n", "ascii")
    partial.replace(file)


def _next_to(file: Path) -> Path:
    """Return where the next time is written, before it takes the place of the one before."""
    return file.with_suffix(".next")


def remove_clock(file: Path | None) -> None:
    """Remove the file of a clock, with its folder."""
    if file is not None:
        for each in (file, _next_to(file)):
            with suppress(OSError):
                each.unlink()
        with suppress(OSError):
            file.parent.rmdir()


def tidy_up(pid: int) -> None:
    """Remove what libfaketime could not: memory that a process shares with the programs it starts, if it is killed."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        with suppress(OSError):
            (_SHM / name).unlink()
