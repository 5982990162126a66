"""The clocks that measure a side: frozen time leaves both alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

wall_ns: Final[Callable[[], int]] = (
    partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC) if hasattr(time, "clock_gettime_ns") else time.monotonic_ns
)
"""Return nanoseconds on the monotonic clock; only their difference means anything."""

cpu_ns: Final[Callable[[], int]] = (
    partial(time.clock_gettime_ns, time.CLOCK_THREAD_CPUTIME_ID)
    if hasattr(time, "CLOCK_THREAD_CPUTIME_ID")
    else time.process_time_ns
)
"""Return nanoseconds of CPU that this thread has taken."""
