"""Strict YAML and JSON: nothing guessed, everything placed."""

from __future__ import annotations

import json
import pickle
import re
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from replay.documents import (
    Numeral,
    canonical_json,
    check_json,
    dump_json,
    explain,
    is_rewritten_alike,
    overflows,
    parse_json,
    parse_known,
    parse_plain,
    plain_json,
    read_yaml,
    shown,
    validated,
)
from replay.errors import DocumentError, Place
from replay.models import Spec


def value_of(text: str | bytes) -> Any:
    return read_yaml(text, "g.yaml").value


def error_of(text: str | bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_yaml(text, "g.yaml")
    return caught.value


# YAML values


@pytest.mark.parametrize(
    "text",
    ["NO", "no", "on", "Yes", "012", "0x1F", "0o7", "1_000", "12:30", "12:30:00", "2024-02-29", "2024-02-29T23:59:59Z",
     "~", "+49", "+1", ".5", "1.", "01", "True", "NULL", "Null", ".nan", ".inf", "NaN", "Infinity", "-Infinity", "٣",
     "1e", "--1", "null null", "=", "1,000"],
)  # fmt: skip
def test_what_is_not_spelled_as_json_spells_it_is_text_as_written(text: str) -> None:
    assert value_of(f"key: {text}") == {"key": text}
    assert type(value_of(f"key: {text}")["key"]) is str


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("false", False), ("null", None), ("", None), ("0", 0), ("-7", -7), ("12", 12)],
)
def test_words_and_integers_of_json_are_typed(text: str, expected: object) -> None:
    value = value_of(f"key: {text}")["key"]
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("text", ['"12"', "'true'", "'null'", '""', "!!str 12", "! 12"])
def test_quoted_or_tagged_scalars_are_text(text: str) -> None:
    assert type(value_of(f"key: {text}")["key"]) is str


@pytest.mark.parametrize("spelling", ["9.90", "1.10", "1e5", "1E+5", "-0", "-0.0", "0.1000", "1e-7"])
def test_a_number_is_written_back_as_it_was_spelled(spelling: str) -> None:
    value = value_of(f"[{spelling}]")
    assert value[0] == Decimal(spelling)
    assert dump_json(value) == f"[{spelling}]"


def test_an_integer_of_5000_digits_is_kept_exactly() -> None:
    digits = "9" * 5000
    value = value_of(f"n: {digits}")["n"]
    assert type(value) is int
    assert value == 10**5000 - 1
    assert dump_json([value, -value]) == f"[{digits},-{digits}]"


def test_an_integer_of_a_million_digits_takes_no_quadratic_time() -> None:
    digits = "7" * 1_000_000
    started = time.monotonic()
    assert dump_json(value_of(f"n: {digits}")["n"]) == digits
    assert parse_json(digits).value == Decimal(digits)
    assert time.monotonic() - started < 5


def test_a_numeral_survives_pickling_with_its_spelling() -> None:
    assert pickle.loads(pickle.dumps(Numeral("9.90"))).spelling == "9.90"  # noqa: S301 - what it has just made itself


@pytest.mark.parametrize(
    ("text", "key"),
    [("1: x", "1"), ("true: x", "true"), ("1.10: x", "1.10"), ("2024-02-29: x", "2024-02-29"), ("'<<': x", "<<")],
)
def test_keys_are_text_as_written(text: str, key: str) -> None:
    assert value_of(text) == {key: "x"}


def test_binary_is_read() -> None:
    assert value_of("a: !!binary aGVs\nb: !!binary |\n  AP8=\n") == {"a": b"hel", "b": b"\x00\xff"}


@pytest.mark.parametrize(
    ("text", "value"), [("!!int 12", 12), ("!!bool true", True), ("!!null null", None), ("!!float 1.5", Decimal("1.5"))]
)
def test_tags_of_json_types_are_read(text: str, value: object) -> None:
    assert value_of(f"a: {text}") == {"a": value}


def test_a_byte_order_mark_and_carriage_returns_are_read() -> None:
    assert value_of(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n") == {"a": 1, "b": "x\ny\n"}


def test_text_beyond_ascii_is_kept_as_it_is() -> None:
    assert dump_json(value_of('{a: "Ünï\u202fcode 😀", b: "\\u00e9"}')) == '{"a":"Ünï\u202fcode 😀","b":"é"}'


def test_an_alias_stands_for_its_node() -> None:
    assert value_of("a: &x {k: [1]}\nb: *x\nc: &y text\nd: [*y, *x]") == {
        "a": {"k": [1]}, "b": {"k": [1]}, "c": "text", "d": ["text", {"k": [1]}],
    }  # fmt: skip


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_what_is_dumped_reads_back_equal_as_json(value: Any) -> None:
    assert parse_json(dump_json(value)).value == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9**20) | st.text("abc é-.0", max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_yaml(value: Any) -> None:
    assert value_of(dump_json(value)) == value


# YAML errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "g.yaml:3:1: key 'a' stands here again; first at g.yaml:1:1"),
        ("x: {k: 1, 'k': 2}", "g.yaml:1:11: key 'k' stands here again; first at g.yaml:1:5"),
        ("1: a\n'1': b", "g.yaml:2:1: key '1' stands here again"),
        ("a: &x [*x]", "g.yaml:1:8: alias '*x' stands within what it names"),
        ("a: &x {b: {c: *x}}", "g.yaml:1:15: alias '*x' stands within what it names"),
        ("a: *nowhere", "g.yaml:1:4: alias '*nowhere' has no anchor"),
        ("<<: {a: 1}", "g.yaml:1:1: merge keys (`<<`) are not read"),
        ("? [a]\n: b", "g.yaml:1:3: a key must be text"),
        ("? {a: 1}\n: b", "g.yaml:1:3: a key must be text"),
        ("a: !!python/object/apply:os.system [echo]", "g.yaml:1:4: unknown tag"),
        ("a: !!python/name:os.system", "g.yaml:1:4: unknown tag"),
        ("a: !ruby/object:Gem {}", "g.yaml:1:4: unknown tag '!ruby/object:Gem'"),
        ("a: !secret x", "g.yaml:1:4: unknown tag '!secret'"),
        ("a: !!timestamp 2024-01-01", "g.yaml:1:4: unknown tag"),
        ("a: !!set {b}", "g.yaml:1:4: unknown tag"),
        ("!!python/object:x k: 1", "g.yaml:1:1: tag"),
        ("a: !!int 0x1F", "g.yaml:1:4: '0x1F' is no !!int"),
        ("a: !!binary '*'", "g.yaml:1:4: !!binary is not base64"),
        ("a: 1\n---\nb: [", "g.yaml:2:1: a second document begins here"),
        ("a: 1\n---\nb: 2", "g.yaml:2:1: a second document begins here"),
        ("", "g.yaml:1:1: the document is empty"),
        ("# only a comment\n", "g.yaml:1:1: the document is empty"),
        ("--- # nothing\n", "g.yaml:1:1: the document is empty"),
        ("a:\n\tb: 1", "g.yaml:2:1: found character that cannot start any token"),
        ("a: [1", "g.yaml:"),
        ("a: 1e99999999999999999999", "g.yaml:1:4: the exponent of 1e99999999999999999999 is too large"),
        ("- " * 5000, "g.yaml:1:401: more than 200 levels of nesting"),
        ("a: \x07", "g.yaml:1:4: control character U+0007"),
        ("a: 1\nb: \x9b31m", "g.yaml:2:4: control character U+009B"),
        (b"\xff\xfea\x00:\x00", "g.yaml:1:1: the file is UTF-16, not UTF-8"),
        (b"a: 1\r\nb: caf\xe9", "g.yaml:2:7: byte 0xE9 is not UTF-8"),
    ],
)  # fmt: skip
def test_a_document_that_could_mean_two_things_is_an_error_with_its_place(text: str | bytes, message: str) -> None:
    error = error_of(text)
    assert str(error).startswith(message)
    assert error.exit_code == 2
    assert str(error).replace("\n", "").isprintable()


def test_flow_nesting_is_bounded_where_the_parser_has_a_limit_of_its_own_too() -> None:
    error = error_of("[" * 5000)
    assert re.fullmatch(r"g\.yaml:1:(201|1001): more than 200 levels of nesting", str(error))


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [" + ", ".join([f"*{before}"] * 9) + "]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MAPPED_LAUGHS = "a: &a {k: x}\n" + "".join(
    f"{name}: &{name} {{" + ", ".join(f"k{n}: *{before}" for n in range(9)) + "}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LONG_TEXT = "a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 50) + "]"
DEEP_ALIASES = "a: &a0 [x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))


@pytest.mark.parametrize(
    "text", [LAUGHS, MAPPED_LAUGHS, LONG_TEXT, DEEP_ALIASES], ids=["lists", "maps", "text", "deep"]
)
def test_aliases_that_blow_up_are_an_error_soon_and_in_little_memory(text: str) -> None:
    tracemalloc.start()
    started = time.monotonic()
    assert "aliases make this document too large" in str(error_of(text))
    assert time.monotonic() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    tracemalloc.stop()


def test_no_tag_executes_anything(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    error_of(f"a: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{witness}']]")
    assert not witness.exists()


def test_a_scalar_or_a_list_is_no_mapping() -> None:
    for text in ("just text", "42", "[1, 2]", "null"):
        with pytest.raises(DocumentError, match="not a mapping"):
            read_yaml(text, "g.yaml").mapping()


# places


def test_a_place_is_that_of_the_node_its_key_or_the_nearest_ancestor() -> None:
    document = read_yaml("a: 1\nb:\n  - x\n  - {c: 2, d: 3}\n", "g.yaml")
    assert document.place() == Place("g.yaml", 1, 1)
    assert document.place(("b", 1, "d")) == Place("g.yaml", 4, 15)
    assert document.place(("b", 1, "d"), key=True) == Place("g.yaml", 4, 12)
    assert document.place(("b", 1, "missing")) == Place("g.yaml", 4, 5)
    assert document.place(("b", "list[union]", 1, "c")) == Place("g.yaml", 4, 9)


class Inner(Spec):
    """A model within a model."""

    numeric: int = 0
    as_: str | None = Field(default=None, alias="as")


class Outer(Spec):
    """A model of a document."""

    title: str
    inner: Inner | None = None
    rules: tuple[Inner, ...] = ()
    either: tuple[str, ...] | dict[str, str] = ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: x\ninner:\n  numerc: 1\n", "g.yaml:3:3: unknown key 'numerc'\n  hint: did you mean 'numeric'?"),
        ("title: x\nrules:\n  - numeric: 1\n  - {ass: 1}", "g.yaml:4:6: unknown key 'ass'\n  hint: did you mean 'as'?"),
        ("rules: []", "g.yaml:1:1: key 'title' is missing\n  hint: add `title:`"),
        ("titel: x", "g.yaml:1:1: unknown key 'titel'\n  hint: did you mean 'title'?"),
        ("title: x\nzzz: 1", "g.yaml:2:1: unknown key 'zzz'\n  hint: known keys: either, inner, rules, title"),
        ("title: 42", "g.yaml:1:8: title: input should be a valid string\n  hint: put it in quotes"),
        (
            "title: x\ninner: {numeric: many}",
            "g.yaml:2:18: inner.numeric: input should be a valid integer\n  hint: write digits",
        ),
        ("title: x\nrules: body", "g.yaml:2:8: rules: must be a list\n  hint: write [one, two], or a line"),
        ("title: x\neither: body", "g.yaml:2:9: either: must be a list\n  hint: write [one, two], or a line"),
        ("title: x\nurl: /a", "g.yaml:2:1: unknown key 'url'\n  hint: known keys: either"),
        ("- 1", "g.yaml:1:1: the document is a list, not a mapping"),
    ],
)
def test_what_does_not_fit_a_model_is_told_as_place_fact_and_remedy(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        validated(read_yaml(text, "g.yaml"), Outer)
    assert str(caught.value).startswith(message)


def test_a_fault_can_be_explained_without_a_document() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"title": "x", "inner": {"nummeric": 1}})
    assert explain(caught.value, Outer) == ("unknown key 'nummeric'", "did you mean 'numeric'?")


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", ".nan", ".inf", "-.INF", "1e400", "-1e999", "!!binary aGk="]
)
def test_a_json_body_holds_no_number_that_json_lacks(text: str) -> None:
    document = read_yaml(f"body: {{ok: 1, list: [2, {text}]}}", "g.yaml")
    with pytest.raises(DocumentError) as caught:
        check_json(document, ("body",))
    assert caught.value.place == Place("g.yaml", 1, 25)


@pytest.mark.parametrize("text", ['"NaN"', "'1e400'", '".inf"', "nano", "1e300", "NaN-bread"])
def test_a_json_body_holds_text_that_looks_like_such_a_number(text: str) -> None:
    check_json(read_yaml(f"body: {{ok: 1, list: [2, {text}]}}", "g.yaml"), ("body",))
    check_json(read_yaml("other: NaN", "g.yaml"), ("body",))


def test_nan_reaches_no_body_through_an_alias() -> None:
    with pytest.raises(DocumentError, match="NaN is no JSON"):
        check_json(read_yaml("x: &x NaN\nbody: [*x]", "g.yaml"), ("body",))
    check_json(read_yaml("x: &x 'NaN'\nbody: [*x]", "g.yaml"), ("body",))


@given(st.text())
def test_shown_text_never_moves_the_cursor(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown("x" * 500)) == 80


# JSON


def test_clean_json_keeps_every_digit() -> None:
    parsed = parse_json(b'{"a": [1, 1.10, 1e400, -0.0, 123456789012345678901234567890.5], "b": null}')
    assert parsed.ok
    assert parsed.findings == ()
    assert [str(number) for number in parsed.value["a"]] == [
        "1",
        "1.10",
        "1E+400",
        "-0.0",
        "123456789012345678901234567890.5",
    ]
    assert all(type(number) in (int, Decimal) for number in parsed.value["a"])


def test_an_integer_of_5000_digits_in_json_is_kept_exactly() -> None:
    parsed = parse_json("[" + "9" * 5000 + "]")
    assert parsed.ok
    assert parsed.value == [10**5000 - 1]


@pytest.mark.parametrize(
    ("data", "name", "part"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate_keys", "key 'c' stands 2 times"),
        (b'{"a": 1,\n "b": NaN}', "nan", "NaN at line 2, column 7"),
        (b'["NaN", -Infinity]', "nan", "-Infinity at line 1, column 9"),
        (b'["\\\\ud800", "x\\uDBFF"]', "lone_surrogates", "line 1, column 15"),
        (b'["\\udc00\\ud800"]', "lone_surrogates", "line 1, column 3"),
    ],
)
def test_a_flawed_document_has_its_value_and_a_finding(data: bytes, name: str, part: str) -> None:
    parsed = parse_json(data)
    assert parsed.ok
    assert [finding.name for finding in parsed.findings] == [name]
    assert part in parsed.findings[0].message
    assert parsed.has("nan") is (name == "nan")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"), (b" \r\n", "empty"), (b'{"a": 1', "truncated"), (b'{"a": tru', "truncated"),
        (b'{"a', "truncated"),
        (b'["\\u12', "truncated"), (b'{"a":', "truncated"), (b"[1,", "truncated"), (b'{"a": 1.', "truncated"),
        (b'{"a": -', "truncated"), (b'{"a"; 1}', "invalid"), (b"[1] x", "invalid"), (b"<html>", "invalid"),
        (b"\0\0\0", "invalid"), (b'"\x01"', "invalid"), (b"[01]", "invalid"), (b"{'a': 1}", "invalid"),
        (b"[1,]", "invalid"),
        (b"1e99999999999999999999", "invalid"), (b'"\xff"', "not_utf8"), (b"\xff\xfe{\x00}\x00", "not_utf8"),
        (b"[" * 100_000, "too_deep"), (b"[" * 100_000 + b"]" * 100_000, "too_deep"), (b'{"a":' * 100_000, "too_deep"),
        (b"[" * 401 + b"]" * 401, "too_deep"),
    ],
)  # fmt: skip
def test_what_is_no_json_has_no_value_and_a_named_reason(data: bytes, name: str) -> None:
    parsed = parse_json(data)
    assert (parsed.ok, parsed.value) == (False, None)
    assert [finding.name for finding in parsed.findings] == [name]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 400 + b"]" * 400,
        b"[" + b"[]," * 5000 + b"[]]",
        b'["' + b"[" * 5000 + b'"]',
        b'["\\"' + b"{" * 5000 + b'"]',
    ],
)
def test_many_brackets_that_do_not_nest_deeply_are_read(data: bytes) -> None:
    assert parse_json(data).ok


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf{}", b' {"\\ud83d\\ude00": "\xe2\x80\xa8"} '])
def test_odd_but_sound_documents_have_no_finding(data: bytes) -> None:
    assert parse_json(data).ok
    assert parse_json(data).findings == ()


def test_hostile_quotes_and_escapes_take_no_quadratic_time() -> None:
    started = time.monotonic()
    for data in ('["' + '\\"' * 500_000, "[" * 401 + '"' + '\\"' * 500_000, "[NaN, " + '"\\' * 300_000):
        parse_json(data)
    assert time.monotonic() - started < 5


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    parsed = parse_json(data)
    assert parsed.ok or parsed.findings


@given(JSON_VALUES)
def test_the_strict_reader_agrees_with_the_lenient_one_on_sound_json(value: Any) -> None:
    text = json.dumps(value)
    assert parse_json(text).value == json.loads(text)


PIECES = st.sampled_from([
    "{", "}", "[", "]", ",", ":", " ", "\n", '"a"', '"a":1', "0", "-0", "1.0", "1.50", "1e5", "1e999", "0.1", "NaN",
    '"\\ud83d"', '"\\ud83d\\ude00"', '"\\\\ud83d"', '"\\u00e9\\/"', '"é"', "true", "null", "9" * 30, '{"a": 1, "a": 2}',
    "[" * 450,
])  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join) | JSON_VALUES.map(json.dumps))
def test_plain_json_is_read_as_exactly_and_all_that_is_not_plain_is_left(text: str) -> None:
    plain, exact = parse_plain(text), parse_json(text, spelled=True)
    if plain is not None and is_rewritten_alike(text):
        assert (exact.ok, exact.findings, dump_json(exact.value)) == (True, (), plain_json(plain))


@given(st.lists(PIECES, max_size=8).map("".join) | JSON_VALUES.map(json.dumps))
def test_plain_json_is_known_again(text: str) -> None:
    plain = parse_plain(text)
    if plain is not None and is_rewritten_alike(text):
        assert repr(parse_known(text.encode())) == repr(plain)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_are_known_again_to_the_last_digit(number: float) -> None:
    text = json.dumps([number])
    assert repr(parse_known(text.encode())) == repr(parse_plain(text))


@pytest.mark.parametrize("text", ["{}", '{"a": [1, -2.5, 0.1, true, null, "é\\u00e9"]}', " [12345678901234567890]\r\n"])
def test_plain_json_is_told_as_plain(text: str) -> None:
    assert plain_json(parse_plain(text)) == dump_json(parse_json(text, spelled=True).value)


@pytest.mark.parametrize("text", ["-0", "[-0]", "[-0 ]", '{"a":-0}', "[-0\t]", "[-0\n]"])
def test_a_negative_zero_is_never_lost(text: str) -> None:
    assert parse_plain(text) is None or not is_rewritten_alike(text) or "-0" in plain_json(parse_plain(text))


def test_canonical_json_ignores_the_order_of_keys_only() -> None:
    assert canonical_json({"b": 1, "a": {"d": Decimal("1.10"), "c": [2, 1]}}) == '{"a":{"c":[2,1],"d":1.10},"b":1}'
    assert canonical_json([2, 1]) != canonical_json([1, 2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_what_json_lacks_is_never_written(value: Any) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        dump_json([value])
    with pytest.raises(TypeError):
        dump_json(b"bytes")


def test_overflow_is_told_from_what_is_large() -> None:
    assert overflows(Numeral("1e400"))
    assert not any(overflows(value) for value in (Decimal("1e308"), 10**5000, "1e400", Decimal("Infinity")))
