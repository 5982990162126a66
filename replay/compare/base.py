"""What a rule looks like once it is ready to judge, and what every comparator looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from replay.locations import Path, State
from replay.models import Json, Missing, RuleSpec

if TYPE_CHECKING:
    from replay.compare.walk import Walk

Node = Json | Missing


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a case: `number` is its place in the order, in which the last that matches wins."""

    number: int
    spec: RuleSpec
    name: str


class Comparator(Protocol):
    """Judges two nodes at one location. Both are there; where one is missing, only `ignore` is asked."""

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Tell `walk` every difference, or hand the nodes below back to it."""
