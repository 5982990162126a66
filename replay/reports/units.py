"""In what latencies are told: milliseconds, or microseconds where those would all be a few hundredths of one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_FEW_MS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of time, and how many of it a millisecond has."""

    name: str
    per_ms: int

    def of(self, milliseconds: float) -> float:
        """Return so many milliseconds in this unit."""
        return milliseconds * self.per_ms


MILLISECONDS: Final = Unit("ms", 1)
MICROSECONDS: Final = Unit("us", 1000)


def unit_of(latencies_ms: Iterable[float]) -> Unit:
    """Return the unit in which to tell latencies that are read together: functions take less than services."""
    known = [each for each in latencies_ms if math.isfinite(each)]
    return MICROSECONDS if known and 0 < max(known) < _FEW_MS else MILLISECONDS
