"""Quantiles of latencies with intervals, of one side and of both compared, out of the tails of batches.

What is tested is not a quantile but its definition. If the p-quantile of a side is q, a share 1 - p of its cases is
slower than q. So for a supposed q, each batch says by how much it departs from that share, and over all batches
that is 0 on average. New's quantile is r times old's if there is a q such that both hold at once: of old beyond q, and
of new beyond r q. The two departures are tested together, by Hotelling's statistic over the batches (Annals of
Mathematical Statistics 2, 1931), at the q that fits best. With two conditions for one unknown this is the test of
overidentifying restrictions (Hansen, Econometrica 50, 1982, 1029-1054), which at the true r is distributed like one
squared normal variable; Student's t stands for it, since batches are few. The interval is every r that is not refused.

So pairs may be correlated, sides may differ in shape, and cases of one session may hang together: all of that is in how
batches vary. No density is estimated, and nothing is resampled.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice
from operator import mul, sub
from typing import Final, NamedTuple

from replay.verdict.statistics import beta_quantile, is_above, is_below
from replay.verdict.tails import LAST_PLACE, PLACES, STEP, Tail, Tails, Vector, latency_at, place_of

FEWEST_BATCHES: Final = 6
_LOST: Final = 2
"""Degrees of freedom that two means take."""
_FAR: Final = 1 << 17
_ALIKE: Final = 1e-9

Interval = tuple[float, float]
_Places = tuple[int, int]


@lru_cache(maxsize=1024)
def critical(batches: float, confidence: float) -> float:
    """Return the square of the two-sided quantile of Student's t for so many batches."""
    freedom = max(1.0, batches - _LOST)
    x = beta_quantile(confidence, 0.5, freedom / 2)
    return freedom * x / (1 - x) if x < 1 else math.inf


class Departure(NamedTuple):
    """By how many cases each batch departs from the share that should be slower; their sum, and that of squares."""

    batches: Vector
    total: float
    squares: float


def _one(x: Departure, batches: int) -> float:
    """Return the squared t of one condition."""
    return _centred(x.total * x.total, x.squares, batches) if x.squares else 0.0


def _two(x: Departure, y: Departure, batches: int) -> float:
    """Return Hotelling's statistic of two conditions."""
    both = sum(map(mul, x.batches, y.batches))
    determinant = x.squares * y.squares - both * both
    if determinant <= _ALIKE * x.squares * y.squares:
        return max(_one(x, batches), _one(y, batches))
    form = x.total * x.total * y.squares - 2 * x.total * y.total * both + y.total * y.total * x.squares
    return _centred(form, determinant, batches)


def _centred(part: float, whole: float, batches: int) -> float:
    """Turn a statistic about 0, which is at most the number of batches, into one about their mean."""
    about_zero = min(part / whole, batches * (1 - _ALIKE))
    return (batches - 1) * about_zero / (batches - about_zero)


class Plausible:
    """The places at which the p-quantile of a side may be, each with how far the batches depart from it."""

    def __init__(self, tail: Tail, p: float, limit: float) -> None:
        self._tail = tail
        self._due = [(1 - p) * size for size in tail.sizes]
        """How many cases of each batch are slower, if the quantile is where it is supposed to be."""
        self._limit = limit
        self._batches = sum(map(bool, tail.sizes))
        self._known: dict[int, Departure] = {}
        self.at = tail.quantile(p)
        low, below = self._outwards(-1)
        high, above = self._outwards(1)
        self.places = [*below, *above]
        self.reach = range(low + 1, high)
        """Where the quantile may be: further out, it can be even less."""

    def _outwards(self, step: int) -> tuple[int, list[int]]:
        """Return the first place on the way out at which the quantile cannot be, and those before it."""
        held: list[int] = []
        for place in self._tail.places(self.at, step):
            if _one(self.departure(place), self._batches) > self._limit:
                return place, held
            held.append(place)
        return step * _FAR, held

    def departure(self, place: int) -> Departure:
        """Return how far the batches depart from the quantile being at a place."""
        found = self._known.get(place)
        if found is None:
            x = list(map(sub, self._tail.above(min(place, LAST_PLACE)), self._due))
            found = self._known[place] = Departure(x, sum(x), sum(map(mul, x, x)))
        return found


class Quantiles:
    """How the p-quantiles of both sides stand to each other, out of the same cases."""

    def __init__(self, tails: Tails, p: float, confidence: float) -> None:
        limit = critical(tails.batches, confidence)
        self._limit = limit if tails.batches >= FEWEST_BATCHES else math.inf
        self._old = Plausible(tails.old, p, self._limit)
        self._new = Plausible(tails.new, p, self._limit)
        self._batches = sum(map(bool, tails.old.sizes))

    @property
    def sides(self) -> tuple[float, float]:
        """Return old's quantile and new's in milliseconds."""
        return latency_at(self._old.at), latency_at(self._new.at)

    @property
    def ratio(self) -> float:
        """Return new's quantile over old's."""
        return _over(*self.sides)

    @property
    def difference(self) -> float:
        """Return new's quantile less old's, in milliseconds."""
        return _less(*self.sides)

    def ratios(self) -> Interval:
        """Return between which ratios the true one lies; 0 and infinity where nothing is refused."""
        if math.inf in self.sides:
            return self._by_side(_over)
        at = self._new.at - self._old.at
        low = self._first_refused(lambda far: self._refuses_shift(at - far))
        high = self._first_refused(lambda far: self._refuses_shift(at + far))
        below = 0.0 if low is None else math.pow(STEP, (at - low) / PLACES)
        return below, (math.inf if high is None else math.pow(STEP, (at + high) / PLACES))

    def differences(self) -> Interval:
        """Return between which milliseconds the true difference lies; infinite where nothing is refused."""
        if math.inf in self.sides:
            return self._by_side(_less)
        at, unit = self.difference, self.sides[0] * (STEP - 1) / PLACES
        low = self._first_refused(lambda far: self._refuses_gap(at - far * unit))
        high = self._first_refused(lambda far: self._refuses_gap(at + far * unit))
        return (-math.inf if low is None else at - low * unit), (math.inf if high is None else at + high * unit)

    def _by_side(self, beside: Callable[[float, float], float]) -> Interval:
        """Return the interval where so many answers never came that a quantile is endless: each side by itself."""
        old, new = ([latency_at(place) for place in (each.at, *each.places)] for each in (self._old, self._new))
        return beside(max(old), min(new)), beside(min(old), max(new))

    def _first_refused(self, refuses: Callable[[int], bool]) -> int | None:
        """Return how far from the estimate the first place is that is refused; None where none is."""
        near, far = 0, PLACES
        if self._limit == math.inf:
            return None
        while not refuses(far):
            near, far = far, 2 * far
            if far > _FAR // 2:
                return None
        while far - near > 1:
            between = (near + far) // 2
            near, far = (near, between) if refuses(between) else (between, far)
        return far

    def _refuses_shift(self, shift: int) -> bool:
        by_old = ((place, place + shift) for place in self._old.places)
        by_new = ((place - shift, place) for place in self._new.places)
        return self._refuses(chain(by_old, by_new))

    def _refuses_gap(self, gap: float) -> bool:
        by_old = ((place, place_of(latency_at(place) + gap)) for place in self._old.places)
        by_new = ((place_of(latency_at(place) - gap), place) for place in self._new.places)
        return self._refuses(chain(by_old, by_new))

    def _refuses(self, pairs: Iterable[_Places]) -> bool:
        """Tell whether each of these pairs of places, old's and new's, is refused."""
        tried: set[_Places] = set()
        for pair in pairs:
            # Where one side alone refuses a place, both together do.
            if pair[0] in self._old.reach and pair[1] in self._new.reach and pair not in tried:
                if self._fits(*pair):
                    return False
                tried.add(pair)
        return True

    def _fits(self, old: int, new: int) -> bool:
        return _two(self._old.departure(old), self._new.departure(new), self._batches) <= self._limit


def _over(old: float, new: float) -> float:
    return math.inf if new == math.inf else new / old


def _less(old: float, new: float) -> float:
    return math.inf if new == math.inf else new - old


def side_interval(tail: Tail, p: float, confidence: float, effective: float) -> Interval:
    """Return between which milliseconds a side's quantile lies, by exact bounds for the share beyond it.

    `effective` is the number of independent cases that its cases are worth.
    """
    each, scale = (1 + confidence) / 2, effective / tail.n

    def beyond(place: int) -> float:
        return min(tail.slower(place) * scale, effective)

    at = tail.quantile(p)
    low = _first(tail.places(at, -1), lambda place: is_above(1 - p, beyond(place), effective, each))
    high = _first(tail.places(at, 1), lambda place: is_below(1 - p, beyond(place), effective, each))
    return (0.0 if low is None else latency_at(low)), (math.inf if high is None else latency_at(high))


def _first(places: Iterator[int], refused: Callable[[int], bool]) -> int | None:
    """Return the first place that is refused, where all that lie further out are refused too; None where none is."""
    step = 1
    while further := list(islice(places, step)):
        if refused(further[-1]):
            return further[bisect_left(further, True, key=refused)]
        step *= 2
    return None
