"""Whether the latencies that are reported are those of the service: a dual run against a known delay."""

from __future__ import annotations

from typing import Any, Final

from bench.dual import Bench, FailedRunError

DELAY_MS: Final = 5.0


def measure(bench: Bench, *, cases: int) -> dict[str, Any]:
    """Run against a server that takes `DELAY_MS`; return each side's p50 and p99, and how far off the delay they are.

    The delay is what the server means to take: its own lateness is in the figures too.
    """
    try:
        _, report = bench.run("/slow", cases, report=True)
    except FailedRunError as error:
        return {"delay_ms": DELAY_MS, "failed": str(error), "sides": {}}
    sides = {side: {name: report["latency"][side][name] for name in ("p50", "p99")} for side in ("old", "new")}
    return {"delay_ms": DELAY_MS, "cases": cases, "counts": report["counts"],
            "sides": {side: _judged(figures) for side, figures in sides.items()}}  # fmt: skip


def _judged(figures: dict[str, float]) -> dict[str, float]:
    return {**{f"{name}_ms": value for name, value in figures.items()},
            **{f"{name}_off": value / DELAY_MS - 1 for name, value in figures.items()}}  # fmt: skip
