r"""A request as the bytes that go on the wire.

Sent as the case has them: method, target, and the headers with their order, case and duplicates. Nothing is invented:
no User-Agent, no Accept, no Connection. What differs, and why:

- `Host` is put first where the case has none, since HTTP/1.1 demands one; the case's own is sent as it is.
- `Content-Length` is recomputed from the body, in the place where the case had it, else at the end. `Transfer-Encoding`
  is dropped: a captured one may lie, and the body at hand is whole.
- `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Upgrade`, `HTTP2-Settings` and `Expect` are dropped: they speak
  of the connection that was recorded, and this one is ours. So are HTTP/2's pseudo-headers.
- A header that the settings give to a side replaces the case's of the same name, in its place.

Header values are encoded as Latin-1 where they fit, else as UTF-8; the target is UTF-8, with surrogate escapes turned
back into the bytes they stand for. CR, LF and NUL are never written, nor is a target that could name another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from replay.errors import InputError
from replay.models import Headers, Request
from replay.wire.origin import Origin

OWNED: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "expect", "transfer-encoding"}
)
"""Headers that speak of a connection, not of a request."""

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAKS_LINES: Final = re.compile(r"[\r\n\0]")
_BODY_EXPECTED: Final = frozenset({"POST", "PUT", "PATCH"})
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_NO_BODY: Final = _METHODS - _BODY_EXPECTED
_PLAIN: Final = re.compile(r"/[ -~]*").fullmatch
_LARGEST_FORM: Final = 8 * 2**10
_MOST_FORMS: Final = 256


@dataclass(frozen=True, slots=True)
class _Form:
    """The header block of a request, rendered: all but what depends on its body, and on what is added to it.

    `rest` are the side's headers that replaced none of the case's. `names` are all that stand here, in lower case.
    """

    before: bytes
    length: bytes | None
    after: bytes
    rest: bytes
    names: frozenset[str]
    plain: bytes | None
    """The whole of it with the empty line, where no length stands in it."""


class Renderer:
    """Renders requests to one origin. `overrides` are the side's own headers; InputError for what no header can hold.

    Captured requests share their headers with many others: a header block is checked and rendered once.
    """

    def __init__(self, origin: Origin, overrides: Headers = ()) -> None:
        check_headers(overrides)
        self._origin = origin
        self._overrides = overrides
        self._forms: dict[Headers, _Form] = {}

    def message(self, request: Request, added: Headers = ()) -> bytes:
        """Return the whole message, head and body. Raises InputError as `check_request` does.

        `added` are headers that follow the case's, where neither it nor the side has one of that name.
        """
        form = self._forms.get(request.headers) or self._form(request.headers)
        if form.plain is not None and request.body is None and not added and request.method in _NO_BODY:
            return self._start(request) + form.plain
        more = _added(added, form.names) if added else b""
        body = request.body
        inner, last = _lengths(form, request.method, body)
        start = self._start(request)
        return b"".join((start, form.before, inner, form.after, more, form.rest, last, b"\r\n", body or b""))

    def _start(self, request: Request) -> bytes:
        """Return the request line. What is plain needs no closer look: most methods and paths are."""
        method, path = request.method, request.path
        if method not in _METHODS:
            _check_method(method)
        if _PLAIN(path):
            return f"{method} {self._origin.base}{path} HTTP/1.1\r\n".encode("utf-8", "surrogateescape")
        _check_target(path)
        return b"%b %b HTTP/1.1\r\n" % (method.encode(), _target(path, self._origin))

    def _form(self, headers: Headers) -> _Form:
        check_headers(headers)
        fields, rest = _overridden(headers, self._overrides)
        form = _formed(_sent(fields), _sent(rest), self._origin)
        if len(form.before) + len(form.after) <= _LARGEST_FORM:
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            self._forms[headers] = form
        return form


def render(request: Request, origin: Origin, overrides: Headers = ()) -> bytes:
    """Return the whole message, head and body. Raises InputError as `check_request` does."""
    return Renderer(origin, overrides).message(request)


def check_request(request: Request) -> None:
    """Raise InputError for what is never sent: line breaks and NUL in method, target or headers; another host."""
    _check_method(request.method)
    _check_target(request.path)
    check_headers(request.headers)


def check_headers(headers: Headers) -> None:
    """Raise InputError for a header whose name is no token, or whose value would break its line."""
    for name, value in headers:
        _check_name(name)
        # The value is not shown: it may be a secret.
        if _BREAKS_LINES.search(value):
            raise InputError(f"the value of header {_shown(name)} holds CR, LF or NUL", hint="one line a value")
        _encoded(value)


@lru_cache(maxsize=1024)
def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name.removeprefix(":")):
        raise InputError(f"{_shown(name)} is no header name", hint="letters, digits and hyphens")


def _check_method(method: str) -> None:
    if not _TOKEN.fullmatch(method):
        raise InputError(f"{_shown(method)} is no method", hint="a method is one word, such as GET")


def _check_target(path: str) -> None:
    if _BREAKS_LINES.search(path):
        raise InputError("the path holds CR, LF or NUL", hint="write %0D, %0A or %00")
    if path and path[0] not in "/?" and path != "*":
        raise InputError("the path does not begin with a slash", hint="a case names no host: /path?query")
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InputError("the path holds a lone surrogate", hint="write the bytes percent-encoded") from None


def _target(path: str, origin: Origin) -> bytes:
    if path == "*":
        return b"*"
    slash = "" if path.startswith("/") else "/"
    return (origin.base + slash + path).encode("utf-8", "surrogateescape")


def _lengths(form: _Form, method: str, body: bytes | None) -> tuple[bytes, bytes]:
    """Return the line of the length where the case had one, and at the end where it had none; each may be empty."""
    if form.length is None:
        wanted = body is not None or method in _BODY_EXPECTED
        return b"", b"Content-Length: %d\r\n" % len(body or b"") if wanted else b""
    return b"%b: %d\r\n" % (form.length, len(body or b"")), b""


def _overridden(headers: Headers, overrides: Headers) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the case's headers, replaced by the side's of the same name, and those of the side that replaced none."""
    rest = {name.lower(): (name, value) for name, value in overrides}
    replaced = set(rest)
    fields: list[tuple[str, str]] = []
    for name, value in headers:
        if name.lower() not in replaced:
            fields.append((name, value))
        elif (override := rest.pop(name.lower(), None)) is not None:
            fields.append(override)
    return fields, list(rest.values())


def _sent(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields if name.lower() not in OWNED and not name.startswith(":")]


def _formed(fields: list[tuple[str, str]], rest: list[tuple[str, str]], origin: Origin) -> _Form:
    names = [name.lower() for name, _ in fields]
    place = names.index("content-length") if "content-length" in names else len(fields)
    before, after = fields[:place], [field for field in fields[place:] if field[0].lower() != "content-length"]
    every = frozenset([*names, *(name.lower() for name, _ in rest)])
    if "host" not in every:
        before.insert(0, ("Host", origin.authority))
    length = fields[place][0].encode() if place < len(fields) else None
    parts = _lines(before), _lines(after), _lines(rest)
    plain = b"".join((*parts, b"\r\n")) if length is None else None
    return _Form(parts[0], length, parts[1], parts[2], every, plain)


def _added(fields: Headers, names: frozenset[str]) -> bytes:
    rendered, own = _rendered(fields)
    if names.isdisjoint(own):
        return rendered
    return _lines([field for field in fields if field[0].lower() not in names])


@lru_cache(maxsize=1024)
def _rendered(fields: Headers) -> tuple[bytes, frozenset[str]]:
    """Return what is added to a request, and its names; both sides of a case get the same, one after the other."""
    names = _checked_names(tuple([name for name, _ in fields]))
    text = "".join([f"{name}: {value}\r\n" for name, value in fields])
    # As many line ends as fields: none of the values holds one.
    if text.isascii() and text.count("\r") == text.count("\n") == len(fields) and "\0" not in text:
        return text.encode(), names
    check_headers(fields)
    return _lines(fields), names


@lru_cache(maxsize=1024)
def _checked_names(names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        _check_name(name)
    return frozenset([name.lower() for name in names])


def _lines(fields: Iterable[tuple[str, str]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % (name.encode(), _encoded(value)) for name, value in fields])


def _encoded(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InputError("a header value holds a lone surrogate", hint="write text") from None


def _shown(text: str) -> str:
    return ascii(text[:40])
