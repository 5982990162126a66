"""Processes, told apart for good and ended without ever hitting a stranger.

A number alone names no process: the system gives it out again. So a process is known by its number and when it began,
and whatever a command starts by the mark that its variables carry.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

MARK: Final = "REPLAY_SERVICE"
_PROC: Final = Path("/proc")
_GONE: Final = frozenset("ZX")
_ROUNDS: Final = 10
"""How often those are looked for that were started while others were killed."""


def born(pid: int) -> str:
    """Return when a process began, in the words of the system; empty where there is none, or it has ended."""
    if not sys.platform.startswith("linux"):
        return _born_elsewhere(pid)  # pragma: no cover
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in _GONE else ""


def alive(pid: int, began: str) -> bool:
    """Tell whether it is still this process, and runs."""
    return bool(began) and born(pid) == began


def _born_elsewhere(pid: int) -> str:  # pragma: no cover
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    with suppress(OSError):
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - a number
        state, _, began = told.partition(" ")
        return "" if state[:1] in _GONE else began.strip()
    return ""


def _stat(pid: int) -> list[str]:
    """Return what /proc tells of a process, from its state on."""
    with suppress(OSError):
        return (_PROC / str(pid) / "stat").read_text("latin-1").rpartition(")")[2].split()
    return []


def marked(token: str) -> list[int]:
    """Return the processes that carry a mark, as far as this system shows variables."""
    wanted = f"{MARK}={token}".encode()
    return [pid for pid in _numbers() if _carries(pid, wanted)]


def of_session(pid: int) -> list[int]:
    """Return the processes of a session, which has the number of the process that began it."""
    return [member for member in _numbers() if (fields := _stat(member)) and fields[3] == str(pid)]


def _numbers() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - names are all it takes


def _carries(pid: int, wanted: bytes) -> bool:
    with suppress(OSError):
        return wanted in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return False


def end(pid: int, is_it: Callable[[], bool]) -> bool:
    """Kill a process if it still is the one that is meant; return whether it was.

    Where the system has handles for processes, the number cannot pass to another one between the look and the signal.
    """
    with suppress(OSError):
        if not hasattr(os, "pidfd_open"):  # pragma: no cover
            if found := is_it():
                os.kill(pid, signal.SIGKILL)
            return found
        handle = os.pidfd_open(pid)
        try:
            if found := is_it():
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            return found
        finally:
            os.close(handle)
    return False


def end_marked(token: str) -> set[int]:
    """Kill every process that carries a mark; return which those were."""
    wanted = f"{MARK}={token}".encode()
    return {pid for pid in marked(token) if end(pid, partial(_carries, pid, wanted))}


def end_descendants(pid: int) -> set[int]:
    """Kill all that descends from a process, again and again until nothing does any more; return which those were."""
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = descendants(pid) - ended
        if not found:
            break
        ended |= {each for each in found if end(each, partial(_descends, each, pid))}
    return ended


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, and those that they have."""
    parents = {member: fields[1] for member in _numbers() if (fields := _stat(member)) and fields[0] not in _GONE}
    found, new = set[int](), {pid}
    while new:
        above = set(map(str, new))
        new = {member for member, parent in parents.items() if parent in above} - found
        found |= new
    return found


def _descends(pid: int, ancestor: int) -> bool:
    return pid in descendants(ancestor)
