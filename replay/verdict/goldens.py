"""`goldens pass`: every golden is right. A list, not a sample, so there are no bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from replay.models import Judgement, OutcomeName, Result, VerdictState
from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Clause
from replay.verdict.samples import COMPARED
from replay.verdict.wording import listed

_SHOWN: Final = 3
_WORDS: Final[dict[OutcomeName, str]] = {
    "deviation": "deviating",
    "new_error": "failed on new only",
    "old_error": "failed on old only",
    "both_error": "failed on both sides",
    "skipped": "skipped",
}
_FAILING: Final[tuple[OutcomeName, ...]] = ("deviation", "new_error")
_OPEN: Final[tuple[OutcomeName, ...]] = ("old_error", "both_error", "skipped")


def goldens_pass(clause: Clause, _terms: Terms) -> Metric:
    """Return the metric of `goldens pass`. Raises CriterionError for a comparison, and for a confidence."""
    if clause.operator is not None:
        raise clause.fault(clause.operator_token, "goldens are a list, not a rate", "write goldens pass")
    if clause.per_token is not None:
        hint = "write goldens pass: every one of them has to, and those that do not are named"
        raise clause.fault(clause.per_token, "goldens are one list, without parts", hint)
    if clause.confidence_token is not None:
        hint = "write goldens pass: every one of them has to"
        raise clause.fault(clause.confidence_token, "goldens are a list, not a sample", hint)
    return GoldensPass(clause.text)


class GoldensPass:
    """NO-GO by any golden that deviates or that only new fails; else INCONCLUSIVE by any that was not compared.

    Waived differences, noise and an old that drifted from the expectation fail nothing.
    """

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._counts: dict[OutcomeName, int] = {}
        self._ids: dict[OutcomeName, tuple[str, ...]] = {}

    def add_all(self, results: Sequence[Result]) -> None:
        """Count goldens by their outcome; traffic is judged apart."""
        for result in [each for each in results if each.case.kind == "golden"]:
            self._counts[result.outcome] = self._counts.get(result.outcome, 0) + 1
            ids = self._ids.get(result.outcome, ())
            if len(ids) < _SHOWN:
                self._ids[result.outcome] = (*ids, result.case.id)

    def judge(self, parts: int = 1) -> Judgement:  # noqa: ARG002 - a list leaves nothing to chance
        """Return passed / all as the value, over all goldens of the run."""
        total = sum(self._counts.values())
        passed = total - sum(self._counts.get(outcome, 0) for outcome in (*_FAILING, *_OPEN))
        state, why = self._state(), f"{passed:,} of {total:,} goldens pass"
        if total == 0 or not any(self._counts.get(outcome) for outcome in COMPARED):
            why += "; no golden was compared"
        if waived := self._counts.get("waived"):
            why += f"; {waived:,} of them by a waiver alone"
        faults = [self._told(outcome) for outcome in (*_FAILING, *_OPEN) if self._counts.get(outcome)]
        return Judgement(
            self._sentence,
            state,
            "; ".join([why, *faults]),
            value=passed / total if total else None,
            n=float(total),
            unit="share",
        )

    def _state(self) -> VerdictState:
        if any(self._counts.get(outcome) for outcome in _FAILING):
            return "NO-GO"
        if any(self._counts.get(outcome) for outcome in _OPEN) or not self._counts:
            return "INCONCLUSIVE"
        return "GO"

    def _told(self, outcome: OutcomeName) -> str:
        return f"{self._counts[outcome]:,} {_WORDS[outcome]}: {listed(self._ids[outcome], self._counts[outcome])}"
