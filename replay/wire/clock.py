"""The clock that measures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

# freezegun replaces time.monotonic and time.perf_counter, and leaves this one alone.
if sys.platform == "win32":  # pragma: no cover
    now_ns: Callable[[], int] = time.monotonic_ns
else:
    now_ns: Final[Callable[[], int]] = partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)
    """Return nanoseconds on the monotonic clock; only their difference means anything."""


def milliseconds(start_ns: int, end_ns: int) -> float:
    """Return the time from one reading of the clock to a later one; never negative."""
    return (end_ns - start_ns) / 1e6 if end_ns > start_ns else 0.0
