"""Whole HTTP/1.1 messages in bytes, as some tools record them, parsed by httptools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httptools

from replay.cases.recordings.base import UnusableError

_END = b"\r\n\r\n"
_BARE_END = b"\n\n"


@dataclass(slots=True)
class Message:
    """A message that was parsed; `whole` is false where it ends before its body does."""

    method: str = ""
    target: bytes = b""
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    whole: bool = False


class _Listener:
    """Collects what the parser finds in the first message."""

    def __init__(self) -> None:
        self.found = Message()
        self.body = bytearray()
        self.messages = 0

    def on_message_begin(self) -> None:
        self.messages += 1

    def on_url(self, url: bytes) -> None:
        if self.messages == 1:
            self.found.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.messages == 1 and not self.found.whole:
            self.found.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        if self.messages == 1:
            self.body += body

    def on_message_complete(self) -> None:
        self.found.whole = True


def read_request(data: bytes) -> Message:
    """Parse one request. Raise UnusableError for what is none, for a cut one, and for one that upgrades."""
    listener = _Listener()
    parser = httptools.HttpRequestParser(listener)
    _feed(parser, data, "malformed request")
    if not listener.found.whole:
        raise UnusableError("the request is cut")
    if listener.messages > 1:
        raise UnusableError("several requests in one record")
    listener.found.method = parser.get_method().decode("ascii")
    listener.found.body = bytes(listener.body)
    return listener.found


def read_response(data: bytes) -> Message | None:
    """Parse one response; None for what is none, or cut: nothing can be compared with it."""
    listener = _Listener()
    parser = httptools.HttpResponseParser(listener)
    try:
        _feed(parser, data, "malformed response")
    except UnusableError:
        return None
    found = listener.found
    found.status = parser.get_status_code()
    found.body = bytes(listener.body)
    # A body without a stated length ends with its connection: httptools then never calls it complete.
    stated = {name.lower() for name, _ in found.headers} & {b"content-length", b"transfer-encoding"}
    return found if found.status and (found.whole or not stated) else None


def _feed(parser: Any, data: bytes, reason: str) -> None:
    try:
        parser.feed_data(_with_line_ends(data))
    except httptools.HttpParserUpgrade:
        raise UnusableError("upgrade to another protocol") from None
    except httptools.HttpParserError:
        raise UnusableError(reason) from None


def _with_line_ends(data: bytes) -> bytes:
    """Return a message whose head ends its lines with CR LF, as some recorders do not."""
    end = data.find(_END)
    bare = data.find(_BARE_END)
    if bare < 0 or 0 <= end < bare:
        return data
    head = data[:bare].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return head + _END + data[bare + len(_BARE_END) :]
