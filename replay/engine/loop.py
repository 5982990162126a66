"""The event loop that cases are sent on."""

from __future__ import annotations

from asyncio import AbstractEventLoop, new_event_loop
from collections.abc import Callable


def event_loop() -> Callable[[], AbstractEventLoop]:
    """Return what makes the event loop: uvloop where there is one, Python's own on Windows."""
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return new_event_loop
    return uvloop.new_event_loop
