"""Being woken at a moment, as exactly as the system can: event loops count in milliseconds, and that is long."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final, Protocol

from replay.wire.clock import now_ns

_ABSOLUTE: Final = 1
_MONOTONIC: Final = 1
_SETTING: Final = struct.Struct("@4l")
_SHORTEST: Final = 0.001  # uvloop takes less for now
NS: Final = 1_000_000_000


class Alarm:
    """Calls `ring` at the moment to which it was set last, once. Belongs to the event loop on which it is set first."""

    def __init__(self, ring: Callable[[], None], make: MakeTimer | None = None) -> None:
        self._ring = ring
        self._make = make or finest
        self._timer: Timer | None = None
        self._at: int | None = None

    def set(self, at_ns: int) -> None:
        """Ring at a moment of the measuring clock; one that is past has it ring when everybody else had a turn."""
        if at_ns == self._at:
            return
        self._at = at_ns
        if self._timer is None:
            self._timer = self._make(self._rung)
        self._timer.set(at_ns)

    def close(self) -> None:
        """Ring no more, until it is set again."""
        self._at = None
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _rung(self) -> None:
        self._at = None
        self._ring()


class Timer(Protocol):
    """What an alarm is made of."""

    def set(self, at_ns: int) -> None:
        """Run out at this moment, and at no other that was set before."""

    def close(self) -> None:
        """Run out no more; it is not set again."""


MakeTimer = Callable[[Callable[[], None]], Timer]


def finest(ring: Callable[[], None]) -> Timer:
    """Return the finest timer that there is: where no file handle is left for the system's, the loop's."""
    system = _system()
    if system is not None and (descriptor := system.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)) >= 0:
        return _SystemTimer(system, descriptor, ring)
    return LoopTimer(ring)


@cache
def _system() -> ctypes.CDLL | None:
    """Return the C library where it has timers that an event loop can watch; Python knows them from 3.13 on only."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "timerfd_create") else None


class _SystemTimer:
    """A timer of Linux, which is exact to some microseconds."""

    def __init__(self, system: ctypes.CDLL, descriptor: int, ring: Callable[[], None]) -> None:
        self._set = system.timerfd_settime
        self._descriptor = descriptor
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def set(self, at_ns: int) -> None:
        # All zeros would put it out.
        setting = _SETTING.pack(0, 0, *divmod(max(at_ns, 1), NS))
        self._set(self._descriptor, _ABSOLUTE, setting, None)

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        with suppress(BlockingIOError):  # It was set anew since it ran out.
            os.read(self._descriptor, 8)
            self._ring()


class LoopTimer:
    """A timer of the event loop's, where the system has none that can be watched."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at_ns: int) -> None:
        """Run out at this moment, or some milliseconds later."""
        self.close()
        early = (at_ns - now_ns()) / NS
        seconds = max(early, _SHORTEST) if early > 0 else 0
        self._handle = asyncio.get_running_loop().call_later(seconds, self._run_out, at_ns)

    def close(self) -> None:
        """Run out no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run_out(self, at_ns: int) -> None:
        if now_ns() < at_ns:  # uvloop cuts milliseconds off
            self.set(at_ns)
        else:
            self._ring()
