"""Values as readers see them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.documents import Numeral
from replay.models import MISSING
from replay.reports.shown import json_text, legible_lines, line_pairs, shown, shown_pair

any_text = st.text(st.characters(exclude_categories=()), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
)


@given(values, st.booleans())
def test_a_value_is_written_as_the_json_it_is(value: object, spread: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
    text = json_text(value, spread=spread)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert text.isascii()


@given(values, values, st.integers(20, 60))
def test_a_pair_fits_and_is_printable(old: object, new: object, limit: int) -> None:
    for text in shown_pair(old, new, limit):
        assert len(text) <= limit
        assert text.isprintable()


@given(values, values)
def test_values_that_differ_never_look_alike(old: object, new: object) -> None:
    if json_text(old) != json_text(new):
        one, other = shown_pair(old, new, 10_000)
        assert one != other


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("9.90"), "9.90"),
        (Numeral("1e5"), "1e5"),
        (2**53 + 1, "9007199254740993"),
        (Decimal("NaN"), '"NaN"'),
        (float("inf"), '"inf"'),
        (MISSING, "missing"),
        ("missing", '"missing"'),
        ("caf\u00e9", '"caf\u00e9"'),
        ({"\u00e9": [1, "\u202e"]}, '{"\u00e9":[1,"\\u202e"]}'),
        ("\ufffd", '"\ufffd"'),
        ({}, "{}"),
        ([[]], "[[]]"),
        (b"\xff", '"\\\\xff"'),
    ],
)
def test_digits_text_and_absence_are_told_as_they_are(value: object, expected: str) -> None:
    assert shown(value, 100) == expected


def test_a_number_of_five_thousand_digits_is_written_in_full() -> None:
    assert json_text(10**5_000) == "1" + "0" * 5_000


def test_no_depth_is_too_deep() -> None:
    value: Any = 1
    for _ in range(20_000):
        value = [value]
    assert json_text(value) == "[" * 20_000 + "1" + "]" * 20_000
    assert shown(value, 20) == "[[[[[[[[[[ ... ]]]]]"


@pytest.mark.parametrize(
    ("old", "new"), [("caf\u00e9", "cafe\u0301"), ("a b", "a\u00a0b"), ({"k": "\ufb01"}, {"k": "fi"})]
)
def test_twins_are_told_apart(old: object, new: object) -> None:
    one, other = shown_pair(old, new, 80)
    assert one != other
    assert one.isascii()
    assert other.isascii()


def test_a_difference_deep_in_two_long_texts_stays_in_sight() -> None:
    same = "x" * 5_000
    old, new = shown_pair(same + "old ending" + same, same + "new ending" + same, 60)
    assert "old ending" in old
    assert "new ending" in new
    assert old.index("old") == new.index("new")


def test_lines_of_a_text_are_its_own_and_of_a_value_those_of_spread_json() -> None:
    assert legible_lines("a\r\nb") == ["a\\x0d", "b"]
    assert legible_lines({"k": [1]}) == ["{", '  "k": [', "    1", "  ]", "}"]


def test_twin_lines_are_told_apart() -> None:
    old, new = line_pairs("same\ncaf\u00e9", "same\ncafe\u0301", 100)
    assert (old, new) == (["same", "caf\\xe9"], ["same", "cafe\\u0301"])
