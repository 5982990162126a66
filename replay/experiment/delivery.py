"""Outcomes on their way to one sink: in its own thread, so that none that is slow or broken hurts another."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from replay.experiment.calls import Loss, Outcome, Sink
from replay.experiment.lanes import Lane
from replay.experiment.troubles import Troubles, told

MOST_OUTCOMES: Final = 10_000
MOST_BYTES: Final = 32 * 2**20
TOO_SLOW: Final = "the sink is slower than the calls come"


class Delivery:
    """Hands outcomes to a sink, and tells it of those that it was not handed, until it has taken note of them."""

    def __init__(self, sink: Sink, troubles: Troubles, *, forked: bool = False) -> None:
        """Take the sink; `forked` says that it may have been open in the process that this one was forked from."""
        self.sink = sink
        self._name = type(sink).__name__
        self._troubles = troubles
        self._forked = forked
        self._lock = threading.RLock()
        self._lost: Counter[tuple[str, str]] = Counter()
        self._called = False
        self.lane: Lane[Outcome | None] = Lane(self, f"replay-{self._name}", most=MOST_OUTCOMES, most_bytes=MOST_BYTES)

    def put(self, outcome: Outcome, size: int) -> None:
        """Let the sink have an outcome when its turn comes; where too many wait already, it is counted as lost."""
        if not self.lane.put(outcome, size):
            self.lose(outcome.experiment, TOO_SLOW)
            self._troubles.say(f"slow {self._name}", f"{self._name} is too slow: outcomes are lost on the way to it")

    def lose(self, experiment: str, reason: str, calls: int = 1) -> None:
        """Count calls that the sink is not handed."""
        with self._lock:
            self._lost[experiment, reason] += calls
        if not self._called:
            # Nothing else may ever come that would have the thread look.
            self._called = self.lane.put(None)

    def take(self, outcome: Outcome | None) -> None:
        """Hand one outcome over; None stands for losses that are to be told."""
        if outcome is None:
            self._called = False
            return
        try:
            self._begin()
            self.sink.take(outcome)
        except BaseException as error:  # noqa: BLE001 - whatever a sink raises, SystemExit too, ends here
            self.lose(outcome.experiment, f"{self._name} raised {type(error).__name__}")
            self._say(error)

    def settle(self) -> bool:
        """Tell the sink what it was not handed, and have it flush; tell whether it has to be asked again."""
        try:
            self._begin()
            self._confess()
            self.sink.flush()
        except BaseException as error:  # noqa: BLE001 - likewise
            self._say(error)
            return True
        return bool(self._lost or getattr(self.sink, "unwritten", False))

    def give_up(self, reason: str) -> None:
        """Count what still waits as lost: the process ends, and the sink may still learn of that."""
        for outcome in self.lane.emptied():
            if outcome is not None:
                self.lose(outcome.experiment, reason)

    def end(self) -> None:
        """Have the sink let go of everything."""
        try:
            self.sink.close()
        except BaseException as error:  # noqa: BLE001 - likewise
            self._say(error)

    def _begin(self) -> None:
        if self._forked:
            self.sink.forked()
            self._forked = False

    def _confess(self) -> None:
        """Tell the losses. What the sink does not take note of is told again: a verdict must not overlook it."""
        with self._lock:
            lost, self._lost = self._lost, Counter()
        for (experiment, reason), calls in lost.items():
            try:
                self.sink.lose(Loss(experiment, datetime.now(UTC), reason, calls))
            except BaseException as error:  # noqa: BLE001 - likewise
                with self._lock:
                    self._lost[experiment, reason] += calls
                self._say(error)

    def _say(self, error: BaseException) -> None:
        self._troubles.say(f"{self._name} {type(error).__name__}", f"{self._name} raised {told(error)}")
