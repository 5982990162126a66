"""Whether the latencies that are reported are those of the service: a dual run against a known delay."""

from __future__ import annotations

from typing import Any, Final

from bench.dual import Bench, FailedRunError

DELAY_MS: Final = 5.0


CONCURRENCIES: Final = (1, 4, 64)
"""From an idle client to one that has no time left: what waits for the client then counts as the service's time."""

_CASES_EACH: Final = 250


def measure(bench: Bench, *, cases: int) -> dict[str, Any]:
    """Run against a server that takes `DELAY_MS`; return each side's p50 and p99, and how far off the delay they are.

    The delay is what the server means to take: its own lateness is in the figures too.
    """
    rows, failed = [], {}
    for concurrency in CONCURRENCIES:
        try:
            rows += _rows(bench, min(cases, _CASES_EACH * concurrency), concurrency)
        except FailedRunError as error:
            failed[f"latency at concurrency {concurrency}"] = str(error)
    return {"delay_ms": DELAY_MS, "rows": rows, "failed": failed}


def _rows(bench: Bench, cases: int, concurrency: int) -> list[dict[str, Any]]:
    _, report = bench.run("/slow", cases, report=True, concurrency=concurrency)
    if report["counts"]["matched"] != cases:
        raise FailedRunError(f"not every case matched: {report['counts']}")
    return [
        {"concurrency": concurrency, "side": side, "cases": cases, **_judged(report["latency"][side])}
        for side in ("old", "new")
    ]


def _judged(figures: dict[str, float]) -> dict[str, float]:
    taken = {name: figures[name] for name in ("p50", "p99")}
    return {f"{name}_ms": value for name, value in taken.items()} | {
        f"{name}_off": value / DELAY_MS - 1 for name, value in taken.items()
    }
