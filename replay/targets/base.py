"""What every target looks like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from replay.models import Case, Observation


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant and the seed under which both sides see a case; no instant leaves the clock alone."""

    instant: datetime | None
    seed: int


class Target(Protocol):
    """What stands behind a side. One target serves one side of one run, on one event loop."""

    @property
    def name(self) -> str:
        """Return the target as reports print it; never with credentials."""

    @property
    def kind(self) -> Literal["live", "started", "recorded"]:
        """Return whether it lives elsewhere, was started by this tool, or only holds recorded answers."""

    async def start(self) -> None:
        """Make ready to send. Raise TargetError where that is impossible."""

    async def send(self, case: Case, moment: Moment) -> Observation:
        """Send one case. Whatever the side does wrong is in the observation; only programming errors are raised."""

    async def close(self) -> None:
        """Let go of connections and processes; never raises, and may be called twice."""
