"""A share of traffic against a limit: exact bounds, and for GO a stricter count than for NO-GO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from replay.models import Judgement, OutcomeName, Result, VerdictState
from replay.verdict.clauses import Clause
from replay.verdict.samples import Sample
from replay.verdict.statistics import corrected
from replay.verdict.watching import EXACT, Bounds
from replay.verdict.wording import cases, figure, level, percent

Weights = Mapping[OutcomeName, tuple[bool, bool | None]]
"""For each outcome whether it is bad in the eyes of GO, and of NO-GO; None, or left out, is no evidence."""

_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest share that a criterion accepts; `inclusive` for `<=`."""

    share: float
    inclusive: bool
    text: str

    def met_by(self, bound: float) -> bool:
        """Return whether a share is within the limit."""
        return bound <= self.share if self.inclusive else bound < self.share


def percent_limit(clause: Clause) -> Limit:
    """Read `< 0.5%` or `<= 0.5%`. Raises CriterionError, pointing at the word, for anything else."""
    subject, amount = clause.subject.text, clause.amount
    example = f"write {subject} < 0.5%"
    if clause.operator not in ("<", "<="):
        raise clause.fault(clause.operator_token, f"'{subject}' takes an upper limit", example)
    if clause.against_old or amount is None:
        raise clause.fault(clause.bound, f"'{subject}' is not compared with old", example)
    if amount.unit != "%":
        raise clause.fault(amount.token, f"'{amount.text}' is no share", f"write {amount.number}%")
    if not Decimal(0) < amount.number < _HUNDRED:
        raise clause.fault(amount.token, "no sample can prove this", "write a limit above 0% and below 100%")
    return Limit(float(amount.number / _HUNDRED), clause.operator == "<=", amount.text)


class Share:
    """GO where the upper bound is within the limit, NO-GO where the lower one is beyond it, else INCONCLUSIVE.

    What failed on old or on both sides may hide anything: such cases count as bad for GO and not at all for NO-GO.
    """

    def __init__(self, clause: Clause, limit: Limit, weights: Weights, label: str, bounds: Bounds = EXACT) -> None:
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._limit = limit
        self._weights = weights
        self._label = label
        self._watched = bounds.watched
        self._strict = Sample(bounds)
        self._fair = Sample(bounds)
        self._outcomes: Counter[OutcomeName] = Counter()

    def add(self, result: Result) -> None:
        """Count a case of the traffic; goldens are judged apart."""
        if result.case.kind == "golden":
            return
        self._outcomes[result.outcome] += 1
        if result.outcome in self._weights:
            for_go, for_no_go = self._weights[result.outcome]
            self._strict.add(result.case.session, bad=for_go)
            if for_no_go is not None:
                self._fair.add(result.case.session, bad=for_no_go)

    def judge(self, parts: int = 1) -> Judgement:
        """Return the share with its two one-sided bounds; n is the effective n behind the upper one."""
        rate = self._fair.rate
        if rate is None:
            why = "; ".join(["no traffic was compared", *self._remarks()])
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=0.0)
        against = corrected(self._confidence, parts)
        low = self._fair.lower(against)
        high = max(sample.upper(confidence=self._confidence) for sample in (self._strict, self._fair))
        state = self._state(low, high)
        head = f"{self._label}: {self._fair.bad:,} of {cases(self._fair.n)} ({percent(rate)})"
        remarks = [*self._remarks(), *looked(watched=self._watched)]
        why = "; ".join([head, self._reason(state, low, high, against), *remarks])
        n = self._strict.sizes.effective()
        return Judgement(self._sentence, state, why, value=rate, interval=(low, high), n=n, unit="share")

    def _state(self, low: float, high: float) -> VerdictState:
        if self._limit.met_by(high):
            return "GO"
        return "INCONCLUSIVE" if self._limit.met_by(low) else "NO-GO"

    def _reason(self, state: VerdictState, low: float, high: float, against: float) -> str:
        limit, share = self._limit.text, self._limit.share
        if state == "GO":
            return f"with {level(self._confidence)} confidence at most {percent(high, beside=share)}, within {limit}"
        if state == "NO-GO":
            return f"with {level(against)} confidence at least {percent(low, beside=share)}, not within {limit}"
        further = self._strict.needed(share, self._confidence)
        remedy = (
            "no number of cases would settle it"
            if further is None
            else f"{cases(further)} more, all clean, would settle it"
        )
        return f"the bounds {percent(low, beside=share)} and {percent(high, beside=share)} enclose {limit}; {remedy}"

    def _remarks(self) -> list[str]:
        doubtful = [outcome for outcome, (_, fair) in self._weights.items() if fair is None]
        unproven = sum(self._outcomes[outcome] for outcome in doubtful)
        remarks = []
        if unproven:
            where = "on old or on both sides" if "old_error" in doubtful else "on both sides"
            remarks.append(f"counted as if they deviated: {cases(unproven)} that failed {where}")
        if self._outcomes["waived"]:
            remarks.append(f"not counted, since waived: {cases(self._outcomes['waived'])}")
        if self._outcomes["skipped"]:
            remarks.append(f"{cases(self._outcomes['skipped'])} skipped: no evidence either way")
        return remarks + worth(self._strict.n, self._strict.sizes.effective())


def looked(*, watched: bool) -> list[str]:
    """Return the remark that bounds are wider because they may be looked at more than once."""
    return ["it still grows: bounds that hold at every look"] if watched else []


def worth(n: int, effective: float) -> list[str]:
    """Return the remark that sessions shrink the sample; nothing where they do not."""
    if n - effective < 0.05:  # noqa: PLR2004 - the first decimal that is printed
        return []
    return [f"cases of one session depend on each other: {n:,} are worth {figure(effective)}"]
