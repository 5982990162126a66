"""Values as readers see them."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.documents import Numeral
from replay.documents.json_text import json_chunks, json_head, json_text
from replay.documents.parting import parting
from replay.documents.showing import cut_pair, shown_change, shown_pair
from replay.models import MISSING
from replay.reports.aligned import legible_lines, stretches

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
    assert shown_pair(value, MISSING, 100) == (expected, "missing")


def test_a_number_of_five_thousand_digits_is_written_in_full() -> None:
    assert json_text(10**5_000) == "1" + "0" * 5_000


def test_no_depth_is_too_deep() -> None:
    value: Any = 1
    for _ in range(20_000):
        value = [value]
    assert json_text(value) == "[" * 20_000 + "1" + "]" * 20_000
    assert shown_pair(value, MISSING, 20) == ("[" * 15 + " ...", "missing")


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
    assert legible_lines("a\r\nb", 100) == ["a\\x0d", "b"]
    assert legible_lines({"k": [1]}, 100) == ["{", '  "k": [', "    1", "  ]", "}"]
    assert legible_lines(["a"] * 1_000, 10) == ["[", '  "a",', " "]


def test_twin_lines_are_told_apart() -> None:
    old, new = stretches("same\ncaf\u00e9", "same\ncafe\u0301", 100)
    assert (old.lines, new.lines) == (["same", "caf\\xe9"], ["same", "cafe\\u0301"])


# ------------------------------------------------------------------------------------------------- where two texts part


@given(any_text, any_text, any_text)
def test_texts_part_at_their_first_difference(same: str, one: str, other: str) -> None:
    first, second = same + one, same + other
    at = parting(first, second)
    assert first[:at] == second[:at]
    assert first[at : at + 1] != second[at : at + 1] or first == second


@pytest.mark.parametrize("at", [0, 1, 65_535, 65_536, 65_537, 131_072, 199_999])
def test_texts_of_many_stretches_part_at_their_first_difference(at: int) -> None:
    text = "x" * 200_000
    assert parting(text, text[:at] + "y" + text[at + 1 :]) == at
    assert parting(text, text[:at]) == at
    assert parting(text.encode(), text[:at].encode()) == at
    assert parting(text, text) == 200_000


@given(values, st.integers(0, 100))
def test_the_head_of_a_value_is_the_beginning_of_its_json(value: object, limit: int) -> None:
    whole = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json_head(value, limit) == whole[:limit]


@given(any_text, any_text, st.integers(20, 60))
def test_two_lines_that_differ_differ_where_they_are_cut_too(one: str, other: str, limit: int) -> None:
    long = "x" * 300
    shown = cut_pair(long + one + long, long + other + long, limit)
    assert (shown[0] == shown[1]) == (one == other)
    assert max(map(len, shown)) <= limit


@given(values, values, st.integers(-1, 100))
@settings(max_examples=50)
def test_a_change_fits_its_room_or_is_not_told(old: object, new: object, room: int) -> None:
    change = shown_change(old, new, room)
    assert len(change) <= max(room, 0)
    assert not change or " -> " in change
    assert change or room < 36


def test_a_short_value_leaves_its_room_to_a_long_one() -> None:
    assert shown_change("x" * 100, MISSING, 40) == '"xxxxxxxxxxxxxxxxxxxxxx ... -> missing'


def test_a_stretch_begins_shortly_before_the_first_difference_and_knows_its_line_numbers() -> None:
    lines = [f"line {number}\n" for number in range(1, 100_001)]
    other = [*lines[:70_000], "other\n", *lines[70_001:]]
    old, new = stretches("".join(lines), "".join(other), 1_000)
    assert (old.first, old.lines[:4]) == (69_999, ["line 69999", "line 70000", "line 70001", "line 70002"])
    assert (new.first, new.lines[2]) == (69_999, "other")
    assert (old.total, old.goes_on, old.lines[-1][:5]) == (100_000, True, "line ")


def test_a_stretch_of_a_line_without_end_says_that_it_begins_within() -> None:
    old, new = stretches("x" * 50_000 + "old\nlast", "x" * 50_000 + "new\nlast", 1_000)
    assert (old.first, old.lines[0][:8], old.lines[0][-4:]) == (1, "... xxxx", "xold")
    assert (new.first, new.lines[0][-4:], new.lines[1]) == (1, "xnew", "last")


def test_bodies_are_laid_out_around_bytes_that_are_no_text() -> None:
    old, new = stretches(b"a\n" * 5 + b"\xff\n", b"a\n" * 5 + b"\xfe\n", 100)
    assert (old.first, old.lines) == (4, ["a", "a", "\\xff", ""])
    assert new.lines == ["a", "a", "\\xfe", ""]


# ---------------------------------------------------------------------------------------------------------- huge values

HUGE = 20_000_000
NULS = "\x00" * HUGE
PAIRS = {
    "a text of NULs against nothing": (NULS, ""),
    "a text of NULs against no text": (NULS, MISSING),
    "a text of NULs against a longer one": (NULS, NULS + "!"),
    "a line in which one letter differs": ("x" * HUGE, "x" * (HUGE - 5) + "yxxxx"),
    "lines of which the last differs": ("ab\n" * (HUGE // 3), "ab\n" * (HUGE // 3 - 1) + "yz\n"),
    "a text within a value": ({"k": [NULS]}, {"k": ["other"]}),
    "an array against an object": ([1] * (HUGE // 8), {"k": NULS}),
    "a number against an array": (1, [[NULS]]),
}


def peak(work: Callable[[], object]) -> float:
    """Return how many bytes the work takes at its height."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("old", "new"), PAIRS.values(), ids=PAIRS)
def test_showing_huge_values_takes_next_to_no_memory(old: Any, new: Any) -> None:
    assert peak(lambda: shown_pair(old, new, 1_000)) < 10_000_000
    assert peak(lambda: stretches(old, new, 200_000)) < HUGE
    one, other = shown_pair(old, new, 1_000)
    assert one != other


def test_the_first_lines_of_a_huge_text_take_next_to_no_memory() -> None:
    assert peak(lambda: legible_lines(NULS, 200_000)) < HUGE


def test_a_huge_value_is_written_in_chunks() -> None:
    text = "\x00" * 2_000_000
    assert peak(lambda: deque(json_chunks([text, {"k": [1] * 10_000}]), maxlen=0)) < 10_000_000
    assert sum(map(len, json_chunks(text))) == 12_000_002
