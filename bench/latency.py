"""Whether the latencies that are reported are those of the service, and whether a timetable is kept."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from bench.dual import Bench, FailedRunError, Workload

DELAY_MS: Final = 5.0
LOADS: Final = (0.1, 0.5, 0.9)
"""Shares of the rate at which the client has no time left."""
REQUESTS: Final = 2000
"""The open loop's requests a second, two for each case."""
_SECONDS: Final = 4.0
_WARMING: Final = 20
_LEAST_US: Final = 100.0
"""No case costs less; a bench of a few cases may find less than nothing."""


def measure(slow: Bench, fast: Bench, *, cases: int, us_per_case: float | None) -> dict[str, Any]:
    """Run at parts of the client's top rate against a server that knows its own delay, and on a timetable.

    `us_per_case` is what a case costs the client: that many fit into a second, and no more.
    """
    failed: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for load in LOADS if us_per_case is not None else ():
        try:
            rows += _rows(slow, load, rate=load * 1e6 / max(us_per_case or 0, _LEAST_US), cases=cases)
        except FailedRunError as error:
            failed[f"latency at {load:.0%} of the top rate"] = str(error)
    try:
        timetable = _timetable(fast, cases)
    except FailedRunError as error:
        timetable, failed["timetable"] = None, str(error)
    return {"delay_ms": DELAY_MS, "rows": rows, "timetable": timetable, "failed": failed}


def _rows(bench: Bench, load: float, *, rate: float, cases: int) -> list[dict[str, Any]]:
    count = max(1, min(cases, int(rate * _SECONDS)))
    # A run of its own: the servers could not tell a warm-up within one from what is measured.
    bench.run("/slow", _WARMING)
    for url in (bench.old, bench.new):
        _truth(url)  # What was asked before does not count.
    _, report = bench.run("/slow", count, "--rate", f"{rate:.0f}/s", report=True)
    _require_all(report, count)
    truths = {"old": _truth(bench.old), "new": _truth(bench.new)}
    if any(truth["n"] != count for truth in truths.values()):
        raise FailedRunError(f"the servers were not asked for {count} cases each: {truths}")
    return [
        {"load": load, "rate": rate, "side": side, "cases": count, **_judged(report["latency"][side], truths[side])}
        for side in ("old", "new")
    ]


def _timetable(bench: Bench, cases: int) -> dict[str, Any]:
    rate = REQUESTS // 2
    count = min(cases, int(rate * _SECONDS))
    _, report = bench.run(Workload("equal", 1).path, count, "--rate", f"{rate}/s", report=True)
    _require_all(report, count)
    return dict(report["pacing"]) | {"requests_per_second": REQUESTS, "cases": count}


def _require_all(report: Mapping[str, Any], cases: int) -> None:
    if report["counts"]["matched"] != cases:
        raise FailedRunError(f"not every case matched: {report['counts']}")


def _truth(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/truth", timeout=5) as answer:  # noqa: S310 (our own server)
        return dict(json.load(answer))


def _judged(told: Mapping[str, float], true: Mapping[str, float]) -> dict[str, float]:
    names = ("p50", "p99")
    return (
        {f"{name}_ms": told[name] for name in names}
        | {f"{name}_true_ms": true[name] for name in names}
        | {f"{name}_off": told[name] / true[name] - 1 for name in names}
    )
