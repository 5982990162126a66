"""What a rule looks like once it is ready to judge, and how the places of items are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from replay.locations import Path, Segment, State, print_location
from replay.models import MISSING, Json, Missing, RuleSpec

Node = Json | Missing


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a case: `number` is its place in the order, in which the last that matches wins."""

    number: int
    spec: RuleSpec
    name: str


class EnoughError(Exception):
    """A trial has found more differences than it may."""


class Shifted(int):
    """The index of an item on the old side, where its counterpart on the new side has another."""

    new: int

    def __new__(cls, old: int, new: int) -> Self:
        """Return old's index, by which rules and reports go, with new's beside it."""
        index = super().__new__(cls, old)
        index.new = new
        return index


NOWHERE: Final[tuple[int, Node]] = (-1, MISSING)
"""The place and the item of a side that has none."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Two items that belong together, one of which may be missing, and how their place is told."""

    segment: Segment
    index: int
    old: Node
    new: Node

    @classmethod
    def of(cls, old: tuple[int, Node], new: tuple[int, Node]) -> Self:
        """Pair two items with their places, told by old's index; by new's where only new has one."""
        if old[1] is MISSING:
            return cls(new[0], new[0], MISSING, new[1])
        moved = new[1] is not MISSING and new[0] != old[0]
        return cls(Shifted(old[0], new[0]) if moved else old[0], old[0], old[1], new[1])


def state_of(above: State, pair: Paired, count: int) -> State:
    """Return the state at a pair of items, of `count` in all; filters have to hold for both."""
    return item_state(above, pair.index, (pair.old, pair.new), count)


def item_state(above: State, index: int, items: Sequence[Node], count: int) -> State:
    """Return the state at an item, as the sides have it; filters have to hold on every side that has one."""
    below = above.index(index)
    if above.tests:
        return above.with_tests(below, [item for item in items if item is not MISSING], index, count)
    return below


def pair_at(old: list[Any], new: list[Any], index: int) -> tuple[Node, Node]:
    """Return both arrays' items at an index."""
    return (
        old[index] if index < len(old) else MISSING,
        new[index] if index < len(new) else MISSING,
    )


def told_in_new(parts: Sequence[Segment]) -> str:
    """Return a location as new has it, where an item on the way stands at another index there; else nothing."""
    if Shifted not in map(type, parts):
        return ""
    there: Path = ()
    for part in parts:
        there = (there, part.new if isinstance(part, Shifted) else part)
    return f"in new at {print_location(there)}"
