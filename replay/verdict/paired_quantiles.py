"""Quantiles of pairs of figures, their difference and their ratio, with intervals that take sessions as their units.

Each side's limits are the order statistics at the levels that its distribution function may have there (R. S. Woodruff,
Confidence intervals for medians and other position measures, JASA 47, 1952), as the batches of sessions show. The
interval of the difference recovers its variance from both sides' limits and their correlation (R. G. Newcombe,
Statistics in Medicine 17, 1998; G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008); that of the ratio does so
for logarithms.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

from replay.verdict.batches import BATCHES, Interval, Question, student
from replay.verdict.samples import Sizes
from replay.verdict.statistics import upper_bound

_NOTHING: Final = Interval(math.nan, -math.inf, math.inf)


class PairedQuantiles:
    """Both sides' figures in full: 18 bytes a case, so that a quantile is exact to the digit."""

    def __init__(self, q: float) -> None:
        self.sizes = Sizes()
        self._q = q
        self._batches = array("H")
        self._old = array("d")
        self._new = array("d")
        self._sides: tuple[_Side, _Side] | None = None

    @property
    def n(self) -> int:
        """Return how many pairs were added."""
        return self.sizes.total

    def add(self, batch: int, session: str | None, old: float, new: float) -> None:
        """Take in the figures of one case, of a session."""
        self.sizes.add(session)
        self._batches.append(batch)
        self._old.append(old)
        self._new.append(new)
        self._sides = None

    def quantiles(self) -> tuple[float, float]:
        """Return old's and new's quantile: what at least the share q of the figures does not exceed."""
        old, new = self._ordered()
        return old.at(self._q), new.at(self._q)

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked, and its two-sided interval, as it would be with `growth` times the sessions.

        As for means, it is never narrower than what a share of cases that none was like may change.
        """
        if not self.n:
            return _NOTHING
        old, new = self._ordered()
        worth = min(old.worth, self.sizes.effective()) * growth
        if worth <= 2:  # noqa: PLR2004 - one session varies by nothing
            return Interval(_asked(question, old.at(self._q), new.at(self._q)), -math.inf, math.inf)
        unseen = upper_bound(0, self.sizes.effective() * growth, confidence)
        levels = [student(confidence, worth - 1) * side.error / math.sqrt(growth) for side in (old, new)]
        if question == "new":
            return new.limits(math.hypot(levels[1], unseen))
        one, other, hidden = old.limits(levels[0]), new.limits(levels[1]), new.limits(unseen)
        if question == "difference":
            return _recovered(one, other, hidden, old.correlation(new))
        return _as_ratio(one, other, hidden, old.correlation(new))

    def worst(self, question: Question, share: float) -> float:
        """Return how much worse the answer may be if such a share of either side stood at the far end of it."""
        if not self.n:
            return math.inf
        old, new = (side.limits(share) for side in self._ordered())
        if question == "new":
            return max(new.high - new.value, new.value - new.low)
        reach = max(new.high - new.value + old.value - old.low, new.value - new.low + old.high - old.value)
        return reach if question == "difference" else reach / old.value if old.value > 0 else math.inf

    def _ordered(self) -> tuple[_Side, _Side]:
        if self._sides is None:
            self._sides = (_Side(self._old, self._q, self._batches), _Side(self._new, self._q, self._batches))
        return self._sides


class _Side:
    """One side's figures in order, and how its distribution function varies over batches at its quantile."""

    def __init__(self, figures: Sequence[float], q: float, batches: Sequence[int]) -> None:
        self._sorted = sorted(figures)
        self._q = q
        n = len(figures)
        value = self.at(q)
        below, counts = [0.0] * BATCHES, [0] * BATCHES
        for figure, batch in zip(figures, batches, strict=True):
            counts[batch] += 1
            below[batch] += figure <= value
        share = math.fsum(below) / n
        self.departures = [found - share * count for found, count in zip(below, counts, strict=True)]
        self.worth = n * n / sum(count * count for count in counts)
        squares = math.fsum(it * it for it in self.departures) * self.worth / max(self.worth - 1, 1)
        # Independent cases are the least that it varies by.
        self.error = max(math.sqrt(squares) / n, math.sqrt(q * (1 - q) / n))

    def at(self, level: float) -> float:
        """Return the order statistic at a level between 0 and 1."""
        return _at(self._sorted, level)

    def limits(self, reach: float) -> Interval:
        """Return the quantile between those whose levels are so far away."""
        n, low, high = len(self._sorted), self._q - reach, self._q + reach
        return Interval(
            self.at(self._q),
            self._sorted[math.floor(low * n) - 1] if low * n >= 1 else -math.inf,
            self._sorted[math.ceil(high * n)] if high * n <= n - 1 else math.inf,
        )

    def correlation(self, other: _Side) -> float:
        """Return how far both sides' sessions vary alike, -1 to 1."""
        mine, theirs = (math.fsum(it * it for it in side.departures) for side in (self, other))
        both = math.fsum(a * b for a, b in zip(self.departures, other.departures, strict=True))
        return both / math.sqrt(mine * theirs) if mine and theirs else 0.0


def _asked(question: Question, old: float, new: float) -> float:
    if question == "new":
        return new
    if question == "difference":
        return new - old
    return new / old - 1 if old > 0 else math.nan


def _at(figures: Sequence[float], level: float) -> float:
    return figures[min(max(math.ceil(level * len(figures)) - 1, 0), len(figures) - 1)] if figures else math.nan


def _recovered(old: Interval, new: Interval, hidden: Interval, correlation: float) -> Interval:
    value = new.value - old.value
    down = _combined(new.value - new.low, old.high - old.value, correlation)
    up = _combined(new.high - new.value, old.value - old.low, correlation)
    return Interval(
        value,
        value - math.hypot(down, hidden.value - hidden.low),
        value + math.hypot(up, hidden.high - hidden.value),
    )


def _combined(one: float, other: float, correlation: float) -> float:
    if math.isinf(one) or math.isinf(other):
        return math.inf
    return math.sqrt(max(one * one + other * other - 2 * correlation * one * other, 0.0))


def _as_ratio(old: Interval, new: Interval, hidden: Interval, correlation: float) -> Interval:
    if old.value <= 0 or new.value <= 0:
        return _NOTHING
    found = _recovered(_logarithms(old), _logarithms(new), _logarithms(hidden), correlation)
    return Interval(math.expm1(found.value), math.expm1(found.low), math.expm1(found.high))


def _logarithms(side: Interval) -> Interval:
    low = math.log(side.low) if side.low > 0 else -math.inf
    return Interval(math.log(side.value), low, math.log(side.high))
