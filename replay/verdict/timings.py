"""Which latencies of a run say something of its sides: those of the same cases, and of connections that were open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from replay.models import Observation, Result
from replay.verdict.samples import Sizes
from replay.verdict.sketch import Sketch
from replay.verdict.tails import NEVER, PairedLatencies, Tails
from replay.verdict.wording import cases

_LATE_AT: Final = 0.95


class Timed(NamedTuple):
    """The latencies of one case, and whether a side opened a connection for it."""

    old: float
    new: float
    opened: bool


@dataclass(slots=True)
class Exchanges:
    """Pairs of one kind, and what they are worth."""

    pairs: PairedLatencies = field(default_factory=PairedLatencies)
    sizes: Sizes = field(default_factory=Sizes)

    def add(self, session: str | None, old: float, new: float) -> None:
        """Take a pair of latencies in."""
        self.pairs.add(session, old, new)
        self.sizes.add(session)


class Timings:
    """Takes the latencies of the traffic in; goldens are judged apart.

    The first exchange on a connection is slower than those that follow, and which case meets it is chance: cases for
    which a side opened one are kept apart. They stand in only where they are the most, since connections are not kept.
    """

    def __init__(self) -> None:
        self._steady = Exchanges()
        self._opening = Exchanges()
        self._late = Sketch()
        self.failed = 0
        """Cases that new failed, or both sides did: for GO they are the slowest of all."""
        self.old_failed = 0
        self.untimed = 0
        self.recorded = 0
        """Pairs of which old's latency was recorded elsewhere."""

    def add(self, result: Result) -> Timed | None:
        """Take a result in and return its latencies; whatever says nothing of them is counted at most."""
        if result.case.kind == "golden" or result.outcome == "skipped":
            return None
        old, new = latency_of(result.old), latency_of(result.new)
        session = result.case.session
        if result.lateness is not None:
            self._late.add(result.lateness.late_ms)
        if new_failed(result):
            self._add_failed(session, 0.0 if old is None or result.outcome == "both_error" else old)
        elif result.outcome == "old_error" and old != NEVER:
            self.old_failed += 1
        elif old is None or new is None:
            self.untimed += 1
        else:
            self.recorded += is_recorded(result)
            is_opening = opened(result.old) or opened(result.new)
            (self._opening if is_opening else self._steady).add(session, old, new)
            return Timed(old, new, is_opening)
        return None

    def _add_failed(self, session: str | None, old: float) -> None:
        self.failed += 1
        for kind in (self._steady, self._opening):
            kind.pairs.add_failed(session, old)

    @property
    def judged(self) -> Exchanges:
        """Return the pairs that are judged."""
        return self._opening if self.opened_all else self._steady

    @property
    def opened_all(self) -> bool:
        """Tell whether most cases opened a connection, so that those are judged."""
        return self._opening.sizes.total > self._steady.sizes.total

    @property
    def left_out(self) -> int:
        """Return how many pairs are not judged, because of their connections."""
        return (self._steady if self.opened_all else self._opening).sizes.total

    def tails(self, *, strict: bool = False) -> Tails:
        """Return what is judged; in a `strict` view what new failed is the slowest."""
        return self.judged.pairs.tails(strict=strict)

    @property
    def late_ms(self) -> float | None:
        """Return how late the latest twentieth of the cases was begun at least; None without a timetable."""
        return self._late.quantile(_LATE_AT) if self._late.n else None

    def remarks(self) -> list[str]:
        """Return what is in no figure, or stands for something else."""
        remarks = []
        if self.opened_all:
            remarks.append("most cases opened a connection of their own, so those are judged")
        if self.left_out:
            kind = "used an open connection" if self.opened_all else "opened a connection"
            remarks.append(f"left out: {cases(self.left_out)} that {kind}")
        if self.failed:
            remarks.append(f"slowest of all for GO: {cases(self.failed)} that new failed")
        if self.old_failed:
            remarks.append(f"left out: {cases(self.old_failed)} that old failed")
        if self.untimed:
            remarks.append(f"left out: {cases(self.untimed)} without a latency on both sides")
        return remarks


def latency_of(observation: Observation | None) -> float | None:
    """Return an answer's latency in milliseconds; NEVER where it did not come in time; None where there is none."""
    if observation is None:
        return None
    if observation.error is not None:
        return NEVER if observation.error.kind == "timeout" else None
    timing = observation.timing
    return timing.latency_ms if timing is not None and math.isfinite(timing.latency_ms) else None


def new_failed(result: Result) -> bool:
    """Tell whether new gave nothing that could be timed; that it took too long is a latency."""
    if result.outcome == "both_error":
        return True
    return result.outcome == "new_error" and latency_of(result.new) != NEVER


def is_recorded(result: Result) -> bool:
    """Tell whether old's latency is the one that was captured."""
    recorded = result.case.recorded
    return (
        recorded is not None
        and result.old is not None
        and recorded.timing is not None
        and recorded.timing == result.old.timing
    )


def opened(observation: Observation | None) -> bool:
    """Tell whether a connection was opened for an answer."""
    return observation is not None and observation.timing is not None and observation.timing.connect_ms is not None
