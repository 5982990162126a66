"""A figure against its limit: whether the whole of its interval is on the right side, and in words why or why not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol

from replay.models import Judgement, Result, Unit, VerdictState
from replay.verdict.batches import Interval, Question
from replay.verdict.clauses import Clause
from replay.verdict.kpi_limits import FigureLimit
from replay.verdict.paired_shares import Bad
from replay.verdict.samples import Sizes
from replay.verdict.shares import worth
from replay.verdict.statistics import corrected, fewest
from replay.verdict.wording import amount, cases, level, percent

FEWEST: Final = 30
"""Independent cases below which no figure is judged: few show too little of how far they vary."""


class Evidence(Protocol):
    """What is known of a figure over a stream of results."""

    nothing: str
    """What is said where no case tells anything."""

    def add(self, result: Result) -> None:
        """Take one result in."""

    @property
    def sizes(self) -> Sizes:
        """Return the sessions of what tells something."""

    @property
    def is_share(self) -> bool:
        """Tell whether it reads as a percentage."""

    @property
    def rules_out_go(self) -> str:
        """Return why it can never be GO, empty where it can."""

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked with its bounds, as it would be with `growth` times the sessions."""

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        """Return the bound at the bad end where whatever tells nothing is counted at its worst."""

    def head(self) -> str:
        """Return the figures in words."""

    def remarks(self) -> list[str]:
        """Return what else a reader has to know."""


class FigureMetric:
    """GO where the whole interval is on the right side, NO-GO where the whole interval is on the wrong one."""

    def __init__(self, clause: Clause, limit: FigureLimit, evidence: Evidence) -> None:
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._limit = limit
        self._evidence = evidence

    def add_all(self, results: Sequence[Result]) -> None:
        """Take in what cases of the traffic tell."""
        for result in results:
            if result.case.kind == "traffic":
                self._evidence.add(result)

    def judge(self, parts: int = 1) -> Judgement:
        """Return what the limit speaks of (new's figure, or its difference to old's) with its bounds."""
        evidence = self._evidence
        if not evidence.sizes.total:
            why = "; ".join([evidence.nothing, *evidence.remarks()])
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=0.0)
        found, against = self._bounds(), corrected(self._confidence, parts)
        state, n = self._state(against), evidence.sizes.effective()
        remarks = [*evidence.remarks(), *worth(evidence.sizes.total, n)]
        why = "; ".join([self._head(found), self._reason(state, found, against), *remarks])
        if math.isnan(found.value):
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=n)
        base = 1.0 if self._unit == "ratio" else 0.0
        interval = (base + found.low, base + found.high)
        return Judgement(self._sentence, state, why, base + found.value, interval, n, self._unit)

    def _bounds(self) -> Interval:
        """Return the interval, its bad end with whatever tells nothing at its worst."""
        question, bad = self._limit.question, self._limit.bad
        fair = self._evidence.interval(question, self._confidence)
        worst = self._evidence.bound(question, bad, self._confidence)
        return Interval(fair.value, worst, fair.high) if bad == "low" else Interval(fair.value, fair.low, worst)

    def _state(self, against: float, growth: float = 1.0) -> VerdictState:
        evidence, limit = self._evidence, self._limit
        if evidence.sizes.effective() * growth < FEWEST:
            return "INCONCLUSIVE"
        if limit.missed_by(evidence.interval(limit.question, against, growth)):
            return "NO-GO"
        if evidence.rules_out_go:
            return "INCONCLUSIVE"
        worst = evidence.bound(limit.question, limit.bad, self._confidence, growth)
        return "GO" if limit.met_by(worst) else "INCONCLUSIVE"

    # --------------------------------------------------------------------------------------------------------- words

    @property
    def _unit(self) -> Unit:
        if self._limit.question == "ratio":
            return "ratio"
        if not self._evidence.is_share:
            return ""
        return "pp" if self._limit.question == "difference" else "share"

    def _head(self, found: Interval) -> str:
        told = self._evidence.head()
        beside = self._limit.question != "new" and not math.isnan(found.value)
        return f"{told} ({self._told(found.value)})" if beside else told

    def _told(self, bound: float) -> str:
        """Return a bound as the limit is written."""
        sign = "+" if bound > 0 and self._limit.question != "new" else ""
        if not self._unit:
            return f"{sign}{amount(bound, beside=self._limit.value)}"
        unit = "pp" if self._unit == "pp" else "%"
        return f"{sign}{percent(bound, beside=self._limit.value, unit=unit)}" if math.isfinite(bound) else "unbounded"

    def _reason(self, state: VerdictState, found: Interval, against: float) -> str:
        limit = self._limit
        least, most = ("at least", "at most") if limit.bad == "low" else ("at most", "at least")
        if state == "GO":
            worst = found.low if limit.bad == "low" else found.high
            return f"with {level(self._confidence)} confidence {least} {self._told(worst)}, within {limit.text}"
        if state == "NO-GO":
            fair = self._evidence.interval(limit.question, against)
            best = fair.high if limit.bad == "low" else fair.low
            return f"with {level(against)} confidence {most} {self._told(best)}, not within {limit.text}"
        if math.isnan(found.value):
            return "old's figure is not above 0, so that a share of it says nothing; write the margin without %"
        between = f"it lies between {self._told(found.low)} and {self._told(found.high)}, and {limit.text} is asked"
        return f"{between}; {self._evidence.rules_out_go or self._remedy(against)}"

    def _remedy(self, against: float) -> str:
        n = self._evidence.sizes.total
        further = fewest(lambda count: self._state(against, (n + count) / n) != "INCONCLUSIVE")
        if further is None:
            return "no number of cases would settle it as things stand"
        return f"{cases(further)} more like these would settle it"
