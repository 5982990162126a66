"""How often new fails where old does not: two rates of the same cases, compared as the pairs that they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from replay.models import Judgement, Result, VerdictState
from replay.verdict.clauses import Clause, Operator
from replay.verdict.samples import Sizes
from replay.verdict.shares import looked, of_skipped, unproven, worth
from replay.verdict.statistics import corrected, fewest
from replay.verdict.watching import EXACT, Bounds
from replay.verdict.wording import cases, level, percent

MARGIN: Final = Decimal("0.5")
"""Percentage points that `errors <= old` leaves, since no sample can prove that two rates are equal."""

_HUNDRED: Final = 100

Told = Callable[[Result], "Pair"]
"""Tells what a case of the traffic that was sent says of both sides."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Whether old and new failed at a case."""

    old: bool
    new: bool
    open: bool = False
    """Nothing here shows that new did not fail: no evidence for GO."""


@dataclass(frozen=True, slots=True)
class PairWords:
    """How a difference is told: `failed`, and what is `open`; `good` where the rate that is told should be high."""

    failed: str
    open: str
    none: str
    better: str = "without errors"
    good: bool = False


def margin_beside_old(clause: Clause, operator: Operator) -> Decimal:
    """Read `<= old`, `<= old + 1pp`, or with `>=` `old - 1pp`. Raises CriterionError for anything else."""
    sign, direction = ("+", "above") if operator == "<=" else ("-", "below")
    subject = clause.subject.text
    if clause.operator != operator:
        hint = f"write {subject} {operator} old"
        raise clause.fault(clause.operator_token, f"{subject} is compared with old by '{operator}'", hint)
    if clause.amount is None:
        return MARGIN
    if clause.amount.unit != "pp":
        hint = f"write old {sign} {abs(clause.amount.number)}pp: percentage points"
        raise clause.fault(clause.amount.token, f"'{clause.amount.text}' is no margin", hint)
    margin = clause.amount.number if sign == "+" else -clause.amount.number
    if not 0 < margin < _HUNDRED:
        hint = f"write {subject} {operator} old {sign} 0.5pp, or another margin {direction} 0pp"
        raise clause.fault(clause.amount.token, "no sample can prove this", hint)
    return margin


class RateBesideOld:
    """Not worse than old by the margin, paired, over the traffic that was sent; goldens are judged apart.

    Only cases that one side alone fails tell the sides apart. Old's own failures weigh against new's, as
    `errors <= old` says. Failures of both sides prove nothing: for GO they are left out, so that a pair of broken
    sides has no evidence, and for NO-GO they stay in n, where they make the difference smaller.
    """

    def __init__(self, clause: Clause, margin: Decimal, told: Told, words: PairWords, bounds: Bounds = EXACT) -> None:
        self._bounds = bounds
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._margin = float(margin / _HUNDRED)
        self._told = told
        self._words = words
        self._sent = Sizes()
        self._telling = Sizes()
        self._asked = Sizes()
        """Of those that tell something, and of those of which nobody can tell what came of them."""
        self._only_new = self._only_old = self._skipped = self._untold = 0

    def add_all(self, results: Sequence[Result]) -> None:
        """Count cases of the traffic by which sides failed them."""
        traffic = [each for each in results if each.case.kind != "golden"]
        sent = [(each.case.session, self._told(each)) for each in traffic if each.outcome != "skipped"]
        telling = [(session, pair) for session, pair in sent if not pair.open]
        untold = [each.case.session for each in traffic if each.outcome == "skipped" and of_skipped(each)]
        self._skipped += len(traffic) - len(sent) - len(untold)
        self._untold += len(untold)
        self._asked.add_all([*(session for session, _ in telling), *untold])
        self._sent.add_all([session for session, _ in sent])
        self._telling.add_all([session for session, _ in telling])
        self._only_new += sum([pair.new and not pair.old for _, pair in telling])
        self._only_old += sum([pair.old and not pair.new for _, pair in telling])

    def judge(self, parts: int = 1) -> Judgement:
        """Return new's rate less old's, in shares of 1, with its two one-sided bounds; n as the upper one has it."""
        if not self._telling.total:
            why = self._words.none if self._sent.total else "no traffic was sent"
            return Judgement(self._sentence, "INCONCLUSIVE", "; ".join([why, *self._remarks()]), n=0.0)
        against = corrected(self._confidence, parts)
        low, high = self._lower(against), self._upper()
        state = self._state(low, high)
        value = (self._only_new - self._only_old) / self._sent.total
        remarks = [*self._remarks(), *looked(watched=self._bounds.watched)]
        why = "; ".join([self._head(value), self._reason(state, low, high, against), *remarks])
        n = self._telling.effective()
        # Told as it was asked: of what should be high, less is worse.
        value, interval = (-value, (-high, -low)) if self._words.good else (value, (low, high))
        return Judgement(self._sentence, state, why, value=value + 0.0, interval=interval, n=n, unit="pp")

    def _upper(self, further: int = 0) -> float:
        fair = self._bounds.difference_upper(*self._pairs(self._telling, further), self._confidence)
        if not self._untold:
            return fair
        strict = self._pairs(self._asked, further, self._untold)
        return max(fair, self._bounds.difference_upper(*strict, self._confidence))

    def _lower(self, confidence: float) -> float:
        return self._bounds.difference_lower(*self._pairs(self._sent), confidence)

    def _pairs(self, sizes: Sizes, further: int = 0, untold: int = 0) -> tuple[float, float, float]:
        n = sizes.effective(further)
        scale = n / (sizes.total + further)
        return (self._only_new + untold) * scale, self._only_old * scale, n

    def _state(self, low: float, high: float) -> VerdictState:
        if high < self._margin:
            return "GO"
        return "NO-GO" if low >= self._margin else "INCONCLUSIVE"

    def _head(self, value: float) -> str:
        sign = "+" if value > 0 else ""
        failed = self._words.failed
        return (
            f"of {cases(self._sent.total)} {self._only_new:,} {failed} on new only and {self._only_old:,} on old only"
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
            else f"{cases(further)} more, {self._words.better}, would settle it"
        )
        return f"the bounds {low_text} and {high_text} enclose the margin of {margin}; {remedy}"

    def _remarks(self) -> list[str]:
        remarks = []
        if open_ones := self._sent.total - self._telling.total:
            remarks.append(f"{cases(open_ones)} {self._words.open}")
        remarks += unproven(self._untold)
        if self._skipped:
            remarks.append(f"{cases(self._skipped)} skipped: no evidence either way")
        return remarks + worth(self._telling.total, self._telling.effective())
