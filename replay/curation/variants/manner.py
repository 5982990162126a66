"""The same request written in another way: encodings of body and path, headers and their forms."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from replay.curation.variants.base import document_of, with_header
from replay.models import Request, Variant

_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_HEADERS: Final = (
    ("accept", "no preference", None), ("accept", "anything", "*/*"), ("accept", "HTML", "text/html"),
    ("accept", "nothing", "*/*;q=0"), ("accept", "a type that is none", "x"),
    ("accept-language", "Turkish", "tr-TR"), ("accept-language", "from right to left", "ar"),
    ("accept-language", "any", "*"), ("accept-language", "no language", "xx-invalid"),
    ("accept-encoding", "as it is", "identity"), ("accept-encoding", "gzip alone", "gzip;q=1, *;q=0"),
    ("accept-charset", "Latin-1", "iso-8859-1"), ("if-none-match", "any tag", "*"),
    ("if-modified-since", "the far future", "Fri, 31 Dec 9999 23:59:59 GMT"), ("range", "one byte", "bytes=0-0"),
    ("range", "beyond the end", "bytes=999999999-"), ("x-forwarded-proto", "http", "http"),
    ("x-long", "4 KB", "x" * 4_096), ("user-agent", "none", None), ("user-agent", "beyond ASCII", "\u00e9\u00df"),
)  # fmt: skip


def headers(request: Request) -> Iterator[Variant]:
    """Ask for other things by headers, and write headers in other forms."""
    for name, what, value in _HEADERS:
        if value is None and request.header(name) is None:
            continue
        yield Variant("headers", f"request.headers.{name}", what, with_header(request, name, value))
    if request.headers:
        upper = tuple((name.upper(), value) for name, value in request.headers)
        yield Variant("headers", "request.headers", "capital names", replace(request, headers=upper))
    for name, value in dict(request.headers).items():
        twice = (*request.headers, (name, value))
        if name.lower() not in ("host", "content-length", "content-type", "authorization"):
            yield Variant("headers", f"request.headers.{name}", "there twice", replace(request, headers=twice))


def encodings(request: Request) -> Iterator[Variant]:
    """Write path and body so that they mean the same, or as others would write them."""
    yield from _paths(request)
    if request.body:
        yield from _bodies(request)


def _paths(request: Request) -> Iterator[Variant]:
    head, mark, query = request.path.partition("?")
    for what, path in [*_heads(head, mark + query), *_queries(head, query)]:
        yield Variant("encodings", "request.path", what, replace(request, path=path))


def _heads(head: str, rest: str) -> Iterator[tuple[str, str]]:
    before, _, last = head.rstrip("/").rpartition("/")
    if last:
        yield "a slash at the end", f"{before}/{last}/{rest}"
        yield "none at the end", f"{before}/{last}{rest}"
        yield "a dot between", f"{before}/./{last}{rest}"
        yield "in capitals", head.upper() + rest
    if last and last[0].isascii() and last[0].isalnum():
        yield "a letter in percents", f"{before}/%{ord(last[0]):02X}{last[1:]}{rest}"
    if before:
        yield "a doubled slash", f"{before}//{last}{rest}"


def _queries(head: str, query: str) -> Iterator[tuple[str, str]]:
    yield "a question mark alone", f"{head}?"
    if query:
        yield "an ampersand at the end", f"{head}?{query}&"
        yield "spaces as plus signs", f"{head}?{query.replace('%20', '+')}"
        yield "spaces in percents", f"{head}?{query.replace('+', '%20')}"
        yield "encoded twice", f"{head}?{query.replace('%', '%25')}"
        yield "small letters in percents", f"{head}?{_lower_percents(query)}"


def _lower_percents(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _bodies(request: Request) -> Iterator[Variant]:
    for what, it in [*_other_bytes(request), *_other_types(request), *_other_json(request)]:
        yield Variant("encodings", "request.body", what, it)


def _other_bytes(request: Request) -> Iterator[tuple[str, Request]]:
    body = request.body or b""
    yield "no body", replace(request, body=None)
    yield "a byte order mark", replace(request, body=b"\xef\xbb\xbf" + body)
    yield "cut short", replace(request, body=body[: len(body) // 2])
    yield "bytes that are no UTF-8", replace(request, body=body[:-1] + b"\xff\xfe" + body[-1:])
    packed = replace(request, body=gzip.compress(body, mtime=0))
    yield "compressed", with_header(packed, "content-encoding", "gzip")


def _other_types(request: Request) -> Iterator[tuple[str, Request]]:
    media = _media(request)
    yield "no type", with_header(request, "content-type", None)
    yield "another type", with_header(request, "content-type", "text/plain")
    yield "a type in capitals", with_header(request, "content-type", media.upper())
    yield "a type with a charset", with_header(request, "content-type", f"{media}; charset=UTF-8")


def _other_json(request: Request) -> Iterator[tuple[str, Request]]:
    if document_of(request) is None:
        return
    body = request.body or b""
    text = body.decode("utf-8")
    yield "white space around", replace(request, body=b" \n" + body + b"\n ")
    yield "escaped", replace(request, body=_BEYOND_ASCII.sub(_escaped, text).encode())
    wide = replace(request, body=text.encode("utf-16"))
    yield "UTF-16", with_header(wide, "content-type", f"{_media(request)}; charset=utf-16")


def _media(request: Request) -> str:
    return (request.header("content-type") or "application/octet-stream").partition(";")[0]


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
