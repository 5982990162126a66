"""Bounds that may be looked at after every case: watching must not make a GO."""

# ruff: noqa: S311 - simulations, no secrets

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.models import Case, OutcomeName, Request, Result
from replay.verdict import Judge, parse_criteria
from replay.verdict.statistics import difference_lower, difference_upper, fewest, lower_bound, upper_bound
from replay.verdict.watching import (
    watched_difference_lower,
    watched_difference_upper,
    watched_lower_bound,
    watched_upper_bound,
)

RUNS = 2_000
MOST_FALSE = 131
"""5% of 2,000 runs, and three standard errors of their number."""
LIMIT = 0.005
LAST = 20_000
"""Cases after which nobody looks any more; 33 times as many as prove the limit."""


def result(number: int, outcome: OutcomeName) -> Result:
    return Result(Case(str(number), "traffic", str(number), Request()), outcome)


def first_go(deviations: int) -> int:
    """Return at how many cases a run with so many deviations is first within the limit."""
    clean = fewest(lambda further: watched_upper_bound(deviations, deviations + further) < LIMIT)
    assert clean is not None
    return deviations + clean


def ever_go(draw: random.Random, thresholds: list[int]) -> bool:
    """Tell whether a run whose deviation is the limit is GO at any look, with a look after every case."""
    cases = deviations = 0
    while cases < LAST:
        before_next = cases + math.floor(math.log(draw.random()) / math.log1p(-LIMIT))
        while len(thresholds) <= deviations:
            thresholds.append(first_go(len(thresholds)))
        # Between two deviations the bound only falls.
        if min(before_next, LAST) >= max(thresholds[deviations], cases):
            return True
        cases, deviations = before_next + 1, deviations + 1
    return False


def test_a_look_after_every_case_finds_go_at_the_limit_in_no_more_than_5_of_100_runs() -> None:
    draw, thresholds = random.Random(20241128), list[int]()
    false = sum(ever_go(draw, thresholds) for _ in range(RUNS))
    assert 10 <= false <= MOST_FALSE  # and not none at all: the bounds are of use


def test_the_exact_bounds_are_fooled_by_as_many_looks() -> None:
    draw = random.Random(20241128)
    thresholds = [
        deviations + (fewest(lambda more, k=deviations: upper_bound(k, k + more) < LIMIT) or 0)  # type: ignore[misc]
        for deviations in range(200)
    ]
    assert sum(ever_go(draw, thresholds) for _ in range(RUNS)) > 3 * MOST_FALSE


def test_a_watched_judge_is_go_from_exactly_these_cases_on() -> None:
    judge, found = Judge(parse_criteria(["deviation < 0.5%"]), watched=True), list[int]()
    for number in range(1, 1_400):
        judge.add_all([result(number, "deviation" if number == 500 else "match")])
        if number > 1_300 and judge.verdict().state == "GO":
            found.append(number)
    assert found[0] == first_go(1) == 1_317


def test_735_clean_cases_show_half_a_per_cent_at_every_look_where_598_do_at_one() -> None:
    assert (first_go(0), fewest(lambda n: upper_bound(0, n) < LIMIT)) == (735, 598)


def test_a_watched_judge_says_why_it_asks_for_more() -> None:
    judge = Judge(parse_criteria(["deviation < 0.5%", "errors <= old"]), watched=True)
    judge.add_all(result(number, "match") for number in range(598))
    verdict = judge.verdict()
    assert [each.state for each in verdict.criteria] == ["INCONCLUSIVE", "INCONCLUSIVE"]
    assert "137 cases more, all clean" in verdict.criteria[0].why
    assert all(
        each.why.endswith("looked at while it grows: bounds that hold at every look") for each in verdict.criteria
    )


def test_errors_beside_old_come_to_a_go_while_they_are_watched() -> None:
    judge = Judge(parse_criteria(["errors <= old"]), watched=True)
    judge.add_all(result(number, "match") for number in range(1_000))
    assert judge.verdict().state == "GO"


def test_too_many_deviations_are_no_go_at_a_look() -> None:
    judge = Judge(parse_criteria(["deviation < 0.5%"]), watched=True)
    judge.add_all(result(number, "deviation" if number % 10 == 0 else "match") for number in range(100))
    assert judge.verdict().state == "NO-GO"


def test_a_look_after_every_case_finds_no_go_at_the_limit_in_no_more_than_5_of_100_runs() -> None:
    draw, false = random.Random(7), 0
    for _ in range(200):
        cases = 0
        for deviations in range(1, 16):
            cases += 1 + math.floor(math.log(draw.random()) / math.log1p(-LIMIT))
            # The lower bound is highest right after a deviation.
            if watched_lower_bound(deviations, cases) >= LIMIT:
                false += 1
                break
    assert 0 < false <= 19  # 5% of 200, and three standard errors


@given(st.integers(0, 300), st.integers(1, 3_000), st.sampled_from([0.9, 0.95, 0.999]))
def test_watched_bounds_enclose_the_exact_ones(k: int, n: int, confidence: float) -> None:
    k = min(k, n)
    assert watched_upper_bound(k, n, confidence) >= upper_bound(k, n, confidence) - 1e-3 * (k == n)
    assert watched_lower_bound(k, n, confidence) <= lower_bound(k, n, confidence) + 1e-12


@given(st.integers(0, 40), st.integers(1, 2_000))
def test_more_clean_cases_never_widen_a_watched_bound(k: int, n: int) -> None:
    assert watched_upper_bound(k, k + n + 1) <= watched_upper_bound(k, k + n) + 1e-12


@given(st.floats(0, 20), st.floats(1, 2_000))
def test_counts_that_sessions_shrank_are_taken(k: float, n: float) -> None:
    k = min(k, n)
    assert 0 <= watched_lower_bound(k, n) <= k / n <= watched_upper_bound(k, n) <= 1


@pytest.mark.parametrize(("k", "n", "expected"), [(0, 0, (0.0, 1.0)), (5, 5, (None, 1.0)), (0, 5, (0.0, None))])
def test_where_nothing_can_be_ruled_out_the_bound_is_the_end(
    k: int, n: int, expected: tuple[float | None, float | None]
) -> None:
    for found, wanted in zip((watched_lower_bound(k, n), watched_upper_bound(k, n)), expected, strict=True):
        assert wanted is None or found == wanted


def test_a_difference_is_between_its_bounds() -> None:
    low, high = watched_difference_lower(30, 5, 2_000), watched_difference_upper(30, 5, 2_000)
    assert 0 < low < 25 / 2_000 < high < 0.04


@given(st.integers(0, 30), st.integers(0, 30), st.integers(100, 3_000))
def test_watched_bounds_of_a_difference_enclose_those_for_one_look(only_new: int, only_old: int, n: int) -> None:
    pairs = (only_new, only_old, n)
    assert watched_difference_upper(*pairs) >= difference_upper(*pairs)
    assert watched_difference_lower(*pairs) <= difference_lower(*pairs)


@pytest.mark.parametrize("bad", [(-1, 5), (6, 5), (0, math.inf)])
def test_what_is_no_count_is_refused(bad: tuple[float, float]) -> None:
    for bound in (watched_upper_bound, watched_lower_bound):
        with pytest.raises(ValueError, match="is no count"):
            bound(*bad)
