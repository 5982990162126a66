"""The clock that measures."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

# freezegun replaces time.monotonic and time.perf_counter, and leaves this one alone.
if sys.platform == "win32":  # pragma: no cover
    now_ns = time.monotonic_ns
else:

    def now_ns() -> int:
        """Return nanoseconds on the monotonic clock; only their difference means anything."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def milliseconds(start_ns: int, end_ns: int) -> float:
    """Return the time from one reading of the clock to a later one; never negative."""
    return max(0, end_ns - start_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an exchange has to be over: `at` on the loop's clock, which is `seconds` after it began."""

    at: float
    seconds: float
