"""Laws that hold for all documents and all rules."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from replay.compare import Compared
from replay.compare.values import identity_of, same
from replay.documents import dump_json

Compare = Callable[..., Compared]
Rule = dict[str, Any]

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([Decimal("1.0"), Decimal("0.5"), 2**53 + 1, ""])
    | st.text(alphabet="ab'\u2028", max_size=2)
)
NAMES = st.sampled_from(["a", "b", "c", "sku", "it's", "x y", "é"])
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=4), max_leaves=12
)
LOCATIONS = st.sampled_from(
    [
        "body",
        "body.a",
        "body..b",
        "body[*]",
        "body.*",
        "body..*",
        "body[0]",
        "body[-1]",
        "body[?@.sku==1]",
        "body.sku",
        "*",
    ]
)
VERBS: st.SearchStrategy[Rule] = st.sampled_from([
    {"ignore": True}, {"within": 1}, {"within": "10%"}, {"within": "2s"}, {"unordered": True}, {"match_by": "sku"},
    {"match_by": ["a", "b"]}, {"rank": {"top": 2, "overlap": 1, "tau": 1}}, {"rank": {"by": "sku", "tau": 1}},
    {"map": [[1, 2]]}, {"same_type": True}, {"strict": True}, {"schema": True},
])  # fmt: skip
RULES = st.lists(st.builds(lambda at, verb: {"at": at, **verb}, LOCATIONS, VERBS), max_size=4)
ACCEPTING: st.SearchStrategy[list[Rule]] = st.lists(
    st.builds(
        lambda at, verb: {"at": at, **verb},
        LOCATIONS,
        st.sampled_from([{"ignore": True}, {"within": 1}, {"within": "10%"}, {"map": [[1, 2]]}]),
    ),
    max_size=3,
)
"""Rules that accept what differs and have no say in which items belong together."""
ITEMS = st.lists(
    st.dictionaries(st.sampled_from(["sku", "n"]), st.integers(0, 4), max_size=2) | st.integers(0, 3), max_size=6
)


def body(value: Any) -> bytes:
    return dump_json(value).encode()


def shuffled_by(items: list[Any], seed: int) -> list[Any]:
    return random.Random(seed).sample(items, len(items))  # noqa: S311 - any order will do


def places(found: Compared) -> list[str]:
    return [it.at for it in found.differences]


@given(document=DOCUMENTS, rules=RULES)
def test_a_document_equals_itself_under_any_rules(compare: Compare, document: Any, rules: list[Rule]) -> None:
    found = compare(body(document), body(document), *rules)
    assert (found.differences, found.flaws) == ((), {})


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_without_rules_documents_are_equal_exactly_if_they_are_the_same_value(
    compare: Compare, old: Any, new: Any
) -> None:
    assert (places(compare(body(old), body(new))) == []) is same(old, new) is (identity_of(old) == identity_of(new))


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_a_rule_that_matches_nothing_changes_nothing(compare: Compare, old: Any, new: Any) -> None:
    rules = {"at": "body..unheard", "ignore": True}, {"at": "body..name", "renamed": "title"}
    assert compare(body(old), body(new), *rules).differences == compare(body(old), body(new)).differences


@given(old=DOCUMENTS, new=DOCUMENTS, narrow=st.integers(0, 4), more=st.integers(0, 4))
@example(old=[{"n": 0, "a": 0}, {"n": 1, "a": 9, "b": 9, "c": 9}], new=[{"n": 1, "a": 1}], narrow=0, more=1)
def test_a_wider_tolerance_never_adds_a_difference(
    compare: Compare, old: Any, new: Any, narrow: int, more: int
) -> None:
    found = [
        set(places(compare(body(old), body(new), {"at": "body..*", "within": it}))) for it in (narrow, narrow + more)
    ]
    assert found[1] <= found[0]


@given(old=ITEMS, new=ITEMS, narrow=st.integers(0, 4), more=st.integers(0, 4))
def test_nor_does_it_in_a_bag(compare: Compare, old: Any, new: Any, narrow: int, more: int) -> None:
    bag = {"at": "body", "unordered": True}
    found = [compare(body(old), body(new), bag, {"at": "body..*", "within": it}) for it in (narrow, narrow + more)]
    assert len(found[1].differences) <= len(found[0].differences)


@given(old=DOCUMENTS, new=DOCUMENTS, at=LOCATIONS)
@example(old=[None, {"a": None, "b": None}], new=[{}], at="body[0]")
def test_ignoring_more_never_adds_a_difference(compare: Compare, old: Any, new: Any, at: str) -> None:
    found = compare(body(old), body(new), {"at": at, "ignore": True})
    assert set(places(found)) <= set(places(compare(body(old), body(new))))


@given(old=DOCUMENTS, new=DOCUMENTS, rules=ACCEPTING, at=LOCATIONS)
def test_nor_does_it_beside_other_rules(compare: Compare, old: Any, new: Any, rules: list[Rule], at: str) -> None:
    found = compare(body(old), body(new), *rules, {"at": at, "ignore": True})
    assert set(places(found)) <= set(places(compare(body(old), body(new), *rules)))


@given(old=ITEMS, new=ITEMS)
def test_the_location_of_an_item_matched_by_its_key_as_an_ignore_rule_removes_it_alone(
    compare: Compare, old: Any, new: Any
) -> None:
    rule = {"at": "body", "match_by": "sku"}
    everything = places(compare(body(old), body(new), rule))
    for at in (it for it in everything if "?" in it):
        assert places(compare(body(old), body(new), rule, {"at": at, "ignore": True})) == [
            it for it in everything if it != at
        ]


@given(old=ITEMS, new=ITEMS, seed=st.integers(0, 99))
def test_a_bag_has_no_order(compare: Compare, old: list[Any], new: list[Any], seed: int) -> None:
    shuffled = shuffled_by(new, seed)
    rules = {"at": "body", "unordered": True}, {"at": "body[*].n", "within": 1}
    assert len(places(compare(body(old), body(new), *rules))) == len(places(compare(body(old), body(shuffled), *rules)))
    assert places(compare(body(new), body(shuffled), *rules)) == []


@given(old=st.lists(SCALARS, max_size=6), new=st.lists(SCALARS, max_size=6))
def test_a_bag_of_scalars_tells_exactly_what_its_counts_tell(compare: Compare, old: list[Any], new: list[Any]) -> None:
    ours, theirs = (Counter(map(identity_of, items)) for items in (old, new))
    kinds = Counter(it.kind for it in compare(body(old), body(new), {"at": "body", "unordered": True}).differences)
    assert kinds == Counter({"missing": (ours - theirs).total(), "extra": (theirs - ours).total()})


@given(old=ITEMS, new=ITEMS)
def test_a_bag_of_anything_tells_no_more_than_that_and_nothing_only_of_equals(
    compare: Compare, old: list[Any], new: list[Any]
) -> None:
    ours, theirs = (Counter(map(identity_of, items)) for items in (old, new))
    most = (ours - theirs).total() + (theirs - ours).total()
    told = len(compare(body(old), body(new), {"at": "body", "unordered": True}).differences)
    assert told <= most
    assert (told == 0) is (most == 0)


@given(skus=st.lists(st.integers(0, 9), unique=True, max_size=6), seed=st.integers(0, 99))
def test_items_that_are_matched_by_key_have_no_order(compare: Compare, skus: list[int], seed: int) -> None:
    old = [{"sku": it, "n": it} for it in skus]
    new = [{"sku": it, "n": it % 3} for it in skus]
    shuffled = shuffled_by(new, seed)
    rule = {"at": "body", "match_by": "sku"}
    assert places(compare(body(old), body(new), rule)) == places(compare(body(old), body(shuffled), rule))


@settings(max_examples=50)
@given(document=st.dictionaries(st.text(max_size=4), st.integers(0, 1), min_size=1, max_size=4), data=st.data())
def test_whatever_a_member_is_called_its_location_can_be_pasted(
    compare: Compare, document: dict[str, int], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    new = document | {name: 2}
    at = places(compare(json.dumps(document).encode(), json.dumps(new).encode()))
    assert len(at) == 1
    assert places(compare(json.dumps(document).encode(), json.dumps(new).encode(), {"at": at[0], "ignore": True})) == []
