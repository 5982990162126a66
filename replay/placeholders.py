"""`{{names}}` in requests and expectations, filled with what a side's own earlier answers held, or with secrets.

Only declared names are filled. One that is all of a JSON text keeps its value's type; one that is all of a path may be
any path of the same side; elsewhere in a path, and in a form, a value is percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape

from replay.documents import dump_json
from replay.documents.numbers import number_text
from replay.errors import InputError
from replay.models import Expectation, Headers, Json, Request


@dataclass(frozen=True)
class Grammar:
    """How names are written between their braces: plain, and where everything around is percent-encoded."""

    plain: str
    coded: str

    @cached_property
    def name(self) -> re.Pattern[str]:
        """Return the pattern of a name with its braces."""
        coded = rf"(?i:%7B%7B)(?:%20|\+)*{self.coded}(?:%20|\+)*(?i:%7D%7D)"
        return re.compile(rf"\{{\{{\s*{self.plain}\s*\}}\}}|{coded}", re.ASCII)

    @cached_property
    def quoted(self) -> re.Pattern[str]:
        """Return the pattern of a name that is all of a JSON text, and no key, which is always a text."""
        return re.compile(rf'"(?:{self.name.pattern})"(?!\s*:)', re.ASCII)


CAPTURED: Final = Grammar(r"(?P<plain>[A-Za-z_]\w*)", r"(?P<coded>[A-Za-z_]\w*?)")
"""What an earlier answer held: `{{token}}`."""
SECRETS: Final = Grammar(r"secret\.(?P<plain>[^{}\s]*)", r"secret\.(?P<coded>[\w.~-]*?)")
"""Live credentials: `{{secret.api}}`. Whatever stands behind the dot is taken for a name, so that no slip is sent."""
_PATH_CHARACTERS: Final = "".join(map(chr, range(0x21, 0x7F)))

_MARKUP: Final = re.compile("xml|html")

Part = Literal["path", "header", "body"]
Values = Mapping[str, Json]
Write = Callable[[Json, bool], str]
"""Spells a value, in the place of a name that stood there percent-encoded or not."""


def names_in(text: str, grammar: Grammar = CAPTURED) -> Iterator[str]:
    """Yield the names that stand in a text, plain or percent-encoded."""
    return (_name(found) for found in grammar.name.finditer(text))


def names_of(it: Request | Expectation) -> Iterator[str]:
    """Yield the names that stand in a request or in what is expected."""
    return (name for _part, name in _names_by_part(it, CAPTURED))


def secrets_in(it: Request | Expectation) -> Iterator[tuple[Part, str]]:
    """Yield the names of secrets that stand in a request or in what is expected, each with the part that holds it."""
    return _names_by_part(it, SECRETS) if may_name_secrets(it) else iter(())


def require_no_secrets(sent: Request, written: Request) -> None:
    """Raise InputError where what was filled in names secrets: a service must not ask for one by what it answers."""
    if not Counter(secrets_in(sent)) <= Counter(secrets_in(written)):
        raise InputError("it is the name of a secret")


def may_name_secrets(it: Request | Expectation) -> bool:
    """Tell whether a secret may be named; False is certain. Nearly all requests name none, and are asked."""
    if isinstance(it, Request) and "secret." in it.path:
        return True
    if it.body is not None and b"secret." in it.body:
        return True
    return "secret." in "\0".join([value for _, value in it.headers])


def _names_by_part(it: Request | Expectation, grammar: Grammar) -> Iterator[tuple[Part, str]]:
    if isinstance(it, Request):
        yield from (("path", name) for name in names_in(it.path, grammar))
    for _, value in it.headers:
        yield from (("header", name) for name in names_in(value, grammar))
    if it.body:
        yield from (("body", name) for name in names_in(_text(it.body), grammar))


def filled(request: Request, values: Values, grammar: Grammar = CAPTURED) -> Request:
    """Return the request that is sent. Raise ValueError where a value cannot stand where its name does."""
    return replace(
        request,
        path=_path(request.path, values, grammar),
        headers=_headers(request.headers, values, grammar),
        body=request.body and _body(request.body, request.header("content-type") or "", values, grammar),
    )


def filled_text(text: str, values: Values, grammar: Grammar = SECRETS) -> str:
    """Return a text of the settings with values for its names, as they are."""
    return _filled(text, values, lambda value, _coded: spelled(value), grammar)


def filled_expectation(expect: Expectation, values: Values) -> Expectation:
    """Return what is expected. Without a content type, its body is taken for JSON if it begins as such."""
    kind = "json" if expect.body and expect.body.lstrip()[:1] in (b"{", b"[", b'"') else ""
    body = expect.body and _body(expect.body, kind, values, CAPTURED)
    return replace(expect, headers=_headers(expect.headers, values, CAPTURED), body=body)


def spelled(value: Json) -> str:
    """Return a captured value as text. Raise ValueError for one that has parts, and for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    raise ValueError("it is no text, number or boolean")


def _path(path: str, values: Values, grammar: Grammar) -> str:
    lone = grammar.name.fullmatch(path)
    if lone is not None and _name(lone) in values:
        return _own_path(spelled(values[_name(lone)]))
    return _filled(path, values, lambda value, _coded: quote(spelled(value), safe=""), grammar)


def _own_path(link: str) -> str:
    """Return the path and query of a link: it is followed on the side that gave it, wherever it points."""
    target = link
    if re.match("https?://", link, re.IGNORECASE):
        parts = urlsplit(link)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/"):
        raise ValueError("it is no path, nor a URL with one")
    return quote(target.partition("#")[0], safe=_PATH_CHARACTERS)


def _headers(headers: Headers, values: Values, grammar: Grammar) -> Headers:
    return tuple((name, filled_text(text, values, grammar)) for name, text in headers)


def _body(body: bytes, kind: str, values: Values, grammar: Grammar) -> bytes:
    text = _text(body)
    if not any(name in values for name in names_in(text, grammar)):
        return body
    kind = kind.lower()
    if "json" in kind:
        text = grammar.quoted.sub(lambda found: _lone(found, values), text)
    write = _in_json if "json" in kind else _in_markup if grammar is SECRETS and _MARKUP.search(kind) else _in_text
    return _filled(text, values, write, grammar).encode("utf-8", "surrogateescape")


def _in_json(value: Json, _coded: bool) -> str:  # noqa: FBT001 - as Write has it
    return json.dumps(spelled(value), ensure_ascii=False)[1:-1]


def _in_markup(value: Json, _coded: bool) -> str:  # noqa: FBT001 - likewise
    return escape(spelled(value), {'"': "&quot;", "'": "&apos;"})


def _in_text(value: Json, coded: bool) -> str:  # noqa: FBT001 - likewise
    return quote_plus(spelled(value)) if coded else spelled(value)


def _lone(found: re.Match[str], values: Values) -> str:
    name = _name(found)
    return dump_json(values[name]) if name in values else found[0]


def _filled(text: str, values: Values, write: Write, grammar: Grammar) -> str:
    def one(found: re.Match[str]) -> str:
        name = _name(found)
        return write(values[name], found["coded"] is not None) if name in values else found[0]

    return grammar.name.sub(one, text)


def _name(found: re.Match[str]) -> str:
    return str(found["coded"] if found["plain"] is None else found["plain"])


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape")
