"""What every metric of a criterion looks like, and what it knows beside its clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from replay.models import WORST_FIRST, Judgement, KpiSpec, Result, VerdictState
from replay.verdict.watching import EXACT, Bounds


@dataclass(frozen=True, slots=True)
class Terms:
    """The names that criteria may use, since the settings define them, and by which bounds rates are judged."""

    groups: Mapping[str, bool] = field(default_factory=dict)
    """The groups, and whether each one is divided by a value."""
    kpis: Mapping[str, KpiSpec] = field(default_factory=dict)
    covering: tuple[str, ...] = ()
    """The cycles that days have to cover."""
    bounds: Bounds = EXACT


NO_TERMS: Final = Terms()


class Metric(Protocol):
    """Answers one clause over a stream of results, in memory that does not grow with the number of cases."""

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results in, in their order; whatever is no business of this metric is passed over.

        As many at once as are at hand: what is asked of each of them alone costs more than what is asked of all.
        """

    def judge(self, parts: int = 1) -> Judgement:
        """Answer the clause with its evidence so far; may be asked more than once.

        Where it is one of several `parts` that are judged side by side, it says NO-GO only with so much more
        confidence that all of them together are wrong no more often than one alone may be.
        """


def worst(states: Iterable[VerdictState]) -> VerdictState:
    """Return the state of several together: NO-GO by any of them, GO only where all are; none at all prove nothing."""
    return min(states, key=WORST_FIRST.index, default="INCONCLUSIVE")
