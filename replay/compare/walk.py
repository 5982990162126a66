"""The walk through two documents at once, with the rules' automaton beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from replay.compare.base import Node, Rule
from replay.compare.rules import ActiveRules
from replay.compare.values import json_type, same_scalar, same_spelling
from replay.locations import Path, State, print_location, segments
from replay.models import MISSING, Acceptance, Difference, DifferenceKind, Measure

EQUAL: Final = "default: values are equal"
MOST_DIFFERENCES: Final = 1000
"""Beyond this, a case's differences are counted and no longer listed: two disjoint documents need no longer proof."""


class Walk:
    """One comparison under way; collects what it finds. Use it once."""

    def __init__(self, rules: ActiveRules, against: Literal["old", "expect"] = "old") -> None:
        self.rules = rules
        self.against = against
        self.differences: list[Difference] = []
        self.accepted: dict[tuple[str, str], Acceptance] = {}
        self.measures: list[Measure] = []
        self.met: set[int] = set()
        """The numbers of the rules whose intended change was seen."""
        self.unlisted = 0
        self.default_name = EQUAL
        self.strict = False

    # ------------------------------------------------------------------------------------------------------- findings

    def differ(self, at: Path, kind: DifferenceKind, old: Node, new: Node, *, rule: str = "", note: str = "") -> None:
        """Keep one difference."""
        if len(self.differences) >= MOST_DIFFERENCES:
            self.unlisted += 1
            return
        root = segments(at)[:1]
        if root in (("headers",), ("status",)):
            kind = "header" if root == ("headers",) else "status"
        self.differences.append(
            Difference(print_location(at), kind, old, new, rule or self.default_name, self.against, note)
        )

    def accept(self, at: Path, rule: str) -> None:
        """Keep that something here is not byte for byte the same, and which rule lets it pass."""
        place = print_location(at)
        self.accepted.setdefault((place, rule), Acceptance(place, rule))

    def measure(self, at: Path, name: str, value: float | None) -> None:
        """Keep a figure, whether or not it was met."""
        self.measures.append(Measure(print_location(at), name, value))

    # ----------------------------------------------------------------------------------------------------------- walk

    def node(self, old: Node, new: Node, at: Path, state: State) -> None:
        """Compare what stands at one location: by the last rule that matches it, else by value."""
        if state.accepts:
            self.rules.check_schema(self, old, new, at, state)
            ruled = self.rules.at(state)
            if ruled is not None:
                self.judge(ruled, old, new, at, state)
                return
        self.default(old, new, at, state)

    def judge(self, rule: Rule, old: Node, new: Node, at: Path, state: State) -> None:
        """Let a rule judge. Only an `ignore` lets pass that one side has nothing here."""
        if (old is MISSING or new is MISSING) and not rule.spec.ignore:
            self.absent(old, new, at, rule.name)
        else:
            self.rules.comparator(rule)(self, old, new, at, state)

    def default(self, old: Node, new: Node, at: Path, state: State) -> None:
        """Compare by value: members by name, items by position, scalars type-strictly."""
        if old is MISSING or new is MISSING:
            self.absent(old, new, at)
        elif type(old) is dict and type(new) is dict:
            self.members(old, new, at, state)
        elif type(old) is list and type(new) is list:
            self.items(old, new, at, state)
        elif not (same_spelling if self.strict else same_scalar)(old, new):
            self.differ(at, "value" if json_type(old) == json_type(new) else "type", old, new)

    def absent(self, old: Node, new: Node, at: Path, rule: str = "") -> None:
        """Keep that one side has nothing here. Missing is not null."""
        self.differ(at, "extra" if old is MISSING else "missing", old, new, rule=rule)

    def members(self, old: dict[str, Any], new: dict[str, Any], at: Path, state: State) -> None:
        """Compare two objects, renamed members with their new name."""
        taken = set()
        for name, value in old.items():
            below = self.below(state, name, old, new)
            theirs = self._new_name(name, new, (at, name), below)
            taken.add(theirs)
            self.node(value, new.get(theirs, MISSING), (at, name), below)
        for name, value in new.items():
            if name not in taken:
                self.node(MISSING, value, (at, name), self.below(state, name, old, new))

    def _new_name(self, name: str, new: dict[str, Any], at: Path, state: State) -> str:
        rule = self.rules.renaming(state) if state.accepts else None
        if rule is None or self.against == "expect":
            return name
        renamed = str(rule.spec.renamed)
        if renamed in new:
            self.met.add(rule.number)
            self.accept(at, rule.name)
            return renamed
        if rule.spec.must and name in new:
            self.differ(at, "missing", name, name, rule=rule.name, note=f"new still says {name}, not {renamed}")
        return name

    def items(self, old: list[Any], new: list[Any], at: Path, state: State) -> None:
        """Compare two arrays by position."""
        for index in range(max(len(old), len(new))):
            self.node(*pair_at(old, new, index), (at, index), self.below_item(state, index, old, new))

    def explicit(self, old: Node, new: Node, at: Path, state: State, floor: int) -> None:
        """Below an ignored or ranked node, compare only where a rule later than `floor` reaches."""
        if state.deepest <= floor:
            return
        for segment, mine, theirs, below in self._both(old, new, state):
            rule = self.rules.at(below) if below.accepts else None
            if rule is not None and rule.number > floor:
                self.node(mine, theirs, (at, segment), below)
            else:
                self.explicit(mine, theirs, (at, segment), below, floor)

    def _both(self, old: Node, new: Node, state: State) -> Iterator[tuple[str | int, Node, Node, State]]:
        if isinstance(old, dict) and isinstance(new, dict):
            for name in {**old, **new}:
                yield name, old.get(name, MISSING), new.get(name, MISSING), self.below(state, name, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            for index in range(max(len(old), len(new))):
                yield index, *pair_at(old, new, index), self.below_item(state, index, old, new)

    # ---------------------------------------------------------------------------------------------------------- states

    @staticmethod
    def below(state: State, name: str, old: dict[str, Any], new: dict[str, Any]) -> State:
        """Return the state at a member of both objects."""
        below = state.key(name)
        if state.tests:
            present = [side[name] for side in (old, new) if name in side]
            return state.with_tests(below, present, -1, 0)
        return below

    @staticmethod
    def below_item(state: State, index: int, old: list[Any], new: list[Any]) -> State:
        """Return the state at an item of both arrays, for arrays that are compared by position."""
        below = state.index(index)
        if state.tests:
            present = [side[index] for side in (old, new) if index < len(side)]
            return state.with_tests(below, present, index, max(len(old), len(new)))
        return below


def pair_at(old: list[Any], new: list[Any], index: int) -> tuple[Node, Node]:
    """Return both arrays' items at an index."""
    return (
        old[index] if index < len(old) else MISSING,
        new[index] if index < len(new) else MISSING,
    )
