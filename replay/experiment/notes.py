"""What is told of an experiment and of none of its compared calls: a flag that raised, a breaker that opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from replay.experiment.calls import Call, Given, Setup, Sink
from replay.experiment.clock import wall_ns
from replay.experiment.drawing import drawn_id
from replay.experiment.reporting import hand_over

_EVERY_NS: Final = 1_000_000_000
_MOST_KINDS: Final = 100


class Notes:
    """Tells it as a call that nobody could judge, where the team looks; at most one of a kind in a second."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}

    def tell(self, setup: Setup, sinks: Sequence[Sink] | None, kind: str, text: str) -> None:
        """Hand a note over, unless one of its kind was within the last second. It neither waits nor raises."""
        now = wall_ns()
        if now - self._said.get(kind, -_EVERY_NS) < _EVERY_NS or len(self._said) >= _MOST_KINDS:
            return
        self._said[kind] = now
        nothing = Given()
        call = Call(
            setup, drawn_id(), time.time(), "old", "old", "unfit", nothing, nothing, reason=text, by_chance=True
        )
        hand_over(call, sinks)
