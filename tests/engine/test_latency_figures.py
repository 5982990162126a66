"""Latency parity: both sides' quantiles over the same cases, and the routes that carry what parts them."""

# ruff: noqa: S311 - latencies, no secrets

from __future__ import annotations

import random

import pytest

from replay.engine import latency as module
from replay.engine.latency import LISTED, OTHER, LatencyFigures
from replay.models import Case, Failure, LatencyParity, Observation, Request, Result, Timing


def figures(*routes: tuple[str, int, float], session: str | None = None) -> LatencyFigures:
    """Return the figures of so many cases to each path, on which new takes so many milliseconds more."""
    found, draw = LatencyFigures(), random.Random(4)
    for path, count, more in routes:
        for number in range(count):
            case = Case(f"{path}{number}", "traffic", f"{path}{number}", Request("GET", path), session=session)
            old = draw.lognormvariate(3, 0.3)
            new = max(0.1, old + draw.gauss(0, 1) + more)
            answers = (Observation(200, timing=Timing(old)), Observation(200, timing=Timing(new)))
            found.add_all([Result(case, "match", *answers)])
    return found


def parity(*routes: tuple[str, int, float]) -> LatencyParity:
    found = figures(*routes).parity()
    assert found is not None
    return found


def test_both_sides_are_told_with_what_parts_them() -> None:
    found = parity(("/a", 3000, 5.0))
    assert (found.cases, found.worth, found.unlisted) == (3000, 3000, 0)
    assert [each.name for each in found.quantiles] == ["p50", "p90", "p95", "p99"]
    for each in found.quantiles:
        assert each.old_bounds[0] < each.old < each.old_bounds[1]
        assert each.new_bounds[0] < each.new < each.new_bounds[1]
        assert each.ratio_bounds[0] < each.ratio < each.ratio_bounds[1]
        assert each.difference_bounds[0] < 5 < each.difference_bounds[1]


def test_a_quantile_of_which_too_few_cases_can_tell_is_left_out() -> None:
    assert [each.name for each in parity(("/a", 250, 0.0)).quantiles] == ["p50", "p90", "p95"]
    assert figures(("/a", 19, 0.0)).parity() is None
    assert figures(("/a", 3000, 0.0), session="one").parity() is None
    assert LatencyFigures().parity() is None


def test_the_routes_that_carry_the_difference_come_first_whichever_way() -> None:
    found = parity(("/same", 1000, 0.0), ("/slow", 400, 12.0), ("/fast", 200, -9.0))
    assert [each.route for each in found.routes] == ["GET /slow", "GET /fast", "GET /same"]
    assert [each.clear for each in found.routes] == [True, True, False]
    assert found.routes[0].mean_ms == pytest.approx(12, abs=0.3)
    assert found.routes[0].total_ms == pytest.approx(400 * 12, rel=0.03)


def test_more_routes_than_are_listed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(f"/part{chr(97 + number)}", 30, 1.0 + number) for number in range(9)]
    found = parity(*many)
    assert (len(found.routes), found.unlisted) == (LISTED, 9 - LISTED)
    monkeypatch.setattr(module, "MOST_ROUTES", 2)
    assert {each.route for each in parity(*many).routes} == {"GET /parta", "GET /partb", OTHER}


def test_what_never_came_is_in_no_route_and_in_every_quantile() -> None:
    found = figures(("/a", 3000, 0.0))
    for number in range(300):
        case = Case(f"t{number}", "traffic", f"t{number}", Request("GET", "/late"))
        late = Observation(error=Failure("timeout"))
        found.add_all([Result(case, "new_error", Observation(200, timing=Timing(20.0)), late)])
    told = found.parity()
    assert told is not None
    assert [each.route for each in told.routes] == ["GET /a"]
    assert told.quantiles[-1].new == float("inf")
