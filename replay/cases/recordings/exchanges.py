"""From what a tool recorded to what is sent again: without the old host, and without what the old connection needed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

from replay.cases.fields import read_base64, read_headers
from replay.cases.recordings.base import UnusableError
from replay.models import Headers, Observation, Request, Timing
from replay.wire.coding import decode

CONNECTION: Final = frozenset(
    ("host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te")
)
"""What belongs to the old connection; the client states its own."""

UNDONE: Final = frozenset(("content-encoding", "transfer-encoding"))
"""What no longer holds for a body that was recorded as decoded."""

BODILESS: Final = frozenset((204, 304))
LONGEST_MS: Final = 1e15
_LARGEST: Final = 64 << 20
_RAW: Final = "".join(map(chr, range(0x21, 0x7F)))
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def kept(headers: Headers, dropped: frozenset[str]) -> Headers:
    """Return header fields without some, and without HTTP/2's pseudo-headers, which are no fields."""
    return tuple((name, value) for name, value in headers if name.lower() not in dropped and not name.startswith(":"))


def target_of(url: str) -> str:
    """Return the path of a recorded URL or target, with its query, as it is sent. Raise UnusableError for others."""
    scheme = None if url.startswith("/") else _SCHEME.match(url)
    if scheme is None and not url.startswith("/"):
        raise UnusableError("no URL")
    if scheme is not None and scheme[1].lower() not in ("http", "https"):
        raise UnusableError(f"{scheme[1].lower()[:20]}: URL")
    try:
        parts = urlsplit(url if scheme else f"http://host{url}")
    except ValueError:
        raise UnusableError("malformed URL") from None
    target = (parts.path or "/") + (f"?{parts.query}" if "?" in url.partition("#")[0] else "")
    try:
        return quote(target, safe=_RAW)
    except UnicodeEncodeError:
        raise UnusableError("malformed URL") from None


def sendable(method: str, target: str, headers: Headers, body: bytes | None) -> Request:
    """Return the request that is sent again. Raise UnusableError where the recorded one is no sound request."""
    if method.upper() == "CONNECT":
        raise UnusableError("CONNECT")
    try:
        fields = read_headers(kept(headers, CONNECTION))
        read_headers([[method, ""]])  # methods and header names are both tokens
    except ValueError:
        raise UnusableError("malformed request") from None
    return Request(method, target, fields, body or None)


def answer(
    status: int, headers: Headers, body: bytes, *, method: str = "GET", milliseconds: float | None = None
) -> Observation:
    """Return a recorded answer with the coding of its body undone; a body that is not coded as it says stays raw."""
    if status == 101:  # noqa: PLR2004 - what follows is another protocol
        raise UnusableError("upgrade to another protocol")
    timing = Timing(milliseconds) if milliseconds is not None and 0 <= milliseconds < LONGEST_MS else None
    if status in BODILESS or method == "HEAD":
        return Observation(status, kept(headers, frozenset(("transfer-encoding",))), b"", timing=timing)
    decoded = decode(body, headers, limit=_LARGEST)
    plain = body if decoded.failure is not None else decoded.body
    fields = tuple(
        (name, str(len(plain)) if name.lower() == "content-length" else value) for name, value in kept(headers, UNDONE)
    )
    return Observation(status, fields, plain, timing=timing)


def from_base64(text: str) -> bytes:
    """Return the bytes of a recorded body. Raise UnusableError for what is no base64."""
    try:
        return read_base64(text)
    except ValueError:
        raise UnusableError("false base64") from None


def paired(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return header fields as text: UTF-8, else Latin-1."""
    return tuple((_text(name), _text(value)) for name, value in fields)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def instant_of(seconds: float | None) -> datetime | None:
    """Return the instant so many seconds after 1970; None for what no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
