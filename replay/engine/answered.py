"""Cases that every side has answered, on their way to being compared: several in a row, and not each as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from replay.engine.pacing import AsRoomAllows, Pace
from replay.wire.clock import now_ns

_SLICE_NS: Final = 2_000_000
"""So long cases are compared between two looks for answers, or as long as one takes: in a row they cost less."""
_TIMED_SLICE_NS: Final = 200_000
"""The same where a timetable waits for the end of it."""


class Answered(Protocol):
    """A case that is to be compared."""

    def judge(self) -> None:
        """Compare what the sides said, and tell the result."""


class Comparing:
    """Has cases compared when the loop has looked for further answers.

    Comparing takes longer than reading: done at once, it would be counted as the latency of every answer that waits,
    where the system does not note arrivals. And what is begun in a row is sent in a row, which costs less.

    `around` is given what ends several cases, to do it.
    """

    def __init__(self, pace: Pace, around: Callable[[Callable[[], None]], None]) -> None:
        self._slice_ns = _SLICE_NS if isinstance(pace, AsRoomAllows) else _TIMED_SLICE_NS
        self._around = around
        self._waiting: deque[Answered] = deque()

    def add(self, answered: Answered) -> None:
        """Have a case compared later."""
        self._waiting.append(answered)
        if len(self._waiting) == 1:
            self._go_on_later()

    def _go_on_later(self) -> None:
        asyncio.get_running_loop().call_soon(self._around, self._judge_some)

    def _judge_some(self) -> None:
        until = now_ns() + self._slice_ns
        while self._waiting:
            self._waiting[0].judge()
            self._waiting.popleft()
            if now_ns() > until:
                break
        if self._waiting:
            self._go_on_later()
