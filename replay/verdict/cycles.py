"""The cycles of a business that days have to cover: what is quiet on Sunday may break at the end of a month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

_SATURDAY: Final = 5
_LONGEST: Final = 62
"""Days within which every cycle comes round."""

CYCLES: Final[Mapping[str, Callable[[date], bool]]] = {
    "weekday": lambda day: day.weekday() < _SATURDAY,
    "weekend": lambda day: day.weekday() >= _SATURDAY,
    "month-end": lambda day: (day + timedelta(days=1)).day == 1,
}
"""From a cycle to what tells whether a day, in UTC, belongs to it."""


def next_of(cycle: str, after: date) -> date:
    """Return the first day of a cycle after a day."""
    days = (after + timedelta(days=count) for count in range(1, _LONGEST))
    return next(day for day in days if CYCLES[cycle](day))
