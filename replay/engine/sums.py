"""What a walk over a run's results adds up, be it while they are handed over to be kept or once they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from replay.engine.closing import Tally
from replay.engine.plan import Plan
from replay.engine.versions import Versions
from replay.models import Result
from replay.store.base import Store
from replay.verdict import Judge
from replay.verdict.chunks import add_up
from replay.verdict.kpi_account import Accounts


@dataclass(frozen=True, slots=True)
class Sums:
    """The figures of a run, its criteria, and which versions its sides named."""

    tally: Tally
    judge: Judge
    versions: Versions

    @classmethod
    def of(cls, plan: Plan, *, watched: bool = False) -> Self:
        """Begin; `watched` is a run that may still grow."""
        judge = Judge(plan.criteria, plan.record.gate, watched=watched, begun=plan.record.started.date())
        return cls(Tally(kpis=Accounts(plan.referee.kpis.specs)), judge, Versions(plan.sides, plan.record.labels))

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results in, without secrets, as they are kept."""
        self.tally.add_all(results)
        self.versions.add_all(results)
        self.judge.add_all(results)


def added_up(plan: Plan, store: Store, reason: str, along: Sums | None) -> Sums:
    """Return what the stored results add up to; `reason` tells why the run did not complete, if so.

    `along` are sums of the results as they were handed over. They are taken where the store holds as many of each
    outcome: to read all of them again would cost a tenth of the run. In any other case, that is what is done.
    """
    if along is not None and not reason and along.tally.outcomes == store.outcomes(plan.record.id):
        return along
    # A run that was cut off may be gone on with, and is judged again then.
    sums = Sums.of(plan, watched=bool(reason))
    add_up(store.results(plan.record.id, bodies=False), sums)
    return sums
