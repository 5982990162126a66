"""What the rows of a golden expect in common is, filled with the values of each, just what was said of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.curation.alike import said_alike
from replay.curation.stating import built, same_expectation
from replay.placeholders import filled_expectation

A, B = {"id": "a", "n": 1, "w": "x"}, {"id": "b", "n": 2, "w": "yy"}


def alike(one: Any, other: Any) -> Any:
    found = said_alike([{"status": 200, "json": one}, {"status": 200, "json": other}], [A, B])
    return None if found is None else found["json"]


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ({"k": [1, "a"]}, {"k": [1, "a"]}, {"k": [1, "a"]}),
        (["x", {"n": 1}], ["yy", {"n": 2}], ["{{w}}", {"n": "{{n}}"}]),
        ("/ax/x?n=1", "/ax/yy?n=2", "/ax/{{w}}?n={{n}}"),
        (1, 3, None),
        (True, 2, None),
        ("1", "2", None),
        (1.0, 2.0, None),
        ([1], [2, 2], None),
        ({"x": 1}, {"yy": 1}, None),
        (None, "x", None),
        ("ax", "ayy", None),
    ],
)
def test_a_name_stands_where_rows_differ_by_their_own_values_and_nowhere_else(
    one: Any, other: Any, wanted: Any
) -> None:
    assert alike(one, other) == wanted


def test_rows_that_were_told_another_status_or_kind_of_body_have_nothing_in_common() -> None:
    assert said_alike([{"status": 200}, {"status": 201}], [{"id": 200}, {"id": 201}]) is None
    assert said_alike([{"status": 200, "text": "x"}, {"status": 200, "json": "x"}], [A, B]) is None


VALUE = st.sampled_from(["a", "x", "yy", "a x", "{{w}}", '"', "", "é", "1"]) | st.integers(0, 2) | st.booleans()
ROW = st.fixed_dictionaries({"id": VALUE, "w": VALUE, "not a name": VALUE})
BODY = st.recursive(
    VALUE, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(VALUE.map(str), inner, max_size=2)
)


@given(st.lists(st.tuples(ROW, BODY), min_size=1, max_size=3), st.sampled_from(["json", "text"]))
@settings(max_examples=300)
def test_filled_with_a_row_it_says_what_was_said_of_that_row(rows: list[tuple[Any, Any]], key: str) -> None:
    said = [{"status": 200, key: body if key == "json" else f"{body}"} for _, body in rows]
    values = [row for row, _ in rows]
    found = said_alike(said, values)
    if found is None:
        return
    for one, row in zip(said, values, strict=True):
        assert same_expectation(filled_expectation(built(found), row), built(one))
