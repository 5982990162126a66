"""Heads that were read before: a service sends the same ones over and over, and reading one anew costs most of a case.

This parses nothing. It remembers what httptools made of a head, by its exact bytes: the same bytes mean the same again.
Only heads that are safe to recognise are kept: those whose answer was whole, framed by one Content-Length, came as
exactly this head and then its body, and left the connection fit for the next case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from replay.models import Headers

END: Final = b"\r\n\r\n"
_LONGEST: Final = 8 * 2**10
_MOST: Final = 256
_REST: Final = 4096
_LONGEST_FIELD: Final = 256
_MOST_FIELDS: Final = 2048


@dataclass(frozen=True, slots=True)
class Head:
    """What httptools read in a head. `length` is that of the body; `coded` tells of a Content-Encoding."""

    status: int
    headers: Headers
    length: int
    coded: bool


class Heads:
    """The heads that one origin sends, and the fields of those that differ in few of them.

    Bounded: at most 256 heads of at most 8 KiB each, and 2,048 fields of at most 256 bytes each.
    """

    def __init__(self) -> None:
        self._passed_over = 0
        self._fields: dict[tuple[bytes, bytes], tuple[str, str]] = {}
        self.find_field = self._fields.get
        """Return name and value as text, or None for a field that is not known."""
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get
        """Return the Head that these bytes are known to be, or None. The bytes include the empty line."""

    def learning(self) -> bool:
        """Tell whether another head is to be remembered.

        Where no head is like another, remembering them is in vain: once there is no room, thousands are passed over
        before the old ones make room, all at once.
        """
        if len(self._known) < _MOST:
            return True
        self._passed_over += 1
        if self._passed_over > _REST:
            self._passed_over = 0
            self._known.clear()
        return False

    def learn(self, raw: bytes, head: Head) -> None:
        """Remember a head, unless it is a long one."""
        if len(raw) <= _LONGEST:
            self._known[raw] = head

    def learn_field(self, raw: tuple[bytes, bytes], field: tuple[str, str]) -> None:
        """Remember a field as text."""
        if len(raw[0]) + len(raw[1]) > _LONGEST_FIELD:
            return
        if len(self._fields) >= _MOST_FIELDS:
            self._fields.clear()
        self._fields[raw] = field
