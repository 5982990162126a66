"""The whole dual run: `replay run` in a process of its own, its CPU per case, and its peak memory."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.answers import KINDS, SETTINGS, write_capture
from bench.meter import Cost, Spread, cost_of
from bench.sender import CONNECTIONS

_REPLAY: Final = (sys.executable, "-c", "from replay.cli import main; main()", "run")
_LIMIT_S: Final = 600.0
STORE: Final = "bench.sqlite"
_FEW: Final = 20
_SEVERAL: Final = 2
_UNLIKE: Final = ("unlike", "unlike-ignored")
OUTCOMES: Final[Mapping[str, str]] = {
    "equal": "matched", "ignored": "matched", "deviating": "deviating",
    **dict.fromkeys(_UNLIKE, "matched"),
}  # fmt: skip
"""Which of the report's counts every case must be in; otherwise something else was measured."""


class FailedRunError(Exception):
    """A run that did not do what it was measured for."""


@dataclass(frozen=True)
class Workload:
    """Bodies of one kind and size, and from how many processes they are asked for."""

    kind: str
    size_kb: int
    workers: int = 1

    @property
    def path(self) -> str:
        """Return where nginx has them."""
        return f"/{self.kind}/{self.size_kb}.json"

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what a run is told beside the path."""
        return ("--workers", str(self.workers))

    def __str__(self) -> str:
        return f"{self.kind} {self.size_kb} KB, --workers {self.workers}"


@dataclass(frozen=True)
class Bench:
    """Where runs are made: a folder for their files, and the two sides."""

    folder: Path
    old: str
    new: str

    def run(self, path: str, cases: int, *flags: str, report: bool = False) -> tuple[Cost, dict[str, Any]]:
        """Run so many cases against both sides, with a new store; the report costs CPU, so it is left out unless asked.

        Raises FailedRunError unless the run came to a verdict.
        """
        command = self.command(path, cases, *flags, *(("--report", "json:report.json") if report else ()))
        cost = cost_of(command, limit_s=_LIMIT_S, cwd=self.folder, env=os.environ | {"NO_COLOR": "1"})
        if cost.exit_code not in (0, 1, 3):
            raise FailedRunError(f"`replay run` ended with {cost.exit_code}: {cost.output.strip()[-300:]}")
        return cost, json.loads((self.folder / "report.json").read_bytes()) if report else {}

    def command(self, path: str, cases: int, *flags: str) -> list[str]:
        """Lay out what such a run needs, in an empty folder, and return the command that makes it."""
        self._clean()
        (self.folder / "replay.yaml").write_text(SETTINGS, encoding="utf-8")
        capture = write_capture(self.folder / "traffic.jsonl", path, cases)
        command = [*_REPLAY, "--old", self.old, "--new", self.new, "--traffic", str(capture)]
        return [*command, "--concurrency", str(CONNECTIONS), "--store", STORE, *flags]

    def few(self, workload: Workload) -> Cost:
        """Run a few cases. Raises FailedRunError unless each ends as its workload is meant to."""
        cost, report = self.run(workload.path, _FEW, *workload.flags, report=True)
        counted = report["counts"][OUTCOMES[workload.kind]]
        if counted != _FEW:
            raise FailedRunError(f"{counted} of {_FEW} cases are {OUTCOMES[workload.kind]}: {report['counts']}")
        return cost

    def _clean(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()


def measure(bench: Bench, *, cases: int, repeats: int, sizes_kb: Sequence[int]) -> dict[str, Any]:
    """Measure each workload `repeats` times, in turn. A case costs what cases beyond the first few cost."""
    failed: dict[str, str] = {}
    taken: dict[Workload, list[tuple[Cost, Cost]]] = {}
    for _ in range(repeats):
        for workload in _workloads(sizes_kb):
            try:
                few, (many, _) = bench.few(workload), bench.run(workload.path, _FEW + cases, *workload.flags)
                taken.setdefault(workload, []).append((few, many))
            except FailedRunError as error:
                failed[str(workload)] = str(error)
    return {"cases": cases, "rows": rows_of(taken, cases=cases), "failed": failed}


def _workloads(sizes_kb: Sequence[int]) -> list[Workload]:
    """Return what is measured. Several processes cost where a case costs least: there they are held to it."""
    alike = [Workload(kind, size) for size in sizes_kb for kind in KINDS]
    return [*alike, *(Workload(kind, 1) for kind in _UNLIKE), Workload(KINDS[0], sizes_kb[0], workers=_SEVERAL)]


def rows_of(taken: Mapping[Workload, list[tuple[Cost, Cost]]], *, cases: int) -> list[dict[str, Any]]:
    """Return a row for each workload, from what a few cases cost and what so many more did."""
    return [_row(workload, pairs, cases) for workload, pairs in taken.items()]


def _row(workload: Workload, pairs: list[tuple[Cost, Cost]], cases: int) -> dict[str, Any]:
    per_case = Spread.of((many.cpu_s - few.cpu_s) / cases * 1e6 for few, many in pairs)
    # Of a bench this short that starting hides the cases, nothing can be told.
    rates = [cases / (many.wall_s - few.wall_s) for few, many in pairs if many.wall_s > few.wall_s]
    return {
        "bodies": workload.kind,
        "size_kb": workload.size_kb,
        "workers": workload.workers,
        "cpu_us_per_case": vars(per_case),
        "cases_per_s": vars(Spread.of(rates)) if rates else None,
        "start_cpu_s": vars(Spread.of(few.cpu_s for few, _ in pairs)),
        "peak_bytes": max((many.peak_bytes or 0 for _, many in pairs), default=0) or None,
    }
