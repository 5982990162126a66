"""What became of a case: who failed, what differs, and which word reports use for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from replay.compare import Compared, Comparison, Pair
from replay.engine.grouping import NO_GROUPS, Grouping
from replay.engine.kpis import NO_KPIS, Kpis
from replay.engine.masked import MaskedSides
from replay.expressions import Expression
from replay.models import SIDES, Case, CaseError, Difference, Failure, Json, Observation, OutcomeName, Result, Side

UNSEEN: Final = "rules ignore all of the answer, so that nothing was compared"

Named = Sequence[tuple[Json, Json]]
"""Names of old and of new that mean one thing."""


@dataclass(frozen=True, slots=True)
class Referee:
    """Turns two observations of a case into its result."""

    comparison: Comparison
    error_when: Expression | None = None
    grouping: Grouping = NO_GROUPS
    kpis: Kpis = NO_KPIS
    masks: MaskedSides | None = None
    """What is known of sides that are masked already; None where stored answers are compared, which all are."""

    def on(self, day: date) -> Referee:
        """Return the same referee for a run that began on another day, which waivers are held against."""
        return replace(self, comparison=self.comparison.on(day))

    def result(
        self, case: Case, old: Observation | None, new: Observation, minted: Callable[[Named], None] | None = None
    ) -> Result:
        """Compare, find out who failed, and name the outcome: an error names it, else the differences do.

        `minted` is told which names of old and new a rule found to mean one thing, which was not known before.
        """
        if self.masks is not None and self.masks.speaks_of(case, old):
            old, new = old and self.masks.masked(case, old), self.masks.masked(case, new)
            result = self._result(self.masks.naming(case), old, new, minted)
            return self.masks.settled(replace(result, case=case))
        return self._result(case, old, new, minted)

    def _result(
        self, case: Case, old: Observation | None, new: Observation, minted: Callable[[Named], None] | None
    ) -> Result:
        pair = Pair(case, old, new)
        compared = self.comparison.compare(pair)
        if minted is not None and compared.minted:
            minted(compared.minted)
        failures = {side: failure for side in SIDES if (failure := self._failure(pair, side, compared)) is not None}
        outcome = _outcome(failures, compared.differences)
        if outcome == "match" and not compared.evidence:
            outcome = "skipped"
        return Result(
            case=case,
            outcome=outcome,
            old=old,
            new=new,
            differences=compared.differences,
            accepted=compared.accepted,
            measures=compared.measures,
            flags=compared.flags,
            error=_error(failures),
            skipped=UNSEEN if outcome == "skipped" else None,
            groups=self.grouping.memberships(pair, failures),
            figures=self.kpis.figures(pair, compared.how, failures),
        )

    def failure(self, case: Case, observation: Observation) -> Failure | None:
        """Return why an answer, looked at by itself, counts as its side's failure; None where it does not."""
        pair = Pair(case, None, observation)
        return self._failure(pair, "new", self.comparison.compare(pair))

    def skipped(self, case: Case, reason: str) -> Result:
        """Return the result of a case that was not sent: counted, never dropped."""
        return Result(case, "skipped", skipped=reason, groups=self.grouping.memberships(Pair(case, None, None)))

    def _failure(self, pair: Pair, side: Side, compared: Compared) -> Failure | None:
        observation = pair.observation(side)
        if observation is None:
            return None
        if observation.error is not None:
            return observation.error
        if pair.case.steps:  # who failed at a step was found out when it was played
            return None
        if observation.status is not None and observation.status >= 500 and not _expected(pair.case, observation):  # noqa: PLR2004
            return Failure("status", f"answered {observation.status}")
        # An expression that cannot be decided tells an error: a side must not pass because nobody could look.
        if self.error_when is not None and self.error_when.holds(pair.document(side, compared.how), undecided=True):
            return Failure("error_when", f"holds: {self.error_when.text}")
        return Failure("decode", compared.flaws[side]) if side in compared.flaws else None


def _expected(case: Case, observation: Observation) -> bool:
    """Tell whether a curator approved of exactly this status, so that answering it is no failure."""
    return case.expect is not None and case.expect.status == observation.status


def _outcome(failures: dict[Side, Failure], differences: Sequence[Difference]) -> OutcomeName:
    if len(failures) == len(SIDES):
        return "both_error"
    if failures:
        return "new_error" if "new" in failures else "old_error"
    return outcome_of(differences)


def outcome_of(differences: Sequence[Difference]) -> OutcomeName:
    """Name the outcome of a case that no side failed: the worst of its differences does."""
    if not differences:
        return "match"
    if any(difference.counts for difference in differences):
        return "deviation"
    if any(difference.waived for difference in differences):
        return "waived"
    return "noise"


def _error(failures: dict[Side, Failure]) -> CaseError | None:
    if not failures:
        return None
    if len(failures) == 1:
        side, failure = next(iter(failures.items()))
        return CaseError(side, failure.kind, failure.message)
    old, new = failures["old"], failures["new"]
    message = new.message if old == new else f"old: {old.kind}, {old.message}; new: {new.message}"
    return CaseError("both", new.kind, message)
