"""The walk through two documents at once, with the rules' automaton beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Protocol

from replay.compare.base import Node, Rule
from replay.compare.values import json_type, same_scalar, same_spelling
from replay.compare.waivers import marked
from replay.locations import ROOT, Machine, Path, State, print_location, segments
from replay.models import MISSING, Acceptance, Difference, DifferenceKind, Measure

EQUAL: Final = "default: values are equal"
_HEADERS: Final[Path] = (ROOT, "headers")
_GLANCED: Final = frozenset({str, int, bool, type(None)})
MOST_ACCEPTED: Final = 100
"""How many places are kept for one rule: 20,000 ignored items say no more than a hundred."""
MOST_DIFFERENCES: Final = 1000
"""Beyond this, a case's differences are counted and no longer listed: two disjoint documents need no longer proof."""


class Comparator(Protocol):
    """Judges two nodes at one location. Both are there; where one is missing, only `ignore` is asked."""

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Tell `walk` every difference, or hand the nodes below back to it."""


class Rulings(Protocol):
    """What a walk asks about the rules of its case."""

    machine: Machine
    renames: bool
    """Whether any rule gives a member another name."""
    waives: bool
    """Whether any rule waives differences."""

    @property
    def objecting(self) -> frozenset[int]:
        """Return the numbers of the rules that may find fault with two equal values."""

    def at(self, state: State) -> Rule | None:
        """Return the rule that compares the nodes in this state: the last that matches."""

    def comparator(self, rule: Rule) -> Comparator:
        """Return what carries a rule out."""

    def renaming(self, state: State) -> Rule | None:
        """Return the last rule in this state that gives a member another name on the new side."""

    def waiver(self, state: State, above: Rule | None) -> Rule | None:
        """Return the waiver that stands over the nodes in this state; `above` is the one over what they are part of."""

    def check_schemas(self, walk: Walk, old: Node, new: Node, at: Path, state: State, after: int = -1) -> None:  # noqa: PLR0917
        """Hold both nodes against every schema of a rule later than `after` that is asked for here."""


class Walk:
    """One comparison under way; collects what it finds. Use it once. Waivers are held against `today`."""

    def __init__(self, rules: Rulings, against: Literal["old", "expect"] = "old", today: date | None = None) -> None:
        self.rules = rules
        self.against = against
        self.today = today or datetime.now(UTC).date()
        self.waiver: Rule | None = None
        """What waives the differences that are found now."""
        self.differences: list[Difference] = []
        self.accepted: dict[tuple[str, str], Acceptance] = {}
        self._by_rule: Counter[str] = Counter()
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
        waived, note = marked(self.waiver, self.today, note)
        self.differences.append(
            Difference(print_location(at), kind, old, new, rule or self.default_name, self.against, note, waived)
        )

    def accept(self, at: Path, rule: str) -> None:
        """Keep that something here is not byte for byte the same, and which rule lets it pass."""
        self._by_rule[rule] += 1
        if self._by_rule[rule] <= MOST_ACCEPTED:
            place = print_location(at)
            self.accepted.setdefault((place, rule), Acceptance(place, rule))

    def measure(self, at: Path, name: str, value: float | None, *, items: int | None = None) -> None:
        """Keep a figure, whether or not it was met, and on how many items it rests."""
        self.measures.append(Measure(print_location(at), name, value, items))

    # ----------------------------------------------------------------------------------------------------------- walk

    def node(self, old: Node, new: Node, at: Path, state: State) -> None:
        """Compare what stands at one location: by the last rule that matches it, else by value."""
        if not state.accepts:
            self.default(old, new, at, state)
        elif self.rules.waives:
            with self.under_waiver(state):
                self._ruled(old, new, at, state)
        else:
            self._ruled(old, new, at, state)

    def _ruled(self, old: Node, new: Node, at: Path, state: State) -> None:
        self.rules.check_schemas(self, old, new, at, state)
        ruled = self.rules.at(state)
        if ruled is not None:
            self.judge(ruled, old, new, at, state)
        else:
            self.default(old, new, at, state)

    @contextmanager
    def under_waiver(self, state: State) -> Iterator[None]:
        """Mark what is found meanwhile as waived where a waiver stands over the nodes in this state."""
        before = self.waiver
        self.waiver = self.rules.waiver(state, before) if self.rules.waives else before
        try:
            yield
        finally:
            self.waiver = before

    def judge(self, rule: Rule, old: Node, new: Node, at: Path, state: State) -> None:
        """Let a rule judge. Only an `ignore` lets pass that one side has nothing here."""
        if (old is MISSING or new is MISSING) and not rule.spec.ignore:
            self.absent(old, new, at, rule.name)
        else:
            self.rules.comparator(rule)(self, old, new, at, state)

    def default(self, old: Node, new: Node, at: Path, state: State) -> None:
        """Compare by value: members by name, items by position, scalars type-strictly."""
        if state.deepest < 0:
            self.plain(old, new, at)
        elif type(old) is dict and type(new) is dict:
            for name, mine, theirs, below in self.members(old, new, at, state):
                if below.accepts or not settled(mine, theirs):
                    self.node(mine, theirs, (at, name), below)
        elif type(old) is list and type(new) is list:
            for index in range(max(len(old), len(new))):
                mine, theirs = pair_at(old, new, index)
                below = self.below_item(state, index, old, new)
                if below.accepts or not settled(mine, theirs):
                    self.node(mine, theirs, (at, index), below)
        else:
            self._leaf(old, new, at)

    def plain(self, old: Node, new: Node, at: Path) -> None:
        """Compare by value where no rule can match below: most of most documents, so it wastes no step."""
        if type(old) is dict and type(new) is dict:
            for name, value in old.items():
                theirs = new.get(name, MISSING)
                if not settled(value, theirs):
                    self.plain(value, theirs, (at, name))
            for name, value in new.items():
                if name not in old:
                    self.absent(MISSING, value, (at, name))
        elif type(old) is list and type(new) is list:
            for index in range(max(len(old), len(new))):
                value, theirs = pair_at(old, new, index)
                if not settled(value, theirs):
                    self.plain(value, theirs, (at, index))
        else:
            self._leaf(old, new, at)

    def _leaf(self, old: Node, new: Node, at: Path) -> None:
        if old is MISSING or new is MISSING:
            self.absent(old, new, at)
        elif not (same_spelling if self.strict else same_scalar)(old, new):
            self.differ(at, "value" if json_type(old) == json_type(new) else "type", old, new)

    def absent(self, old: Node, new: Node, at: Path, rule: str = "") -> None:
        """Keep that one side has nothing here. Missing is not null."""
        self.differ(at, "extra" if old is MISSING else "missing", old, new, rule=rule)

    # -------------------------------------------------------------------------------------------------- below a ruling

    def explicit(self, old: Node, new: Node, at: Path, state: State, floor: int) -> None:
        """Below an ignored or ranked node, compare only where a rule later than `floor` reaches.

        What only one side has, or what has become something else, is walked too: a rule that reaches into it has to
        see what is gone.
        """
        if state.deepest > floor:
            for segment, mine, theirs, below in self._children(old, new, at, state):
                self.later(mine, theirs, (at, segment), below, floor)

    def later(self, old: Node, new: Node, at: Path, state: State, floor: int) -> None:
        """Compare a node only if a rule later than `floor` speaks of it or of what is below."""
        if self.rules.waives:
            with self.under_waiver(state):
                self._later(old, new, at, state, floor)
        else:
            self._later(old, new, at, state, floor)

    def _later(self, old: Node, new: Node, at: Path, state: State, floor: int) -> None:
        rule = self.rules.at(state) if state.accepts else None
        renaming = self.rules.renaming(state) if state.accepts else None
        if rule is not None and rule.number > floor:
            self.node(old, new, at, state)
        elif renaming is not None and renaming.number > floor:
            self.default(old, new, at, state)
        else:
            self.rules.check_schemas(self, old, new, at, state, floor)
            self.explicit(old, new, at, state, floor)

    def _children(self, old: Node, new: Node, at: Path, state: State) -> Iterator[tuple[str | int, Node, Node, State]]:
        members = [side if isinstance(side, dict) else {} for side in (old, new)]
        yield from self.members(members[0], members[1], at, state)
        ours, theirs = (side if isinstance(side, list) else [] for side in (old, new))
        for index in range(max(len(ours), len(theirs))):
            yield index, *pair_at(ours, theirs, index), self.below_item(state, index, ours, theirs)

    # --------------------------------------------------------------------------------------------------------- members

    def members(
        self, old: dict[str, Any], new: dict[str, Any], at: Path, state: State
    ) -> Iterator[tuple[str, Node, Node, State]]:
        """Yield the members of two objects: old's in order, those by a new name with it, then what only new has."""
        if not self.rules.renames and not state.tests:
            yield from _by_name(old, new, state)
            return
        renamed = self.renamed(old, new, at, state) if self.rules.renames else {}
        for name, theirs in paired_names(old, new, renamed):
            mine = old[name] if name is not None else MISSING
            found = new[theirs] if theirs is not None else MISSING
            told = name if name is not None else str(theirs)
            yield told, mine, found, self.below(state, told, (mine, found))

    def renamed(self, old: dict[str, Any], new: dict[str, Any], at: Path, state: State) -> dict[str, str]:
        """Return new's names of old's members that rules rename, and tell the renamings that must be and are not."""
        found: dict[str, str] = {}
        for name, value in old.items():
            below = self.below(state, name, (value,))
            rule = self.rules.renaming(below) if below.accepts and self.against == "old" else None
            if rule is None:
                continue
            theirs = str(rule.spec.renamed)
            theirs = theirs.lower() if at == _HEADERS else theirs
            if theirs in new and theirs not in found.values() and not (name in new and theirs in old):
                found[name] = theirs
                self.met.add(rule.number)
                self.accept((at, name), rule.name)
            elif rule.spec.must and name in new:
                self.differ(
                    (at, name), "missing", name, name, rule=rule.name, note=f"new still says {name}, not {theirs}"
                )
        return found

    @staticmethod
    def below(state: State, name: str, values: tuple[Node, ...]) -> State:
        """Return the state at a member, of which `values` are those of the sides."""
        below = state.key(name)
        if state.tests:
            return state.with_tests(below, [value for value in values if value is not MISSING], -1, 0)
        return below

    @staticmethod
    def below_item(state: State, index: int, old: list[Any], new: list[Any]) -> State:
        """Return the state at an item of both arrays, for arrays that are compared by position."""
        below = state.index(index)
        if state.tests:
            present = [side[index] for side in (old, new) if index < len(side)]
            return state.with_tests(below, present, index, max(len(old), len(new)))
        return below


def _by_name(old: dict[str, Any], new: dict[str, Any], state: State) -> Iterator[tuple[str, Node, Node, State]]:
    for name, value in old.items():
        yield name, value, new.get(name, MISSING), state.key(name)
    for name, value in new.items():
        if name not in old:
            yield name, MISSING, value, state.key(name)


def settled(old: Node, new: Node) -> bool:
    """Tell whether two nodes are equal at a glance, however strictly: it spares most leaves the walk."""
    kind = type(old)
    return kind is type(new) and kind in _GLANCED and bool(old == new)


def paired_names(
    old: dict[str, Any], new: dict[str, Any], renamed: dict[str, str]
) -> Iterator[tuple[str | None, str | None]]:
    """Yield each name of old with new's name of it, None where a side has none; a name of new stands for one of old."""
    taken = set(renamed.values())
    for name in old:
        theirs = renamed.get(name, name)
        yield name, theirs if theirs in new and (name in renamed or name not in taken) else None
    for name in new:
        if name not in taken and (name not in old or name in renamed):
            yield None, name


def pair_at(old: list[Any], new: list[Any], index: int) -> tuple[Node, Node]:
    """Return both arrays' items at an index."""
    return (
        old[index] if index < len(old) else MISSING,
        new[index] if index < len(new) else MISSING,
    )
