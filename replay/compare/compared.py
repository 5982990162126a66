"""What a comparison of one case found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replay.compare.reading import BY_TYPE, How
from replay.models import Acceptance, Difference, Json, Measure, Side


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found. `flaws` tells, by side, what makes a body no proper document."""

    differences: tuple[Difference, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    measures: tuple[Measure, ...] = ()
    flags: tuple[str, ...] = ()
    flaws: Mapping[Side, str] = field(default_factory=dict)
    how: How = BY_TYPE
    """How the rules of this case had bodies read."""
    minted: tuple[tuple[Json, Json], ...] = ()
    """Names of old and new that a rule found to be new ones of one thing."""
    evidence: bool = True
    """Whether the rules left anything to compare."""
