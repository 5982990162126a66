"""Of how many disagreements the details are told: a flood of them says no more than the first few."""

from __future__ import annotations

from collections import Counter
from typing import Final

from replay.experiment.lanes import now

A_SECOND: Final = 10
ROOM_BYTES: Final = 64 * 2**10
"""What is larger takes more than one place of a second: to compare 200,000 numbers takes a second itself."""


class Listing:
    """Counts the disagreements of each experiment: the first ten of a second are told in detail, the others bare.

    One thread takes; any thread may ask whether there is room left.
    """

    def __init__(self, a_second: int = A_SECOND) -> None:
        self._a_second = a_second
        self._listed: dict[str, tuple[int, int]] = {}
        """The second, and how many were told in it."""
        self._unlisted: Counter[str] = Counter()

    def spent(self, name: str) -> bool:
        """Tell whether no further one of this second is told in detail."""
        second, listed = self._listed.get(name, (-1, 0))
        return listed >= self._a_second and second == int(now())

    def take(self, name: str, size: int = 0) -> bool:
        """Count a disagreement that takes so many bytes; tell whether it is told in detail."""
        second, listed = self._listed.get(name, (-1, 0))
        if second != (this := int(now())):
            listed = 0
        if listed >= self._a_second:
            self.pass_over(name)
            return False
        self._listed[name] = (this, listed + 1 + size // ROOM_BYTES)
        return True

    def pass_over(self, name: str) -> None:
        """Count a disagreement that has no details."""
        self._unlisted[name] += 1

    def unlisted(self, name: str) -> int:
        """Return how many were told bare since this was last asked."""
        return self._unlisted.pop(name, 0)
