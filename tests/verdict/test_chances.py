"""The small exact tests, held against scipy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from replay.verdict.chances import MOST_EXACT, at_least, same_distribution

PROBABILITIES = st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.9])
SAMPLE = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=25)


@given(n=st.integers(1, 60), p=PROBABILITIES, data=st.data())
@settings(max_examples=60)
def test_one_group_of_trials_is_the_binomial_test(n: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    assert at_least(k, [(n, p)]) == pytest.approx(stats.binomtest(k, n, p, "greater").pvalue, rel=1e-9, abs=1e-14)


@given(further=st.integers(1, 20), data=st.data())
@settings(max_examples=60)
def test_one_case_is_fishers_one_sided_test(further: int, data: st.DataObject) -> None:
    differing = data.draw(st.integers(0, further))
    table = np.array([[1, 0], [differing, further - differing]])
    expected = stats.fisher_exact(table, "greater").pvalue
    assert at_least(1, [(1, (differing + 1) / (further + 1))]) == pytest.approx(expected)


@given(groups=st.lists(st.tuples(st.integers(0, 12), PROBABILITIES), max_size=5), data=st.data())
@settings(max_examples=60)
def test_several_groups_are_the_poisson_binomial_distribution(
    groups: list[tuple[int, float]], data: st.DataObject
) -> None:
    total = sum(n for n, _ in groups)
    k = data.draw(st.integers(0, total))
    whole = np.array([1.0])
    for n, p in groups:
        whole = np.convolve(whole, stats.binom.pmf(np.arange(n + 1), n, p))
    assert at_least(k, groups) == pytest.approx(float(whole[k:].sum()), rel=1e-9, abs=1e-14)


def test_trials_whose_end_is_certain_prove_nothing() -> None:
    assert at_least(1000, [(1000, 1.0)]) == 1.0
    assert at_least(1001, [(1000, 1.0), (1, 0.5)]) == 0.5
    assert at_least(1, [(5, 0.0)]) == 0.0
    assert at_least(0, []) == 1.0


@pytest.mark.parametrize("z", [-2.0, 0.0, 1.0, 2.3, 3.0])
def test_of_very_many_trials_the_normal_distribution_is_close(z: float) -> None:
    n, p = 2 * MOST_EXACT, 0.25
    k = round(n * p + z * (n * p * (1 - p)) ** 0.5)
    assert at_least(k, [(n, p)]) == pytest.approx(stats.binomtest(k, n, p, "greater").pvalue, rel=0.1)


@given(one=SAMPLE, other=SAMPLE)
@settings(max_examples=80)
def test_two_samples_are_compared_as_kolmogorov_and_smirnov_do(one: list[float], other: list[float]) -> None:
    with warnings.catch_warnings(record=True, action="always") as gave_up:
        expected = stats.ks_2samp(one, other, method="exact").pvalue
    assume(not gave_up)
    found = same_distribution(one, other)
    # What is clearly alike is told by the limit: close, and on the side of alike.
    assert found == pytest.approx(expected, rel=1e-9) or (found > 0.1 and expected > 0.04)


def test_two_samples_of_which_one_is_empty_are_alike() -> None:
    assert same_distribution([], [1.0]) == same_distribution([1.0], []) == 1.0


def test_two_samples_that_do_not_overlap_are_told_apart_as_soon_as_they_can_be() -> None:
    assert same_distribution([1, 2, 3, 4], [5]) > 0.1
    assert same_distribution([float(n) for n in range(18)], [30.0 + n for n in range(6)]) == pytest.approx(2 / 134_596)
