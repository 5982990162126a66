"""Whether a change is the same in every case, another one in each, or something between."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from replay.causes.ways import Departure
from replay.documents import spelling
from replay.models import MISSING

KEPT: Final = 16
"""Different changes of one way that are told apart; beyond, their number is estimated."""
LONGEST: Final = 60
"""Characters of a change that is kept to be shown."""
_SPACE: Final = float(1 << 64)


class Variety:
    """Counts the different changes of one way, exactly up to `KEPT`, whatever their order.

    Beyond, the smallest hashes estimate it (Bar-Yossef and others, 2002), within a quarter or so.
    """

    __slots__ = ("_smallest", "n")

    def __init__(self) -> None:
        self.n = 0
        """In how many cases the change could be told."""
        self._smallest: list[tuple[int, str]] = []

    def add(self, departure: Departure) -> None:
        """Take in the change of one case."""
        change = _change(departure)
        if change is None:
            return
        self.n += 1
        told = "\0".join(change)
        mark = int.from_bytes(blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        place = bisect_left(self._smallest, (mark,))
        known = place < len(self._smallest) and self._smallest[place][0] == mark
        if place < KEPT and not known:
            self._smallest.insert(place, (mark, _shown(change, departure) if len(told) <= LONGEST else ""))
            del self._smallest[KEPT:]

    @property
    def different(self) -> int:
        """Return how many different changes there are, or about how many."""
        if len(self._smallest) < KEPT:
            return len(self._smallest)
        return round((KEPT - 1) * _SPACE / self._smallest[-1][0])

    @property
    def only(self) -> str:
        """Return the one change that all cases have in common; empty where there are more, or where it is long."""
        return self._smallest[0][1] if len(self._smallest) == 1 else ""

    @property
    def details(self) -> list[str]:
        """Return the different changes where they are few; empty where they are many."""
        return [text for _, text in self._smallest] if len(self._smallest) < KEPT else []


def _change(departure: Departure) -> Sequence[str] | None:
    """Return what of a change may be the same in every case; None where nobody asks, as of what is large or missing."""
    if departure.difference is None:
        return None
    if departure.shape.detail is not None:
        return (departure.shape.detail,)
    values = departure.difference.old, departure.difference.new
    if any(value is MISSING or isinstance(value, dict | list) for value in values):
        return None
    return [value if type(value) is str else spelling(value) for value in values]


def _shown(change: Sequence[str], departure: Departure) -> str:
    """Return a change as it is read: what was added, or both values."""
    difference = departure.difference
    if len(change) == 1 or difference is None:
        return change[0]
    values = zip(change, (difference.old, difference.new), strict=True)
    return " -> ".join(f'"{text}"' if isinstance(value, str) else text for text, value in values)
