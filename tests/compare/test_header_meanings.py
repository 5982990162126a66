"""What is compared of headers without a rule, and what a rule changes about it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from replay.compare import Compared
from replay.models import Headers, Request

Compare = Callable[..., Compared]

DATE = ("Date", "Thu, 29 Feb 2024 12:00:00 GMT")


def differs(compare: Compare, old: Headers, new: Headers, path: str = "/a/b") -> list[str]:
    found = compare(b"", b"", kind=None, headers=(old, new), request=Request("GET", path))
    return [it.at for it in found.differences]


@pytest.mark.parametrize(
    ("name", "old", "new", "equal"),
    [
        ("Content-Type", "text/html", "TEXT/HTML", True),
        ("Content-Type", "text/html;charset=UTF-8", "text/html; charset=utf-8", True),
        ("Content-Type", "text/html; charset=utf-8", "text/html; charset=latin-1", False),
        ("Content-Type", "text/html; charset=utf-8", "text/html", False),
        ("Content-Type", "application/json", "application/json; charset=utf-8", True),
        ("Content-Type", "application/json", "text/json", False),
        ("Content-Type", "x/y; a=B", "x/y; a=b", False),
        ("Content-Type", "nonsense", "other nonsense", False),
        ("Location", "http://old.test:8001/x", "http://new.test:8002/x", True),
        ("Location", "http://old.test:8001/x", "/x", True),
        ("Location", "/a/x", "x", True),
        ("Location", "http://OLD.test:8001/x", "/x", True),
        ("Location", "/x", "/x?a=1", False),
        ("Location", "/x", "/x#y", False),
        ("Location", "https://old.test:8001/x", "http://new.test:8002/x", False),
        ("Location", "http://other.test/x", "/x", False),
        ("Location", "http://[broken/x", "http://[broken/y", False),
        ("Location", "http://old.test:99999/x", "http://old.test:99999/x", True),
        ("Link", '</a>; rel="next", </b>; rel=prev', '</b>;rel="prev",</a>;rel=next', True),
        ("Link", '</a>; rel=next; title="x, y; z"', '</a>; title="x, y; z"; rel=next', True),
        ("Link", '</a>; rel=next; title="x, y"', '</a>; rel=next; title="x, z"', False),
        ("Link", "</a,b>; rel=next", "</a,c>; rel=next", False),
        ("Link", "<http://old.test:8001/a>; rel=next", "<http://new.test:8002/a>; rel=next", True),
        ("Link", "</a>; rel=next", "</a>; rel=prev", False),
        ("Link", "</a>; rel=next", "</a>; rel=next, garbage", False),
        ("Link", "garbage", "other garbage", False),
        ("Cache-Control", "no-cache, max-age=60", "Max-Age=60,No-Cache", True),
        ("Cache-Control", "max-age=60", "max-age=6", False),
        ("Cache-Control", 'private="a, b"', 'private="a, c"', False),
        ("WWW-Authenticate", 'Digest realm="a", qop="auth", nonce=n', 'digest nonce="n", qop=auth, realm=a', True),
        ("WWW-Authenticate", 'Digest realm="a", nonce="1", opaque=x', 'Digest realm="a", nonce="2", opaque=x', False),
        ("WWW-Authenticate", "Digest realm=a, stale=FALSE", "Digest realm=a, stale=False", True),
        ("WWW-Authenticate", "Digest realm=a, stale=true", "Digest realm=a, stale=false", False),
        ("WWW-Authenticate", 'Digest realm="a", nonce="1"', 'Digest realm="a"', False),
        ("WWW-Authenticate", 'Digest realm="a", qop="auth"', 'Digest realm="a", qop="auth-int"', False),
        ("WWW-Authenticate", 'Basic realm="a, b"', 'Basic realm="a, c"', False),
        ("WWW-Authenticate", 'Basic realm="x", Bearer', 'Bearer, Basic realm="x"', True),
        ("WWW-Authenticate", 'Basic realm="x", Digest realm="y"', 'Basic realm="y", Digest realm="x"', False),
        ("WWW-Authenticate", "Negotiate abc==", "Negotiate abd==", False),
        ("WWW-Authenticate", "Bearer", "Basic", False),
        ("WWW-Authenticate", '"garbage', '"other', False),
        ("Allow", "GET, POST", "POST,GET", True),
        ("Allow", "GET, POST", "GET", False),
        ("Server", "old/1", "new/2", True),
    ],
)
def test_a_header_is_compared_by_its_meaning(compare: Compare, name: str, old: str, new: str, *, equal: bool) -> None:
    assert differs(compare, ((name, old),), ((name, new),)) == ([] if equal else [f"headers.{name.lower()}"])


@pytest.mark.parametrize("name", ["Content-Type", "Location", "Link", "Cache-Control", "WWW-Authenticate", "Allow"])
@pytest.mark.parametrize("side", [0, 1])
def test_a_header_with_a_meaning_that_only_one_side_sends_is_a_difference(
    compare: Compare, name: str, side: int
) -> None:
    given: Headers = ((name, "x/y"),)
    assert differs(compare, *((given, ()) if side == 0 else ((), given))) == [f"headers.{name.lower()}"]


def test_a_header_that_stands_twice_is_compared_with_both_values(compare: Compare) -> None:
    twice = (("Location", "/a"), ("location", "/b"))
    assert differs(compare, twice, (("Location", "/a"),)) == ["headers.location"]
    assert differs(compare, twice, (("Location", "/b"),)) == ["headers.location"]
    assert differs(compare, (("Allow", "GET"), ("Allow", "PUT")), (("Allow", "GET, PUT"),)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (["sid=1; HttpOnly; Path=/"], ["sid=2; path=/; httponly"], []),
        (["sid=1; HttpOnly"], ["sid=1"], ["headers.set-cookie.sid.httponly"]),
        (["sid=1; Path=/a"], ["sid=1; Path=/A"], ["headers.set-cookie.sid.path"]),
        (["sid=1; SameSite=Lax"], ["sid=1; SameSite=None"], ["headers.set-cookie.sid.samesite"]),
        (["sid=1", "b=1"], ["b=1", "sid=1"], []),
        (["sid=1", "b=1"], ["sid=1"], ["headers.set-cookie.b"]),
        (["sid=1"], ["sid="], ["headers.set-cookie.sid.value"]),
        (["sid=1; Path=/a", "sid=1; Path=/b"], ["sid=1; Path=/b"], ["headers.set-cookie.sid"]),
        (["sid=1; Path=/a; Secure", "sid=1; Path=/b"], ["sid=1; Path=/a", "sid=1; Path=/b"],
         ["headers.set-cookie.sid[0].secure"]),
        (["sid=1; Max-Age=60"], ["sid=1; Max-Age=600"], ["headers.set-cookie.sid['max-age']"]),
        (["sid=1; Expires=Thu, 29 Feb 2024 13:00:00 GMT"], ["sid=1; Expires=Thu, 29-Feb-2024 13:00:01 GMT"], []),
        (["sid=1; Expires=Thu, 29 Feb 2024 13:00:00 GMT"], ["sid=1; Expires=Thu, 29 Feb 2024 14:00:00 GMT"],
         ["headers.set-cookie.sid.expires"]),
        (["sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ["sid=; Expires=Thu, 01 Jan 1970 00:00:01 GMT"], []),
        (["sid=1"], [], ["headers.set-cookie"]),
    ],
)  # fmt: skip
def test_cookies_are_compared_by_name_and_attributes(
    compare: Compare, old: list[str], new: list[str], found: list[str]
) -> None:
    headers = [(DATE, *(("Set-Cookie", value) for value in side)) for side in (old, new)]
    assert differs(compare, headers[0], headers[1]) == found


def test_a_cookies_value_is_in_no_difference(compare: Compare) -> None:
    headers = (("Set-Cookie", "sid=secret-1; Secure"),), (("Set-Cookie", "sid=secret-2"),)
    assert "secret-" not in repr(compare(b"", b"", kind=None, headers=headers).differences)
    gone = compare(b"", b"", kind=None, headers=(headers[0], ()))
    assert "secret-" not in repr(gone.differences)


def test_other_headers_are_noted_and_compared_when_a_rule_names_them(compare: Compare) -> None:
    headers = (("ETag", "1"),), (("ETag", "2"),)
    plain = compare(b"", b"", kind=None, headers=headers)
    named = compare(b"", b"", {"at": "headers.ETag", "strict": True}, kind=None, headers=headers)
    assert [(it.at, it.rule) for it in plain.accepted] == [
        ("headers.etag", "default: other headers are compared only where a rule names them")
    ]
    assert [(it.at, it.kind) for it in named.differences] == [("headers.etag", "header")]


def test_ignoring_all_headers_still_compares_what_a_later_rule_names(compare: Compare) -> None:
    headers = (("ETag", "1"), ("Allow", "GET")), (("ETag", "2"), ("Allow", "PUT"))
    rules = {"at": "headers", "ignore": True}, {"at": "headers.etag", "strict": True}
    assert [it.at for it in compare(b"", b"", *rules[:1], kind=None, headers=headers).differences] == []
    assert [it.at for it in compare(b"", b"", *rules, kind=None, headers=headers).differences] == ["headers.etag"]


def test_a_schema_is_held_against_a_header(compare: Compare) -> None:
    rule = {"at": "headers.etag", "schema": {"pattern": "^[0-9]+$"}}
    found = compare(b"", b"", rule, kind=None, headers=((("ETag", "1"),), (("ETag", "x"),)))
    assert {it.at for it in found.differences} == {"headers.etag"}


@pytest.mark.parametrize(
    "elsewhere", ["///evil.example/x", "//evil.example/x", "http://evil@localhost/x", "\\\\evil/x"]
)
def test_a_redirect_to_another_host_is_never_one_to_a_path(compare: Compare, elsewhere: str) -> None:
    for path in ("/x", "/evil.example/x"):
        assert differs(compare, (("Location", path),), (("Location", elsewhere),)) == ["headers.location"]


def test_a_header_of_a_megabyte_is_read_in_time_that_grows_with_its_length(compare: Compare) -> None:
    begun = time.process_time()
    for value in ("max-age=1, " * 90_000, '"' * 1_000_000, "<" * 1_000_000):
        assert differs(compare, (("Cache-Control", value),), (("Cache-Control", value + "x"),)) == [
            "headers.cache-control"
        ]
    assert time.process_time() - begun < 20
