"""How the answers of an experiment drifted apart over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from replay.models.names import Side

DriftUnit = Literal["hour", "day"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls of one hour or day of UTC. `interval` holds the true share of disagreeing ones with 95% confidence."""

    begins: datetime
    n: int
    """Calls that were compared, or that new alone failed."""
    disagreeing: int
    """How many of them deviate or failed on new."""
    unproven: int = 0
    """Further calls, that old or both sides failed."""
    skipped: int = 0
    """Further calls of which nobody can tell."""
    chosen: Mapping[Side, int] = field(default_factory=dict)
    """How often the program used which side's answer, of all these calls."""
    interval: tuple[float, float] | None = None
    versions: tuple[str, ...] = ()
    """Which versions of new they were."""

    @property
    def share(self) -> float | None:
        """Return the share of disagreeing calls; None where nothing was compared."""
        return self.disagreeing / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Drift:
    """One experiment over time, the earliest first; `whole` are all its buckets as one."""

    experiment: str
    old: str
    new: str
    unit: DriftUnit
    whole: Bucket
    buckets: tuple[Bucket, ...]
    lost: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    """How many compared calls of a day are in no run, by why."""
