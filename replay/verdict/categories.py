"""`category.schema = 0`: in how many cases, or in which share of them, new departs or fails in one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from replay.models import Category, DifferenceKind, ErrorKind, Judgement, Result, VerdictState
from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Clause, nearest
from replay.verdict.samples import COMPARED
from replay.verdict.shares import Share, Weigh, Weight, Words, of_skipped, percent_limit
from replay.verdict.statistics import upper_bound
from replay.verdict.wording import cases, level, percent

_OF_ERRORS: Final[Mapping[ErrorKind, Category]] = {
    "status": "status",
    "error_when": "error_when",
    "timeout": "timeout",
    "refused": "transport",
    "closed": "transport",
    "reset": "transport",
    "incomplete_body": "transport",
    "protocol": "transport",
    "too_large": "transport",
    "decode": "decode",
    "tls": "transport",
    "dns": "transport",
    "crashed": "transport",
    "exception": "exception",
    "capture": "capture",
    "until": "timeout",
}
"""No whole answer came is `transport`, unless it took too long; an answer that counts as an error says why."""

_KINDS: Final[tuple[DifferenceKind, ...]] = get_args(DifferenceKind)
NAMES: Final[tuple[str, ...]] = (*_KINDS, "timeout", "transport", "exception", "decode", "error_when", "capture")
"""Every category."""


def categories_of(result: Result) -> frozenset[Category]:
    """Return in which ways a case deviates or fails; of what is waived, noise or a match there is none."""
    found: set[Category] = set()
    if result.error is not None:
        found.add(_OF_ERRORS[result.error.kind])
    if result.error is not None or result.outcome == "deviation":
        found |= {difference.kind for difference in result.differences if difference.counts}
    return frozenset(found)


def category(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `category.X = 0`, `<= N`, or `< Y%`. Raises CriterionError for anything else."""
    if clause.name not in NAMES:
        raise clause.fault(clause.subject, f"unknown category '{clause.name}'", nearest(clause.name, NAMES))
    weigh = _weigh(clause.name)
    if clause.amount is not None and clause.amount.unit == "%":
        words = Words(f"with {clause.name}", "failed, so that nothing could show it")
        return Share(clause, percent_limit(clause), weigh, words, terms.bounds)
    return Count(clause, _most(clause), weigh)


def _weigh(name: str) -> Weigh:
    is_difference = name in _KINDS

    def weigh(result: Result) -> Weight | None:
        if result.outcome == "skipped":
            return of_skipped(result)
        if result.outcome in ("old_error", "both_error"):
            return True, None
        if name in categories_of(result):
            return True, True
        # Of an answer that did not come nobody knows how it would have differed.
        return (True, None) if is_difference and result.outcome == "new_error" else (False, False)

    return weigh


def _most(clause: Clause) -> int:
    """Return the largest number of cases that a clause accepts."""
    example = f"write {clause.subject.text} = 0, <= 3, or < 0.1%"
    amount = clause.amount
    if clause.against_old or amount is None:
        raise clause.fault(clause.bound, "categories are not compared with old", example)
    if amount.unit or amount.number % 1:
        raise clause.fault(amount.token, f"'{amount.text}' is no number of cases", example)
    most = int(amount.number) - (clause.operator == "<")
    if clause.operator not in ("=", "<", "<=") or (clause.operator == "=" and most):
        raise clause.fault(clause.operator_token, "a number of cases takes an upper limit", example)
    if most < 0:
        raise clause.fault(amount.token, "no number of cases is below 0", example)
    return most


class Count:
    """So many cases of this run at most: a count, which says of other cases only what a sample of this size does."""

    def __init__(self, clause: Clause, most: int, weigh: Weigh) -> None:
        self._clause = clause
        self._most = most
        self._weigh = weigh
        self._found = self._open = self._compared = self._known = 0

    def add_all(self, results: Sequence[Result]) -> None:
        """Count cases of the traffic; goldens are judged apart."""
        for result in results:
            weight = None if result.case.kind == "golden" else self._weigh(result)
            if weight is not None:
                self._compared += result.outcome in COMPARED
                self._open += weight[1] is None
                self._known += weight[1] is not None
                self._found += weight[1] is True

    def judge(self, parts: int = 1) -> Judgement:  # noqa: ARG002 - a count leaves nothing to chance
        """Return how many cases were found, of all of which it is known."""
        state = self._state()
        why = "; ".join([f"{cases(self._found)} of {self._known:,} with {self._clause.name}", *self._remarks(state)])
        return Judgement(self._clause.text, state, why, value=float(self._found), n=float(self._known), unit="cases")

    def _state(self) -> VerdictState:
        if self._found > self._most:
            return "NO-GO"
        return "GO" if self._compared and self._found + self._open <= self._most else "INCONCLUSIVE"

    def _remarks(self, state: VerdictState) -> list[str]:
        remarks = [] if self._compared else ["no traffic was compared"]
        if self._open:
            remarks.append(f"{cases(self._open)} failed or could not be compared, so that nothing could show it")
        if state == "GO":
            sure, confidence = level(self._clause.confidence), self._clause.confidence
            most = percent(upper_bound(self._found, self._known, confidence))
            remarks.append(f"a count of this run alone: with {sure} confidence at most {most} of all cases are so")
        return remarks
