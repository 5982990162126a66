"""Goldens out of stored cases: their names, and what of a request and an answer they keep."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.cases import read_golden
from replay.config import Settings
from replay.curation.beginning import beginning
from replay.curation.promote import golden_name, promote
from replay.documents import dump_json, read_yaml, validated
from replay.errors import InputError
from replay.models import Case, Failure, Headers, Observation, Request, Result

INSTANT = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
TYPES = ("application/json", "application/problem+json; charset=utf-8", "text/plain", "application/octet-stream", None)
PATH = Path("goldens/x.yaml")


def result(request: Request, answer: Observation | None = None) -> Result:
    return Result(Case("c", "traffic", "digest:1", request), "match", answer, answer)


def back(request: Request, answer: Observation | None = None) -> Case:
    """Return the golden that a stored case becomes, read again."""
    expect = "new" if answer is not None else None
    promotion = promote(result(request, answer), run="r", run_seed=1, instant=INSTANT, expect=expect)  # type: ignore[arg-type]
    return read_golden(promotion.text, promotion.id, PATH)


bodies = st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
json_bodies = st.sampled_from([
    b"null", b"[]", b'"x"', b"1.10", b"1e5", b"9007199254740993", b'{"a": "NO", "b": 012}', b"0.1e-7", b'"\\ud800"',
    b'{"a":"012","b":"1_000","c":"2024-02-29","d":"~","e":"\\u00e9\\n"}',
])  # fmt: skip


@given(body=bodies | json_bodies, kind=st.sampled_from(TYPES))
@settings(max_examples=60, deadline=None)
def test_a_request_comes_back_as_it_was_sent(body: bytes, kind: str | None) -> None:
    headers: Headers = () if kind is None else (("Content-Type", kind),)
    request = back(Request("POST", "/a?b=%20", headers, body)).request
    assert (request.method, request.path, request.headers) == ("POST", "/a?b=%20", headers)
    assert (request.body or b"") == body or same_json(request.body or b"", body)


FOLDED = (
    'ab\n"b\t " \naa b \t \n\tab\t\n" \n" a\t\na\t\naa\t"\t "\n""bb b\nbb"aa\n\t\taaa" '
    '\tb\t\t "a\n\nb\tb"a\n\t aba\n""\t a\n"'
)
"""What came back with other blanks where its line was folded."""
TEXTS = (
    st.text(st.sampled_from("ab,:#-'\"\\ \t\r\n\x85\u2028\u202e\ufeff\x1b\u00e9\U0001f600{}[]&*!|>%@`"), max_size=300)
    | st.text(st.sampled_from('ab "\t\n'), min_size=80, max_size=200)
    | st.sampled_from([FOLDED, "a\x85", "x" * 98 + "\x85b", " " * 150, "a" * 95 + " \tb"])
)


@given(st.lists(TEXTS, min_size=1, max_size=3), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_text_comes_back_to_the_letter_however_long_its_lines_are(texts: list[str], json: bool) -> None:  # noqa: FBT001 - drawn
    body = dump_json({"said": texts}).encode() if json else texts[0].encode()
    headers: Headers = (("Content-Type", "application/json" if json else "text/plain"),)
    assert (back(Request("POST", "/", headers, body)).request.body or b"") == body


def test_lines_that_end_as_those_of_csv_do_are_text_and_no_base64() -> None:
    request = Request("POST", "/", (("Content-Type", "text/csv"),), b"a,b\r\n1,2\r\n")
    promotion = promote(result(request), run="r", run_seed=1, instant=INSTANT)
    assert 'text: "a,b\\r\\n1,2\\r\\n"' in promotion.text


def same_json(one: bytes, other: bytes) -> bool:
    """Tell whether two JSON texts differ in nothing but white space and escapes; numbers keep their spelling."""
    from replay.documents import parse_json  # noqa: PLC0415 - only where bytes differ

    return repr(parse_json(one, spelled=True).value) == repr(parse_json(other, spelled=True).value)


@given(method=st.text(), path=st.text(), name=st.text())
@settings(max_examples=60, deadline=None)
def test_a_golden_s_name_is_two_short_words_whatever_was_asked(method: str, path: str, name: str) -> None:
    folder, slash, rest = golden_name(method, path, name).partition("/")
    assert slash == "/"
    for word in (folder, rest):
        assert 0 < len(word) <= 81
        assert word.isascii()
        assert word.strip(".") == word
        assert "/" not in word
        assert word not in {"con", "prn", "aux", "nul"}


@pytest.mark.parametrize("name", ["con", "NUL", "com1"])
def test_a_name_that_some_systems_reserve_is_given_to_nothing(name: str) -> None:
    assert name.lower() not in golden_name(name, f"/{name}", "").split("/")
    assert name.lower() not in golden_name("", f"/{name}", name).split("/")


def test_an_answer_is_expected_with_its_status_and_its_body() -> None:
    answer = Observation(201, (("content-type", "application/json"),), b'{"total": 9.90}')
    expect = back(Request(), answer).expect
    assert expect is not None
    assert (expect.status, expect.body) == (201, b'{"total":9.90}')


def test_bytes_are_expected_as_base64() -> None:
    expect = back(Request(), Observation(200, (), b"\xff\x00")).expect
    assert expect is not None
    assert expect.body == b"\xff\x00" == base64.b64decode("/wA=")


def test_an_answer_that_never_came_cannot_be_expected() -> None:
    failed = result(Request(), Observation(error=Failure("refused", "nobody there")))
    with pytest.raises(InputError, match="new gave no answer"):
        promote(failed, run="r", run_seed=1, instant=INSTANT, expect="new")


def test_headers_of_the_way_are_left_out_and_repeated_ones_kept_in_order() -> None:
    headers = (("Host", "old.example"), ("X-A", "1"), ("x-a", "2"), ("Accept-Encoding", "gzip"))
    assert back(Request(headers=headers)).request.headers == (("X-A", "1"), ("x-a", "2"))


SIDE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(old=SIDE, new=SIDE)
@settings(max_examples=60, deadline=None)
def test_sides_stand_in_the_first_settings_as_they_were_typed(old: str, new: str) -> None:
    text = beginning(f"http://{old}", f"http://{new}")["replay.yaml"]
    read = validated(read_yaml(text, "replay.yaml"), Settings)
    assert read.old is not None
    assert read.new is not None
    assert (read.old.url, read.new.url) == tuple(f"http://{side}".replace("$", "$$") for side in (old, new))


def test_an_answer_that_names_a_secret_is_no_expectation() -> None:
    answer = Observation(200, (("Content-Type", "text/plain"),), b"say {{secret.api}} twice")
    with pytest.raises(InputError, match="names a secret"):
        back(Request("GET", "/"), answer)
