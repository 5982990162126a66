"""The smallest part that still does what the whole does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.curation.reducing import fewest, smallest

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("xyz", max_size=2), inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(st.integers(), unique=True), st.data())
def test_exactly_what_is_needed_is_kept_in_order(items: list[int], data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.sampled_from(items))) if items else set()
    assert fewest(items, lambda some: needed <= set(some)) == [each for each in items if each in needed]


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 4))
def test_nothing_that_is_kept_can_be_left_out(items: list[int], least: int) -> None:
    def holds(some: Any) -> bool:
        return bool(sum(some) >= least)

    if not holds(items):
        return
    kept = fewest(items, holds)
    assert holds(kept)
    assert not any(holds([*kept[:n], *kept[n + 1 :]]) for n in range(len(kept)))


@pytest.mark.parametrize(("count", "most"), [(100, 18), (1_000, 24)])
def test_one_of_many_is_found_in_few_tries(count: int, most: int) -> None:
    tried: list[int] = []

    def holds(some: Any) -> bool:
        tried.append(1)
        return count // 3 in some

    assert fewest(range(count), holds) == [count // 3]
    assert len(tried) <= most


@given(JSON)
def test_what_is_left_of_a_document_still_holds_and_is_no_larger(value: Any) -> None:
    text = repr(value)

    def holds(it: Any) -> bool:
        return ("'x'" in repr(it)) == ("'x'" in text) and type(it) is type(value)

    left = smallest(value, holds)
    assert holds(left)
    assert len(repr(left)) <= max(len(text), 2)


def test_a_document_is_reduced_to_the_members_that_matter() -> None:
    value = {"a": [{"n": 7, "gift": True, "note": "some long words"}, {"n": 1}], "b": {"c": "x" * 40}, "d": None}
    left = smallest(value, lambda it: any(line.get("n", 0) > 3 and line.get("gift") for line in it.get("a", [])))
    assert left == {"a": [{"n": 7, "gift": True}]}


def test_a_long_text_is_reduced_to_the_character_that_matters() -> None:
    assert smallest("words " * 50 + "ß" + " more" * 50, lambda it: "ß" in it) == "ß"
