"""`{{names}}` in requests and expectations, filled with what a side's own earlier answers held.

Only declared names are filled. One that is all of a JSON text keeps its value's type; one that is all of a path may be
any path of the same side; elsewhere in a path, and in a form, a value is percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from replay.documents import dump_json
from replay.documents.numbers import number_text
from replay.models import Expectation, Headers, Json, Request

_NAME: Final = re.compile(
    r"\{\{\s*(?P<plain>[A-Za-z_]\w*)\s*\}\}|%7B%7B(?:%20|\+)*(?P<coded>[A-Za-z_]\w*?)(?:%20|\+)*%7D%7D", re.ASCII
)
_QUOTED: Final = re.compile(rf'"(?:{_NAME.pattern})"', re.ASCII)
_PATH_CHARACTERS: Final = "".join(map(chr, range(0x21, 0x7F)))

Values = Mapping[str, Json]
Write = Callable[[Json, bool], str]
"""Spells a value, in the place of a name that stood there percent-encoded or not."""


def names_in(text: str) -> Iterator[str]:
    """Yield the names that stand in a text, plain or percent-encoded."""
    return (_name(found) for found in _NAME.finditer(text))


def names_of(it: Request | Expectation) -> Iterator[str]:
    """Yield the names that stand in a request or in what is expected."""
    if isinstance(it, Request):
        yield from names_in(it.path)
    for _, value in it.headers:
        yield from names_in(value)
    if it.body:
        yield from names_in(_text(it.body))


def filled(request: Request, values: Values) -> Request:
    """Return the request that is sent. Raise ValueError where a value cannot stand where its name does."""
    return replace(
        request,
        path=_path(request.path, values),
        headers=_headers(request.headers, values),
        body=request.body and _body(request.body, request.header("content-type") or "", values),
    )


def filled_expectation(expect: Expectation, values: Values) -> Expectation:
    """Return what is expected. Without a content type, its body is taken for JSON if it begins as such."""
    kind = "json" if expect.body and expect.body.lstrip()[:1] in (b"{", b"[", b'"') else ""
    body = expect.body and _body(expect.body, kind, values)
    return replace(expect, headers=_headers(expect.headers, values), body=body)


def spelled(value: Json) -> str:
    """Return a captured value as text. Raise ValueError for one that has parts, and for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    raise ValueError("it is no text, number or boolean")


def _path(path: str, values: Values) -> str:
    lone = _NAME.fullmatch(path)
    if lone is not None and _name(lone) in values:
        return _own_path(spelled(values[_name(lone)]))
    return _filled(path, values, lambda value, _coded: quote(spelled(value), safe=""))


def _own_path(link: str) -> str:
    """Return the path and query of a link: it is followed on the side that gave it, wherever it points."""
    target = link
    if re.match("https?://", link, re.IGNORECASE):
        parts = urlsplit(link)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/"):
        raise ValueError("it is no path, nor a URL with one")
    return quote(target.partition("#")[0], safe=_PATH_CHARACTERS)


def _headers(headers: Headers, values: Values) -> Headers:
    return tuple((name, _filled(text, values, lambda value, _coded: spelled(value))) for name, text in headers)


def _body(body: bytes, kind: str, values: Values) -> bytes:
    text = _text(body)
    if not any(name in values for name in names_in(text)):
        return body
    if "json" in kind.lower():
        text = _QUOTED.sub(lambda found: _lone(found, values), text)
        write: Write = lambda value, _coded: json.dumps(spelled(value), ensure_ascii=False)[1:-1]  # noqa: E731 - one of two
    else:
        write = lambda value, coded: quote_plus(spelled(value)) if coded else spelled(value)  # noqa: E731 - the other
    return _filled(text, values, write).encode("utf-8", "surrogateescape")


def _lone(found: re.Match[str], values: Values) -> str:
    name = _name(found)
    return dump_json(values[name]) if name in values else found[0]


def _filled(text: str, values: Values, write: Write) -> str:
    def one(found: re.Match[str]) -> str:
        name = _name(found)
        return write(values[name], found["coded"] is not None) if name in values else found[0]

    return _NAME.sub(one, text)


def _name(found: re.Match[str]) -> str:
    return str(found["plain"] or found["coded"])


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape")
