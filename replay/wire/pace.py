"""So many exchanges in a time, evenly spaced: a side's own limit, which nothing that goes there gets around."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from replay.wire.alarm import Alarm
from replay.wire.clock import now_ns
from replay.wire.exchange import Exchange

_SLACK_NS: Final = 20_000_000
"""How far behind the deadlines may fall and still be caught up with. A loop that stood still must not send a burst."""


class Pace:
    """Lets exchanges go in the order in which they came, `rate` a second, by absolute deadlines.

    Rest earns nothing: after a pause the first goes at once, and the next an interval later. `go` is called with each
    exchange and the time; a timer that comes late shifts no deadline unless it comes later than 20 ms.
    """

    def __init__(self, rate: float, go: Callable[[Exchange, int], None]) -> None:
        self._interval = 1e9 / rate
        self._go = go
        self._due = 0.0
        self._held: deque[Exchange] = deque()
        self._alarm = Alarm(self._sweep)

    def add(self, exchange: Exchange) -> None:
        """Let an exchange go at its turn, which may be now."""
        now = now_ns()
        if self._held or now < self._due:
            self._held.append(exchange)
            self._alarm.set(int(self._due))
        else:
            self._due = now + self._interval
            self._go(exchange, now)

    def drop(self, exchange: Exchange) -> bool:
        """Forget an exchange that still waits; tell whether it did. Its turn is the next one's."""
        if exchange not in self._held:
            return False
        self._held.remove(exchange)
        return True

    def close(self) -> list[Exchange]:
        """Let nothing go any more, and return those that still wait."""
        self._alarm.close()
        held, self._held = list(self._held), deque()
        return held

    def _sweep(self) -> None:
        now = now_ns()
        self._due = max(self._due, now - _SLACK_NS)
        while self._held and self._due <= now:
            self._due += self._interval
            self._go(self._held.popleft(), now)
        if self._held:
            self._alarm.set(int(self._due))
