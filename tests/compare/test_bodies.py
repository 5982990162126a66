"""Bodies: read as what they are, and never equal because they could not be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from replay.compare import Compared
from replay.compare.reading import How, read_content
from replay.compare.text import SHOWN_CHARACTERS, text_change
from replay.models import Expectation, Request

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]


def test_json_that_differs_in_bytes_only_is_equal_and_said_so(compare: Compare) -> None:
    found = compare(b'{"a":1,"b":[]}', b'{ "b": [], "a": 1.0 }')
    assert found.differences == ()
    assert [it.rule for it in found.accepted] == ["default: JSON is compared by value, not by byte"]


@pytest.mark.parametrize(
    ("old", "new", "kinds", "found"),
    [
        (b"a\r\n", b"a\n", "text/plain", [("body", "text")]),
        (b"a", b"a\n", "text/plain", [("body", "text")]),
        (b"\xef\xbb\xbfa", b"a", "text/plain", [("body", "text")]),
        (b"\x00\x01", b"\x00\x02", "image/png", [("body", "value")]),
        (b"", b"x", "text/plain", [("body", "text")]),
        (b"", b"{}", None, [("body", "extra")]),
        (b"{}", b"", None, [("body", "missing")]),
        (b'{"a": 1}', b'{"a":1}', None, []),
        (b'{"a": 1}', b'{"a":2}', None, [("body.a", "value")]),
        (b"\xff\xfe", b"\xff\xfd", None, [("body", "value")]),
        (b"<a/>", b"<a />", "application/xml", [("body", "text")]),
    ],
)
def test_other_bodies_are_compared_to_the_byte(
    told: Told, old: bytes, new: bytes, kinds: str | None, found: list[tuple[str, str]]
) -> None:
    assert told(old, new, kind=kinds) == found


def test_the_same_characters_in_two_charsets_differ_in_their_type_alone(told: Told) -> None:
    kinds = ("text/plain; charset=utf-8", "text/plain; charset=latin-1")
    assert told("é".encode(), "é".encode("latin-1"), kinds=kinds) == [("headers.content-type", "header")]


@pytest.mark.parametrize("charset", ["nope", "idna", "unicode_escape", "undefined", "zip", "a\0b", "utf-7"])
def test_a_charset_that_is_none_never_makes_two_bodies_equal(compare: Compare, charset: str) -> None:
    found = compare(b"\\xff\xff", b"\\xfe\xff", kind=f"text/plain; charset={charset}")
    assert found.differences
    assert set(found.flaws) == {"old", "new"}


def test_json_that_became_text_is_a_change_of_kind(compare: Compare) -> None:
    found = compare({"a": 1}, b"<h1>Oops</h1>", kinds=("application/json", "text/html"))
    assert ("body", "type", "json became text") in [(it.at, it.kind, it.note) for it in found.differences]


@pytest.mark.parametrize(
    ("body", "name"),
    [(b'{"a": NaN}', "nan"), (b'{"a":1,"a":1}', "duplicate_keys"), (b'["\\ud800"]', "lone_surrogates"), (b"", "empty")],
)
def test_a_flaw_of_json_is_told_on_both_sides_unless_it_is_allowed(compare: Compare, body: bytes, name: str) -> None:
    assert set(compare(body, body).flaws) == {"old", "new"}
    assert compare(body, body, {"at": "body", "allow": [name]}).flaws == {}
    assert compare(body, body, {"at": "body", "allow": [name]}).differences == ()


@pytest.mark.parametrize(
    "body", [b'{"a": 1', b'{"a": 1}\n{"a":', b"[1,\n2", b"{\n", b"nonsense", b'"\xff"', b'{"a":1}\n}']
)
def test_json_that_is_none_is_a_flaw_that_no_rule_allows(compare: Compare, body: bytes) -> None:
    rule = {"at": "body", "allow": ["nan", "duplicate_keys", "lone_surrogates", "empty"]}
    assert set(compare(body, body, rule).flaws) == {"old", "new"}


def test_a_body_that_must_not_be_there_is_a_finding_where_one_side_has_it(told: Told) -> None:
    assert told(b"", b"{}", request=Request("HEAD", "/")) == []
    assert told(b"", b"{}", statuses=(204, 204)) == [("body", "extra")]
    assert told(b"", b"", statuses=(204, 204)) == []
    assert told(b"{}", b"", statuses=(200, 204), kind=None) == [("status", "status"), ("body", "missing")]


def test_json_lines_are_no_json_array(told: Told) -> None:
    lines, array = b'{"a":1}\n{"a":2}', b'[{"a":1},{"a":2}]'
    assert told(array, lines) == [("body", "type")]
    assert told(lines, array) == [("body", "type")]
    assert told(lines, b'{"a": 1}\n{"a": 2}\n') == []


def test_a_functions_value_is_compared_without_a_status(told: Told) -> None:
    assert told(1, 2, statuses=(None, None)) == [("body", "value")]
    assert told(1, 1, statuses=(None, 200)) == [("status", "status")]


def test_documents_too_deep_to_walk_are_equal_only_to_the_byte(told: Told) -> None:
    deep = b"[" * 395 + b"]" * 395
    assert told(deep, deep) == []
    assert told(deep, b"[" * 395 + b"1" + b"]" * 395)
    assert told(b"[" * 900 + b"]" * 900, b"[" * 900 + b"1" + b"]" * 900) == [("body", "text")]


def test_deep_documents_do_not_slip_past_a_schema(told: Told) -> None:
    deep = b"[" * 395 + b"1" + b"]" * 395
    wanted: dict[str, Any] = {"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}
    assert ("body", "schema") in told(deep, deep, {"at": "body", "schema": wanted})


# ----------------------------------------------------------------------------------------------------------- JSON lines


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "application/jsonlines"])
def test_json_lines_are_read_as_the_list_of_them(told: Told, kind: str) -> None:
    old, new = b'{"id": 1}\n{"id": 2}\n', b'{"id":1}\r\n\r\n{"id":3}'
    assert told(old, new, kind=kind) == [("body[1].id", "value")]


def test_a_line_separator_within_a_text_parts_no_lines() -> None:
    body = '{"a": "x\u2028y"}\n{"a": "\x85"}'.encode()
    assert read_content(body, "application/json").value == [{"a": "x\u2028y"}, {"a": "\x85"}]


def test_one_line_of_json_lines_is_a_list_and_one_json_document_is_not() -> None:
    assert read_content(b'{"a": 1}\n', "application/x-ndjson").value == [{"a": 1}]
    assert read_content(b'{"a": 1}\n', "application/json").value == {"a": 1}


def test_the_flaws_of_lines_are_kept() -> None:
    assert [it.name for it in read_content(b'{"a": NaN}\n{"a":1,"a":2}', "application/json").flaws] == [
        "nan",
        "duplicate_keys",
    ]


def test_no_cut_document_is_taken_for_lines() -> None:
    whole = json.dumps({"a": [1, {"b": "x\ny"}], "c": [[], 2]}, indent=1).encode()
    cuts = [read_content(whole[:end], "application/json") for end in range(1, len(whole))]
    assert {it.kind for it in cuts} == {"text"}
    assert all(it.flaws for it in cuts)


def test_as_text_reads_lines_as_text() -> None:
    assert read_content(b"1\n2", "application/x-ndjson", How(("text",))).kind == "text"


# ----------------------------------------------------------------------------------------------------------------- text


def lines(count: int, first: int = 1) -> str:
    return "".join(f"line {n}\n" for n in range(first, first + count))


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (lines(231), lines(40) + "error: boom\n", "new stops at line 41 of 231"),
        (lines(40) + "error: boom\n", lines(231), "old stops at line 41 of 231"),
        (lines(231), lines(41), "new stops at line 41 of 231"),
        (lines(231), lines(41)[:-4], "new stops at line 41 of 231"),
        (lines(5), lines(2) + "x\n" + lines(2, 4), "line 3 of 5"),
        (lines(5), lines(2) + lines(2, 4), "1 line missing after line 2 of 5"),
        (lines(2), lines(1) + "x\n" + lines(1, 2), "1 line more after line 1 of 2"),
        (lines(5), lines(3) + "x\ny\n", "lines 4 to 5 of 5"),
        (lines(231), "error: boom\n", "lines 1 to 231 of 231, now 1 line"),
        ("a", "a\n", "line 1 of 1"),
    ],
)
def test_a_text_change_tells_from_where_on_and_whether_one_stops(old: str, new: str, note: str) -> None:
    assert text_change(old, new).note == note


def test_where_a_text_stops_its_last_lines_are_shown() -> None:
    change = text_change(lines(231), lines(40) + "error: boom\n")
    assert (change.old.splitlines()[0], change.new) == ("line 41", "error: boom\n")


@pytest.mark.parametrize("at", [0, 3_999, 4_000, 19_999_999])
def test_of_endless_lines_only_the_part_that_differs_is_kept(at: int) -> None:
    text = "\x00" * 20_000_000
    change = text_change(text, text[:at] + "!" + text[at + 1 :])
    assert len(change.old) <= SHOWN_CHARACTERS
    assert len(change.new) <= SHOWN_CHARACTERS
    assert change.old != change.new
    assert "!" in change.new


# --------------------------------------------------------------------------------------------------------- expectations


def found(compared: Compared) -> list[tuple[str, str]]:
    return [(it.at, it.against) for it in compared.differences]


def test_new_has_to_meet_what_is_expected_and_old_is_not_asked(compare: Compare) -> None:
    expect = Expectation(status=200, body=b'{"total": 9.90}')
    met = compare({"total": 10}, {"total": 9.9}, statuses=(500, 200), expect=expect)
    unmet = compare({"total": 10}, {"total": 10}, expect=expect)
    assert (found(met), met.flags) == ([], ("drifted",))
    assert (found(unmet), unmet.flags) == ([("body.total", "expect")], ("drifted",))


def test_what_the_expectation_leaves_out_is_compared_with_old(compare: Compare) -> None:
    assert found(compare({"a": 1}, {"a": 2}, expect=Expectation(status=200))) == [("body.a", "old")]


def test_an_expected_header_is_compared_whether_or_not_it_has_a_meaning(compare: Compare) -> None:
    expect = Expectation(headers=(("X-Total", "7"),))
    headers = (("X-Total", "9"),), (("x-total", "8"),)
    assert found(compare({}, {}, headers=headers, expect=expect)) == [("headers.x-total", "expect")]
    assert found(compare({}, {}, headers=((), ()), expect=expect)) == [("headers.x-total", "expect")]


def test_a_must_on_what_the_golden_states_is_judged_by_the_golden(compare: Compare) -> None:
    rule = {"at": "body.total", "map": [[10, 9.99]], "must": True}
    expect = Expectation(body=b'{"total": 9.99}')
    assert found(compare({"total": 10}, {"total": 9.99}, golden=[rule], expect=expect)) == []
    assert found(compare({"total": 10}, {"total": 10}, golden=[rule], expect=expect)) == [("body.total", "expect")]


def test_an_old_that_departs_only_by_an_intended_change_has_not_drifted(compare: Compare) -> None:
    rule = {"at": "body.total", "map": [[10, 9.99]]}
    assert compare({"total": 10}, {"total": 9.99}, rule, expect=Expectation(body=b'{"total": 9.99}')).flags == ()


def test_texts_too_large_to_align_are_told_from_where_they_part(compare: Compare) -> None:
    old = b"".join(b"line %d\n" % number for number in range(600_000))
    found = compare(old, old.replace(b"line 400000\n", b"line x\n"), kind="text/plain").differences
    assert [(it.kind, it.note) for it in found] == [
        ("text", "from line 400001 of 600000 on, now 600000 lines: too large to align")
    ]
    assert str(found[0].old).startswith("line 400000\n")
    assert len(str(found[0].old)) <= 4_000
    assert compare(old, old[:-50_000], kind="text/plain").differences[0].note.startswith("new stops at line ")
