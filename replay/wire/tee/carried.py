"""What passed: one request and its answer, as far as somebody wants to keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from replay.wire.tee.heads import RequestHead

MOST: Final = 256 * 2**20


class Room:
    """How much of bodies may be held for keeping, over all that is under way: traffic must not fill the memory."""

    __slots__ = ("left",)

    def __init__(self, most: int = MOST) -> None:
        self.left = most


class Content:
    """A body that is collected while it passes; beyond its limit it is `cut`, and nothing of it is held."""

    __slots__ = ("_limit", "_parts", "_room", "cut", "size")

    def __init__(self, room: Room, limit: int) -> None:
        self._room = room
        self._limit = limit
        self._parts: list[bytes] = []
        self.size = 0
        self.cut = False

    def add(self, data: bytes) -> None:
        """Collect a piece."""
        self.size += len(data)
        if self.cut or not data:
            return
        if self.size > self._limit or len(data) > self._room.left:
            self.drop()
            self.cut = True
            return
        self._room.left -= len(data)
        self._parts.append(data)

    def drop(self) -> None:
        """Hold nothing any more."""
        self._room.left += sum(map(len, self._parts))
        self._parts.clear()

    def bytes(self) -> bytes:
        """Return what was collected."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class Carried:
    """One exchange. Nanoseconds on the measuring clock, and `at_ns` on the clock of the day.

    `missing` says why it cannot be kept whole, and is empty for a request whose answer came to its end.
    """

    __slots__ = (
        "answer_body", "answer_head", "at_ns", "begun_ns", "body", "correlation", "ended_ns", "first_ns", "head",
        "missing", "status", "wanted",
    )  # fmt: skip

    def __init__(self, head: RequestHead | None, at_ns: int, begun_ns: int, room: Room, limit: int) -> None:
        self.head = head
        self.at_ns = at_ns
        self.begun_ns = begun_ns
        self.first_ns = self.ended_ns = 0
        self.correlation = ""
        self.wanted = True
        self.status = 0
        self.answer_head = b""
        self.missing = ""
        self.body = Content(room, limit)
        self.answer_body = Content(room, limit)

    def refuse(self, why: str) -> None:
        """Say why it cannot be kept; the first reason stands."""
        self.missing = self.missing or why

    def drop(self) -> None:
        """Let go of its bodies."""
        self.body.drop()
        self.answer_body.drop()


Keep = Callable[[Carried], None]
"""Takes each request that was seen, once. It neither waits nor raises: traffic does not wait for it."""
