"""What a check finds: a state, a fact, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["well", "note", "mend"]
"""`note` is for what may be meant so, and has to be known; `mend` for what spoils a run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's page. `side` is empty for what concerns this machine or both sides."""

    check: str
    state: State
    fact: str
    remedy: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that was found, in the order of the page."""

    findings: Sequence[Finding]

    def count(self, state: State) -> int:
        """Return how many findings have a state."""
        return sum(each.state == state for each in self.findings)

    @property
    def well(self) -> bool:
        """Tell whether nothing has to be mended."""
        return not self.count("mend")
