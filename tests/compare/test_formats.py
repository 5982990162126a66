"""Every reading that `as` names: documented, giving back what was written, and never taking what it is not."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Compared
from replay.compare.formats import ENCODINGS, READERS, Content, read_as
from replay.compare.formats.encodings import MOST_UNPACKED
from replay.models import ReaderName, ReadStep

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]

DOCS = Path(__file__).parents[2] / "docs" / "comparison.md"
NOISE = b"\x93\xff<{\"%zz,\r'"


def read(data: bytes | str, *steps: ReadStep) -> Any:
    reading = read_as(steps, Content(data))
    return reading.value, [flaw.name for flaw in reading.flaws]


def test_the_readings_are_those_that_rules_may_name() -> None:
    assert set(READERS) == set(get_args(ReaderName))


@pytest.mark.parametrize("name", READERS)
def test_every_reading_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"text", "bytes"}))
def test_what_cannot_be_read_so_is_a_flaw_and_compared_as_it_stands(compare: Compare, name: str) -> None:
    rule = {"at": "body", "as": name}
    alike, other = (compare(NOISE, new, rule, kind="x/y") for new in (NOISE, NOISE + b"!"))
    assert set(alike.flaws) == set(other.flaws) == {"old", "new"}
    assert other.differences


@pytest.mark.parametrize("name", READERS)
@given(data=st.binary(max_size=40))
def test_no_reading_raises_for_what_it_is_given(name: str, data: bytes) -> None:
    read_as((name,), Content(data))  # type: ignore[arg-type]  # it is one of them


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(fields=st.dictionaries(TEXTS.filter(bool), TEXTS | st.lists(TEXTS, min_size=2, max_size=3), max_size=4))
def test_a_form_reads_back_as_its_fields(fields: dict[str, Any]) -> None:
    written = urlencode(fields, doseq=True)
    assert read(written, "form") == read(f"?{written}", "query") == (fields, [])


@given(fields=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), unique_by=lambda field: field[0]), data=st.data())
def test_the_order_of_different_fields_means_nothing(
    told: Told, fields: list[tuple[str, str]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(fields))
    rule = {"at": "body", "as": "form"}
    assert told(urlencode(fields).encode(), urlencode(shuffled).encode(), rule, kind="text/plain") == []


@pytest.mark.parametrize(
    ("name", "text"), [("form", "&" * 600_000), ("form", "a=" + "%41" * 2_100_000), ("url", "%41" * 2_100_000)]
)
def test_what_would_take_gigabytes_to_read_is_refused(name: Any, text: str) -> None:
    assert read(text, name) == (text, [name])


def test_the_order_of_one_fields_values_does(told: Told) -> None:
    rule = {"at": "body", "as": "form"}
    assert told(b"a=1&b=2&a=3", b"a=3&b=2&a=1", rule, kind="text/plain") == [("body.a", "order")]
    assert told(b"a=1&b=2", b"a=1&b=", rule, kind="text/plain") == [("body.b", "value")]


def test_two_escapes_that_spell_no_text_are_not_made_equal(compare: Compare) -> None:
    found = compare(b"a=%ff", b"a=%fe", {"at": "body", "as": "form"}, kind="text/plain")
    assert set(found.flaws) == {"old", "new"}
    assert found.differences


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=6,
)
WRAP: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "url": lambda data: quote(data).encode(),
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


@given(value=VALUES, names=st.lists(st.sampled_from(sorted(WRAP)), max_size=3))
def test_what_is_wrapped_is_unwrapped_from_the_outside_in(value: Any, names: list[Any]) -> None:
    if "url" in names:  # percent signs spell text, so nothing that is none can be in them
        names = [name for name in names if name in ("url", "base64")]
    data = json.dumps(value).encode()
    for name in reversed(names):
        data = WRAP[name](data)
    assert read(data, *names, "json") == (value, [])


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"eyJhIjoxfQ==", {"a": 1}),
        (b"eyJhIjoxfQ", {"a": 1}),
        (b"eyJh\r\n IjoxfQ==\n", {"a": 1}),
        (b"WyL_Il0", None),
        (b"Wy4v+_8", None),
        (b"eyJhIjoxfQ=", None),
        (b"eyJhIjoxfQ==!", None),
        (b"eyJhIjoxfQ==eyJh", None),
    ],
)
def test_base64_is_read_in_either_alphabet_and_to_the_last_character(data: bytes, value: Any) -> None:
    found, flaws = read(data, "base64", "json")
    assert (found == value) is (value is not None)
    assert bool(flaws) is (value is None)


@pytest.mark.parametrize("data", [gzip.compress(b"[1]")[:-2], gzip.compress(b"[1]") + b"x", b"[1]"])
def test_what_is_not_compressed_to_the_last_byte_is_a_flaw(data: bytes) -> None:
    assert read(data, "gzip", "json")[1] == ["gzip"]


def test_a_bomb_is_told_and_not_read() -> None:
    bomb = gzip.compress(b"\0" * (MOST_UNPACKED + 1))
    assert read(bomb, "gzip", "json") == (bomb, ["gzip"])


def test_an_encoding_alone_gives_text_or_bytes(told: Told) -> None:
    assert read(b"aGk=", "base64") == ("hi", [])
    assert read(b"//8=", "base64") == (b"\xff\xff", [])
    assert ENCODINGS.keys() < READERS.keys()
    assert told(b"aGk=", b"aGk", {"at": "body", "as": "base64"}, kind="text/plain") == []


def test_a_line_that_is_no_json_is_told_by_its_number(compare: Compare) -> None:
    rule = {"at": "body", "as": "ndjson"}
    found = compare(b'{"a":1}\n\n{"a":2}', b'{"a":1}\n\n{"a":', rule, kind="text/plain")
    assert found.flaws.keys() == {"new"}
    assert "line 3 is no JSON" in found.flaws["new"]


def test_lines_are_told_by_document_and_one_is_a_list_too(told: Told) -> None:
    rule = {"at": "body", "as": "ndjson"}
    assert told(b'{"a":1}\n{"a":2}\n', b'{"a":1}\n{"a":3}', rule, kind="text/plain") == [("body[1].a", "value")]
    assert told(b'{"a":1}', b'{"a": 2}\n', rule, kind="text/plain") == [("body[0].a", "value")]


def test_equality_by_a_reading_is_put_down_to_its_rule(compare: Compare) -> None:
    found = compare(b"a=1&b=2", b"b=2&a=1", {"at": "body", "as": "form", "why": "fields"}, kind="text/plain")
    assert [it.rule for it in found.accepted] == ["at body, as: form (fields)"]


def test_flaws_that_a_service_really_has_are_allowed_within_too(compare: Compare) -> None:
    wrapped = base64.b64encode(b'{"a": NaN}')
    rule = {"at": "body", "as": ["base64", "json"]}
    assert compare(wrapped, wrapped, rule).flaws.keys() == {"old", "new"}
    assert compare(wrapped, wrapped, {**rule, "allow": ["nan"]}).flaws == {}


# --------------------------------------------------------------------------------------------------------- within texts


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


INNER = {"at": "body.items[*].payload", "as": ["base64", "json"]}


def test_a_text_in_a_document_is_compared_as_what_it_holds(told: Told, compare: Compare) -> None:
    old = {"items": [{"payload": packed({"a": 1, "b": 2})}, {"payload": None}]}
    new = {"items": [{"payload": packed({"b": 2, "a": 3})}, {"payload": None}]}
    assert told(old, new) == [("body.items[0].payload", "value")]
    assert told(old, new, INNER) == [("body.items[0].payload.a", "value")]
    found = compare(old, new, INNER, {"at": "body..a", "within": 2})
    assert found.differences == ()
    assert "at body.items[*].payload, as: [base64, json]" in {it.rule for it in found.accepted}


def test_the_verb_beside_it_judges_what_the_text_holds(told: Told) -> None:
    old, new = {"p": packed([{"id": 1}, {"id": 2}])}, {"p": packed([{"id": 2}, {"id": 1}])}
    assert told(old, new, {"at": "body.p", "as": ["base64", "json"], "match_by": "id"}) == []


def test_texts_within_texts_are_read_by_rules_that_reach_them(told: Told) -> None:
    old, new = ({"p": packed({"q": packed([n])})} for n in (1, 2))
    rules = {"at": "body.p", "as": ["base64", "json"]}, {"at": "body.p.q", "as": ["base64", "json"]}
    assert told(old, new, *rules) == [("body.p.q[0]", "value")]


def test_a_text_that_cannot_be_read_so_is_named_on_its_side(compare: Compare) -> None:
    good, bad = {"items": [{"payload": packed(1)}]}, {"items": [{"payload": "?"}]}
    found = compare(good, bad, INNER)
    assert found.flaws.keys() == {"new"}
    assert found.flaws["new"].startswith("body.items[0].payload: as base64: ")
    assert found.differences
    assert compare(bad, bad, INNER).flaws.keys() == {"old", "new"}


def test_of_several_rules_the_last_says_how_a_text_is_read(told: Told) -> None:
    old, new = {"items": [{"payload": packed({"a": 1})}]}, {"items": [{"payload": packed({"a": 2})}]}
    text = {"at": "body..payload", "as": "text"}
    assert told(old, new, INNER, text) == [("body.items[0].payload", "value")]
    assert told(old, new, text, INNER) == [("body.items[0].payload.a", "value")]


def test_a_text_that_only_one_side_has_selected_by_a_filter_is_never_equal(told: Told) -> None:
    rule = {"at": "body[?@.kind=='x'].p", "as": ["base64", "json"]}
    old, new = [{"kind": "x", "p": packed(1)}], [{"kind": "y", "p": packed(1)}]
    assert ("body[0].p", "type") in told(old, new, rule)


def test_documents_within_documents_that_are_too_deep_together_are_told(compare: Compare) -> None:
    deep: Any = 1
    for _ in range(390):
        deep = [deep]
    old, new = {"p": packed(deep)}, {"p": packed([deep])}
    rule = {"at": "body..p", "as": ["base64", "json"]}
    found = compare(old, new, rule, {"at": "body..q", "as": "json"})
    assert found.differences or found.flaws


@pytest.mark.parametrize("name", ["csv", "xml", "html", "form", "query", "ndjson"])
def test_every_reading_works_on_a_text_within(told: Told, name: str) -> None:
    written = {"csv": "a,b\n1,2\n", "xml": "<r a='1'><b/></r>", "html": "<p a='1'>x</p>", "ndjson": '{"a":1}\n'}
    text = written.get(name, "a=1&b=2")
    other = written.get(name, "b=2&a=1").replace("\n", "\r\n").replace("'", '"' if name != "ndjson" else "'")
    rule = {"at": "body.p", "as": name}
    assert told({"p": text}, {"p": other}, rule) == []
    changed = told({"p": text}, {"p": text.replace("1", "7")}, rule)
    assert changed
    assert all(at.startswith(("body.p.", "body.p[")) for at, _ in changed)


@pytest.mark.parametrize("turned", [False, True])
def test_a_text_that_only_one_side_has_is_no_match_for_what_it_holds(told: Told, turned: bool) -> None:  # noqa: FBT001 - a parameter
    wrapped, bare = {"p": base64.b64encode(b'{"a": 1}').decode()}, {"p": {"a": 1}}
    pair = (bare, wrapped) if turned else (wrapped, bare)
    assert told(*pair, {"at": "body.p", "as": ["base64", "json"]}) == [("body.p", "type")]
    assert told(wrapped, wrapped, {"at": "body.p", "as": ["base64", "json"]}) == []
