"""Where a body ends, and what it holds: told while it passes, since none of it may be held back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import httptools

_END: Final = b"\r\n\r\n"
_SEAM: Final = 3
"""How many bytes of an end may have come before: these are read one by one."""


class MalformedBodyError(Exception):
    """A body whose framing is broken: where it would end, nobody knows."""


class Listener:
    """What httptools calls: it collects the fields of a head, and hands on what a body holds."""

    __slots__ = ("content", "done", "fields", "in_body")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.in_body = self.done = False
        self.content: Callable[[bytes], object] = len

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field; trailers are no part of the head."""
        if not self.in_body:
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        """End the head."""
        self.in_body = True

    def on_body(self, data: bytes) -> None:
        """Hand on content."""
        self.content(data)

    def on_message_complete(self) -> None:
        """End the message."""
        self.done = True


class Body(Protocol):
    """A body that passes."""

    @property
    def done(self) -> bool:
        """Tell whether it has passed."""

    def take(self, data: bytes, content: Callable[[bytes], object]) -> int:
        """Return how many of these bytes belong to the body, and hand what they hold to `content`.

        Raise MalformedBodyError where the framing is broken.
        """


class Counted:
    """A body of a stated length, which may be none."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def done(self) -> bool:
        """Tell whether it has passed."""
        return not self._left

    def take(self, data: bytes, content: Callable[[bytes], object]) -> int:
        """Take as many bytes as are left."""
        size = min(self._left, len(data))
        self._left -= size
        content(data if size == len(data) else data[:size])
        return size


class Endless:
    """A body that ends with its connection."""

    __slots__ = ()
    done: Final = False

    def take(self, data: bytes, content: Callable[[bytes], object]) -> int:
        """Take everything."""
        content(data)
        return len(data)


class Chunked:
    """A body in chunks, with its trailers. It goes on in the parser that has read its head.

    The parser does not tell at which byte a message ends. But it always ends with an empty line, so that it is fed in
    pieces that end with one: its end is then the end of a piece.
    """

    __slots__ = ("_listener", "_parser")

    def __init__(self, parser: httptools.HttpRequestParser | httptools.HttpResponseParser, listener: Listener) -> None:
        self._parser = parser
        self._listener = listener

    @property
    def done(self) -> bool:
        """Tell whether it has passed, trailers and all."""
        return self._listener.done

    def take(self, data: bytes, content: Callable[[bytes], object]) -> int:
        """Take up to the end of the trailers."""
        self._listener.content = content
        at = 0
        while at < len(data) and not self._listener.done:
            end = at + 1 if at < _SEAM else data.find(_END, at - _SEAM) + len(_END)
            end = end if at < end <= len(data) else len(data)
            self._feed(data[at:end])
            at = end
        return at

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise MalformedBodyError(str(error)) from None
