"""The dual run: each case to old and new, in random order, under one instant and one seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from replay.engine.outcome import Referee, skipped
from replay.engine.pulse import Pulse
from replay.engine.schedule import scheduled
from replay.engine.sides import Parties, asked, refusal
from replay.errors import InputError, ReplayError
from replay.models import SIDES, Case, Observation, Result, Side
from replay.sampling import derive_seed
from replay.targets.base import Moment


@dataclass(slots=True)
class DualRun:
    """Sends cases to both sides and compares what comes back; one run, on one event loop.

    `instant` is for cases that bring none. `stop` ends the run early, from outside or when a side is gone;
    `ended_because` then says why.
    """

    sides: Parties
    referee: Referee
    seed: int
    instant: datetime
    concurrency: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended_because: str = ""
    exhausted: bool = False
    """Every case was taken from its source."""
    pulses: dict[Side, Pulse] = field(default_factory=lambda: {side: Pulse(side) for side in SIDES})

    @property
    def complete(self) -> bool:
        """Tell whether every case has its result."""
        return self.exhausted and not self.stop.is_set()

    def results(self, cases: Iterable[Case]) -> AsyncGenerator[Result, None]:
        """Yield the result of each case as it is finished."""
        return scheduled(cases, self._replay, concurrency=self.concurrency, stop=self.stop)

    def readable(self, cases: Iterable[Case]) -> Iterator[Case]:
        """Yield cases up to the first record that cannot be read: that one ends the run, and what was done stays."""
        try:
            yield from cases
            self.exhausted = True
        except InputError as error:
            self.end(error)

    def end(self, error: ReplayError) -> None:
        """End the run where it is, for a reason that its report then gives."""
        self.ended_because = f"{error.place}: {error.fact}" if error.place else error.fact
        self.exhausted = False

    async def _replay(self, case: Case) -> Result:
        reason = refusal(case, self.sides)
        if reason is not None:
            return skipped(case, reason)
        observed = await self._observe(case)
        return self.referee.result(case, observed.get("old"), observed["new"])

    async def _observe(self, case: Case) -> dict[Side, Observation]:
        seed = derive_seed(self.seed, case.identity)
        moment = Moment(case.freeze or self.instant, seed if case.seed is None else case.seed)
        # Who goes first is drawn for each case: a warm cache would favour the second.
        order = asked(case, self.sides)
        random.Random(seed).shuffle(order)  # noqa: S311 - a fair coin, not a secret
        seen: dict[Side, Observation] = {}
        for party in order:
            observation = await observed(party.target, case, moment)
            seen[party.side] = observation
            self._feel(party.side, case, observation)
        return seen

    def _feel(self, side: Side, case: Case, observation: Observation) -> None:
        pulse = self.pulses[side]
        pulse.feel(case, observation)
        if pulse.gone and not self.stop.is_set():
            self.ended_because = pulse.story
            self.stop.set()
