"""Header fields that were read before, as the object that they were then: requests of a capture share theirs."""

from __future__ import annotations

from typing import Final

from replay.models import Headers

_MOST: Final = 256
_REST: Final = 4096
_LARGEST: Final = 4096


class Alike:
    """Gives like heads as one object, so that whoever remembers what was found out of one hashes none of the others.

    Bounded: at most 256 heads of 4 KiB each. Where no head is like another, thousands are passed over before the old
    ones make room.
    """

    def __init__(self) -> None:
        self._known: dict[Headers, Headers] = {}
        self._passed_over = 0

    def one(self, headers: Headers) -> Headers:
        """Return an equal head: the one that is known, or this one, which then mostly is."""
        known = self._known.get(headers)
        if known is not None:
            return known
        self._learn(headers)
        return headers

    def _learn(self, headers: Headers) -> None:
        if len(self._known) >= _MOST:
            self._passed_over += 1
            if self._passed_over < _REST:
                return
            self._known.clear()
            self._passed_over = 0
        if sum(len(name) + len(value) for name, value in headers) <= _LARGEST:
            self._known[headers] = headers
