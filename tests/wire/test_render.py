"""A request goes on the wire as the case has it, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import InputError
from replay.models import Headers, Request
from replay.wire import Origin, check_request
from replay.wire.render import Renderer, render

HERE = Origin.parse("http://127.0.0.1:8001")


def test_a_request_without_headers_gets_a_host_and_nothing_else() -> None:
    assert render(Request(), HERE) == b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n\r\n"


def test_order_case_and_repetition_of_headers_are_kept() -> None:
    headers = (("x-B", "1"), ("X-a", "2"), ("Cookie", "a=1"), ("X-B", " 3 "), ("cookie", "b=2"), ("X-Empty", ""))
    assert render(Request(headers=headers), HERE) == (
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nx-B: 1\r\nX-a: 2\r\nCookie: a=1\r\nX-B:  3 \r\ncookie: b=2\r\n"
        b"X-Empty: \r\n\r\n"
    )


def test_the_host_of_the_case_is_sent_as_it_is() -> None:
    rendered = render(Request(headers=(("A", "1"), ("hOST", "shop.example"))), HERE)
    assert rendered == b"GET / HTTP/1.1\r\nA: 1\r\nhOST: shop.example\r\n\r\n"


@pytest.mark.parametrize(
    "path",
    ["/a/../b", "//host/x", "/a%2Fb?q=%zz&&=", "/x?y=a b", "/{{7*7}}#f", "/;a=b?", "/?", "/%00", "/a//b/./", "/\\..\\"],
)
def test_the_target_is_sent_as_written(path: str) -> None:
    assert render(Request(path=path), HERE).split(b"\r\n")[0] == f"GET {path} HTTP/1.1".encode()


@pytest.mark.parametrize(
    ("path", "target"),
    [("/x?y=/", b"/base/x?y=/"), ("", b"/base/"), ("?x=1", b"/base/?x=1"), ("//x", b"/base//x"), ("*", b"*")],
)
def test_the_base_path_stands_before_the_target(path: str, target: bytes) -> None:
    rendered = render(Request(path=path), Origin.parse("http://h/base/"))
    assert rendered.split(b"\r\n")[0] == b"GET " + target + b" HTTP/1.1"


def test_a_target_beyond_ascii_is_utf8_or_the_bytes_it_escapes() -> None:
    assert render(Request(path="/\u00e9\udcff"), HERE).startswith(b"GET /\xc3\xa9\xff HTTP/1.1\r\n")


def test_a_header_value_is_latin1_where_it_fits_and_else_utf8() -> None:
    rendered = render(Request(headers=(("A", "\u00e9"), ("B", "\u20ac"))), HERE)
    assert b"\r\nA: \xe9\r\nB: \xe2\x82\xac\r\n" in rendered


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", b"abc", b"3"),
        ("POST", b"", b"0"),
        ("POST", None, b"0"),
        ("PUT", None, b"0"),
        ("PATCH", None, b"0"),
        ("GET", b"abc", b"3"),
        ("GET", None, None),
        ("HEAD", None, None),
        ("DELETE", None, None),
    ],
)
def test_the_length_is_that_of_the_body(method: str, body: bytes | None, length: bytes | None) -> None:
    head, _, rest = render(Request(method, "/", (), body), HERE).partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    assert lengths == ([b"Content-Length: " + length] if length is not None else [])
    assert rest == (body or b"")


def test_a_length_that_lies_is_corrected_where_it_stands() -> None:
    headers = (("A", "1"), ("content-LENGTH", "999"), ("B", "2"), ("Content-Length", "998"))
    rendered = render(Request("POST", "/", headers, b"hi"), HERE)
    assert rendered.endswith(b"\r\nA: 1\r\ncontent-LENGTH: 2\r\nB: 2\r\n\r\nhi")


def test_headers_of_the_recorded_connection_are_not_sent() -> None:
    names = ["Connection", "keep-alive", "Proxy-Connection", "TE", "Upgrade", "HTTP2-Settings", "Expect"]
    headers = tuple((name, "x") for name in [*names, "Transfer-Encoding", ":authority", ":path"])
    assert render(Request(headers=headers), HERE) == render(Request(), HERE)


def test_a_header_of_the_side_replaces_the_one_of_the_case_in_its_place() -> None:
    headers = (("A", "1"), ("authorization", "old"), ("B", "2"), ("AUTHORIZATION", "older"))
    rendered = render(Request(headers=headers), HERE, (("Authorization", "new"), ("X-Side", "s"), ("Host", "h")))
    assert rendered.split(b"\r\n")[1:-2] == [b"A: 1", b"Authorization: new", b"B: 2", b"X-Side: s", b"Host: h"]


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
        Request(method="GE T"),
        Request(method=""),
        Request(path="/x\r\nX: y"),
        Request(path="/x\ny"),
        Request(path="/x\0"),
        Request(path="http://evil.example/x"),
        Request(path="@evil.example/x"),
        Request(path="evil.example:80"),
        Request(path="/\ud800"),
        Request(headers=(("A", "b\r\nC: d"),)),
        Request(headers=(("A", "b\n"),)),
        Request(headers=(("A", "b\0"),)),
        Request(headers=(("A", "\ud800"),)),
        Request(headers=(("A: b\r\nC", "d"),)),
        Request(headers=(("A b", "c"),)),
        Request(headers=(("", "c"),)),
        Request(headers=(("\u00e9", "c"),)),
    ],
)
def test_what_would_break_the_message_or_name_another_host_is_refused(request_: Request) -> None:
    with pytest.raises(InputError):
        check_request(request_)
    with pytest.raises(InputError):
        render(request_, HERE)


def test_a_refusal_does_not_show_the_value_of_a_header() -> None:
    with pytest.raises(InputError) as refusal:
        check_request(Request(headers=(("Authorization", "hunter2\r\n"),)))
    assert "hunter2" not in str(refusal.value)


headers_of_any_kind = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=5).map(tuple)


@given(
    method=st.one_of(st.sampled_from(["GET", "POST"]), st.text(max_size=5)),
    path=st.text(max_size=12).map(lambda text: "/" + text),
    headers=headers_of_any_kind,
    body=st.one_of(st.none(), st.binary(max_size=20)),
)
def test_a_message_has_one_head_and_then_the_body(method: str, path: str, headers: Headers, body: bytes | None) -> None:
    try:
        rendered = render(Request(method, path, headers, body), HERE)
    except InputError:
        return
    head, _, rest = rendered.partition(b"\r\n\r\n")
    assert rest == (body or b"")
    lines = head.split(b"\r\n")
    assert not any(byte in line for line in lines for byte in b"\r\n\0")
    assert len(lines) <= 1 + len(headers) + 2  # the request line, Host and Content-Length


ADDED: Headers = (("Replay-Seed", "7"), ("traceparent", "00-derived"))


def test_what_is_added_follows_the_headers_of_the_case_and_comes_before_the_length() -> None:
    message = Renderer(HERE).message(Request("POST", "/", (("Host", "h"), ("A", "1")), b"hi"), ADDED)
    assert message == (
        b"POST / HTTP/1.1\r\nHost: h\r\nA: 1\r\nReplay-Seed: 7\r\ntraceparent: 00-derived\r\n"
        b"Content-Length: 2\r\n\r\nhi"
    )


@pytest.mark.parametrize("side", [(), (("REPLAY-SEED", "8"),)])
def test_what_the_case_or_the_side_says_itself_is_not_added(side: Headers) -> None:
    headers = (("Host", "h"), ("TraceParent", "00-captured"), *(() if side else (("replay-SEED", "8"),)))
    lines = Renderer(HERE, side).message(Request(headers=headers), ADDED).split(b"\r\n")
    assert sorted(line.lower() for line in lines[1:-2]) == [b"host: h", b"replay-seed: 8", b"traceparent: 00-captured"]


@pytest.mark.parametrize("added", [("A", "b\r\nC: d"), ("A", "b\0"), ("A: b\r\nC", "d"), ("", "c"), ("A", "\ud800")])
def test_what_is_added_cannot_break_the_message(added: tuple[str, str]) -> None:
    for _ in range(2):
        with pytest.raises(InputError):
            Renderer(HERE).message(Request(), (added,))


@given(
    st.lists(
        st.builds(
            Request,
            st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
            st.sampled_from(["/", "/x?y=a b", "*", "?q", "/\u00e9", ""]),
            st.lists(
                st.tuples(
                    st.sampled_from(["A", "host", "Content-length", "CONTENT-LENGTH", "te", ":path", "X"]),
                    st.sampled_from(["", "1", "\u00e9", "\u20ac"]),
                ),
                max_size=4,
            ).map(tuple),
            st.one_of(st.none(), st.binary(max_size=3)),
        ),
        max_size=6,
    ),
    st.sampled_from([(), (("X", "side"),), (("Host", "side"), ("B", "c"))]),
)
def test_a_request_is_rendered_alike_whatever_was_rendered_before(requests: list[Request], side: Headers) -> None:
    renderer = Renderer(HERE, side)
    for request in [*requests, *requests]:
        assert renderer.message(request) == Renderer(HERE, side).message(request)
