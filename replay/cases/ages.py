"""How old what was recorded is: which records of a file are past an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from replay.cases.base import Traffic


@dataclass(frozen=True, slots=True)
class Age:
    """The records of a file by their age; `undated` tell no time, or cannot be read."""

    older: int = 0
    younger: int = 0
    undated: int = 0
    newest: datetime | None = None

    @property
    def records(self) -> int:
        """Return how many there are."""
        return self.older + self.younger + self.undated

    @property
    def past(self) -> bool:
        """Tell whether every record is past the instant, and there is one."""
        return 0 < self.older == self.records


def age_of(traffic: Traffic, instant: datetime) -> Age:
    """Return how many records of a file are older than an instant. Raise DocumentError where it cannot be read."""
    older = younger = undated = 0
    newest: datetime | None = None
    for case in traffic.without_identity():
        if case.freeze is None:
            undated += 1
            continue
        older, younger = (older + 1, younger) if case.freeze < instant else (older, younger + 1)
        newest = case.freeze if newest is None else max(newest, case.freeze)
    return Age(older, younger, undated + sum(traffic.intake.skipped.values()), newest)
