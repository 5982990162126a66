"""How far values are apart that were seen at one location, and the tolerance that would let that pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

_DURATIONS: Final = ((1, "1s"), (2, "2s"), (5, "5s"), (10, "10s"), (30, "30s"), (60, "1m"), (300, "5m"), (900, "15m"),
                     (3_600, "1h"))  # fmt: skip
_FAR: Final = 300
"""Exponents beyond which a number has no distance that anybody could want to tolerate."""
_NOWHERE: Final = Decimal("Infinity")


@dataclass(slots=True)
class Spread:
    """The largest distance between pairs of values, as numbers and as instants; infinite where some are none."""

    distance: Decimal = Decimal(0)
    least: Decimal = _NOWHERE
    """The smallest of the numbers, without its sign."""
    seconds: float = 0.0

    def add(self, old: Any, new: Any) -> None:
        """Take one pair in."""
        one, other = _number(old), _number(new)
        apart = abs(one - other) if one.is_finite() and other.is_finite() else _NOWHERE
        self.distance = max(self.distance, apart)
        self.least = min(self.least, abs(one), abs(other))
        self.seconds = max(self.seconds, _seconds_apart(old, new))

    def is_small(self, share: float) -> bool:
        """Tell whether all were numbers, at most this share of the smallest apart."""
        return 0 < self.distance <= Decimal(str(share)) * self.least < _NOWHERE

    @property
    def is_wide(self) -> bool:
        """Tell whether the numbers are as far apart as the smallest of them is from zero."""
        return self.least <= self.distance < _NOWHERE

    def tolerance(self, margin: int = 1) -> Decimal | str | None:
        """Return `margin` times the largest distance, rounded up: a duration or a number; None where there is none."""
        if 0 < self.seconds <= _DURATIONS[-1][0] / margin:
            return next(text for seconds, text in _DURATIONS if seconds >= margin * self.seconds)
        return rounded_up(margin * self.distance) if 0 < self.distance < _NOWHERE else None


def rounded_up(value: float | Decimal) -> Decimal:
    """Return a number with one significant digit that is no less: 0.0123 becomes 0.02."""
    exact = Decimal(str(value))
    step = Decimal(1).scaleb(exact.adjusted())
    rounded = (exact / step).to_integral_value(ROUND_CEILING) * step
    return Decimal(int(rounded)) if rounded == rounded.to_integral_value() else rounded.normalize()


def _number(value: Any) -> Decimal:
    """Return a JSON number; infinity for anything else, and for one that is out of all proportion."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _NOWHERE
    if isinstance(value, int) and abs(value).bit_length() > 3 * _FAR:
        return _NOWHERE
    number = Decimal(str(value))
    return +number if number.is_finite() and abs(number.adjusted()) <= _FAR else _NOWHERE


def _seconds_apart(old: Any, new: Any) -> float:
    """Return how far two texts are apart as instants; infinite where one is none."""
    one, other = _instant(old), _instant(new)
    if one is None or other is None or (one.tzinfo is None) != (other.tzinfo is None):
        return math.inf
    return abs((one - other).total_seconds())


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
