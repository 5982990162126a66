"""The signals that end a run, and who hears of them where no event loop does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from replay.errors import CutOffError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def cut_off(number: int, awaited: str, hint: str | None = None) -> CutOffError:
    """Return that a signal ended the run before anything was sent, and what was being waited for."""
    error = CutOffError(f"it was interrupted before anything was sent: {awaited}", hint=hint)
    error.exit_code = 128 + number
    return error


@contextmanager
def caught(catch: Callable[[int], None]) -> Iterator[None]:
    """Have signals call `catch`. Outside of the main thread, where nobody can have them, nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda caught, _frame: catch(caught)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
