"""What every target looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from replay.models import Case, Done, Failed, Headers, Observation, Seeded


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant and the seed under which both sides see a case; no instant leaves the clock alone."""

    instant: datetime | None
    seed: int
    tick: bool = False
    """The clock runs on from the instant, instead of standing still."""
    also: tuple[Seeded, ...] = ()
    """What is seeded besides `random` and NumPy."""
    goes_on: bool = False
    """It is a further step of a scenario, which needs the state that the earlier ones left."""
    headers: dict[tuple[str, str], Headers] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What a URL is told of it, by the case's id and correlation id: made for one side, and sent to the other too."""


class Target(Protocol):
    """What stands behind a side. One target serves one side of one run, on one event loop."""

    @property
    def name(self) -> str:
        """Return the target as reports print it; never with credentials."""

    @property
    def kind(self) -> Literal["live", "started", "recorded"]:
        """Return whether it lives elsewhere, was started by this tool, or only holds recorded answers."""

    @property
    def clock_note(self) -> str:
        """Return why a side that answers does so at another instant than its case's; empty where nothing is known."""

    async def start(self) -> None:
        """Make ready to send. Raise TargetError where that is impossible."""

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case; `done` is called once with what the side did, and whatever it did wrong is in there.

        `failed` is called instead for what is no side's doing; so is this call allowed to raise. Either may be called
        before this returns. Once the target is closed, neither need be.
        """

    def secrets(self) -> frozenset[str]:
        """Return what it was given while it ran, such as a token, that a service may repeat and nothing may store."""

    async def close(self) -> None:
        """Let go of connections and processes; never raises, and may be called twice."""


class Around:
    """A target that wraps another one, and may change what is sent to it; all else is the other one's."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def kind(self) -> Literal["live", "started", "recorded"]:
        """Return the kind of what stands behind."""
        return self._target.kind

    @property
    def clock_note(self) -> str:
        """Return what is known of the clock of what stands behind."""
        return self._target.clock_note

    async def start(self) -> None:
        """Make ready to send."""
        await self._target.start()

    def secrets(self) -> frozenset[str]:
        """Return what was given while it ran."""
        return self._target.secrets()

    async def close(self) -> None:
        """Let go of what stands behind."""
        await self._target.close()


async def observed(target: Target, case: Case, moment: Moment) -> Observation:
    """Send one case and wait for what comes back. Raises what is no side's doing."""
    outcome: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()
    target.begin(case, moment, outcome.set_result, outcome.set_exception)
    return await outcome


class Errands:
    """Coroutines under way, each of which makes one observation, for targets that are written as such."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Observation]] = set()

    def begin(self, errand: Coroutine[None, None, Observation], done: Done, failed: Failed) -> None:
        """Carry one out, and hand on what comes of it."""
        task = asyncio.get_running_loop().create_task(errand)
        self._tasks.add(task)

        def ended(task: asyncio.Task[Observation]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                return
            error = task.exception()
            if error is None:
                done(task.result())
            else:
                failed(error)

        task.add_done_callback(ended)

    async def close(self) -> None:
        """Cancel those that are still under way; nobody is told."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
