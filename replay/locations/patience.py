"""A limit for regular expressions: a hostile body must not keep one busy for hours."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATTERN_SECONDS: Final = 0.25


@contextmanager
def limited(seconds: float = PATTERN_SECONDS) -> Iterator[None]:
    """Raise TimeoutError when a regular expression runs away: Python's matcher looks for signals while it works.

    Only where signals reach: the main thread of a POSIX system. Elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    # CPU time, so that a busy machine runs no pattern out of it; and no garbage is collected at the pattern's expense.
    before, collecting = signal.signal(signal.SIGVTALRM, _run_away), gc.isenabled()
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if collecting:
            gc.enable()


def _run_away(_number: int, _frame: object) -> None:
    raise TimeoutError
