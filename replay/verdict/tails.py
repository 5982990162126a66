"""Latencies of both sides in batches of whole sessions: the kilobytes from which quantiles get honest intervals.

Each case falls into one of 32 batches with its whole session; what was sent one after the other without a session goes
by eights, since a slow moment hits neighbours alike. Batches are independent whatever hangs together within one: a case
and its twin on the other side, the cases of a session. Sketches of parts, merged, are the sketch of the whole.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, cycle
from math import ceil, log
from operator import add
from typing import Final

from replay.models import Side
from replay.sampling import unit

BATCHES: Final = 32
NEIGHBOURS: Final = 8
"""Cases without a session that go into one batch, one after the other."""
STEP: Final = 1.005
"""How far the edges of neighbouring buckets lie apart."""
NEVER: Final = math.inf
"""The latency of an answer that did not come in time: slower than all that did."""
_LOG_STEP: Final = math.log(STEP)
_LEAST_MS: Final = 1e-3
_USUAL_MS: Final = 1e9
_BITS: Final = 13
_LAST: Final = (1 << _BITS) - 1
_LOWEST: Final = math.ceil(math.log(_LEAST_MS) / _LOG_STEP)
PLACES: Final = 4
"""Places in a bucket at which a quantile may be supposed: cases are taken to lie evenly in it."""
LAST_PLACE: Final = (_LAST - 1) * PLACES
"""Beyond it is only what never came."""
_RAW: Final = 32_768
"""Pairs that are kept as they are, at four bytes each, before they are counted by bucket."""

Vector = list[float]
"""A number of cases for each batch."""
_Rows = dict[int, "array[int]"]
"""A count for each batch, by bucket: four bytes each, since there are many."""
_NONE: Final = array("I", [0] * BATCHES)


def bucket(ms: float) -> int:
    """Return the number of the bucket, whose upper edge is the least not below a latency; the last one is endless."""
    if ms <= _LEAST_MS:
        return 0
    if ms == NEVER:
        return _LAST
    return min(ceil(log(ms) / _LOG_STEP) - _LOWEST, _LAST - 1)


def buckets(latencies: Iterable[float]) -> list[int]:
    """Return the number of each latency's bucket: those of usual size are not worth a call."""
    return [ceil(log(ms) / _LOG_STEP) - _LOWEST if _LEAST_MS < ms < _USUAL_MS else bucket(ms) for ms in latencies]


def latency_at(place: int) -> float:
    """Return the milliseconds at a place; the upper edge of a bucket is at `PLACES` times its number."""
    return NEVER if place > LAST_PLACE else math.exp((place / PLACES + _LOWEST) * _LOG_STEP)


def place_of(ms: float) -> int:
    """Return the place that is nearest to so many milliseconds."""
    if ms <= _LEAST_MS:
        return 0
    if ms == NEVER:
        return LAST_PLACE + PLACES
    return min(round((math.log(ms) / _LOG_STEP - _LOWEST) * PLACES), LAST_PLACE)


@lru_cache(maxsize=4096)
def _batch_of(session: str) -> int:
    return int(unit(session, "batch") * BATCHES)


class PairedLatencies:
    """Takes pairs of latencies in; `failed` ones of new's, which answered nothing that could be timed, apart."""

    def __init__(self) -> None:
        self._raw = array("I")
        self._old: _Rows = {}
        self._new: _Rows = {}
        self._beside_failed: _Rows = {}
        self._alone = cycle([number for number in range(BATCHES) for _ in range(NEIGHBOURS)])
        """The batches of what has no session."""

    def add_all(self, sessions: Iterable[str | None], old: Iterable[float], new: Iterable[float]) -> None:
        """Take pairs in, in milliseconds; NEVER for an answer that did not come in time."""
        pairs = zip(map(self._batch, sessions), buckets(old), buckets(new), strict=True)
        self._raw.extend([batch << 2 * _BITS | before << _BITS | after for batch, before, after in pairs])
        if len(self._raw) >= _RAW:
            self._rows()

    def add_failed(self, session: str | None, old: float) -> None:
        """Take in a case that new failed otherwise; `old` is 0 where old did so too."""
        batch = self._batch(session)
        _row(self._beside_failed, bucket(old))[batch] += 1

    def _batch(self, session: str | None) -> int:
        return next(self._alone) if session is None else _batch_of(session)

    @staticmethod
    def _count(raw: array[int], old: _Rows, new: _Rows) -> None:
        # First by batch and bucket together: many pairs, few of those.
        for mark, pairs in Counter([packed >> _BITS for packed in raw]).items():
            _row(old, mark & _LAST)[mark >> _BITS] += pairs
        for mark, pairs in Counter([packed >> 2 * _BITS << _BITS | packed & _LAST for packed in raw]).items():
            _row(new, mark & _LAST)[mark >> _BITS] += pairs

    def merge(self, other: PairedLatencies) -> None:
        """Take all pairs of another one in."""
        for mine, theirs in zip(self._rows(), other._counted(), strict=True):
            _take(mine, theirs)

    def _rows(self) -> tuple[_Rows, _Rows, _Rows]:
        self._count(self._raw, self._old, self._new)
        self._raw = array("I")
        return self._old, self._new, self._beside_failed

    def _counted(self) -> tuple[_Rows, _Rows, _Rows]:
        """Return all rows, without keeping those of raw pairs: they take more room than the pairs."""
        old, new = ({key: row[:] for key, row in rows.items()} for rows in (self._old, self._new))
        self._count(self._raw, old, new)
        return old, new, self._beside_failed

    def tails(self, *, strict: bool = False) -> Tails:
        """Return how many cases of each batch were slower than what. In a `strict` view what new failed is slowest."""
        old, new, beside_failed = self._counted()
        if strict:
            _take(old, beside_failed)
            for row in beside_failed.values():
                _take(new, {_LAST: row})
        return Tails(Tail(old), Tail(new))


def _row(rows: _Rows, key: int) -> array[int]:
    found = rows.get(key)
    if found is None:
        found = rows[key] = _NONE[:]
    return found


def _take(mine: _Rows, theirs: _Rows) -> None:
    for key, row in theirs.items():
        mine[key] = array("I", map(add, mine[key], row)) if key in mine else row[:]


class Tail:
    """How many cases of one side were slower than what, batch by batch."""

    def __init__(self, rows: _Rows) -> None:
        self._buckets = sorted(rows)
        slowest_first = accumulate((rows[key] for key in reversed(self._buckets)), _sum, initial=[0.0] * BATCHES)
        self._above = list(slowest_first)[::-1]
        self._totals = [sum(above) for above in self._above]
        self.sizes = self._above[0]
        self.n = int(self._totals[0])

    def above(self, place: int) -> Vector:
        """Return how many cases of each batch were slower than the latency at a place."""
        number, part = divmod(place, PLACES)
        index = bisect_right(self._buckets, number)
        if not part or index == len(self._buckets) or self._buckets[index] != number + 1:
            return self._above[index]
        share = part / PLACES
        edges = zip(self._above[index], self._above[index + 1], strict=True)
        return [before + share * (after - before) for before, after in edges]

    def slower(self, place: int) -> float:
        """Return how many cases in all were slower than the latency at a place."""
        return sum(self.above(place))

    def quantile(self, p: float) -> int:
        """Return the place of the value at rank ceil(p n), counted from 1. Raise ValueError where there is none."""
        if not self.n:
            raise ValueError("no value was added")
        allowed = self.n - max(1, math.ceil(p * self.n - 1e-9))
        low, high = 0, len(self._buckets) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._totals[middle + 1] <= allowed else (middle + 1, high)
        return self._buckets[low] * PLACES - (PLACES // 2) * (self._buckets[low] < _LAST)

    def places(self, near: int, step: int) -> Iterator[int]:
        """Yield the places between which there are cases, away from one; in a full bucket some within it too."""
        index = bisect_left(self._buckets, math.ceil(near / PLACES))
        for at in range(index, len(self._buckets)) if step > 0 else range(index - 1, -1, -1):
            first = PLACES if self._totals[at] - self._totals[at + 1] <= PLACES else 1
            inner = range(first, PLACES + 1)
            yield from ((self._buckets[at] - 1) * PLACES + part for part in (inner if step > 0 else reversed(inner)))
        if step < 0:
            yield (self._buckets[0] - 1) * PLACES


def _sum(one: Vector, other: Sequence[float]) -> Vector:
    return list(map(add, one, other))


@dataclass(frozen=True, slots=True)
class Tails:
    """Both sides of the same cases."""

    old: Tail
    new: Tail

    @property
    def n(self) -> int:
        """Return how many cases there are."""
        return self.old.n

    def of(self, side: Side) -> Tail:
        """Return one side."""
        return self.old if side == "old" else self.new

    @property
    def batches(self) -> float:
        """Return how many batches of equal size these are worth: (Σn)²/Σn²."""
        squares = sum(size * size for size in self.old.sizes)
        return self.n * self.n / squares if squares else 0.0
