"""Which latencies of a run say something of its sides: those of the same cases, and of connections that were open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite
from typing import Final

from replay.models import Case, Observation, Result
from replay.verdict.samples import Sizes
from replay.verdict.sketch import Sketch
from replay.verdict.tails import NEVER, PairedLatencies, Tails
from replay.verdict.wording import cases

_LATE_AT: Final = 0.95


Timed = tuple[Case, float, float, bool]
"""A case, both sides' latencies, and whether a side opened a connection for it."""


@dataclass(slots=True)
class Exchanges:
    """Pairs of one kind, and what they are worth."""

    pairs: PairedLatencies = field(default_factory=PairedLatencies)
    sizes: Sizes = field(default_factory=Sizes)

    def add_all(self, timed: Sequence[Timed]) -> None:
        """Take pairs of latencies in."""
        sessions = [case.session for case, _, _, _ in timed]
        self.pairs.add_all(sessions, [old for _, old, _, _ in timed], [new for _, _, new, _ in timed])
        self.sizes.add_all(sessions)


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

    def add_all(self, results: Iterable[Result]) -> list[Timed]:
        """Take results in and return the latencies of both sides; what says nothing of them is counted at most."""
        sent = [each for each in results if each.case.kind != "golden" and each.outcome != "skipped"]
        self._late.add_all([each.lateness.late_ms for each in sent if each.lateness is not None])
        timed: list[Timed] = []
        # In their order: neighbours belong together, also where new failed some of them.
        for failed, several in groupby(sent, new_failed):
            if failed:
                self._add_failed(several)
            else:
                timed += self._add_answered(list(several))
        return timed

    def _add_failed(self, results: Iterable[Result]) -> None:
        for result in results:
            self.failed += 1
            old = None if result.outcome == "both_error" else latency_of(result.old)
            for kind in (self._steady, self._opening):
                kind.pairs.add_failed(result.case.session, 0.0 if old is None else old)

    def _add_answered(self, results: Sequence[Result]) -> list[Timed]:
        good = [each for each in results if each.outcome != "old_error" or latency_of(each.old) == NEVER]
        told = [(each, latency_of(each.old), latency_of(each.new)) for each in good]
        both = [(each, old, new) for each, old, new in told if old is not None and new is not None]
        self.old_failed += len(results) - len(good)
        self.untimed += len(good) - len(both)
        self.recorded += sum([is_recorded(each) for each, _, _ in both if each.case.recorded is not None])
        timed = [(each.case, old, new, opened(each.old) or opened(each.new)) for each, old, new in both]
        self._steady.add_all([each for each in timed if not each[-1]])
        self._opening.add_all([each for each in timed if each[-1]])
        return timed

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
    return timing.latency_ms if timing is not None and isfinite(timing.latency_ms) else None


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
