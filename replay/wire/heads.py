"""Heads that were read before: a service sends the same ones over and over, and reading one anew costs most of a case.

It remembers what httptools made of a head, by its exact bytes: the same bytes mean the same again. A head that is none
of those may still be like one of them (see `shapes`). Only heads that are safe to recognise are kept: those whose
answer was whole, framed by one Content-Length, came as exactly this head and then its body, and left the connection
fit for the next case.
"""

from __future__ import annotations

from typing import Final

from replay.wire.shapes import END, Head, Shape

_LONGEST: Final = 8 * 2**10
_MOST: Final = 256
_REST: Final = 4096
_LONGEST_FIELD: Final = 256
_MOST_FIELDS: Final = 2048
_MOST_SHAPES: Final = 64
_MOST_ALIKE: Final = 4
"""Shapes that are tried: more would cost more than reading the head anew."""


class Heads:
    """The heads that one origin sends, and the fields of those that differ in few of them.

    Bounded: at most 256 heads and 64 shapes of at most 8 KiB each, and 2,048 fields of at most 256 bytes each.
    """

    def __init__(self) -> None:
        self._passed_over = 0
        self._fields: dict[tuple[bytes, bytes], tuple[str, str]] = {}
        self.find_field = self._fields.get
        """Return name and value as text, or None for a field that is not known."""
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get
        """Return the Head that these bytes are known to be, or None. The bytes include the empty line."""
        self._shapes: dict[tuple[int, bytes], list[Shape]] = {}

    def find_like(self, raw: bytes) -> Head | None:
        """Return the Head that these bytes are, where they differ in plain values alone from one that is known."""
        if len(raw) > _LONGEST or not raw.endswith(END):
            return None
        lines = raw.split(b"\r\n")
        for shape in self._shapes.get((len(lines), lines[0]), ()):
            head = shape.read(lines)
            if head is not None:
                if self.learning():
                    self._known[raw] = head  # it may come again
                return head
        return None

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
        if len(raw) > _LONGEST:
            return
        self._known[raw] = head
        if self.find_like(raw) is None:
            self._add_shape(raw, head)

    def _add_shape(self, raw: bytes, head: Head) -> None:
        if sum(map(len, self._shapes.values())) >= _MOST_SHAPES:
            self._shapes.clear()
        alike = self._shapes.setdefault((raw.count(b"\r\n") + 1, raw.partition(b"\r\n")[0]), [])
        if len(alike) == _MOST_ALIKE:
            alike.clear()
        alike.append(Shape(raw, head))

    def learn_field(self, raw: tuple[bytes, bytes], field: tuple[str, str]) -> None:
        """Remember a field as text."""
        if len(raw[0]) + len(raw[1]) > _LONGEST_FIELD:
            return
        if len(self._fields) >= _MOST_FIELDS:
            self._fields.clear()
        self._fields[raw] = field
