"""Traffic as a sample: counts, the sessions that make cases depend on each other, and the identities that were seen."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from replay.models import OutcomeName, Result
from replay.verdict.statistics import CONFIDENCE, fewest
from replay.verdict.watching import EXACT, Bounds

GOOD: Final[frozenset[OutcomeName]] = frozenset({"match", "noise", "waived"})
"""The outcomes of cases that were compared and show no unwaived difference."""

COMPARED: Final[frozenset[OutcomeName]] = GOOD | {"deviation"}


class Seen:
    """Counts keys at 24 to 48 bytes each, whatever their length: 64-bit hashes in an open table.

    Two keys share a hash with a probability of 10⁻⁷ in a million; the second one then counts as the first again.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * 1024))
        self._counts = array("I", bytes(array("I").itemsize * 1024))
        self._used = 0

    def add(self, key: object, times: int = 1) -> int:
        """Count a key once more, or so many times, and return how often it was counted before."""
        if 2 * self._used >= len(self._table):
            self._grow()
        slot = self._slot(hash(key) & 0xFFFF_FFFF_FFFF_FFFF or 1)
        before = self._counts[slot]
        self._counts[slot] = before + times
        self._used += not before
        return before

    def _slot(self, mark: int) -> int:
        table, mask = self._table, len(self._table) - 1
        slot = mark & mask
        # It ends: the table is never more than half full.
        while (found := table[slot]) and found != mark:
            slot = (slot + 1) & mask
        table[slot] = mark
        return slot

    def _grow(self) -> None:
        old = zip(self._table, self._counts, strict=True)
        size = 2 * len(self._table)
        self._table = array("Q", bytes(8 * size))
        self._counts = array("I", bytes(array("I").itemsize * size))
        for mark, count in old:
            if mark:
                self._counts[self._slot(mark)] = count


class Sizes:
    """How many cases each session holds; a case without session is one of its own, and costs no memory."""

    def __init__(self) -> None:
        self._sessions = Seen()
        self.total = 0
        self._squares = 0

    def add(self, session: str | None, cases: int = 1) -> None:
        """Count one case of a session, or several; those without session are each one of its own."""
        self.total += cases
        if session is None:
            self._squares += cases
            return
        before = self._sessions.add(session, cases)
        self._squares += cases * (2 * before + cases)  # (before + cases)² less before²

    def add_all(self, sessions: Iterable[str | None]) -> None:
        """Count cases by their sessions."""
        for session, cases in Counter(sessions).items():
            self.add(session, cases)

    def effective(self, further: int = 0) -> float:
        """Return (Σm)²/Σm² over all sessions and `further` cases with a session each; 0 without any case."""
        total, squares = self.total + further, self._squares + further
        return total * total / squares if squares else 0.0


class Sample:
    """A share of cases with its one-sided bounds, exact unless told otherwise, over the effective n of its sessions."""

    def __init__(self, bounds: Bounds = EXACT) -> None:
        self._bounds = bounds
        self.sizes = Sizes()
        self.bad = 0

    def add(self, session: str | None, *, bad: bool) -> None:
        """Count one case of a session."""
        self.sizes.add(session)
        self.bad += bad

    def add_all(self, sessions: Sequence[str | None], *, bad: int) -> None:
        """Count cases by their sessions, of which so many are bad."""
        self.sizes.add_all(sessions)
        self.bad += bad

    @property
    def n(self) -> int:
        """Return how many cases were counted."""
        return self.sizes.total

    @property
    def rate(self) -> float | None:
        """Return the share of bad cases; None where nothing was counted."""
        return self.bad / self.n if self.n else None

    def upper(self, further: int = 0, confidence: float = CONFIDENCE) -> float:
        """Return the upper bound, as it would be after `further` clean cases."""
        return self._bounds.upper(*self._evidence(further), confidence)

    def lower(self, confidence: float = CONFIDENCE) -> float:
        """Return the lower bound."""
        return self._bounds.lower(*self._evidence(0), confidence)

    def needed(self, limit: float, confidence: float = CONFIDENCE) -> int | None:
        """Return how many further clean, independent cases bring the upper bound below `limit`; None: none do."""
        return fewest(lambda further: self.upper(further, confidence) < limit)

    def _evidence(self, further: int) -> tuple[float, float]:
        n, cases = self.sizes.effective(further), self.n + further
        # The rate stays what it is; what shrinks is the number of cases that it rests on.
        return (n * self.bad / cases if cases else 0.0), n


class Repeats:
    """Tells evidence from its repetition: a case again proves nothing, unless it fails where it did not before.

    Of a stream that holds each case once for each of its turns; memory grows with what fails alone.
    """

    def __init__(self) -> None:
        self._failures = Seen()

    def fresh(self, results: Iterable[Result]) -> list[Result]:
        """Return those that are new evidence; a departure from a case that was fine before always is."""
        return [each for each in results if self._adds(each, first=each.case.turn == 1)]

    def _adds(self, result: Result, *, first: bool) -> bool:
        if result.outcome in GOOD:
            return first
        return not self._failures.add((result.case.origin, result.outcome)) or first


class AcrossRuns(Repeats):
    """The same for several runs, of which each may hold a case: the first one to have it tells what it proves."""

    def __init__(self) -> None:
        super().__init__()
        self._cases = Seen()

    def fresh(self, results: Iterable[Result]) -> list[Result]:
        """Return those that are new evidence; a departure from a case that was fine before always is."""
        return [each for each in results if self._adds(each, first=not self._cases.add(each.case.origin))]
