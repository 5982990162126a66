"""`errors <= old`: new does not fail more often than old, on the same cases; `errors < X%`: new hardly fails at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from replay.models import Judgement, Result, VerdictState
from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Clause
from replay.verdict.samples import Sizes
from replay.verdict.shares import Share, Weights, looked, percent_limit, worth
from replay.verdict.statistics import corrected, fewest
from replay.verdict.watching import EXACT, Bounds
from replay.verdict.wording import cases, level, percent

MARGIN: Final = Decimal("0.5")
"""Percentage points that `errors <= old` leaves, since no sample can prove that two rates are equal."""

_HUNDRED: Final = 100

# A failure of old's alone says nothing against new here; one of both sides may hide a failure that is new's own.
_SHARE: Final[Weights] = {
    "match": (False, False),
    "noise": (False, False),
    "waived": (False, False),
    "deviation": (False, False),
    "old_error": (False, False),
    "new_error": (True, True),
    "both_error": (True, None),
}


def errors(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `errors <= old`, `errors <= old + Xpp` or `errors < X%`. Raises CriterionError otherwise."""
    if clause.against_old:
        return ErrorsBesideOld(clause, _margin(clause), terms.bounds)
    return Share(clause, percent_limit(clause), _SHARE, "failed on new", terms.bounds)


def _margin(clause: Clause) -> Decimal:
    if clause.operator != "<=":
        raise clause.fault(clause.operator_token, "errors are compared with old by '<='", "write errors <= old")
    if clause.amount is None:
        return MARGIN
    if clause.amount.unit != "pp":
        hint = f"write old + {abs(clause.amount.number)}pp: percentage points"
        raise clause.fault(clause.amount.token, f"'{clause.amount.text}' is no margin", hint)
    if not 0 < clause.amount.number < _HUNDRED:
        hint = "write errors <= old + 0.5pp, or another margin above 0pp"
        raise clause.fault(clause.amount.token, "no sample can prove this", hint)
    return clause.amount.number


class ErrorsBesideOld:
    """Not worse than old by the margin, paired, over the traffic that was sent; goldens are judged apart.

    Only cases that one side alone fails tell the sides apart. Old's own failures weigh against new's, as
    `errors <= old` says. Failures of both sides prove nothing: for GO they are left out, so that a pair of broken
    sides has no evidence, and for NO-GO they stay in n, where they make the difference smaller.
    """

    def __init__(self, clause: Clause, margin: Decimal, bounds: Bounds = EXACT) -> None:
        self._bounds = bounds
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._margin = float(margin / _HUNDRED)
        self._sent = Sizes()
        self._telling = Sizes()
        self._only_new = self._only_old = self._skipped = 0

    def add(self, result: Result) -> None:
        """Count a case of the traffic by which sides failed it."""
        if result.case.kind == "golden":
            return
        if result.outcome == "skipped":
            self._skipped += 1
            return
        self._sent.add(result.case.session)
        if result.outcome != "both_error":
            self._telling.add(result.case.session)
        self._only_new += result.outcome == "new_error"
        self._only_old += result.outcome == "old_error"

    def judge(self, parts: int = 1) -> Judgement:
        """Return new's rate less old's, in shares of 1, with its two one-sided bounds; n as the upper one has it."""
        if not self._telling.total:
            why = "every case failed on both sides" if self._sent.total else "no traffic was sent"
            return Judgement(self._sentence, "INCONCLUSIVE", "; ".join([why, *self._remarks()]), n=0.0)
        against = corrected(self._confidence, parts)
        low, high = self._lower(against), self._upper()
        state = self._state(low, high)
        value = (self._only_new - self._only_old) / self._sent.total
        remarks = [*self._remarks(), *looked(watched=self._bounds.watched)]
        why = "; ".join([self._head(value), self._reason(state, low, high, against), *remarks])
        n = self._telling.effective()
        return Judgement(self._sentence, state, why, value=value, interval=(low, high), n=n, unit="share")

    def _upper(self, further: int = 0) -> float:
        return self._bounds.difference_upper(*self._pairs(self._telling, further), self._confidence)

    def _lower(self, confidence: float) -> float:
        return self._bounds.difference_lower(*self._pairs(self._sent), confidence)

    def _pairs(self, sizes: Sizes, further: int = 0) -> tuple[float, float, float]:
        n = sizes.effective(further)
        scale = n / (sizes.total + further)
        return self._only_new * scale, self._only_old * scale, n

    def _state(self, low: float, high: float) -> VerdictState:
        if high < self._margin:
            return "GO"
        return "NO-GO" if low >= self._margin else "INCONCLUSIVE"

    def _head(self, value: float) -> str:
        sign = "+" if value > 0 else ""
        return (
            f"of {cases(self._sent.total)} {self._only_new:,} failed on new only and {self._only_old:,} on old only"
            f" ({sign}{percent(value, unit='pp')})"
        )

    def _reason(self, state: VerdictState, low: float, high: float, against: float) -> str:
        margin = percent(self._margin, unit="pp")
        low_text, high_text = (percent(bound, beside=self._margin, unit="pp") for bound in (low, high))
        if state == "GO":
            sure = f"with {level(self._confidence)} confidence"
            return f"{sure} new is at most {high_text} worse, within the margin of {margin}"
        if state == "NO-GO":
            return f"with {level(against)} confidence new is at least {low_text} worse, beyond the margin of {margin}"
        further = fewest(lambda count: self._upper(count) < self._margin)
        remedy = (
            "no number of cases would settle it"
            if further is None
            else f"{cases(further)} more, without errors, would settle it"
        )
        return f"the bounds {low_text} and {high_text} enclose the margin of {margin}; {remedy}"

    def _remarks(self) -> list[str]:
        remarks = []
        if both := self._sent.total - self._telling.total:
            remarks.append(f"{cases(both)} failed on both sides: no evidence that new is as good")
        if self._skipped:
            remarks.append(f"{cases(self._skipped)} skipped: no evidence either way")
        return remarks + worth(self._telling.total, self._telling.effective())
