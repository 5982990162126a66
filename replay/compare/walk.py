"""The walk through two documents at once, with the rules' automaton beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Protocol, Self

from replay.compare.arrays import Step, array_steps
from replay.compare.base import Node, Rule, item_state, pair_at
from replay.compare.effort import Effort
from replay.compare.findings import EQUAL, Findings
from replay.compare.names import Names
from replay.compare.values import same_scalar, same_spelling, same_types, settled
from replay.documents import json_type
from replay.locations import ROOT, Machine, Path, State
from replay.models import MISSING

__all__ = ["EQUAL", "Comparator", "Rulings", "Walk", "paired_names"]

_HEADERS: Final[Path] = (ROOT, "headers")
_DEEP: Final = 32
"""Below so many levels all is walked: what is equal at a glance is looked at once for each level above."""


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

    @property
    def untraced(self) -> Rulings:
        """Return the same rules, for what is only tried."""

    def at(self, state: State) -> Rule | None:
        """Return the rule that compares the nodes in this state: the last that matches."""

    def comparator(self, rule: Rule) -> Comparator:
        """Return what carries a rule out."""

    def quiet(self, state: State) -> bool:
        """Tell whether no rule that may match below has anything to say where both sides are equal."""

    def spelled(self, state: State) -> bool:
        """Tell whether a rule may match below that looks at how numbers are written."""

    def renaming(self, state: State) -> Rule | None:
        """Return the last rule in this state that gives a member another name on the new side."""

    def waiver(self, state: State, above: Rule | None) -> Rule | None:
        """Return the waiver that stands over the nodes in this state; `above` is the one over what they are part of."""

    def check_schemas(self, walk: Walk, old: Node, new: Node, at: Path, state: State, after: int = -1) -> None:  # noqa: PLR0917
        """Hold both nodes against every schema of a rule later than `after` that is asked for here."""


class Walk(Findings):
    """One comparison under way; collects what it finds. Use it once. Waivers are held against `today`."""

    def __init__(self, rules: Rulings, against: Literal["old", "expect"] = "old", today: date | None = None) -> None:
        super().__init__(against, today or datetime.now(UTC).date())
        self.rules = rules
        self.strict = False
        self.names = Names()
        """What is known of names that each side gave things itself."""
        self.effort = Effort()
        self.trials = 0
        """How many trials this walk is part of, one within the other."""
        self._depth = 0
        self._vouched: tuple[Any, Any] = (None, None)

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
        """Compare by value: members by name, items as they are aligned, scalars type-strictly."""
        if old is new and self.rules.quiet(state):
            return
        before, vouched, note = len(self.differences), self.vouched(old, new), ""
        steps: Iterable[Step]
        self._depth += 1
        if type(old) is dict and type(new) is dict:
            steps = self._member_steps(old, new, at, state)
        elif type(old) is list and type(new) is list:
            steps, note = array_steps(self, old, new, at, state)
        else:
            steps = ()
            self._leaf(old, new, at)
        # As `follow` does, which would be one more frame for each of the levels of a document.
        for name, mine, theirs, below in steps:
            if vouched:
                self.vouch(mine, theirs)
            (self.node if below.accepts else self.default)(mine, theirs, (at, name), below)
        if note:
            self.remark(before, note)
        self._depth -= 1

    def follow(self, steps: Iterable[Step], at: Path, *, vouched: bool) -> None:
        """Compare the nodes that are to be looked at; `vouched` says that there is no boolean in any."""
        for name, mine, theirs, below in steps:
            if vouched:
                self.vouch(mine, theirs)
            self.node(mine, theirs, (at, name), below)

    def _member_steps(self, old: dict[str, Any], new: dict[str, Any], at: Path, state: State) -> Iterator[Step]:
        """Yield the members that have to be looked at: those that are unequal, and those of which a rule speaks."""
        if self.eager(state):
            for name in self._unequal_names(old, new, state):
                pair = old.get(name, MISSING), new.get(name, MISSING)
                yield name, *pair, self.below(state, name, pair)
        elif self.rules.renames or state.tests:
            yield from self.members(old, new, at, state)
        else:
            for name, mine in old.items():
                theirs, below = new.get(name, MISSING), state.key(name)
                if below.accepts or not settled(mine, theirs):
                    yield name, mine, theirs, below
            yield from ((name, MISSING, theirs, state.key(name)) for name, theirs in new.items() if name not in old)

    def _unequal_names(self, old: dict[str, Any], new: dict[str, Any], state: State) -> list[str]:
        """Return the names of what is not equal at a glance: old's in order, then those that only new has."""
        unequal = [name for name, value in old.items() if value != new.get(name, MISSING)]
        if not self.takes_for_equal(old, new, state):
            apart = set(unequal)
            rest = [name for name in old if name not in apart]
            sides = [old[name] for name in rest], [new[name] for name in rest]
            if not same_types(*sides, spelled=self.spelled(state)):
                unequal = [*old]
        return unequal if old.keys() == new.keys() else [*unequal, *(name for name in new if name not in old)]

    @property
    def deep(self) -> bool:
        """Whether this is so many levels down that nothing is looked at twice any more."""
        return self._depth > _DEEP

    def eager(self, state: State) -> bool:
        """Tell whether what is equal below a node in this state may be passed over at a glance."""
        return not self.deep and self.rules.quiet(state)

    def spelled(self, state: State) -> bool:
        """Tell whether it matters below a node in this state how numbers are written."""
        return self.strict or self.rules.spelled(state)

    def takes_for_equal(self, old: Any, new: Any, state: State) -> bool:
        """Tell whether what Python calls equal in these two is equal, so that nothing more is to be asked of it."""
        return self.vouched(old, new) and not self.spelled(state)

    def vouch(self, old: Any, new: Any) -> None:
        """Take note that neither of these two holds a boolean, so that what Python calls equal in them is equal.

        The note is on these very objects. The walk hands it on from a node to what is in it, and so it never covers a
        value that a reading or a rule has made anew.
        """
        self._vouched = (old, new)

    def vouched(self, old: Any, new: Any) -> bool:
        """Tell whether it is known of these two that there is no boolean in them."""
        return old is self._vouched[0] and new is self._vouched[1]

    def _leaf(self, old: Node, new: Node, at: Path) -> None:
        if old is MISSING or new is MISSING:
            self.absent(old, new, at)
        elif not (same_spelling if self.strict else same_scalar)(old, new):
            self.differ(at, "value" if json_type(old) == json_type(new) else "type", old, new)

    def absent(self, old: Node, new: Node, at: Path, rule: str = "") -> None:
        """Keep that one side has nothing here. Missing is not null."""
        self.differ(at, "extra" if old is MISSING else "missing", old, new, rule=rule)

    # ---------------------------------------------------------------------------------------------------------- trials

    def beside(self, limit: int | None = None) -> Self:
        """Return a walk to try something with; it raises EnoughError beyond so many differences."""
        trial = copy(self)
        trial.rules = self.rules.untraced
        trial.trials += 1
        trial.names = self.names.apart()
        trial.start(limit)
        return trial

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
        return item_state(state, index, pair_at(old, new, index), max(len(old), len(new)))


def _by_name(old: dict[str, Any], new: dict[str, Any], state: State) -> Iterator[tuple[str, Node, Node, State]]:
    for name, value in old.items():
        yield name, value, new.get(name, MISSING), state.key(name)
    for name, value in new.items():
        if name not in old:
            yield name, MISSING, value, state.key(name)


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
