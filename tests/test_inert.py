"""Text of unknown origin is shown as it is, and obeyed nowhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.inert import GAP, cut, printable, unescaped

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_what_is_printed_is_one_line_of_visible_characters(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    shown.encode()


@given(any_text, st.integers(10, 40))
def test_nothing_is_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(printable(text, limit)) <= limit
    assert len(cut(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b", "\\x9b"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\u3164", "\\u3164"),
        ("caf\u00e9 \u65e5\u672c [red]", "caf\u00e9 \u65e5\u672c [red]"),
    ],
)
def test_controls_directions_and_invisible_characters_become_escapes(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(any_text, st.integers(10, 40))
def test_no_escape_is_cut_in_two(text: str, limit: int) -> None:
    shown = printable(text, limit)
    whole = {printable(character) for character in text}
    for part in shown.split(GAP, 1):
        assert "".join(re.findall("|".join(map(re.escape, sorted(whole, key=len, reverse=True))), part)) == part


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert cut("0123456789" * 3, 20) == "0123456789 ... 56789"
    assert printable("\x00" * 10**7 + "end", 20).endswith("end")


@given(st.text().filter(lambda text: "\\" not in text))
def test_what_was_escaped_comes_back(text: str) -> None:
    assert unescaped(printable(text)) == text
