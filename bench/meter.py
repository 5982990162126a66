"""What a command costs: the CPU of its whole process tree, and its peak memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

_KILOBYTE: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """What a command used; `cpu_s` is user and system time of it and of the processes that it waited for."""

    output: str
    exit_code: int
    cpu_s: float
    wall_s: float
    peak_bytes: int | None
    """The peak of its largest process; None where that is below this process's own, which the system counts in."""


def cost_of(
    command: Sequence[str], *, limit_s: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run a command to its end, or end it after `limit_s`; what it prints is in `output`."""
    begun = time.monotonic()
    with TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=env)  # noqa: S603 (the bench's own commands)
        timer = threading.Timer(limit_s, process.kill)
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall_s = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Cost(text, process.returncode, used.ru_utime + used.ru_stime, wall_s, _peak(used.ru_maxrss))


def _peak(kilobytes: int) -> int | None:
    """Return a child's peak in bytes. A fork begins as large as its parent, and the system remembers that."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * _KILOBYTE if kilobytes > own else None


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing: their median, and the least and the most."""

    median: float
    least: float
    most: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sum up; raises StatisticsError for none."""
        taken = sorted(values)
        return cls(statistics.median(taken), taken[0], taken[-1], len(taken))
