"""Bounds, against scipy and against their own definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import beta, binom

from replay.verdict.statistics import (
    cases_needed,
    difference_lower,
    difference_upper,
    effective_n,
    fewest,
    incomplete_beta,
    is_above,
    is_below,
    lower_bound,
    upper_bound,
)

SIZES = (1, 2, 7, 100, 597, 598, 12_345.678, 1e6, 1e7)
SHARES = (0, 1e-6, 0.001, 0.005, 0.1, 0.5, 0.93, 0.9999, 1)
CONFIDENCES = (0.5, 0.9, 0.95, 0.99, 0.999_999)

rates = st.just(0.0) | st.floats(1e-12, 1)  # scipy itself overflows for a beta of 1e-300
sizes = st.floats(0.01, 1e6)


def scipy_upper(k: float, n: float, confidence: float) -> float:
    return 1.0 if k >= n else float(beta.ppf(confidence, k + 1, n - k))


def scipy_lower(k: float, n: float, confidence: float) -> float:
    return 0.0 if k == 0 else float(beta.ppf(1 - confidence, k, n - k + 1))


@pytest.mark.parametrize("n", SIZES)
def test_bounds_equal_those_of_scipy_to_1e_9(n: float) -> None:
    for k in (share * n for share in SHARES):
        for confidence in CONFIDENCES:
            assert upper_bound(k, n, confidence) == pytest.approx(scipy_upper(k, n, confidence), abs=1e-9)
            assert lower_bound(k, n, confidence) == pytest.approx(scipy_lower(k, n, confidence), abs=1e-9)


@given(rates, sizes, st.floats(0.5, 0.9999))
def test_bounds_equal_those_of_scipy_for_any_real_counts(rate: float, n: float, confidence: float) -> None:
    k = min(rate * n, n)
    assert upper_bound(k, n, confidence) == pytest.approx(scipy_upper(k, n, confidence), abs=1e-9)
    assert lower_bound(k, n, confidence) == pytest.approx(scipy_lower(k, n, confidence), abs=1e-9)


@given(rates, sizes, st.floats(0, 1), st.floats(0.5, 0.9999))
def test_a_limit_is_held_against_a_bound_as_by_the_bound_itself(
    rate: float, n: float, limit: float, confidence: float
) -> None:
    low, high = lower_bound(rate * n, n, confidence), upper_bound(rate * n, n, confidence)
    assume(min(abs(limit - low), abs(limit - high)) > 1e-9)
    assert is_above(limit, rate * n, n, confidence) == (low > limit)
    assert is_below(limit, rate * n, n, confidence) == (high < limit)


def test_nothing_and_everything_seen_leave_one_bound_at_the_end() -> None:
    assert not is_above(0, 0, 10)
    assert not is_below(1, 10, 10)


@given(rates, sizes)
def test_the_bounds_enclose_the_rate(rate: float, n: float) -> None:
    k = min(rate * n, n)
    assert lower_bound(k, n) - 1e-12 <= k / n <= upper_bound(k, n) + 1e-12


@given(st.integers(0, 50), st.integers(51, 5000))
def test_the_lower_bound_is_the_mirror_image_of_the_upper_one(k: int, n: int) -> None:
    assert lower_bound(k, n) == pytest.approx(1 - upper_bound(n - k, n), abs=1e-12)


@given(st.integers(0, 20), st.integers(21, 3000), st.integers(1, 3000))
def test_a_further_clean_case_never_raises_the_upper_bound(k: int, n: int, more: int) -> None:
    assert upper_bound(k, n + more) < upper_bound(k, n)


@given(st.floats(0, 1), st.floats(0.1, 1e4), st.floats(0.1, 1e4))
def test_the_incomplete_beta_function_equals_that_of_scipy(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(float(beta.cdf(x, a, b)), abs=1e-9)


def test_nothing_seen_bounds_nothing() -> None:
    assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(-1, 10), (11, 10), (1, 0), (0, -1), (0, math.inf), (math.nan, 1)])
def test_counts_that_are_none_are_refused(k: float, n: float) -> None:
    with pytest.raises(ValueError, match="is no count"):
        upper_bound(k, n)
    with pytest.raises(ValueError, match="is no count"):
        lower_bound(k, n)


@pytest.mark.parametrize("confidence", [0, 1, -0.1, 1.1])
def test_a_confidence_outside_0_and_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        upper_bound(0, 10, confidence)


def test_598_clean_cases_prove_less_than_half_a_percent_and_597_do_not() -> None:
    assert upper_bound(0, 598) < 0.005 <= upper_bound(0, 597)
    assert 0.995**598 <= 0.05 < 0.995**597


@pytest.mark.parametrize(
    ("k", "n", "needed"), [(0, 0, 598), (0, 597, 1), (0, 598, 0), (1, 1, 946), (1, 946, 1), (1, 947, 0)]
)
def test_the_cases_that_are_needed_are_counted_exactly(k: int, n: int, needed: int) -> None:
    assert cases_needed(k, n, 0.005) == needed


@given(st.integers(0, 8), st.floats(0.001, 0.5))
@settings(max_examples=30)
def test_the_cases_that_are_needed_suffice_and_one_less_does_not(k: int, limit: float) -> None:
    needed = cases_needed(k, k, limit)
    assert needed is not None
    assert upper_bound(k, k + needed) < limit <= upper_bound(k, k + needed - 1)


def test_no_number_of_cases_proves_a_rate_of_zero() -> None:
    assert cases_needed(0, 10, 0) is None


@given(st.integers(0, 10**6))
def test_the_fewest_is_found_wherever_it_is(threshold: int) -> None:
    assert fewest(lambda count: count >= threshold) == threshold


def test_sessions_of_one_case_are_worth_themselves() -> None:
    assert effective_n([1] * 598) == 598


def test_one_long_session_is_worth_one_case() -> None:
    assert effective_n([598]) == 1


def test_no_session_is_worth_nothing() -> None:
    assert effective_n([]) == 0


@given(st.lists(st.integers(1, 1000), min_size=1))
def test_sessions_are_worth_at_most_their_number(sizes: list[int]) -> None:
    assert 1 - 1e-9 <= effective_n(sizes) <= len(sizes) + 1e-9


def test_without_errors_the_difference_is_bounded_as_exactly_as_a_rate() -> None:
    assert difference_upper(0, 0, 598) == upper_bound(0, 598)
    assert difference_upper(0, 0, 598) < 0.005 <= difference_upper(0, 0, 597)


def score_by_search(only_new: int, only_old: int, n: int, difference: float) -> float:
    """Tango's statistic as it is defined: the nuisance rate is searched for where the likelihood is largest."""

    def unlikelihood(rate: float) -> float:
        both = n - only_new - only_old
        return -(
            only_new * math.log(rate + difference)
            + only_old * math.log(rate)
            + both * math.log(1 - 2 * rate - difference)
        )

    largest = (1 - difference) / 2
    rate = minimize_scalar(unlikelihood, bounds=(1e-12, largest - 1e-12), method="bounded", options={"xatol": 1e-12}).x
    variance = n * (2 * rate + difference * (1 - difference))
    return float((only_new - only_old - n * difference) / math.sqrt(variance))


@pytest.mark.parametrize("pairs", [(12, 5, 100), (40, 40, 1000), (30, 20, 400)])
def test_the_paired_bound_is_where_the_score_is_the_normal_quantile(pairs: tuple[int, int, int]) -> None:
    assert score_by_search(*pairs, difference_upper(*pairs)) == pytest.approx(-1.6448536, abs=1e-4)


def test_the_differences_without_cases_are_unbounded() -> None:
    assert (difference_lower(0, 0, 0), difference_upper(0, 0, 0)) == (-1.0, 1.0)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(120, 5000))
def test_the_bounds_enclose_the_difference(only_new: int, only_old: int, n: int) -> None:
    difference = (only_new - only_old) / n
    assert (
        difference_lower(only_new, only_old, n) - 1e-9 <= difference <= difference_upper(only_new, only_old, n) + 1e-9
    )


@given(st.integers(0, 60), st.integers(0, 60), st.integers(200, 5000))
def test_a_further_failure_of_new_never_lowers_the_bound(only_new: int, only_old: int, n: int) -> None:
    assert difference_upper(only_new + 1, only_old, n) >= difference_upper(only_new, only_old, n)


@pytest.mark.parametrize("pairs", [(-1, 0, 10), (0, -1, 10), (6, 5, 10)])
def test_impossible_pairs_are_refused(pairs: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="discordant"):
        difference_upper(*pairs)


def chance_of(n: int, old_rate: float, wrong: str) -> float:
    """Return the exact probability of a wrong answer where new is worse by exactly 0.5pp."""
    new_rate, chance = old_rate + 0.005, 0.0
    for only_new in range(int(binom.ppf(1 - 1e-6, n, new_rate)) + 1):
        rest = n - only_new
        share = old_rate / (1 - new_rate)
        for only_old in range(int(binom.ppf(1 - 1e-6, rest, share)) + 1):
            pairs = (only_new, only_old, n)
            says_so = difference_upper(*pairs) < 0.005 if wrong == "GO" else difference_lower(*pairs) >= 0.005
            if says_so:
                chance += float(binom.pmf(only_new, n, new_rate) * binom.pmf(only_old, rest, share))
    return chance


@pytest.mark.parametrize("old_rate", [0, 0.003])
@pytest.mark.parametrize("wrong", ["GO", "NO-GO"])
def test_a_new_side_exactly_at_the_margin_is_judged_wrongly_in_at_most_6_of_100_runs(
    old_rate: float, wrong: str
) -> None:
    # The nominal 5%, and what 131 of 2,000 simulated runs would allow; the sum is exact, not simulated.
    assert chance_of(598, old_rate, wrong) <= 0.06
