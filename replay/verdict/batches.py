"""Means, sums and their ratios over pairs of figures, with intervals that take whole sessions as their units.

Every session falls into one of 1,024 batches by its hash, a case without session by its own identity. How far the
batches depart from the whole shows how much sessions vary, however their cases depend on each other: this is the
random group estimator of the variance of a linearised statistic (K. M. Wolter, Introduction to Variance Estimation,
2nd ed. 2007, chapters 2 and 6), in memory that does not grow.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

from replay.models import Result
from replay.verdict.samples import Sizes
from replay.verdict.statistics import beta_quantile, upper_bound

BATCHES: Final = 1024

Question = Literal["difference", "ratio", "new"]
"""What is asked of pairs of figures: new less old, new over old less 1, or new alone."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and the bounds that hold its true value; infinite where nothing bounds it."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """Return it in another unit; `factor` is above 0."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


_UNBOUNDED: Final = Interval(math.nan, -math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class _Spread:
    """How far batches depart from the whole: kept, since whoever asks for more cases asks again and again."""

    value: float
    whole: float
    """What the sums are divided by."""
    worth: float
    """How many batches of one size these are worth."""
    error: float
    skew: float


def batch_of(result: Result) -> int:
    """Return the batch of a result's session."""
    key = result.case.session if result.case.session is not None else result.case.origin
    return int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=4).digest(), "big") % BATCHES


class Batches:
    """Sums of both sides' figures by batch."""

    def __init__(self) -> None:
        self.sizes = Sizes()
        self._n = _zeros()
        self._old = _zeros()
        self._new = _zeros()
        self._squares = self._magnitudes = 0.0
        self._spreads: dict[Question, _Spread] = {}

    @property
    def n(self) -> int:
        """Return how many pairs were added."""
        return self.sizes.total

    @property
    def scale(self) -> float:
        """Return what a figure is worth where it is not 0: Σx²/Σ|x| over both sides, 1 for what holds or does not."""
        return self._squares / self._magnitudes if self._magnitudes else 0.0

    def add(self, batch: int, session: str | None, old: float, new: float) -> None:
        """Take in the figures of one case, of a session."""
        self._spreads.clear()
        self.sizes.add(session)
        self._n[batch] += 1
        self._old[batch] += old
        self._new[batch] += new
        self._squares += old * old + new * new
        self._magnitudes += abs(old) + abs(new)

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked, and its two-sided interval, as it would be with `growth` times the sessions.

        Never narrower than what may have escaped: with `confidence`, no larger share of cases than `unseen` is of a
        kind that none of them showed, and each of those may gain or lose a whole figure. Else a few cases that
        happen to agree would prove anything.
        """
        if not self.n:
            return _UNBOUNDED
        if (spread := self._spreads.get(question)) is None:
            spread = self._spreads[question] = self._spread(question)
        if spread.whole <= 0:
            return _UNBOUNDED
        if spread.worth <= 2:  # noqa: PLR2004 - one batch varies by nothing
            return Interval(spread.value, -math.inf, math.inf)
        reach = math.hypot(
            student(confidence, spread.worth * growth - 1) * spread.error / math.sqrt(growth),
            self.unseen(confidence, growth) * self.n / spread.whole,
        )
        skew = spread.skew / growth
        return Interval(spread.value, spread.value + min(skew, 0.0) - reach, spread.value + max(skew, 0.0) + reach)

    def unseen(self, confidence: float, growth: float = 1.0) -> float:
        """Return how much a case that none of these is like may change the mean."""
        return upper_bound(0, self.sizes.effective() * growth, confidence) * self.scale

    def _spread(self, question: Question) -> _Spread:
        value, old_weight, each, whole = self._linear(question)
        departures = [
            new - old_weight * old - each * n for n, old, new in zip(self._n, self._old, self._new, strict=True)
        ]
        squares, worth = math.fsum(it * it for it in departures), self._worth()
        if whole <= 0 or worth <= 1:
            return _Spread(value, whole, worth, 0.0, 0.0)
        error = math.sqrt(squares * worth / (worth - 1)) / whole
        skew = math.fsum(it**3 for it in departures) / (6 * squares) / whole if squares else 0.0
        return _Spread(value, whole, worth, error, skew)

    def _linear(self, question: Question) -> tuple[float, float, float, float]:
        """Return the value, the weight of old in each batch's departure, what each case adds, and what divides it."""
        n, old, new = float(self.n), math.fsum(self._old), math.fsum(self._new)
        if question == "difference":
            return (new - old) / n, 1.0, (new - old) / n, n
        if question == "new":
            return new / n, 0.0, new / n, n
        # A ratio to nothing, or to a debt, says nothing.
        return (new / old - 1, new / old, 0.0, old) if old > 0 else (math.nan, 0.0, 0.0, 0.0)

    def _worth(self) -> float:
        return (total := math.fsum(self._n)) * total / math.fsum(n * n for n in self._n)


def student(confidence: float, freedom: float) -> float:
    """Return the t that a Student variable exceeds in either direction with probability 1 - confidence."""
    x = beta_quantile(1 - confidence, freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - x) / x) if x > 0 else math.inf


def _zeros() -> array[float]:
    return array("d", bytes(8 * BATCHES))
