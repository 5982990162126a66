"""Laws of arrays that are compared without a rule: aligned, and told so that old can be turned into new."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare import Compared
from replay.compare.values import identity_of, same
from replay.documents import dump_json
from replay.locations import parse_location
from replay.models import MISSING, Difference

Compare = Callable[..., Compared]
Rule = dict[str, Any]

NUMBERS = st.integers(0, 3)
FEW = st.sampled_from([0, 1, True, None, Decimal("1.0"), "a", "b", "c"])
OBJECTS = st.dictionaries(st.sampled_from(["id", "name", "n"]), st.integers(0, 9), min_size=1, max_size=3)
ITEMS = FEW | OBJECTS | st.lists(FEW, max_size=3) | st.dictionaries(st.sampled_from("xy"), st.lists(FEW, max_size=3))
ARRAYS = st.lists(FEW, max_size=8) | st.lists(OBJECTS, max_size=8) | st.lists(ITEMS, max_size=6)


@st.composite
def edited(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return an array, and the same with a few items inserted, removed, changed or swapped."""
    old = draw(ARRAYS)
    new: list[Any] = [dict(item) if isinstance(item, dict) else item for item in old]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(new) - 1, 0)))
        edit = draw(st.sampled_from(["insert", "remove", "change", "swap"]))
        if edit == "insert" or not new:
            new.insert(at, draw(ITEMS))
        elif edit == "remove":
            del new[at]
        elif edit == "swap":
            other = draw(st.integers(0, len(new) - 1))
            new[at], new[other] = new[other], new[at]
        else:
            item = new[at]
            new[at] = {**item, "n": draw(NUMBERS)} if isinstance(item, dict) else draw(ITEMS)
    return old, new


PAIRS = edited() | st.tuples(ARRAYS, ARRAYS)
DOCUMENTS = st.one_of(
    PAIRS,
    PAIRS.map(lambda pair: ({"a": pair[0], "b": 1}, {"b": 1, "a": pair[1]})),
    st.tuples(PAIRS, PAIRS).map(lambda two: ([two[0][0], 1, two[1][0]], [two[0][1], 1, two[1][1]])),
    st.tuples(PAIRS, ITEMS).map(lambda two: ([{"l": two[0][0]}], [two[1], {"l": two[0][1]}])),
)
LOCATIONS = st.sampled_from(
    [
        "body",
        "body[*]",
        "body[0]",
        "body[-1]",
        "body[1:]",
        "body[*].n",
        "body..n",
        "body..id",
        "body[?@.id==1]",
        "body.a",
    ]
)


def body(value: Any) -> bytes:
    return dump_json(value).encode()


def applied(old: Any, differences: Sequence[Difference]) -> Any:
    """Turn old into new by what is told alone."""
    return _applied(old, [(_parts(it.at), it) for it in differences])


def _parts(at: str) -> list[str | int]:
    steps = parse_location(at).steps[1:]
    return [next(iter(step.names)) if step.names else next(iter(step.indices)) for step in steps]


def _applied(old: Any, told: list[tuple[list[str | int], Difference]]) -> Any:
    whole = [it for parts, it in told if not parts]
    if whole:
        return whole[0].new
    gone = {parts[0] for parts, it in told if len(parts) == 1 and it.kind == "missing"}
    come = {parts[0]: it.new for parts, it in told if len(parts) == 1 and it.kind == "extra"}
    below: dict[str | int, list[tuple[list[str | int], Difference]]] = {}
    for parts, it in told:
        if len(parts) > 1 or it.kind not in ("missing", "extra"):
            below.setdefault(parts[0], []).append((parts[1:], it))
    if isinstance(old, dict):
        kept = {name: _applied(value, below.get(name, [])) for name, value in old.items() if name not in gone}
        return kept | come
    if not isinstance(old, list):
        return old
    items = [_applied(item, below.get(index, [])) for index, item in enumerate(old) if index not in gone]
    for index, item in sorted(come.items(), key=lambda it: int(it[0])):
        assert 0 <= int(index) <= len(items)
        items.insert(int(index), item)
    return items


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS)
def test_applying_the_differences_to_old_gives_new(compare: Compare, pair: tuple[Any, Any]) -> None:
    old, new = pair
    assert same(applied(old, compare(body(old), body(new)).differences), new)


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS)
def test_exchanging_the_sides_tells_the_same_the_other_way_round(compare: Compare, pair: tuple[Any, Any]) -> None:
    there, back = compare(body(pair[0]), body(pair[1])).differences, compare(body(pair[1]), body(pair[0])).differences
    other = {"missing": "extra", "extra": "missing"}
    assert Counter((it.kind, _told(it.old), _told(it.new)) for it in there) == Counter(
        (other.get(it.kind, it.kind), _told(it.new), _told(it.old)) for it in back
    )


def _told(value: Any) -> object:
    return MISSING if value is MISSING else identity_of(value)


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS)
def test_without_rules_nothing_is_told_exactly_if_the_values_are_the_same(
    compare: Compare, pair: tuple[Any, Any]
) -> None:
    assert (compare(body(pair[0]), body(pair[1])).differences == ()) is same(*pair)


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS, at=LOCATIONS, more=LOCATIONS)
def test_another_ignore_never_adds_a_difference(compare: Compare, pair: tuple[Any, Any], at: str, more: str) -> None:
    sides = body(pair[0]), body(pair[1])
    rules: list[Rule] = [{"at": at, "ignore": True}, {"at": more, "ignore": True}]
    counts = [len(compare(*sides, *rules[:count]).differences) for count in range(3)]
    assert counts == sorted(counts, reverse=True)


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS, narrow=st.integers(0, 3), more=st.integers(0, 3))
def test_a_wider_tolerance_never_adds_a_difference(
    compare: Compare, pair: tuple[Any, Any], narrow: int, more: int
) -> None:
    sides = body(pair[0]), body(pair[1])
    found = [len(compare(*sides, {"at": "body..*", "within": it}).differences) for it in (narrow, narrow + more)]
    assert found[1] <= found[0]


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS)
def test_a_rule_that_looks_everywhere_and_matches_nothing_changes_nothing(
    compare: Compare, pair: tuple[Any, Any]
) -> None:
    sides = body(pair[0]), body(pair[1])
    rules: list[Rule] = [{"at": "body..unheard", "strict": True}, {"at": "body..name_", "renamed": "title"}]
    assert compare(*sides, *rules).differences == compare(*sides).differences


@settings(max_examples=300, deadline=None)
@given(pair=DOCUMENTS)
def test_the_location_of_a_difference_as_an_ignore_removes_it_and_never_hides_what_is_elsewhere(
    compare: Compare, pair: tuple[Any, Any]
) -> None:
    sides = body(pair[0]), body(pair[1])
    everything = [it.at for it in compare(*sides).differences]
    for at in everything:
        rest = [it.at for it in compare(*sides, {"at": at, "ignore": True}).differences]
        elsewhere = [it for it in everything if it != at and not it.startswith((f"{at}.", f"{at}["))]
        assert at not in rest
        assert bool(rest) is bool(elsewhere)


@settings(max_examples=200, deadline=None)
@given(pair=PAIRS, seed=st.integers(0, 99))
def test_matching_by_key_does_not_see_the_order(compare: Compare, pair: tuple[Any, Any], seed: int) -> None:
    old, new = pair
    shuffled = random.Random(seed).sample(new, len(new))  # noqa: S311 - any order will do
    rule = {"at": "body", "match_by": "id"}
    found = [compare(body(old), body(it), rule).differences for it in (new, shuffled)]
    assert len(found[0]) == len(found[1])
    assert compare(body(new), body(shuffled), rule).differences == ()


@settings(max_examples=200, deadline=None)
@given(pair=PAIRS)
def test_matching_by_key_loses_no_item(compare: Compare, pair: tuple[Any, Any]) -> None:
    found = compare(body(pair[0]), body(pair[1]), {"at": "body", "match_by": "id"}).differences
    lost, come = (sum(1 for it in found if it.kind == kind and it.at.count("]") == 1 and it.at.endswith("]"))
                  for kind in ("missing", "extra"))  # fmt: skip
    assert len(pair[0]) - lost == len(pair[1]) - come
