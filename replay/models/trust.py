"""What a side is trusted with: the secrets that are put in the place of their names when a request is sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from replay.models.names import CaseKind

Stance = Literal["filled", "left", "refused"]
"""What becomes of a secret's name in a request: its value is put there, it stays as text, or nothing is sent."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which names stand for secrets, and what one side is sent in their place once that is known."""

    traffic: Mapping[str, bool | None] = field(default_factory=dict)
    """What the settings say of each name: whether it stands for the secret in traffic too; None is nothing."""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def stance(self, name: str, kind: CaseKind) -> Stance:
        """Return what becomes of a name in a case of a kind.

        In goldens, which are reviewed, every name is meant. In traffic it may be what somebody sent who would like to
        have the secret put there: nobody but the settings can tell, so a name that they know is never passed over.
        """
        if kind == "golden":
            return "filled" if name in self.traffic else "refused"
        said = self.traffic.get(name)
        if said is not None:
            return "filled" if said else "left"
        return "refused" if name in self.traffic or any(self.traffic.values()) else "left"
