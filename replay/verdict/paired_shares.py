"""A yes or no on both sides of each case: the shares of yes, and their difference, by the pairs that disagree."""

from __future__ import annotations

from typing import Final, Literal

from replay.verdict.batches import Batches, Interval, Question
from replay.verdict.samples import Sizes
from replay.verdict.statistics import difference_bounds, lower_bound, upper_bound

Bad = Literal["low", "high"]
"""At which end a figure is worse."""

_NOTHING: Final = Interval(float("nan"), -1.0, 1.0)


class PairedShares:
    """Pairs of answers by where something holds; exact and score bounds over the effective n of their sessions.

    An answer of new's that did not come holds nothing. Beyond that, for GO, whoever failed counts at its worst: new
    as if it had given the worse answer, old as if it had given the better one. A pair of which both failed tells
    nothing of their difference, and of new alone what new's failure tells.
    """

    def __init__(self) -> None:
        self.sizes = Sizes()
        self._tried = Sizes()
        self._sent = Sizes()
        self._counts = {(old, new): 0 for old in (False, True) for new in (False, True)}
        self._new_failed = {False: 0, True: 0}
        """Cases that new alone failed, by whether it holds on old."""
        self._old_failed = {False: 0, True: 0}
        """Cases that old alone failed, by whether it holds on new."""
        self._relative = Batches()

    @property
    def n(self) -> int:
        """Return how many pairs tell something."""
        return self.sizes.total

    @property
    def held(self) -> tuple[int, int]:
        """Return in how many of them it holds on old, and on new."""
        counts = self._counts
        old = counts[True, True] + counts[True, False] + self._new_failed[True]
        return old, counts[True, True] + counts[False, True]

    def add(self, batch: int, session: str | None, *, old: bool | None, new: bool | None) -> None:
        """Take in one case; None is a side that failed."""
        self._sent.add(session)
        if old is None and new is None:
            return
        self._tried.add(session)
        if old is None:
            self._old_failed[bool(new)] += 1
            return
        self.sizes.add(session)
        self._relative.add(batch, session, old, bool(new))
        if new is None:
            self._new_failed[old] += 1
        else:
            self._counts[old, new] += 1

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return a share of 1 with its two one-sided bounds, as it would be with `growth` times the sessions.

        A ratio has the two-sided interval of `Batches`.
        """
        if question == "ratio":
            return self._relative.interval("ratio", confidence, growth)
        only_new, only_old = self._counts[False, True], self._counts[True, False] + self._new_failed[True]
        if question == "new":
            return _share(self.held[1], self.sizes, confidence, growth)
        return _difference(only_new, only_old, self.sizes, confidence, growth)

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        """Return the bound at the bad end where those that failed are counted at their worst."""
        fair = self.interval(question, confidence, growth)
        if question == "ratio":
            return self._ratio_bound(fair, bad, confidence, growth)
        found = (
            _share(self._worst_held(bad), self._sent, confidence, growth)
            if question == "new"
            else _difference(*self._worst_pairs(bad), self._tried, confidence, growth)
        )
        return min(fair.low, found.low) if bad == "low" else max(fair.high, found.high)

    def _worst_held(self, bad: Bad) -> int:
        held = self.held[1] + self._old_failed[True]
        both = self._sent.total - self._tried.total
        return held if bad == "low" else held + sum(self._new_failed.values()) + both

    def _worst_pairs(self, bad: Bad) -> tuple[int, int]:
        only_new, only_old = self._counts[False, True], self._counts[True, False]
        if bad == "low":
            return only_new, only_old + self._new_failed[True] + self._old_failed[False]
        return only_new + self._new_failed[False] + self._old_failed[True], only_old

    def _ratio_bound(self, fair: Interval, bad: Bad, confidence: float, growth: float) -> float:
        failed = sum(self._old_failed.values()) + sum(self._new_failed.values())
        worth = self._tried.effective() * growth
        rate = self.held[0] / self.n if self.n else 0.0
        if not failed or not rate:
            return fair.low if bad == "low" else fair.high
        share = upper_bound(failed / self._tried.total * worth, worth, confidence) / rate
        return fair.low - share if bad == "low" else fair.high + share


def _share(held: float, sizes: Sizes, confidence: float, growth: float) -> Interval:
    if not sizes.total:
        return Interval(float("nan"), 0.0, 1.0)
    n, share = sizes.effective() * growth, held / sizes.total
    return Interval(share, lower_bound(share * n, n, confidence), upper_bound(share * n, n, confidence))


def _difference(only_new: float, only_old: float, sizes: Sizes, confidence: float, growth: float) -> Interval:
    if not sizes.total:
        return _NOTHING
    n = sizes.effective() * growth
    more, less = only_new / sizes.total * n, only_old / sizes.total * n
    low, high = difference_bounds(more, less, n, confidence)
    return Interval((only_new - only_old) / sizes.total, low, high)
