"""A share of traffic against a limit: exact bounds, and for GO a stricter count than for NO-GO."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from replay.models import UNPROVEN, Judgement, OutcomeName, Result, VerdictState
from replay.verdict.clauses import Clause, Operator
from replay.verdict.samples import Sample
from replay.verdict.statistics import corrected
from replay.verdict.watching import EXACT, Bounds
from replay.verdict.wording import cases, figure, level, percent

Weight = tuple[bool, bool | None]
"""Whether a case is bad in the eyes of GO, and of NO-GO; None there is no evidence."""
Weigh = Callable[[Result], Weight | None]
"""Weighs a case of the traffic; None is no evidence at all."""

_HUNDRED: Final = 100


def by_outcome(weights: Mapping[OutcomeName, Weight]) -> Weigh:
    """Return what weighs a case by its outcome alone."""
    return lambda result: weights.get(result.outcome) or of_skipped(result)


def of_skipped(result: Result) -> Weight | None:
    """Weigh a skipped case: one that was asked, and of which nobody can tell what came of it, may hide anything."""
    return (True, None) if UNPROVEN in result.flags else None


def unproven(skipped: int) -> Iterator[str]:
    """Yield the remark on cases that were asked, and of which nobody can tell what came of them."""
    if skipped:
        yield f"counted as if they were bad: {cases(skipped)} of which nobody can tell what came of them"


@dataclass(frozen=True, slots=True)
class Words:
    """How a share is told: what its cases are, and what could not be told of others; `good` where it should be high."""

    cases: str
    doubt: str = "failed on old or on both sides"
    good: bool = False

    def shown(self, bad: float) -> float:
        """Return the share that is told, of the share of bad cases."""
        return 1 - bad if self.good else bad


@dataclass(frozen=True, slots=True)
class ShareLimit:
    """The largest share of bad cases that a criterion accepts; `inclusive` where it may be reached."""

    share: float
    inclusive: bool
    text: str

    def met_by(self, bound: float) -> bool:
        """Return whether a share is within the limit."""
        return bound <= self.share if self.inclusive else bound < self.share


def percent_limit(clause: Clause) -> ShareLimit:
    """Read `< 0.5%` or `<= 0.5%`. Raises CriterionError, pointing at the word, for anything else."""
    return _limit(clause, ("<", "<="), "an upper limit", f"write {clause.subject.text} < 0.5%")


def least_percent(clause: Clause) -> ShareLimit:
    """Read `>= 99.9%` or `> 99.9%`: a limit to the rest. Raises CriterionError for anything else."""
    limit = _limit(clause, (">", ">="), "a lower limit", f"write {clause.subject.text} >= 99.9%")
    rest = float(1 - Decimal(limit.text.rstrip("% ")) / _HUNDRED)
    return ShareLimit(rest, limit.inclusive, limit.text)


def _limit(clause: Clause, operators: Collection[Operator], kind: str, example: str) -> ShareLimit:
    subject, amount = clause.subject.text, clause.amount
    if clause.operator not in operators:
        raise clause.fault(clause.operator_token, f"'{subject}' takes {kind}", example)
    if clause.against_old or amount is None:
        raise clause.fault(clause.bound, f"'{subject}' is not compared with old", example)
    if amount.unit != "%":
        raise clause.fault(amount.token, f"'{amount.text}' is no share", f"write {amount.number}%")
    if not Decimal(0) < amount.number < _HUNDRED:
        raise clause.fault(amount.token, "no sample can prove this", "write a limit above 0% and below 100%")
    return ShareLimit(float(amount.number / _HUNDRED), clause.operator in ("<=", ">="), amount.text)


class Share:
    """GO where the upper bound is within the limit, NO-GO where the lower one is beyond it, else INCONCLUSIVE.

    What failed on old or on both sides may hide anything: such cases count as bad for GO and not at all for NO-GO.
    """

    def __init__(self, clause: Clause, limit: ShareLimit, weigh: Weigh, words: Words, bounds: Bounds = EXACT) -> None:
        self._sentence = clause.text
        self._confidence = clause.confidence
        self._limit = limit
        self._weigh = weigh
        self._words = words
        self._watched = bounds.watched
        self._strict = Sample(bounds)
        self._fair = Sample(bounds)
        self._waived = self._skipped = self._unproven = self._untold = 0

    def add_all(self, results: Sequence[Result]) -> None:
        """Count cases of the traffic; goldens are judged apart."""
        traffic = [each for each in results if each.case.kind != "golden"]
        self._waived += [each.outcome for each in traffic].count("waived")
        weights = [(each.case.session, self._weigh(each)) for each in traffic]
        skipped = [weight for each, (_, weight) in zip(traffic, weights, strict=True) if each.outcome == "skipped"]
        untold = len(skipped) - skipped.count(None)
        self._skipped += len(skipped) - untold
        self._untold += untold
        weighed = [(session, *weight) for session, weight in weights if weight is not None]
        proven = [(session, bad) for session, _, bad in weighed if bad is not None]
        self._strict.add_all([session for session, _, _ in weighed], bad=sum([bad for _, bad, _ in weighed]))
        self._fair.add_all([session for session, _ in proven], bad=sum([bad for _, bad in proven]))
        self._unproven += len(weighed) - len(proven) - untold

    def judge(self, parts: int = 1) -> Judgement:
        """Return the share with its two one-sided bounds; n is the effective n behind the upper one."""
        rate, shown = self._fair.rate, self._words.shown
        if rate is None:
            why = "; ".join(["no traffic was compared", *self._remarks()])
            return Judgement(self._sentence, "INCONCLUSIVE", why, n=0.0)
        against = corrected(self._confidence, parts)
        low = self._fair.lower(against)
        high = max(sample.upper(confidence=self._confidence) for sample in (self._strict, self._fair))
        state = self._state(low, high)
        told = self._fair.n - self._fair.bad if self._words.good else self._fair.bad
        head = f"{self._words.cases}: {told:,} of {cases(self._fair.n)} ({percent(shown(rate))})"
        remarks = [*self._remarks(), *looked(watched=self._watched)]
        why = "; ".join([head, self._reason(state, low, high, against), *remarks])
        n = self._strict.sizes.effective()
        interval = (shown(high), shown(low)) if self._words.good else (low, high)
        return Judgement(self._sentence, state, why, value=shown(rate), interval=interval, n=n, unit="share")

    def _state(self, low: float, high: float) -> VerdictState:
        if self._limit.met_by(high):
            return "GO"
        return "INCONCLUSIVE" if self._limit.met_by(low) else "NO-GO"

    def _reason(self, state: VerdictState, low: float, high: float, against: float) -> str:
        limit, shown = self._limit.text, self._words.shown
        low_text, high_text = (percent(shown(bound), beside=shown(self._limit.share)) for bound in (low, high))
        most, least = ("least", "most") if self._words.good else ("most", "least")
        if state == "GO":
            return f"with {level(self._confidence)} confidence at {most} {high_text}, within {limit}"
        if state == "NO-GO":
            return f"with {level(against)} confidence at {least} {low_text}, not within {limit}"
        further = self._strict.needed(self._limit.share, self._confidence)
        remedy = (
            "no number of cases would settle it"
            if further is None
            else f"{cases(further)} more, all clean, would settle it"
        )
        bounds = sorted([(low, low_text), (high, high_text)], reverse=self._words.good)
        return f"the bounds {' and '.join(text for _, text in bounds)} enclose {limit}; {remedy}"

    def _remarks(self) -> list[str]:
        remarks = []
        if self._unproven:
            remarks.append(f"counted as if they were bad: {cases(self._unproven)} that {self._words.doubt}")
        remarks += unproven(self._untold)
        if self._waived:
            remarks.append(f"not counted, since waived: {cases(self._waived)}")
        if self._skipped:
            remarks.append(f"{cases(self._skipped)} skipped: no evidence either way")
        return remarks + worth(self._strict.n, self._strict.sizes.effective())


def looked(*, watched: bool) -> list[str]:
    """Return the remark that bounds are wider because they may be looked at more than once."""
    return ["looked at while it grows: bounds that hold at every look"] if watched else []


def worth(n: int, effective: float) -> list[str]:
    """Return the remark that sessions shrink the sample; nothing where they do not."""
    if n - effective < 0.05:  # noqa: PLR2004 - the first decimal that is printed
        return []
    return [f"cases of one session depend on each other: {n:,} are worth {figure(effective)}"]
