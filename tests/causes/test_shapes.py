"""What was done to a value."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.causes.shapes import LONGEST, Shape, shape_of
from replay.documents import Numeral
from replay.models import MISSING

SMALL = st.decimals(min_value=-(10**6), max_value=10**6, places=4)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Ada", "ADA", "now in upper case"),
        ("Ada", "ada", "now in lower case"),
        ("Ada", "adA", "upper and lower case"),
        ("e\u0301", "\u00e9", "another Unicode form"),
        ("a b\n", " a  b", "white space"),
        ("1.50", "1.5", "same number, written otherwise"),
        ("12.5", "1250", "100 times as much"),
        ("1", "12", ""),
        ("2024-02-29T12:00:00Z", "2024-02-29T13:00:00+01:00", "same instant, written otherwise"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z", "same instant, written otherwise"),
        ("2024-02-29T12:00:00Z", "Thu, 29 Feb 2024 12:00:00 GMT", "same instant, written otherwise"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00+01:00", "same clock time, another time zone"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00", "same clock time, another time zone"),
        ("2024-02-29T12:00:00Z", "2024-03-01T12:00:00Z", ""),
        ("a,b,c", "c, a, b", "another order"),
        ("", "a", "empty -> text"),
        ("a", "", "text -> empty"),
        ("one", "two", ""),
        (7, -7, "sign turned"),
        (7, 8, "one more"),
        (7, 6, "one less"),
        (Decimal("0.5"), Decimal("1.5"), ""),
        (2, Decimal("2.02"), ""),
        (Decimal("9.99"), 999, "100 times as much"),
        (999, Decimal("9.99"), "divided by 100"),
        (3, 3000, "1000 times as much"),
        (Decimal("0.1"), Decimal("0.1000000000000001"), "last digits"),
        (Numeral("1.0"), 1, "same number, written otherwise"),
        (7, 19, ""),
        (Decimal("1e400"), Decimal("1e402"), ""),
        (float("nan"), 1, ""),
        (True, False, "true -> false"),
        ([1, "a"], ["a", 1], "another order"),
        ([1, 1, 2], [1, 2, 2], ""),
        ([1], [], "emptied"),
        ([], [1], "filled"),
        ([float("nan"), 1], [1, float("nan")], ""),
        (12, "12", "number -> string, spelled alike"),
        ("true", True, "string -> boolean, spelled alike"),
        (12, "13", "number -> string"),
        (None, "", "null -> empty string"),
        ([], None, "empty array -> null"),
        (None, "a", "null -> string"),
        ([], {}, "array -> object"),
        (MISSING, 1, ""),
    ],
)
def test_a_shape_tells_what_was_done(old: Any, new: Any, words: str) -> None:
    assert shape_of(old, new).words == words


@pytest.mark.parametrize(
    ("old", "new", "shape"),
    [
        ("/cart", "https://a.example/cart", ("text added in front", "https://a.example")),
        ("cart", "cart/", ("text added at the end", "/")),
        ("v2/cart", "cart", ("text cut in front", "v2/")),
        ("cart.json", "cart", ("text cut at the end", ".json")),
        (Decimal("9.876"), Decimal("9.88"), ("rounded", "2")),
        (Decimal("9.876"), Decimal("9.87"), ("cut off", "2")),
        (Decimal("9.88"), Decimal("9.876"), ("no longer rounded", "2")),
        (Decimal("-2.5"), -2, ("rounded", "0")),
        ("9.876", "9.88", ("rounded", "2")),
    ],
)
def test_what_may_be_the_same_in_every_case_is_told_apart(old: Any, new: Any, shape: tuple[str, str]) -> None:
    assert shape_of(old, new) == Shape(*shape)


@given(text=st.text(max_size=30))
def test_upper_case_white_space_and_composition_explain_themselves(text: str) -> None:
    for other in (text.upper(), f" {text}", unicodedata.normalize("NFC", text)):
        # What is of the same length and shape in several ways is told by the first; a letter may change its length.
        assert other == text or shape_of(text, other).words or text.upper().casefold() != text.casefold()


@given(number=SMALL, places=st.integers(0, 3))
def test_what_was_rounded_is_found_to_be(number: Decimal, places: int) -> None:
    rounded = round(number, places)
    words = shape_of(number, rounded).words
    # So small a number may be turned or scaled or told by its last digits just as well.
    assert words in ("rounded", "same number, written otherwise", "one more", "one less", "last digits")


@given(number=SMALL.filter(bool))
def test_cents_for_euros_are_found(number: Decimal) -> None:
    assert shape_of(number, number * 100).words == "100 times as much"
    assert shape_of(number * 100, number).words == "divided by 100"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(exclude_categories=()))
)


@given(old=SCALARS | st.lists(SCALARS), new=SCALARS | st.lists(SCALARS))
@settings(max_examples=300)
def test_any_two_values_have_a_shape_or_none(old: Any, new: Any) -> None:
    assert isinstance(shape_of(old, new), Shape)


def test_numbers_of_thousands_of_digits_have_no_shape() -> None:
    assert shape_of(10**5000, 10**5000 + 1) == Shape()
    assert shape_of(10**5000, "1") == Shape("number -> string")
    assert shape_of([10**5000, 1], [1, 10**5000]) == Shape("another order")


def test_large_values_are_not_searched_for_a_shape() -> None:
    assert shape_of("a" * (LONGEST + 1), "A" * (LONGEST + 1)) == Shape()
    assert shape_of(list(range(LONGEST + 1)), list(range(LONGEST, -1, -1))) == Shape()
