"""What a rule looks like once it is ready to judge."""

from __future__ import annotations

from dataclasses import dataclass

from replay.models import Json, Missing, RuleSpec

Node = Json | Missing


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a case: `number` is its place in the order, in which the last that matches wins."""

    number: int
    spec: RuleSpec
    name: str
