"""Heads that differ from one that was read before in values alone: a date, a request id, a length.

A line that is the same to the byte means the same again. A line that is not may differ in its value only, which has to
be visible ASCII, as httptools takes it in every header but those that frame an answer or speak of its connection.
Those lines have to be the same; the one Content-Length may be another number. Whatever is not as plain as that is
read by httptools.
"""

from __future__ import annotations

from itertools import compress
from operator import ne
from typing import Final, NamedTuple

from replay.models import Headers

END: Final = b"\r\n\r\n"
_LONGEST_NUMBER: Final = 19
_FIXED: Final = frozenset({"connection", "transfer-encoding", "content-encoding", "upgrade", "proxy-connection"})
_LENGTH: Final = "content-length"
_BODILESS: Final = (204, 304)


class Head(NamedTuple):
    """What httptools read in a head. `length` is that of the body; `coded` tells of a Content-Encoding."""

    status: int
    headers: Headers
    length: int
    coded: bool


class Shape:
    """One head, line by line: what of it may differ, and by which bytes such a line begins."""

    def __init__(self, raw: bytes, head: Head) -> None:
        self._lines = raw.split(b"\r\n")
        self._head = head
        self._places = range(len(self._lines))
        self._length_at = -1
        self._starts: list[bytes | None] = [None] * len(self._lines)
        # What httptools passes over (line ends before the head) or cuts off (spaces) leaves lines that may not differ.
        if len(head.headers) == len(self._lines) - 3:
            for index, field in enumerate(head.headers, 1):
                self._starts[index] = self._start(index, *field)

    def _start(self, index: int, name: str, value: str) -> bytes | None:
        start = f"{name}: ".encode("latin-1")
        if name.lower() in _FIXED or self._lines[index] != start + value.encode():
            return None
        if name.lower() == _LENGTH:
            if self._head.status in _BODILESS:
                return None
            self._length_at = index
        return start

    def read(self, lines: list[bytes]) -> Head | None:
        """Return what a head of as many lines says, or None where it is not like this one."""
        status, headers, length, coded = self._head
        fields = list(headers)
        for index in compress(self._places, map(ne, lines, self._lines)):
            start = self._starts[index]
            if start is None or not lines[index].startswith(start):
                return None
            value = lines[index][len(start) :].decode("latin-1")
            # Latin-1 never fails, and leaves the question whether it is ASCII.
            if index == self._length_at:
                if not (value.isascii() and value.isdigit()) or len(value) > _LONGEST_NUMBER:
                    return None
                length = int(value)
            elif not (value.isascii() and value.isprintable()) or not value or value[0] == " " or value[-1] == " ":
                return None
            fields[index - 1] = (fields[index - 1][0], value)
        return Head(status, tuple(fields), length, coded)
