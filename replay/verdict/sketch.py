"""Quantiles of a stream in kilobytes: logarithmic buckets with a promised relative error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil, exp, isfinite, log
from typing import Final

ERROR: Final = 0.005
"""A quantile is within this share of the value that really stands at its rank."""

_ROUNDING: Final = 1e-9
_GAMMA: Final = (1 + ERROR) / (1 - ERROR)
_LOG_GAMMA: Final = log(_GAMMA)


class Sketch:
    """Counts values by bucket: DDSketch (Masson, Rim and Lee, VLDB 2019) without its cap on buckets.

    Bucket i holds g^(i-1) < |x| <= g^i with g = (1 + e) / (1 - e), and answers 2g^i / (g + 1), which is within the
    relative error e of all of them. From a microsecond to a day in milliseconds that is at most 2,520 buckets.
    Sketches of parts, merged, are the sketch of the whole.
    """

    def __init__(self) -> None:
        self._positive: Counter[int] = Counter()
        self._negative: Counter[int] = Counter()
        self._zeros = 0
        self._n = 0

    @property
    def n(self) -> int:
        """Return how many values were added."""
        return self._n

    def add_all(self, values: Sequence[float]) -> None:
        """Count values of any finite size and sign. Raises ValueError for NaN and infinities, and then counts none."""
        if not all(map(isfinite, values)):
            raise ValueError("what is infinite, or no number, has no place among quantiles")
        self._n += len(values)
        self._positive.update([ceil(log(value) / _LOG_GAMMA) for value in values if value > 0])
        self._negative.update([ceil(log(-value) / _LOG_GAMMA) for value in values if value < 0])
        self._zeros += values.count(0)

    def merge(self, other: Sketch) -> None:
        """Take all values of another sketch in."""
        self._positive.update(other._positive)
        self._negative.update(other._negative)
        self._zeros += other._zeros
        self._n += other._n

    def quantile(self, q: float) -> float:
        """Return the value of rank ceil(q n), counted from 1, within the relative error.

        It is the least that at least the share q does not exceed, as everywhere here: p99 of a few is the largest.
        Raises ValueError for a q outside [0, 1], and where nothing was added.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"{q} is no quantile; it lies between 0 and 1")
        if not self._n:
            raise ValueError("no value was added")
        # Nearest rank; the little that is taken off is what multiplying may have added.
        rank = max(1, ceil(q * self._n - _ROUNDING)) - 1
        for sign, index, count in self._ascending():
            rank -= count
            if rank < 0:
                return sign * _middle(index)
        raise AssertionError("the buckets hold n values")

    def _ascending(self) -> Iterator[tuple[float, int, int]]:
        """Yield each bucket by its sign and number, and how many values it holds."""
        yield from ((-1.0, index, count) for index, count in sorted(self._negative.items(), reverse=True))
        yield 0.0, 0, self._zeros
        yield from ((1.0, index, count) for index, count in sorted(self._positive.items()))


def _middle(index: int) -> float:
    # By way of the logarithm: the power itself overflows for the largest doubles.
    return exp(min(index * _LOG_GAMMA + log(2 / (_GAMMA + 1)), _LARGEST))


_LARGEST: Final = log(1.797e308)
