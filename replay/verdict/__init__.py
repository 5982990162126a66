"""Streams of results in, one verdict out. A new metric is one file and one line in METRICS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from replay.errors import CriterionError
from replay.models import Judgement, Result
from replay.verdict.base import NO_TERMS, Metric, Terms
from replay.verdict.categories import category
from replay.verdict.clauses import Clause, nearest, unmoving
from replay.verdict.criteria import parse
from replay.verdict.deviation import deviation
from replay.verdict.failures import availability, errors, timeouts
from replay.verdict.goldens import goldens_pass
from replay.verdict.judge import Judge
from replay.verdict.kpi import kpi
from replay.verdict.latency import QUANTILES, latency
from replay.verdict.rankings import rank
from replay.verdict.scopes import scoped
from replay.verdict.spans import Inquiry, OverRun, Spanned, Stretch, confidence_of
from replay.verdict.watching import WATCHED

__all__ = [
    "METRICS",
    "NO_TERMS",
    "Criterion",
    "Judge",
    "Metric",
    "Terms",
    "default_criteria",
    "gate_sentences",
    "named_groups",
    "parse_criteria",
]

METRICS: Final[Mapping[str, Callable[[Clause, Terms], Metric]]] = {
    "goldens": goldens_pass,
    "deviation": deviation,
    "errors": errors,
    "timeouts": timeouts,
    "availability": availability,
    "category": category,
    "kpi": kpi,
    **dict.fromkeys(QUANTILES, latency),
    "rank": rank,
}

WATCHABLE: Final = frozenset({"goldens", "deviation", "errors", "timeouts", "availability"})
"""The families that can be judged at every look at a sample that grows; the others are left open until it is whole."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One sentence that must hold, parsed and known to make sense."""

    clause: Clause
    terms: Terms = NO_TERMS

    @property
    def sentence(self) -> str:
        """Return the criterion as reports print it, with the cycles that the settings have its days cover.

        It is read again from what is stored.
        """
        more = [cycle for cycle in self.cycles if cycle not in self.clause.cycles]
        return " covering ".join([self.clause.text, *([" ".join(more)] if more else [])])

    @property
    def cycles(self) -> tuple[str, ...]:
        """Return the cycles that its days have to cover; none where it spans no days."""
        if self.clause.span is None or self.clause.span.unit != "days":
            return ()
        return tuple(dict.fromkeys((*self.clause.cycles, *self.terms.covering)))

    def inquiry(self, begun: date, *, watched: bool = False, looked: bool = False) -> Inquiry:
        """Return what answers it over a run that was `begun` on a day, and over the runs before if it spans any."""
        span = self.clause.span
        if span is None:
            return OverRun(self.metric(watched=watched, looked=looked))
        inner = replace(self.clause, span=None, confidence=confidence_of(span, self.clause.confidence))
        each = replace(self, clause=inner)
        stretch = Stretch(self.sentence, self.clause, span, self.cycles)
        return Spanned(
            stretch, lambda grows: each.metric(watched=grows, looked=looked), begun, growing=looked and watched
        )

    def metric(self, *, watched: bool = False, looked: bool = False) -> Metric:
        """Return a fresh metric that answers this criterion, `watched` over a sample that is looked at as it grows.

        One that was `looked` at while it grew is whole by now: its bounds have to hold all the same.
        """
        terms = replace(self.terms, bounds=WATCHED) if watched or looked else self.terms
        make = partial(METRICS[self.clause.family], self.clause, terms)
        make()  # It refuses what it cannot judge, also where no part of the cases would ask for one.
        metric = scoped(self.clause, make)
        return metric if self.clause.family in WATCHABLE or not watched else Withheld(metric)

    @property
    def groups(self) -> frozenset[str]:
        """Return the groups that it names: whether a case belongs to one is found when it is sent."""
        scope, per = self.clause.scope, self.clause.per
        on = {scope.text} if scope is not None and scope.kind == "group" else set()
        return frozenset(on if per in (None, "route") else on | {str(per)})


def named_groups(criteria: Sequence[Criterion]) -> frozenset[str]:
    """Return the groups that any of the criteria names."""
    return frozenset().union(*(criterion.groups for criterion in criteria))


def parse_criteria(sentences: Sequence[str], terms: Terms = NO_TERMS) -> tuple[Criterion, ...]:
    """Read criteria in order, the same one once; `terms` are the names that the settings define.

    Raises CriterionError, with a caret under the word that is wrong.
    """
    criteria: dict[str, Criterion] = {}
    for sentence in sentences:
        for clause in parse(sentence, METRICS, terms):
            criterion = Criterion(clause, terms)
            criterion.metric()  # It refuses a limit that it cannot judge: now, before anything is sent.
            criteria.setdefault(criterion.sentence, criterion)
    return tuple(criteria.values())


def default_criteria(*, goldens: bool, traffic: bool) -> tuple[str, ...]:
    """Return what must hold where nobody wrote `cut_when`."""
    of_goldens = ("goldens pass",) if goldens else ()
    of_traffic = ("deviation < 0.5%", "errors <= old") if traffic else ()
    return of_goldens + of_traffic


def gate_sentences(gates: Mapping[str, Sequence[str]], gate: str | None) -> tuple[str, ...]:
    """Return the sentences of one gate, or of all in order, each once. Raises CriterionError for an unknown gate."""
    if gate is not None and gate not in gates:
        named = [name for name in gates if name]
        hint = nearest(gate, named) if named else "name gates in `cut_when`: a mapping from name to criteria"
        raise CriterionError(f"unknown gate '{unmoving(gate)}'", hint=hint)
    chosen = gates.values() if gate is None else [gates[gate]]
    return tuple(dict.fromkeys(sentence for sentences in chosen for sentence in sentences))


class Withheld:
    """A metric whose bounds hold for one look alone: over a sample that still grows it decides nothing."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results in."""
        self._metric.add_all(results)

    def judge(self, parts: int = 1) -> Judgement:
        """Return the figures so far, INCONCLUSIVE."""
        judgement = self._metric.judge(parts)
        why = f"{judgement.why}; it still grows: this is decided once it is whole"
        return judgement if judgement.state == "INCONCLUSIVE" else replace(judgement, state="INCONCLUSIVE", why=why)
