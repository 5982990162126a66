"""What a case says about its request, and what is sent for it."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from replay.cases.request import RequestSpec
from replay.documents import Numeral
from replay.errors import DocumentError
from replay.models import Request

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


def built(**keys: Any) -> Request:
    return RequestSpec.model_validate(keys).build()


def test_nothing_stated_is_a_get_of_the_root() -> None:
    assert built() == Request("GET", "/", (), None)


@pytest.mark.parametrize("path", ["/a/../b//c", "//host/x", "/?a=1&a=2&b", "/%7e%FF", "/x#y", "/a[0]{b}\"'|\\^`"])
def test_a_path_is_sent_as_written(path: str) -> None:
    assert built(path=path).path == path


def test_options_may_ask_the_server_as_a_whole() -> None:
    assert built(method="OPTIONS", path="*").path == "*"
    with pytest.raises(ValidationError, match="OPTIONS only"):
        built(path="*")


@pytest.mark.parametrize(
    "path", ["", "x", "http://other.test/", "@other.test", "other.test:80", "/a b", "/a\n", "/\x00", "/é", "/\x7f"]
)
def test_a_path_that_could_name_another_host_or_break_its_line_is_an_error(path: str) -> None:
    with pytest.raises(ValidationError):
        built(path=path)


@pytest.mark.parametrize("method", ["", "GET ", "G\r\nT", "GÉT", "GET\x00", "a:b"])
def test_a_method_is_a_token(method: str) -> None:
    with pytest.raises(ValidationError):
        built(method=method)


def test_a_method_is_sent_in_its_own_case() -> None:
    assert built(method="pROPfind").method == "pROPfind"


def test_a_query_is_percent_encoded() -> None:
    query = {"q": "a b&c=d/é+", "n": Numeral("1.10"), "yes": True, "list": ["x", 2], "none": [], "empty": ""}
    assert built(path="/s", query=query).path == "/s?q=a%20b%26c%3Dd%2F%C3%A9%2B&n=1.10&yes=true&list=x&list=2&empty="


def test_a_query_keeps_the_order_of_pairs() -> None:
    assert built(query=[["b", 1], ["a", 2], ["b", 3]]).path == "/?b=1&a=2&b=3"


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_a_query_and_a_form_read_back_as_they_were(pairs: list[tuple[str, str]]) -> None:
    given_pairs = [list(pair) for pair in pairs]
    assert parse_qsl(built(query=given_pairs).path.partition("?")[2], keep_blank_values=True) == pairs
    body = built(form=given_pairs).body or b""
    assert parse_qsl(body.decode(), keep_blank_values=True) == pairs


def test_a_query_beside_one_in_the_path_is_an_error() -> None:
    with pytest.raises(ValidationError, match="keep one"):
        built(path="/?a=1", query={"b": 2})


@pytest.mark.parametrize("value", [{"a": None}, {"a": {"b": 1}}, "a=1", [["a"]], [1], {"a": b"x"}])
def test_a_query_of_anything_but_text_and_numbers_is_an_error(value: Any) -> None:
    with pytest.raises(ValidationError):
        built(query=value)


def test_headers_keep_order_case_and_repetition() -> None:
    pairs = [["X-B", "1"], ["x-a", "2"], ["X-B", "3"]]
    assert built(headers=pairs).headers == (("X-B", "1"), ("x-a", "2"), ("X-B", "3"))
    assert built(headers={"X": 5, "y": Numeral("1.0"), "z": True}).headers == (("X", "5"), ("y", "1.0"), ("z", "true"))


@given(TEXT, TEXT)
def test_no_header_breaks_out_of_its_line(name: str, value: str) -> None:
    try:
        headers = built(headers=[[name, value]]).headers
    except ValidationError:
        return
    assert not any(char in "\r\n\0" for pair in headers for char in "".join(pair))
    assert not any(char in " :\t" for char in headers[0][0])


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "a\x1bb", "\x7f", "\x85"])
def test_a_control_character_in_a_header_is_an_error(value: str) -> None:
    with pytest.raises(ValidationError, match="control character"):
        built(headers={"a": value})


@pytest.mark.parametrize(
    ("keys", "body", "kind"),
    [
        (
            {"json": {"a": Numeral("9.90"), "é": [None, True]}},
            '{"a":9.90,"é":[null,true]}'.encode(),
            "application/json",
        ),
        ({"json": None}, b"null", "application/json"),
        ({"text": "é"}, b"\xc3\xa9", "text/plain; charset=utf-8"),
        ({"text": ""}, b"", "text/plain; charset=utf-8"),
        ({"base64": "//4A\nAQ=="}, b"\xff\xfe\x00\x01", None),
        ({"form": {"a": "b c", "d": [1, 2]}}, b"a=b+c&d=1&d=2", "application/x-www-form-urlencoded"),
        ({"text": None}, None, None),
        ({}, None, None),
    ],
)
def test_a_body_has_the_content_type_that_it_is(keys: dict[str, Any], body: bytes | None, kind: str | None) -> None:
    request = built(method="POST", **keys)
    assert (request.body, request.header("content-type")) == (body, kind)


def test_a_stated_content_type_is_left_alone() -> None:
    request = built(json={}, headers={"content-TYPE": "application/vnd.x+json"})
    assert request.headers == (("content-TYPE", "application/vnd.x+json"),)


@pytest.mark.parametrize(
    "keys",
    [{"json": None, "text": "x"}, {"text": "", "base64": ""}, {"form": {}, "multipart": {}}, {"file": "x", "json": 1}],
)
def test_two_bodies_are_an_error(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="both a body"):
        built(**keys)


@pytest.mark.parametrize("text", ["*", "abc", "é", "YQ=", "===="])
def test_false_base64_is_an_error(text: str) -> None:
    with pytest.raises(ValidationError, match="not base64"):
        built(base64=text)


def test_a_multipart_form_is_read_by_a_mail_parser_and_the_same_every_time() -> None:
    keys = {
        "multipart": {
            "note": "héllo",
            "n": 5,
            "pic": {"filename": 'a"b\r\n.png', "content_type": "image/png", "base64": "/w=="},
        }
    }
    request = built(**keys)
    assert request == built(**keys)
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode()
    note, number, picture = message_from_bytes(head + (request.body or b""), policy=policy.HTTP).iter_parts()
    assert note.get_payload(decode=True) == "héllo".encode()
    assert number.get_payload(decode=True) == b"5"
    assert picture.get_payload(decode=True) == b"\xff"
    assert picture.get_content_type() == "image/png"
    assert picture.get_filename() == "a%22b%0D%0A.png"


def test_multipart_parts_may_repeat_in_order() -> None:
    body = built(multipart=[["a", "1"], {"name": "a", "text": "2"}]).body or b""
    assert body.index(b"\r\n\r\n1\r\n") < body.index(b"\r\n\r\n2\r\n")


def test_a_stated_boundary_is_used() -> None:
    request = built(multipart={"a": "1"}, headers={"content-type": "multipart/form-data; boundary=xyz"})
    assert request.body == b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xyz--\r\n'


@pytest.mark.parametrize(
    "parts",
    [{"a": {"txt": "x"}}, {"a": {"text": "x", "base64": ""}}, {"a": {"text": "x", "content_type": "a\r\nb"}}, "x", [1]],
)
def test_a_bad_part_is_an_error(parts: Any) -> None:
    with pytest.raises(ValidationError):
        built(multipart=parts)


def test_a_file_beside_the_golden_is_the_body(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "body.bin").write_bytes(b"\x00\xff")
    assert RequestSpec(file="sub/body.bin").build(tmp_path) == Request(body=b"\x00\xff")
    multipart = RequestSpec.model_validate({"multipart": {"f": {"file": "sub/body.bin", "filename": "b"}}}).build(
        tmp_path
    )
    assert b"\x00\xff" in (multipart.body or b"")


@pytest.mark.parametrize("name", ["../outside.txt", "link.txt", "sub/../../outside.txt", "\0", "."])
def test_a_file_elsewhere_is_never_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "goldens"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(DocumentError):
        RequestSpec(file=name).build(folder)


def test_a_capture_reads_no_file() -> None:
    with pytest.raises(DocumentError, match="a capture names a file"):
        built(file="x")
