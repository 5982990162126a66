"""A case with its observations and differences: the unit that is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from replay.models.cases import Case
from replay.models.kpis import Figure
from replay.models.making import quickly_made
from replay.models.names import DifferenceKind, ErrorKind, Json, Missing, OutcomeName
from replay.models.observations import Observation


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which new departs from old, or from what the golden expects.

    `at` is a location fit to paste into a rule. `old` and `new` are JSON values, or MISSING; against an expectation,
    `old` holds what was expected. `rule` is the rule that judged it, or the default. `note` tells what values cannot.
    `waived` is the rule that waives it, empty where none does: such a difference is listed and counts for nothing.
    `noise` is the evidence that old differs from itself so, empty where it does not: noise is listed and counts for
    nothing. `converged` tells when it was gone for good where both sides were asked again, empty where it was not.
    """

    at: str
    kind: DifferenceKind
    old: Json | Missing
    new: Json | Missing
    rule: str
    against: Literal["old", "expect"] = "old"
    note: str = ""
    waived: str = ""
    noise: str = ""
    converged: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether it makes its case deviate: it is listed all the same where it is waived, noise or gone."""
        return not (self.waived or self.noise or self.converged)


@dataclass(frozen=True, slots=True)
class Again:
    """What old said when it was asked again: for each further answer, how it departs from old's first one.

    Of each, `old` is what the first answer said and `new` what this one did. `failed` askings came to no answer that
    could be compared: they are evidence of nothing.
    """

    answers: tuple[tuple[Difference, ...], ...] = ()
    failed: int = 0
    unlisted: int = 0
    """Differences that are not kept: too many of them, or too large."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A place where the bytes differ and the values count as equal, and the rule or default that says so."""

    at: str
    rule: str


FEW_ITEMS: Final = 5
"""Below this many items an order says little: of four, chance alone puts every 24th list in the right one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that a rule measured, whether or not it was met: `rank.tau` at `body.hits` is 0.8.

    `value` is None where there is none, as of the order of one item; `items` is how many items it rests on.
    """

    at: str
    name: str
    value: float | None
    items: int | None = None
    limit: float | None = None
    """The least that the rule accepts; None where it sets no limit."""
    moot: bool = False
    """There is nothing to measure, and so nothing amiss: both hold the same item, and one alone has no order."""


@dataclass(frozen=True, slots=True)
class CaseError:
    """Which side failed at a case, and how."""

    side: Literal["old", "new", "both"]
    kind: ErrorKind
    message: str = ""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How a case came to be begun after its planned moment, in milliseconds."""

    late_ms: float
    """How late it was begun by our own fault: waiting for the case before it in its session is none."""
    behind_ms: float
    """How long after the planned moment it was begun, whatever it waited for."""


NO_VALUE: Final = "(none)"
"""What stands for the value that divides a group, where a case has none: no case is lost between the parts."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that a case belongs to, and the value by which the group is divided; None where nothing divides it."""

    group: str
    value: str | None = None


UNPROVEN: Final = "unproven"
"""The flag of a skipped case that was asked all the same: nobody can tell what came of it, so it may hide anything."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Result:
    """A case, its observations and its differences: the unit that is stored."""

    case: Case
    outcome: OutcomeName
    old: Observation | None = None
    new: Observation | None = None
    differences: tuple[Difference, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    measures: tuple[Measure, ...] = ()
    flags: tuple[str, ...] = ()
    error: CaseError | None = None
    skipped: str | None = None
    """Why the case was not sent, or why nothing of it was compared."""
    again: Again | None = None
    """None where old was not asked again."""
    lateness: Lateness | None = None
    """None where no moment was planned."""
    groups: tuple[Membership, ...] = ()
    """The groups that the case belongs to, of those that criteria or reports name."""
    figures: tuple[Figure, ...] = ()
    """What the case tells of the KPIs that speak of it; goldens tell of none."""
