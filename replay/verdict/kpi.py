"""`kpi.auth_rate >= old - 0.5pp`: a key figure of the answers, new's beside old's over the same cases."""

from __future__ import annotations

from typing import Final

from replay.errors import CriterionError
from replay.models import KpiSpec, Result
from replay.verdict.base import Metric, Terms
from replay.verdict.batches import Interval, Question
from replay.verdict.clauses import Clause, nearest, unmoving
from replay.verdict.figure_metric import FigureMetric
from replay.verdict.kpi_account import Account
from replay.verdict.kpi_limits import FigureLimit, limit_of
from replay.verdict.paired_shares import Bad
from replay.verdict.samples import Sizes
from replay.verdict.timings import is_recorded
from replay.verdict.wording import amount, cases, listed, percent

_LATENCY: Final = "latency_ms"
_REASONS: Final = 3
_NO_WORSE: Final = "both sides are at the end beyond which nothing is worse, which proves nothing"


def kpi(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of a KPI that the settings define. Raises CriterionError for another, or an odd limit."""
    spec = terms.kpis.get(clause.name)
    if spec is None:
        raise _unknown(clause, terms)
    limit = limit_of(clause, spec.kind)
    return FigureMetric(clause, limit, KpiEvidence(clause.name, spec, limit))


def _unknown(clause: Clause, terms: Terms) -> CriterionError:
    example = "define it: kpis: {auth_rate: {on: POST /authorize, share: \"body.outcome == 'approved'\"}}"
    hint = nearest(clause.name, terms.kpis) if terms.kpis else example
    return clause.fault(clause.subject, f"unknown KPI '{unmoving(clause.name)}'", hint)


class KpiEvidence:
    """A KPI's account. For GO, answers that did not come are counted at their worst.

    Answers that came without a figure rule it out.
    """

    nothing = "no case tells anything of it on both sides"

    def __init__(self, name: str, spec: KpiSpec, limit: FigureLimit) -> None:
        self._account = Account(name, spec)
        self._limit = limit
        self._recorded = 0

    def add(self, result: Result) -> None:
        """Take in what a case tells of the KPI."""
        before = self._account.n
        self._account.add(result)
        self._recorded += self._account.n > before and is_recorded(result)

    @property
    def sizes(self) -> Sizes:
        """Return the sessions of the cases that tell something."""
        return self._account.pairs.sizes

    @property
    def is_share(self) -> bool:
        """Tell whether it reads as a percentage."""
        return self._account.spec.kind == "share"

    @property
    def rules_out_go(self) -> str:
        """Return that some answers have no figure, or that new could be no worse; nothing where all tell something."""
        if self._account.faults:
            return "answers without a figure rule out GO, however many cases there are"
        if self._recorded and _LATENCY in self._account.spec.of and self._limit.question != "new":
            return "old's latencies were recorded elsewhere, so they prove nothing about new: give a live old"
        return f"{_NO_WORSE}: does it ask for what is there?" if self._is_at_worst else ""

    @property
    def _is_at_worst(self) -> bool:
        """Tell whether both sides are where nothing is worse.

        An expression with a slip holds nowhere, and so never falls.
        """
        if not self._account.spec.holds or self._limit.question == "new":
            return False
        worst = 0 if self._limit.bad == "low" else 1 if self.is_share else self._account.n
        return self._account.pairs.figures() == (worst, worst)

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked with its bounds."""
        return self._account.pairs.interval(question, confidence, growth)

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        """Return the bound at the bad end where those that failed are counted at their worst."""
        return self._account.pairs.bound(question, bad, confidence, growth)

    def head(self) -> str:
        """Return both sides' figures."""
        old, new = self._account.pairs.figures()
        shown = percent if self.is_share else amount
        return f"old {shown(old)}, new {shown(new)} over {cases(self._account.n)}"

    def remarks(self) -> list[str]:
        """Return who failed, and which answers have no figure."""
        account, remarks = self._account, []
        if account.spec.holds and account.pairs.figures() == (0, 0):
            remarks.append("it holds in no answer of either side")
        if alone := [f"{account.failed[side]:,} on {side} alone" for side in ("new", "old") if account.failed[side]]:
            remarks.append(f"counted at their worst, since a side failed: {', '.join(alone)}")
        if both := account.failed["both"]:
            remarks.append(f"{cases(both)} failed on both sides: no evidence either way")
        if account.faults:
            reasons = tuple(
                f"{reason} ({count:,}, such as {account.examples[reason]})"
                for reason, count in account.faults.most_common(_REASONS)
            )
            total = account.faults.total()
            told = f"{total:,} answers tell" if total > 1 else "1 answer tells"
            remarks.append(f"{told} no figure: {listed(reasons, len(account.faults))}")
        return remarks
