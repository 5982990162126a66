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
LARGE: Final = 2**16
"""Of a body of so many bytes a socket may not hold all unread: who compares meanwhile keeps its service waiting."""
_PATIENCE: Final = 0.1
"""Seconds for which large answers wait for those still on their way; one that takes longer loses less by it."""


class Answered(Protocol):
    """A case that is to be compared."""

    @property
    def large(self) -> bool:
        """Tell whether an answer has a body of LARGE bytes or more."""

    def judge(self) -> None:
        """Compare what the sides said, and tell the result."""


class Comparing:
    """Has cases compared when the loop has looked for further answers.

    Comparing takes longer than reading: done at once, it would be counted as the latency of every answer that waits,
    where the system does not note arrivals. And what is begun in a row is sent in a row, which costs less.

    Where answers are large, all under way are awaited, then all compared, and only then others begun: of a body
    that does not fit into a socket, the rest is not even sent while nobody reads. On a timetable nothing waits so.

    `around` is given what ends several cases, which returns whether others may begin now. `under_way` tells how many
    cases were begun and have not ended.
    """

    def __init__(self, pace: Pace, around: Callable[[Callable[[], bool]], None], under_way: Callable[[], int]) -> None:
        self._timed = not isinstance(pace, AsRoomAllows)
        self._slice_ns = _TIMED_SLICE_NS if self._timed else _SLICE_NS
        self._around = around
        self._under_way = under_way
        self._waiting: deque[Answered] = deque()
        self._large = self._going = False
        self._patience: asyncio.TimerHandle | None = None

    def add(self, answered: Answered) -> None:
        """Have a case compared later."""
        self._waiting.append(answered)
        if self._going:
            return
        self._large = self._large or (answered.large and not self._timed)
        if not self._large or len(self._waiting) >= self._under_way():
            self._go_on()
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE, self._go_on)

    def _go_on(self) -> None:
        self._going = True
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        asyncio.get_running_loop().call_soon(self._around, self._judge_some)

    def _judge_some(self) -> bool:
        until = now_ns() + self._slice_ns
        while self._waiting:
            self._waiting[0].judge()
            self._waiting.popleft()
            if now_ns() > until:
                break
        if self._waiting:
            self._go_on()
            return not self._large
        self._going = self._large = False
        return True
