"""Rankings: the figures, against scipy's, and what a rank rule judges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from replay.compare import Compared
from replay.compare.ranking import overlap, tau_b

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]

ITEMS = st.lists(st.integers(0, 9), max_size=8)


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


def rule(**spec: Any) -> dict[str, Any]:
    return {"at": "body", "rank": {"top": 3, **spec}}


@pytest.mark.parametrize(
    ("old", "new", "spec", "found"),
    [
        ("abc", "abc", {"tau": 1, "overlap": 1}, 0),
        ("aab", "aab", {"tau": 1, "overlap": 1}, 0),
        ("", "", {"tau": 1, "overlap": 1}, 0),
        ("abc", "abd", {"overlap": 0.66}, 0),
        ("abc", "abd", {"overlap": 0.67}, 1),
        ("abcx", "abcy", {"overlap": 1, "tau": 1}, 0),
        ("abc", "acb", {"tau": 0.33}, 0),
        ("abc", "acb", {"tau": 0.34}, 1),
        ("abc", "cba", {"tau": 0.5, "overlap": 1}, 1),
        ("abc", "xyz", {"tau": 0.5}, 1),
        ("a", "b", {"tau": 0.5}, 1),
        ("a", "", {"tau": 0.5}, 1),
        ("", "a", {"tau": 0.5}, 1),
        ("", "a", {"overlap": 0.5}, 1),
        ("a", "a", {"tau": 1}, 0),
        ("aaa", "abc", {"overlap": 0.5}, 1),
    ],
)
def test_a_rank_rule_judges_overlap_and_order_of_the_first_items(
    told: Told, old: str, new: str, spec: dict[str, float], found: int
) -> None:
    assert told(list(old), list(new), rule(**spec)) == [("body", "rank")] * found


def scored(*scores: Any) -> list[dict[str, Any]]:
    return [
        {"id": name} | ({} if score is None else {"s": score}) for name, score in zip("abcdef", scores, strict=False)
    ]


def test_equal_scores_are_ties_in_whatever_order_they_come(compare: Compare) -> None:
    old, new = scored(3, 2, 2, 1), scored(3, 2, 2, 1)
    new[1], new[2] = new[2], new[1]
    found = compare(old, new, {"at": "body", "rank": {"by": "id", "top": 4, "score": "s", "tau": 1}})
    assert found.differences == ()
    assert {it.name: it.value for it in found.measures} == {"rank.overlap": 1.0, "rank.tau": 1.0, "rank.common": 4.0}


@pytest.mark.parametrize("bad", [None, "3", True])
def test_an_item_without_a_score_has_no_place_in_the_order(compare: Compare, bad: Any) -> None:
    found = compare(scored(3, 2, 1), scored(3, bad, 1), {"at": "body", "rank": {"by": "id", "score": "s", "tau": 0}})
    assert [it.note for it in found.differences] == ["no tau: an item has no number at s"]


def test_scores_are_ordered_to_the_last_digit(told: Told) -> None:
    old = b'[{"id":"a","s":1.00000000000000000000000000000002},{"id":"b","s":1.00000000000000000000000000000001}]'
    new = b'[{"id":"a","s":1},{"id":"b","s":2}]'
    assert told(old, new, {"at": "body", "rank": {"by": "id", "score": "s", "tau": 0}}) == [("body", "rank")]


def test_fields_of_ranked_items_are_left_to_later_rules(told: Told) -> None:
    old, new = [{"id": "a", "p": 1, "q": 1}], [{"id": "a", "p": 2, "q": 2}]
    ranked = {"at": "body", "rank": {"by": "id", "overlap": 1}}
    assert told(old, new, ranked) == []
    assert told(old, new, {"at": "body[*].p", "strict": True}, ranked) == []
    assert told(old, new, ranked, {"at": "body[*].p", "strict": True}) == [("body[?@.id=='a'].p", "value")]
    assert len(told(old, new, ranked, {"at": "body[*]", "strict": True})) == 2


def test_what_became_something_else_than_a_list_is_no_ranking(told: Told) -> None:
    assert told([], {}, rule(overlap=0)) == [("body", "type")]
