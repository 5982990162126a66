"""One timer for all exchanges under way: each has its own deadline, and next to none of them ever needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from replay.wire.clock import now_ns
from replay.wire.exchange import Exchange

_SHORTEST: Final = 0.001  # uvloop counts in milliseconds


class Deadlines:
    """Exchanges under way, in the order in which they began; as all have the same time, it runs out in that order.

    `expire` is called once for each that is still under way when its deadline has passed. The timer is set for the
    oldest exchange, so that a fast run sets one timer per `seconds` and not one per exchange.
    """

    def __init__(self, seconds: float, expire: Callable[[Exchange], None]) -> None:
        self._nanoseconds = int(seconds * 1e9)
        self._expire = expire
        self._active: dict[Exchange, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, exchange: Exchange, now: int) -> None:
        """Give an exchange its deadline, counted from now."""
        exchange.deadline = now + self._nanoseconds
        self._active[exchange] = None
        if self._timer is None:
            self._set(exchange.deadline - now)

    def remove(self, exchange: Exchange) -> None:
        """Forget an exchange that is over."""
        self._active.pop(exchange, None)

    def active(self) -> list[Exchange]:
        """Return the exchanges under way, the oldest first."""
        return list(self._active)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, nanoseconds: int) -> None:
        seconds = max(nanoseconds / 1e9, _SHORTEST)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = now_ns()
        while (oldest := next(iter(self._active), None)) is not None and oldest.deadline <= now:
            self.remove(oldest)
            self._expire(oldest)
        if oldest is not None and self._timer is None:
            self._set(oldest.deadline - now)
