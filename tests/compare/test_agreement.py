"""The quick way through equal answers says what the long one says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Comparison, Pair, rule_book
from replay.compare.compared import Compared
from replay.documents import is_sound_json, parse_json
from replay.models import Case, Failure, Headers, Observation, Request, RuleSpec, Side

BASES: dict[Side, str | None] = {"old": "http://old.test", "new": "http://new.test"}
LONG_WAY = RuleSpec(at="body.no_such_member", matches=".*")
"""Asks for nothing that these answers hold; and yet equal values might not please it."""
WHOLE_WAY = (LONG_WAY, RuleSpec(at="headers.no-such-header", ignore=True))
"""Has the headers walked, too."""

names = st.sampled_from([
    "Date", "X-Id", "x-id", "ETag", "Content-Type", "Cache-Control", "Allow", "Location", "Set-Cookie",
])  # fmt: skip
values = st.sampled_from([
    "", "1", "application/json", "text/plain", "no-store", "/a", "http://old.test/a", "a=1; Max-Age=5",
])  # fmt: skip
headers = st.lists(st.tuples(names, values), max_size=5).map(tuple)
FLAWED = [b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": ', b'"\\ud800"', b"", b"<p>"]
bodies = st.sampled_from([b"{}", b'{"a": 1.50}', b"[1e400]", b"[" * 500, *FLAWED])


def compared(old: Observation, new: Observation, *rules: RuleSpec, method: str = "GET") -> Compared:
    case = Case("c", "traffic", "d:1", Request(method, "/x"))
    return Comparison(rule_book(rules), BASES).compare(Pair(case, old, new))


@given(old=headers, new=headers, body=bodies, method=st.sampled_from(["GET", "HEAD"]))
def test_both_ways_find_the_same(old: Headers, new: Headers, body: bytes, method: str) -> None:
    json_type = (("content-type", "application/json"),)
    one, other = (Observation(200, (*json_type, *fields), body) for fields in (old, new))
    for pair in ((one, one), (one, other)):
        quick, long = compared(*pair, method=method), compared(*pair, *WHOLE_WAY, method=method)
        assert (quick.differences, quick.accepted, quick.flaws) == (long.differences, long.accepted, long.flaws)


@given(old=headers, new=headers)
def test_headers_of_answers_whose_bodies_differ_are_found_alike_in_both_ways(old: Headers, new: Headers) -> None:
    one, other = Observation(200, old, b'{"a": 1}'), Observation(200, new, b'{"a": 2}')
    quick, long = compared(one, other), compared(one, other, *WHOLE_WAY)
    assert (quick.differences, quick.accepted, quick.flaws) == (long.differences, long.accepted, long.flaws)
    assert any(difference.at.startswith("body") for difference in quick.differences)


@pytest.mark.parametrize("body", FLAWED)
def test_a_flaw_that_both_sides_share_is_a_flaw_of_both(body: bytes) -> None:
    answer = Observation(200, (("content-type", "application/json"),), body)
    assert set(compared(answer, answer).flaws) == {"old", "new"}


def test_equal_answers_of_which_one_broke_off_are_not_waved_through() -> None:
    whole = Observation(200, (("content-type", "application/json"),), b"{}")
    broken = Observation(200, whole.headers, b"{}", error=Failure("incomplete_body", "cut"))
    assert compared(whole, broken) == compared(whole, broken, LONG_WAY)


@pytest.mark.parametrize(
    "rule",
    [
        RuleSpec(at="body.a", matches="b+"),
        RuleSpec(at="body.a", schema={"type": "string"}),
        RuleSpec(at="body", **{"as": "json"}, schema={"type": "array"}),  # type: ignore[arg-type]
    ],
)
def test_a_rule_that_equal_values_may_break_is_asked(rule: RuleSpec) -> None:
    answer = Observation(200, (("content-type", "application/json"),), b'{"a": 1}')
    assert compared(answer, answer, rule).differences


def test_a_location_that_names_the_old_side_on_both_is_a_difference() -> None:
    fields = (("content-type", "application/json"), ("location", "http://old.test/a"))
    answer = Observation(201, fields, b"{}")
    assert [each.at for each in compared(answer, answer).differences] == ["headers.location"]


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(documents.map(json.dumps).map(str.encode) | st.binary(max_size=12) | bodies)
def test_what_is_called_sound_has_no_flaw(data: bytes) -> None:
    if is_sound_json(data):
        parsed = parse_json(data)
        assert parsed.ok
        assert parsed.findings == ()


@given(documents.map(lambda value: json.dumps(value, allow_nan=True)))
def test_what_has_no_flaw_is_mostly_called_sound(text: str) -> None:
    plain = parse_json(text).findings == () and "\\ud" not in text
    assert is_sound_json(text.encode()) == plain
