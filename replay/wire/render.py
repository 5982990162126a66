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


def render(request: Request, origin: Origin, overrides: Headers = ()) -> bytes:
    """Return the whole message, head and body. Raises InputError as `check_request` does."""
    check_request(request)
    fields = _fields(request, origin, _overridden(request.headers, overrides))
    lines = [f"{request.method} ".encode() + _target(request.path, origin) + b" HTTP/1.1"]
    lines += [name.encode() + b": " + _encoded(value) for name, value in fields]
    return b"\r\n".join([*lines, b"", request.body or b""])


def check_request(request: Request) -> None:
    """Raise InputError for what is never sent: line breaks and NUL in method, target or headers; another host."""
    if not _TOKEN.fullmatch(request.method):
        raise InputError(f"{_shown(request.method)} is no method", hint="a method is one word, such as GET")
    _check_target(request.path)
    check_headers(request.headers)


def check_headers(headers: Headers) -> None:
    """Raise InputError for a header whose name is no token, or whose value would break its line."""
    for name, value in headers:
        if not _TOKEN.fullmatch(name.removeprefix(":")):
            raise InputError(f"{_shown(name)} is no header name", hint="letters, digits and hyphens")
        # The value is not shown: it may be a secret.
        if _BREAKS_LINES.search(value):
            raise InputError(f"the value of header {_shown(name)} holds CR, LF or NUL", hint="one line a value")
        _encoded(value)


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


def _overridden(headers: Headers, overrides: Headers) -> Headers:
    rest = {name.lower(): (name, value) for name, value in overrides}
    replaced = set(rest)
    fields: list[tuple[str, str]] = []
    for name, value in headers:
        if name.lower() not in replaced:
            fields.append((name, value))
        elif (override := rest.pop(name.lower(), None)) is not None:
            fields.append(override)
    return (*fields, *rest.values())


def _fields(request: Request, origin: Origin, headers: Headers) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in headers if name.lower() not in OWNED and not name.startswith(":")]
    fields = _with_length(kept, request)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", origin.authority))
    return fields


def _with_length(fields: list[tuple[str, str]], request: Request) -> list[tuple[str, str]]:
    length = str(len(request.body or b""))
    first = next((index for index, (name, _) in enumerate(fields) if name.lower() == "content-length"), None)
    rest = [field for field in fields if field[0].lower() != "content-length"]
    if first is not None:
        rest.insert(first, (fields[first][0], length))
    elif request.body is not None or request.method in _BODY_EXPECTED:
        rest.append(("Content-Length", length))
    return rest


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
