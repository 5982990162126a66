"""Latency criteria: what they are judged by, and above all what is never GO."""

# ruff: noqa: S311 - latencies, no secrets

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from replay.models import (
    Case,
    CaseKind,
    Failure,
    Judgement,
    Lateness,
    Observation,
    OutcomeName,
    Request,
    Result,
    Timing,
)
from replay.verdict import Judge, parse_criteria


def answer(ms: float | None, *, connect: float | None = None, status: int = 200) -> Observation:
    return Observation(status, timing=None if ms is None else Timing(ms, connect_ms=connect))


TIMEOUT = Observation(error=Failure("timeout"), timing=Timing(5000.0))
REFUSED = Observation(error=Failure("refused"))


def result(
    number: object,
    old: Observation,
    new: Observation,
    outcome: OutcomeName = "match",
    *,
    session: str | None = None,
    kind: CaseKind = "traffic",
    **more: Any,
) -> Result:
    return Result(Case(f"c{number}", kind, f"{number}", Request(), session=session, **more), outcome, old, new)


def pairs(
    count: int, ratio: float = 1.0, *, more: float = 0.0, seed: int = 1, connect: float | None = None
) -> list[Result]:
    """Return cases whose latencies hang together, new's being `ratio` times old's plus `more`."""
    return list(_pairs(count, ratio, more, seed, connect))


def _pairs(count: int, ratio: float, more: float, seed: int, connect: float | None) -> Iterator[Result]:
    draw = random.Random(seed)
    for number in range(count):
        shared = draw.gauss(3, 0.4)
        old, new = (draw.lognormvariate(shared, 0.3) for _ in range(2))
        yield result(f"{seed}-{number}", answer(old, connect=connect), answer(ratio * new + more, connect=connect))


def judgement(sentence: str, results: Iterable[Result]) -> Judgement:
    judge = Judge(parse_criteria([sentence]))
    judge.add_all(results)
    (found,) = judge.verdict().criteria
    return found


# beside old


@pytest.mark.parametrize("quantile", ["p50", "p90", "p95", "p99"])
@pytest.mark.parametrize(("ratio", "state"), [(0.95, "GO"), (1.5, "NO-GO")])
def test_a_quantile_beside_old_is_judged_by_its_whole_interval(quantile: str, ratio: float, state: str) -> None:
    found = judgement(f"{quantile} <= old + 15%", pairs(4000, ratio))
    assert (found.state, found.unit, found.n) == (state, "ratio", 4000)
    assert found.interval is not None
    assert found.interval[0] <= ratio <= found.interval[1]


def test_a_signed_limit_is_one_beside_old() -> None:
    short, long = (judgement(sentence, pairs(3000)) for sentence in ("p95 <= +10%", "p95 <= old + 10%"))
    assert (short.state, short.interval) == (long.state, long.interval)


def test_milliseconds_beside_old_are_told_as_milliseconds() -> None:
    found = judgement("p95 <= old + 20ms", pairs(3000, more=5))
    assert (found.state, found.unit) == ("GO", "ms")
    assert found.interval is not None
    assert found.interval[0] < 5 < found.interval[1]
    assert judgement("p95 <= old + 20ms", pairs(3000, more=40)).state == "NO-GO"
    assert judgement("p95 <= old + 0.02s", pairs(3000, more=5)).state == "GO"


def test_without_a_margin_new_has_to_be_faster() -> None:
    assert judgement("p95 <= old", pairs(3000)).state == "INCONCLUSIVE"
    assert judgement("p95 <= old", pairs(3000, 0.8)).state == "GO"
    assert judgement("p95 <= old - 10%", pairs(3000, 0.8)).state == "GO"
    assert judgement("p95 <= old - 10%", pairs(3000, 0.95)).state != "GO"


def test_too_few_cases_ask_for_the_rest() -> None:
    found = judgement("p95 <= old + 10%", pairs(150))
    assert found.state == "INCONCLUSIVE"
    assert "150 cases, and 10 have to lie beyond p95: 50 cases more would show something" in found.why
    assert "850 cases more" in judgement("p99 <= old + 10%", pairs(150)).why
    assert "23 cases more" in judgement("p50 <= old + 10%", pairs(25)).why
    assert judgement("p50 <= old + 10%", pairs(48)).value is not None


def test_an_open_interval_asks_for_as_many_cases_as_would_settle_it() -> None:
    found = judgement("p95 <= old + 10%", pairs(400))
    assert found.state == "INCONCLUSIVE"
    assert "cases more would settle it" in found.why


def test_more_confidence_widens_the_interval() -> None:
    one, other = (judgement(f"p95 <= old + 10%{at}", pairs(1000)) for at in ("", " at 99%"))
    assert one.interval is not None
    assert other.interval is not None
    assert other.interval[0] < one.interval[0] < one.interval[1] < other.interval[1]


def test_nothing_is_proved_over_nothing() -> None:
    for sentence in ("p95 <= old + 10%", "p95 <= 300ms"):
        assert judgement(sentence, []).state == "INCONCLUSIVE"
        goldens = [result(n, answer(1.0), answer(1.0), kind="golden") for n in range(5000)]
        assert judgement(sentence, goldens).state == "INCONCLUSIVE"
        skipped = [result(n, answer(1.0), answer(1.0), "skipped") for n in range(5000)]
        assert judgement(sentence, skipped).state == "INCONCLUSIVE"


def test_one_session_proves_nothing_however_long() -> None:
    cases = [replace(each, case=replace(each.case, session="one")) for each in pairs(3000, 0.5)]
    assert judgement("p95 <= old + 10%", cases).state == "INCONCLUSIVE"
    few = [replace(each, case=replace(each.case, session=str(n % 250))) for n, each in enumerate(pairs(3000, 0.5))]
    found = judgement("p95 <= old + 10%", few)
    assert (found.state, round(found.n or 0)) == ("GO", 250)
    assert "3,000 are worth 250" in found.why


# failures


def test_a_new_that_fails_fast_is_not_fast() -> None:
    fast = [result(f"f{n}", answer(20.0), answer(0.1, status=500), "new_error") for n in range(400)]
    found = judgement("p95 <= old + 10%", pairs(3000, 0.8) + fast)
    assert found.state == "INCONCLUSIVE"
    assert "slowest of all for GO: 400 cases that new failed" in found.why
    assert judgement("p95 <= old + 10%", pairs(3000, 0.8)).state == "GO"


def test_what_both_sides_failed_does_not_help_new() -> None:
    both = [result(f"b{n}", REFUSED, REFUSED, "both_error") for n in range(1000)]
    assert judgement("p95 <= old + 10%", pairs(3000, 0.8) + both).state == "INCONCLUSIVE"
    slow = [result(f"t{n}", TIMEOUT, TIMEOUT, "both_error") for n in range(1000)]
    assert judgement("p95 <= old + 10%", pairs(3000, 0.8) + slow).state == "INCONCLUSIVE"


def test_timeouts_are_latencies() -> None:
    late = [result(f"t{n}", answer(20.0), TIMEOUT, "new_error") for n in range(400)]
    for sentence in ("p95 <= old + 10%", "p95 <= old + 20ms", "p95 <= 300ms"):
        assert judgement(sentence, pairs(3000) + late).state == "NO-GO"
    assert judgement("p50 <= old + 20%", pairs(3000) + late).state == "GO"


def test_timeouts_of_old_alone_count_for_new() -> None:
    late = [result(f"t{n}", TIMEOUT, answer(20.0), "old_error") for n in range(400)]
    assert judgement("p95 <= old", pairs(3000) + late).state == "GO"


def test_other_failures_of_old_are_left_out_and_said() -> None:
    gone = [result(f"o{n}", REFUSED, answer(900.0), "old_error") for n in range(400)]
    found = judgement("p95 <= old + 10%", pairs(3000, 0.9) + gone)
    assert (found.state, found.n) == ("GO", 3000)
    assert "left out: 400 cases that old failed" in found.why


# connections, timetables and recordings


def test_cases_that_opened_a_connection_are_left_out_and_said() -> None:
    opening = [result(f"o{n}", answer(20.0), answer(500.0, connect=3.0)) for n in range(300)]
    found = judgement("p95 <= old + 10%", pairs(3000, 0.9) + opening)
    assert (found.state, found.n) == ("GO", 3000)
    assert "left out: 300 cases that opened a connection" in found.why


def test_where_connections_are_not_kept_all_cases_open_one_and_are_judged() -> None:
    found = judgement("p95 <= old + 10%", pairs(3000, 0.9, connect=1.0) + pairs(10, 9.0, seed=2))
    assert (found.state, found.n) == ("GO", 3000)
    assert "most cases opened a connection of their own, so those are judged" in found.why
    assert judgement("p95 <= old + 10%", pairs(3000, 1.5, connect=1.0)).state == "NO-GO"


def test_a_timetable_that_was_not_kept_is_never_go() -> None:
    late = [replace(each, lateness=Lateness(200.0, 200.0)) for each in pairs(3000, 0.8)]
    found = judgement("p95 <= old + 10%", late)
    assert found.state == "INCONCLUSIVE"
    assert "a twentieth of the cases was begun more than 199 ms late" in found.why
    on_time = [replace(each, lateness=Lateness(0.2, 0.2)) for each in pairs(3000, 0.8)]
    assert judgement("p95 <= old + 10%", on_time).state == "GO"


def test_recorded_latencies_of_old_prove_nothing() -> None:
    recorded = [
        replace(each, case=replace(each.case, recorded=each.old)) for factor in (0.5,) for each in pairs(3000, factor)
    ]
    found = judgement("p95 <= old + 10%", recorded)
    assert found.state == "INCONCLUSIVE"
    assert "recorded elsewhere" in found.why
    assert found.value == pytest.approx(0.5, rel=0.1)
    assert judgement("p95 <= 300ms", recorded).state == "GO"
    live = [replace(each, case=replace(each.case, recorded=answer(7.0))) for each in pairs(3000, 0.5)]
    assert judgement("p95 <= old + 10%", live).state == "GO"


# by itself


def test_a_limit_of_its_own_is_a_share_of_slower_cases() -> None:
    clean = [result(n, answer(None), answer(10.0)) for n in range(59)]
    found = judgement("p95 <= 300ms", clean)
    assert (found.state, found.unit) == ("GO", "ms")
    assert judgement("p95 <= 300ms", clean[:58]).state == "INCONCLUSIVE"
    assert "1 case more" in judgement("p95 <= 300ms", clean[:58]).why
    assert judgement("p99 <= 300ms", clean).state == "INCONCLUSIVE"


def test_a_new_that_is_too_slow_by_itself_is_no_go() -> None:
    found = judgement("p95 <= 30ms", pairs(3000))
    assert found.state == "NO-GO"
    assert found.interval is not None
    assert found.interval[0] >= 30
    assert found.value is not None
    assert found.value > 30


def test_a_quantile_that_never_came_is_told_as_never() -> None:
    late = [result(f"t{n}", answer(20.0), TIMEOUT, "new_error") for n in range(400)]
    found = judgement("p95 <= 300ms", pairs(3000) + late)
    assert (found.state, found.value) == ("NO-GO", float("inf"))
    assert found.why.startswith("p95 of new is never; slower than 300ms: 400 of 3,400 cases")


def test_failures_are_not_fast_enough() -> None:
    fast = [result(f"f{n}", answer(1.0), answer(0.1, status=500), "new_error") for n in range(400)]
    assert judgement("p95 <= 300ms", pairs(3000) + fast).state == "INCONCLUSIVE"


def test_first_exchanges_are_left_out_here_too() -> None:
    opening = [result(f"o{n}", answer(20.0), answer(900.0, connect=3.0)) for n in range(300)]
    found = judgement("p95 <= 300ms", pairs(3000) + opening)
    assert (found.state, found.n) == ("GO", 3000)
    assert "left out: 300 cases that opened a connection" in found.why


# many parts


def test_each_route_has_latencies_of_its_own() -> None:
    slow = [replace(each, case=replace(each.case, request=Request("GET", "/slow"))) for each in pairs(2000, 2, seed=9)]
    found = judgement("p95 <= old + 20% per route", pairs(3000) + slow)
    assert found.state == "NO-GO"
    assert [(part.sentence, part.state) for part in found.parts] == [("GET /slow", "NO-GO"), ("GET /", "GO")]
