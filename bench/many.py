"""A long run: whether its last tenth is as quick as its first, and whether its memory stays that of a short one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.dual import STORE, Bench, FailedRunError, Workload

FEW: Final = 10_000
"""The run that the memory of the long one is held against."""
_LOOK_S: Final = 0.25
_TENTHS: Final = 10
_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Look(NamedTuple):
    """How far a run was at a moment, and what it had used."""

    results: int
    wall_s: float
    cpu_s: float


def measure(bench: Bench, *, cases: int) -> dict[str, Any]:
    """Run a few cases and then so many; what cannot be measured is told with its reason."""
    if not Path("/proc/self/stat").exists():
        return {"failed": {"a long run": "this system has no /proc to look into"}}
    try:
        few = _run(bench, FEW) if cases > FEW else None
        many = _run(bench, cases)
    except FailedRunError as error:
        return {"failed": {"a long run": str(error)}}
    return {
        "cases": cases,
        "peak_bytes": many[1],
        "few": min(FEW, cases),
        "few_peak_bytes": (few or many)[1],
        "tenths": tenths(many[0], cases),
        "failed": {},
    }


def _run(bench: Bench, cases: int) -> tuple[list[Look], int]:
    command = bench.command(Workload("equal", 1).path, cases)
    looks, peak = [Look(0, 0.0, 0.0)], 0
    with subprocess.Popen(command, cwd=bench.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 (ours)
        begun = time.monotonic()
        while process.poll() is None:
            time.sleep(_LOOK_S)
            results = _results(bench.folder / STORE)
            if results > looks[-1].results:
                looks.append(Look(results, time.monotonic() - begun, _cpu_s(process.pid)))
            peak = _peak(process.pid) or peak
    if process.returncode not in (0, 1, 3) or looks[-1].results != cases:
        raise FailedRunError(f"it ended with {process.returncode} after {looks[-1].results} of {cases} cases")
    return looks, peak


def tenths(looks: Sequence[Look], cases: int) -> list[dict[str, float]]:
    """Return for each tenth of the cases its rate and its CPU per case, between the looks next to where it ends."""
    ends = [min(looks, key=lambda look: abs(look.results - cases * n / _TENTHS)) for n in range(_TENTHS + 1)]
    if ends[1] in looks[2:]:
        ends[0] = looks[1]  # Before the first results, the run was starting.
    return [
        {"per_s": n / (end.wall_s - start.wall_s), "cpu_us": (end.cpu_s - start.cpu_s) / n * 1e6}
        for start, end in pairwise(ends)
        if (n := end.results - start.results)
    ]


def _results(store: Path) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT coalesce(max(seq), 0) FROM results").fetchone()[0])
    return 0


def _cpu_s(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def _peak(pid: int) -> int:
    """Return the most memory that a process has had; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
