"""Compared calls of which nothing is told: counted by experiment and reason, so that no verdict overlooks them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from replay.experiment.calls import Call, Setup, Sink

MOST_MISSED: Final = 10_000
UNHANDED: Final = "the call could not be handed over"

Missed = tuple[Setup, Sequence[Sink] | None]
"""Of which experiment a call was that could not even be handed over, and the sinks that miss it."""
Handed = tuple[Call | None, Sequence[Sink]]
"""What waits for the reporter's thread: a call for these sinks, or no call where they have had their last one."""
Tell = Callable[[Sink, str, str], None]


class Losses:
    """Counts losses in any thread, and tells each sink of those that it misses."""

    def __init__(self, tell: Tell) -> None:
        """Take what tells a sink of a loss, given the experiment's name and the reason."""
        self._tell = tell
        self._counting = threading.RLock()
        self._lost: Counter[tuple[str, str]] = Counter()
        self.missed: deque[Missed] = deque(maxlen=MOST_MISSED)
        """Calls for which not enough was left of memory or the stack: whoever comes next has them counted."""

    @property
    def counted(self) -> Mapping[tuple[str, str], int]:
        """Return how many calls were lost, by experiment and reason."""
        with self._counting:
            return dict(self._lost)

    def add(self, setup: Setup, reason: str, sinks: Sequence[Sink]) -> None:
        """Count one call that these sinks miss."""
        with self._counting:
            self._lost[setup.name, reason] += 1
        for sink in sinks:
            self._tell(sink, setup.name, reason)

    def add_all(self, left: Iterable[Handed], reason: str) -> None:
        """Count all calls that were handed over, and that nobody will examine any more."""
        for call, sinks in left:
            if call is not None:
                self.add(call.setup, reason, sinks)

    def add_missed(self, sinks: Sequence[Sink]) -> None:
        """Count what could not be counted when it was missed; these sinks miss what names none of its own."""
        while self.missed:
            try:
                missed = setup, own = self.missed.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                self.add(setup, UNHANDED, sinks if own is None else own)
            except BaseException:  # this, too, is a call for which the stack has no room
                self.missed.append(missed)
                raise
