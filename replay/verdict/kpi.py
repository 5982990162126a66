"""`kpi.auth_rate >= old - 0.5pp`: a key figure of the answers, new's beside old's over the same cases."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from replay.errors import CriterionError
from replay.models import Judgement, Result, VerdictState
from replay.verdict.base import Metric, Terms
from replay.verdict.batches import Interval
from replay.verdict.clauses import Clause, nearest, printable
from replay.verdict.kpi_account import Account
from replay.verdict.kpi_limits import Limit, limit_of
from replay.verdict.shares import worth
from replay.verdict.statistics import corrected, fewest
from replay.verdict.wording import amount, cases, figure, level, listed, percent

FEWEST: Final = 30
"""Independent cases below which no KPI is judged: an interval rests on how far they vary, and few show too little."""
_REASONS: Final = 3


def kpi(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of a KPI that the settings define. Raises CriterionError for another, or an odd limit."""
    if clause.share_of:
        raise clause.fault(clause.first, "a KPI is one figure, and no share of several", f"write {clause.subject.text}")
    spec = terms.kpis.get(clause.name)
    if spec is None:
        raise _unknown(clause, terms)
    return KpiMetric(clause, limit_of(clause, spec.kind), Account(clause.name, spec))


def _unknown(clause: Clause, terms: Terms) -> CriterionError:
    example = "define it: kpis: {auth_rate: {on: POST /authorize, share: \"body.outcome == 'approved'\"}}"
    hint = nearest(clause.name, terms.kpis) if terms.kpis else example
    return clause.fault(clause.subject, f"unknown KPI '{printable(clause.name)}'", hint)


class KpiMetric:
    """GO where the whole interval is on the right side, NO-GO where the whole interval is on the wrong one.

    For GO, answers that did not come are counted at their worst, and answers that came without a figure rule it out.
    """

    def __init__(self, clause: Clause, limit: Limit, account: Account) -> None:
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._limit = limit
        self._account = account

    def add(self, result: Result) -> None:
        """Take in what a case of the traffic tells of the KPI."""
        self._account.add(result)

    def judge(self, parts: int = 1) -> Judgement:
        """Return what the limit speaks of (new's figure, or its difference to old's) with its bounds."""
        account = self._account
        if not account.n:
            why = "; ".join(["no case tells anything of it on both sides", *self._remarks()])
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=0.0)
        found, against = self._bounds(), corrected(self._confidence, parts)
        state = self._state(against)
        worth_of = account.pairs.sizes.effective()
        why = "; ".join([self._head(found), self._reason(state, found, against), *self._remarks()])
        if math.isnan(found.value):
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=worth_of)
        answer = Judgement(self._sentence, state, why, found.value, (found.low, found.high), worth_of)
        return replace(answer, unit="share") if self._is_share else answer

    def _bounds(self, growth: float = 1.0) -> Interval:
        """Return the interval, its bad end with those that failed at their worst."""
        question, bad = self._limit.question, self._limit.bad
        fair = self._account.pairs.interval(question, self._confidence, growth)
        worst = self._account.pairs.bound(question, bad, self._confidence, growth)
        return Interval(fair.value, worst, fair.high) if bad == "low" else Interval(fair.value, fair.low, worst)

    def _state(self, against: float, growth: float = 1.0) -> VerdictState:
        pairs, limit = self._account.pairs, self._limit
        if pairs.sizes.effective() * growth < FEWEST:
            return "INCONCLUSIVE"
        if limit.missed_by(pairs.interval(limit.question, against, growth)):
            return "NO-GO"
        if self._account.faults:
            return "INCONCLUSIVE"
        worst = pairs.bound(limit.question, limit.bad, self._confidence, growth)
        return "GO" if limit.met_by(worst) else "INCONCLUSIVE"

    # --------------------------------------------------------------------------------------------------------- words

    @property
    def _is_share(self) -> bool:
        return self._account.spec.kind == "share" or self._limit.question == "ratio"

    def _head(self, found: Interval) -> str:
        old, new = self._account.pairs.figures()
        shown = percent if self._account.spec.kind == "share" else amount
        told = f"old {shown(old)}, new {shown(new)} over {cases(self._account.n)}"
        beside = self._limit.question != "new" and not math.isnan(found.value)
        return f"{told} ({self._told(found.value)})" if beside else told

    def _told(self, bound: float) -> str:
        """Return a bound as the limit is written."""
        sign = "+" if bound > 0 and self._limit.question != "new" else ""
        if not self._is_share:
            return f"{sign}{amount(bound, beside=self._limit.value)}"
        unit = "pp" if self._limit.question == "difference" else "%"
        return f"{sign}{percent(bound, beside=self._limit.value, unit=unit)}" if math.isfinite(bound) else "unbounded"

    def _reason(self, state: VerdictState, found: Interval, against: float) -> str:
        limit = self._limit
        least, most = ("at least", "at most") if limit.bad == "low" else ("at most", "at least")
        worst, best = (found.low, found.high) if limit.bad == "low" else (found.high, found.low)
        if state == "GO":
            return f"with {level(self._confidence)} confidence {least} {self._told(worst)}, within {limit.text}"
        if state == "NO-GO":
            fair = self._account.pairs.interval(limit.question, against)
            best = fair.high if limit.bad == "low" else fair.low
            return f"with {level(against)} confidence {most} {self._told(best)}, not within {limit.text}"
        if math.isnan(found.value):
            return "old's figure is not above 0, so that a share of it says nothing; write the margin without %"
        between = f"it lies between {self._told(found.low)} and {self._told(found.high)}, and {limit.text} is asked"
        return f"{between}; {self._remedy(against)}"

    def _remedy(self, against: float) -> str:
        if self._account.faults:
            return "answers without a figure rule out GO, however many cases there are"
        n = self._account.n
        further = fewest(lambda count: self._state(against, (n + count) / n) != "INCONCLUSIVE")
        if further is None:
            return "no number of cases would settle it as things stand"
        return f"{cases(further)} more like these would settle it"

    def _remarks(self) -> list[str]:
        account, remarks = self._account, []
        if alone := [f"{account.failed[side]:,} on {side} alone" for side in ("new", "old") if account.failed[side]]:
            remarks.append(f"counted at their worst, since a side failed: {', '.join(alone)}")
        if both := account.failed["both"]:
            remarks.append(f"{cases(both)} failed on both sides: no evidence either way")
        if account.faults:
            reasons = tuple(f"{reason} ({count:,})" for reason, count in account.faults.most_common(_REASONS))
            told = listed(reasons, len(account.faults))
            remarks.append(f"{figure(account.faults.total())} answers tell no figure: {told}")
        return remarks + worth(account.n, account.pairs.sizes.effective())
