"""Arrays of which no rule says how: what was inserted, removed, changed and moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import COMPARATORS, Compared, Comparison, Pair
from replay.compare.effort import Effort
from replay.compare.sequences import common, rising
from replay.compare.tracing import TracedBook
from replay.models import MISSING, Case, Difference, Observation, Request, RuleSpec

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]

ROWS = [{"id": i, "name": f"name {i % 5}", "at": f"12:{i:02}"} for i in range(221)]
AD = {"id": 999, "name": "an ad", "at": "never"}


def brief(found: Compared) -> list[tuple[str, str, Any, Any]]:
    return [(it.at, it.kind, it.old, it.new) for it in found.differences]


@pytest.mark.parametrize("at", [0, 3, 220])
def test_an_inserted_item_is_one_difference_at_its_place_in_new(compare: Compare, at: int) -> None:
    new = [*ROWS[:at], AD, *ROWS[at:]]
    assert brief(compare(ROWS, new)) == [(f"body[{at}]", "extra", MISSING, AD)]


@pytest.mark.parametrize("at", [0, 3, 220])
def test_a_removed_item_is_one_difference_at_its_place_in_old(compare: Compare, at: int) -> None:
    assert brief(compare(ROWS, [*ROWS[:at], *ROWS[at + 1 :]])) == [(f"body[{at}]", "missing", ROWS[at], MISSING)]


def test_an_item_that_changed_is_paired_with_its_counterpart_across_an_insertion(compare: Compare) -> None:
    new = [*ROWS[:3], AD, *ROWS[3:]]
    new[100] = new[100] | {"name": "changed"}
    new[150] = new[150] | {"id": -1}
    assert [(it.at, it.kind, it.note) for it in compare(ROWS, new).differences] == [
        ("body[3]", "extra", ""),
        ("body[99].name", "value", "in new at body[100].name"),
        ("body[149].id", "value", "in new at body[150].id"),
    ]


def test_items_of_which_each_changed_a_little_are_paired_across_an_insertion(told: Told) -> None:
    new = [AD, *({**row, "at": f"{row['at']}:00"} for row in ROWS)]
    found = told(ROWS, new, {"at": "body[*].at", "ignore": True})
    assert found == [("body[0]", "extra")]


def test_without_anything_unique_the_most_alike_are_paired(told: Told) -> None:
    kinds = [{"kind": kind, "open": True, "n": 1} for kind in "abcabcabc"]
    new = [*({**row, "n": 2} for row in kinds[:4]), *({**row, "n": 2} for row in kinds[5:])]
    assert told(kinds, new, {"at": "body[*].n", "ignore": True}) == [("body[4]", "missing")]


def test_items_that_count_their_places_are_paired_by_what_else_they_hold(compare: Compare) -> None:
    old = [{"place": place, "name": name, "sku": name * 2} for place, name in enumerate("abcdef")]
    new = [{"place": place, "name": name, "sku": name * 2} for place, name in enumerate("xabcdef")]
    found = compare(old, new, {"at": "body[*].place", "ignore": True}).differences
    assert [(it.at, it.kind) for it in found] == [("body[0]", "extra")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([1, 2, 3], [3, 1, 2]),
        ([{"a": 1}, {"a": 2}], [{"a": 2.0}, {"a": 1}]),
        ([1, 1, 2, 2], [2, 1, 2, 1]),
        (list(range(300)), list(range(299, -1, -1))),
    ],
    ids=str,
)
def test_another_order_of_the_same_items_is_one_difference(compare: Compare, old: list[Any], new: list[Any]) -> None:
    found = compare({"l": old}, {"l": new}).differences
    assert [(it.at, it.kind) for it in found] == [("body.l", "order")]
    assert [found[0].old, found[0].new] == [old, new]


def test_true_and_1_that_changed_places_are_no_other_order(told: Told) -> None:
    assert told([True, 1], [1, True]) == [("body[0]", "type"), ("body[1]", "type")]


def test_another_order_is_accepted_by_unordered(told: Told) -> None:
    assert told([1, 2, 3], [3, 1, 2], {"at": "body", "unordered": True}) == []


def test_a_change_that_must_be_seen_is_asked_of_items_in_another_order(compare: Compare) -> None:
    rule = {"at": "body[*].t", "map": [[10, 9.99]], "must": True}
    found = compare([{"t": 10, "n": 1}, {"t": 1}], [{"t": 1}, {"t": 10, "n": 1}], rule).differences
    assert [(it.at, it.kind) for it in found] == [("body", "order"), ("body[0].t", "value")]


def test_what_rules_accept_by_position_is_not_told_as_moved(told: Told) -> None:
    old, new = ([{"t": first + n, "n": 5} for n in range(3)] for first in (1, 2))
    assert told(old, new) == [("body[0]", "missing"), ("body[2]", "extra")]
    assert told(old, new, {"at": "body[*].t", "ignore": True}) == []
    assert told(old, new, {"at": "body[*].t", "within": 1}) == []


def test_where_rules_accept_only_some_of_it_items_stay_aligned(told: Told) -> None:
    old, new = ([{"t": first + n, "n": 5} for n in range(3)] for first in (1, 2))
    assert told(old, new, {"at": "body[0].t", "ignore": True}) == [("body[0]", "missing"), ("body[2]", "extra")]
    assert told(old, [*new[:2], 0], {"at": "body[*].t", "ignore": True}) == told(old, [*new[:2], 0])


def test_a_rule_for_one_place_speaks_of_olds_item_there_and_of_one_that_only_new_has(told: Told) -> None:
    old, new = [{"id": 1, "n": 1}, {"id": 2, "n": 2}], [AD, {"id": 1, "n": 9}, {"id": 2, "n": 9}]
    assert told(old, new) == [("body[0]", "extra"), ("body[0].n", "value"), ("body[1].n", "value")]
    assert told(old, new, {"at": "body[0]", "ignore": True}) == [("body[1].n", "value")]


def test_ignoring_one_place_never_hides_that_there_are_more_items(told: Told) -> None:
    old: list[Any] = [{"l": []}]
    new = [{"x": 0}, {"l": []}, {"l": [1]}]
    assert told(old, new, {"at": "body[0]", "ignore": True}) == [("body[2]", "extra")]


def test_arrays_in_items_that_moved_are_aligned_too(compare: Compare) -> None:
    old = [{"id": i, "tags": [i, i + 1, i + 2]} for i in range(5)]
    new = [AD, *old[:3], {"id": 3, "tags": [0, 3, 4, 5]}, old[4]]
    assert [(it.at, it.kind, it.note) for it in compare(old, new).differences] == [
        ("body[0]", "extra", ""),
        ("body[3].tags[0]", "extra", "in new at body[4].tags[0]"),
    ]


@pytest.mark.parametrize(
    "rules",
    [(), ({"at": "body..unheard", "strict": True},), ({"at": "body..unheard", "schema": {}},)],
    ids=["none", "strict", "schema"],
)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([[0, 1], "x", 2], [[False, 1], "x", 2]),
        ({"a": {"b": [1, {"c": True}]}, "d": 1}, {"a": {"b": [1, {"c": 1}]}, "d": 1}),
        ([{"n": 1, "s": "a"}] * 9, [{"n": 1, "s": "a"}] * 8 + [{"n": True, "s": "a"}]),
        ({"a": Decimal(1)}, {"a": True}),
        ([1, [0]], [2, [False]]),
    ],
    ids=str,
)
def test_a_boolean_that_becomes_its_number_is_seen_wherever_it_stands(
    told: Told, old: Any, new: Any, rules: tuple[Mapping[str, Any], ...]
) -> None:
    for one, other in ((old, new), (new, old)):
        sides = (_spelled(one), _spelled(other))
        assert [kind for _, kind in told(*sides, *rules) if kind == "type"] == ["type"]


def _spelled(value: Any) -> Any:
    return b'{"a": 1.0}' if value == {"a": Decimal(1)} and not isinstance(value["a"], bool) else value


def test_how_numbers_are_written_matters_exactly_where_strict_says_so(told: Told) -> None:
    old, new = b'{"a":[{"n":1.0}],"b":[{"n":1.0}]}', b'{"a":[{"n":1.00}],"b":[{"n":1.00}]}'
    assert told(old, new, {"at": "body.b", "strict": True}) == [("body.b[0].n", "value")]
    assert told(old, new, {"at": "body.b[*].n", "strict": True}) == [("body.b[0].n", "value")]
    assert told(old, new) == []


def test_a_member_that_only_null_tells_apart_is_missing_and_not_null(compare: Compare) -> None:
    found = compare([{"a": None}, {"a": 1}], [{}, {"a": 1}]).differences
    assert found == (Difference("body[0].a", "missing", None, MISSING, "default: values are equal"),)


# ------------------------------------------------------------------------------------------------------- subsequences

SEQUENCES = st.lists(st.integers(0, 4), max_size=12)


@given(SEQUENCES, SEQUENCES)
def test_a_common_subsequence_is_one_of_both(old: list[int], new: list[int]) -> None:
    found = common(old, new, Effort())
    assert found is not None
    assert all(old[i] == new[j] for i, j in found)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(found))


@given(st.lists(st.sampled_from([0, 0, 1]), max_size=10), st.lists(st.sampled_from([0, 0, 1]), max_size=10))
def test_where_nothing_is_unique_it_is_the_longest(old: list[int], new: list[int]) -> None:
    twice, again = [it for it in old for _ in range(2)], [it for it in new for _ in range(2)]
    found = common(twice, again, Effort())
    assert found is not None
    assert len(found) == _longest(twice, again)


def _longest(old: list[int], new: list[int]) -> int:
    row = [0] * (len(new) + 1)
    for mine in old:
        row = [0, *_next(row, new, mine)]
    return row[-1]


def _next(above: list[int], new: list[int], mine: int) -> list[int]:
    current = [0]
    for j, theirs in enumerate(new):
        current.append(above[j] + 1 if mine == theirs else max(above[j + 1], current[-1]))
    return current[1:]


@given(st.permutations(range(8)))
def test_the_longest_rise_of_a_permutation_is_found(order: list[int]) -> None:
    found = rising(list(enumerate(order)))
    longest = max(_ends(order))
    assert len(found) == longest
    assert [j for _, j in found] == sorted(j for _, j in found)


def _ends(order: list[int]) -> list[int]:
    lengths: list[int] = []
    for index, value in enumerate(order):
        before = zip(lengths, order[:index], strict=True)
        lengths.append(1 + max((length for length, earlier in before if earlier < value), default=0))
    return lengths


def test_beyond_what_may_be_spent_nothing_is_found() -> None:
    assert common(list(range(100)), list(range(1, 101)), Effort(steps=50)) is None


def test_what_is_only_tried_is_kept_out_of_what_rules_are_seen_to_do() -> None:
    spec = RuleSpec.model_validate({"at": "body[*].t", "ignore": True})
    book = TracedBook([spec], None, COMPARATORS)
    old, new = ([{"t": first + n, "n": 5} for n in range(3)] for first in (1, 2))
    answers = [Observation(200, (("Content-Type", "application/json"),), json.dumps(it).encode()) for it in (old, new)]
    Comparison(book, {"old": None, "new": None}).compare(Pair(Case("it", "golden", "it", Request()), *answers))
    assert [(it.at, it.old, it.new) for it in book.trace.rulings] == [(f"body[{n}].t", n + 1, n + 2) for n in range(3)]
