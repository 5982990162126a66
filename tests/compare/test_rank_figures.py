"""The figures of rankings: against scipy, against published tables and identities, and by their laws."""

from __future__ import annotations

import math
import warnings
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from replay.compare.figures import depth_agreements, ndcg, overlap, rbo, tau_b

ITEMS = st.lists(st.integers(0, 9), max_size=8)
P = st.floats(0.01, 0.99)


@st.composite
def rankings(draw: st.DrawFn) -> list[list[int]]:
    """Draw different items, some of them tied."""
    items = draw(st.lists(st.integers(0, 12), unique=True, max_size=10))
    places = sorted(draw(st.lists(st.integers(0, 9), min_size=len(items), max_size=len(items))))
    pairs = zip(places, items, strict=True)
    return [[item for _, item in tied] for _, tied in groupby(pairs, key=lambda pair: pair[0])]


def plain(items: str | range) -> list[list[object]]:
    return [[item] for item in items]


# ------------------------------------------------------------------------------------------------------ overlap and tau


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=25))
def test_tau_b_is_scipys_also_with_ties(pairs: list[tuple[int, int]]) -> None:
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns where there is no order
        theirs = float(kendalltau(xs, ys).statistic)
    ours = tau_b(xs, ys)
    assert (math.isnan(theirs) and ours is None) or ours == pytest.approx(theirs, abs=1e-12)


@given(ITEMS, ITEMS, st.integers(1, 10))
def test_overlap_lies_between_0_and_1_and_takes_no_side(old: list[int], new: list[int], top: int) -> None:
    share = overlap(old, new, top)
    assert 0 <= share <= 1
    assert share == overlap(new, old, top)
    assert overlap(old, old, top) == 1


# ------------------------------------------------------------------------------------------------------------------ rbo


def test_agreements_are_those_of_the_published_table() -> None:
    """Webber, Moffat and Zobel 2010, table I: two lists that first meet at depth three."""
    found = depth_agreements(plain("abcdefg"), plain("zcavwxy"))
    assert [round(agreed, 3) for agreed in found] == [0, 0, 0.667, 0.5, 0.4, 0.333, 0.286]


@pytest.mark.parametrize(("p", "depth"), [(0.9, 10), (0.98, 50), (0.5, 1)])
def test_the_first_places_carry_the_published_weight(p: float, depth: int) -> None:
    """Webber, Moffat and Zobel 2010, equation 21: lists that are equal down to a depth, and share nothing beyond."""
    far = 2000
    found = rbo(plain(range(far)), plain([*range(depth), *range(far, 2 * far - depth)]), p)  # type: ignore[arg-type]
    rest = math.log(1 / (1 - p)) - sum(p**i / i for i in range(1, depth))
    assert found == pytest.approx(1 - p ** (depth - 1) + (1 - p) / p * depth * rest, abs=1e-9)
    assert (p, depth) != (0.9, 10) or round(found, 2) == 0.86  # the figure that the paper tells


def test_lists_of_two_lengths_are_extrapolated_as_published() -> None:
    """Equation 32 by hand: [a, b] and [a, c, b], p = 1/2."""
    p, agreed = 0.5, [1, 1 / 2]
    at_three = (2 + 1 * (3 - 2) / 2) / 3
    by_hand = (1 - p) / p * (p * agreed[0] + p**2 * agreed[1] + p**3 * at_three) + at_three * p**3
    assert rbo(plain("ab"), plain("acb"), p) == pytest.approx(by_hand)


def test_items_in_a_tie_all_stand_at_its_first_place() -> None:
    assert depth_agreements([["a", "b"], ["c"]], plain("abc")) == pytest.approx([2 / 3, 1, 1])


@given(rankings(), P)
def test_a_ranking_agrees_with_itself_also_with_ties(ranking: list[list[int]], p: float) -> None:
    assert rbo(ranking, ranking, p) == 1
    assert rbo(ranking, [tied[::-1] for tied in ranking], p) == 1


@given(rankings(), rankings(), P)
def test_rbo_lies_between_0_and_1_and_takes_no_side(one: list[list[int]], other: list[list[int]], p: float) -> None:
    found = rbo(one, other, p)
    assert 0 <= found <= 1
    assert found == rbo(other, one, p)


@given(rankings(), rankings(), P)
def test_lists_without_a_common_item_agree_in_nothing(one: list[list[int]], other: list[list[int]], p: float) -> None:
    apart = [[item + 100 for item in tied] for tied in other]
    assert rbo(one, apart, p) == float(not one and not other)


@given(st.data(), st.integers(1, 8), P)
def test_rbo_of_equal_lengths_is_the_closed_form(data: st.DataObject, size: int, p: float) -> None:
    """Equation 30: X_k / k * p^k + (1 - p) / p * the sum of X_d / d * p^d."""
    lists = st.lists(st.integers(0, 12), unique=True, min_size=size, max_size=size)
    items, other = data.draw(lists), data.draw(lists)
    shared = [len({*items[:d]} & {*other[:d]}) / d for d in range(1, len(items) + 1)]
    closed = shared[-1] * p ** len(items) + (1 - p) / p * sum(x * p**d for d, x in enumerate(shared, 1))
    assert rbo([[it] for it in items], [[it] for it in other], p) == pytest.approx(closed, abs=1e-9)


# ----------------------------------------------------------------------------------------------------------------- ndcg


def gains(*values: float) -> list[list[float]]:
    return [[value] for value in values]


def test_ndcg_is_that_of_a_published_example() -> None:
    """The example that textbooks and encyclopaedias give: 6.861 of 8.740, with two more documents that are known."""
    found = ndcg(gains(3, 2, 3, 0, 1, 2), [3, 2, 3, 0, 1, 2, 3, 2], 6)
    assert found == pytest.approx(0.785, abs=5e-4)


@pytest.mark.parametrize(
    ("scores", "top", "expected"),
    [
        ([0.1, 0.2, 0.3, 4, 70], 5, 0.69569),
        ([0.05, 1.1, 1.0, 0.5, 0.0], 5, 0.49368),
        ([0.05, 1.1, 1.0, 0.5, 0.0], 4, 0.35203),
        ([1, 0, 0, 0, 1], 1, 0.75),
    ],
)
def test_ndcg_is_that_of_the_examples_in_scikit_learns_manual(scores: list[float], top: int, expected: float) -> None:
    worth: list[float] = [10, 0, 0, 1, 5]
    ranked = sorted(zip(scores, worth, strict=True), key=lambda pair: -pair[0])
    tied = [[gain for _, gain in group] for _, group in groupby(ranked, key=lambda pair: pair[0])]
    assert ndcg(tied, worth, top) == pytest.approx(expected, abs=2e-4)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=6), st.integers(1, 10))
def test_ndcg_lies_between_0_and_1_and_the_best_order_has_1(ranked: list[list[float]], top: int) -> None:
    known = [gain for tied in ranked for gain in tied]
    found = ndcg(ranked, known, top)
    assert (found is None) == (not any(known))
    assert found is None or 0 <= found <= 1
    best = ndcg(gains(*sorted(known, reverse=True)), known, top)
    assert best in (None, 1)
