"""Rules that are watched while they judge: which of them met which node, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as Folder
from typing import Final, Literal

from replay.compare.base import Node, Rule
from replay.compare.rules import ActiveRules, Factories, PreparedRule, RuleBook
from replay.compare.sight import Sight
from replay.compare.values import same
from replay.compare.walk import Comparator, Walk
from replay.locations import ROOTS, Path, State, print_location, segments
from replay.models import MISSING, Difference, GroupSpec, RuleSpec
from replay.selection import Selection

Judged = Literal["equal", "accepted", "ignored", "waived", "differs"]
_READING: Final = frozenset({"as_", "allow"})


@dataclass(frozen=True, slots=True)
class Ruling:
    """One node that a rule judged, and the differences that were found there and below."""

    at: str
    rule: Rule
    old: Node
    new: Node
    differences: tuple[Difference, ...] = ()
    against: Literal["old", "expect"] = "old"

    @property
    def judged(self) -> Judged:
        """Return what became of it; `ignored` and `accepted` are for nodes that really differ."""
        if self.differences:
            return "waived" if all(it.waived for it in self.differences) else "differs"
        if MISSING not in (self.old, self.new) and same(self.old, self.new):
            return "equal"
        return "ignored" if self.rule.spec.ignore else "accepted"


@dataclass(slots=True)
class Trace:
    """What the rules of one case did. Rules are told by their spec, which is one object however often it is chosen."""

    rulings: list[Ruling] = field(default_factory=list)
    _chosen: dict[int, RuleSpec] = field(default_factory=dict)
    _met: dict[int, RuleSpec] = field(default_factory=dict)
    _judged: dict[int, RuleSpec] = field(default_factory=dict)

    def choose(self, spec: RuleSpec) -> None:
        """Keep that a rule holds for the case; one about reading has then done all that it does."""
        self._chosen[id(spec)] = spec
        if any(getattr(spec, verb) for verb in _READING):
            self.meet(spec)
            self.judge(spec)

    def meet(self, spec: RuleSpec) -> None:
        """Keep that some node is where a rule stands."""
        self._met[id(spec)] = spec

    def judge(self, spec: RuleSpec) -> None:
        """Keep that a rule had the last word at some node."""
        self._judged[id(spec)] = spec

    @property
    def chosen(self) -> Iterable[RuleSpec]:
        """Return the rules that hold for the case, in order."""
        return self._chosen.values()

    def chose(self, spec: RuleSpec) -> bool:
        """Tell whether a rule holds for the case."""
        return id(spec) in self._chosen

    def met(self, spec: RuleSpec) -> bool:
        """Tell whether any node is where a rule stands."""
        return id(spec) in self._met

    def judged(self, spec: RuleSpec) -> bool:
        """Tell whether a rule had the last word anywhere."""
        return id(spec) in self._judged


class TracedRules(ActiveRules):
    """The rules of one case, watched."""

    def __init__(self, prepared: Sequence[PreparedRule], factories: Factories, trace: Callable[[], Trace]) -> None:
        super().__init__(prepared, factories)
        self._plain = ActiveRules(prepared, factories)
        self._trace = trace

    @property
    def untraced(self) -> ActiveRules:
        """Return the same rules, for what nobody is to see."""
        return self._plain

    @cached_property
    def sight(self) -> Sight:
        """Return what these rules leave to be seen, which is asked of no node."""
        return self._plain.sight

    def specs(self) -> Iterator[RuleSpec]:
        """Yield the rules in order."""
        return (rule.spec for rule in self._rules)

    def quiet(self, state: State) -> bool:  # noqa: ARG002 - it is of no node
        """Tell that equal nodes are walked too: who asks what a rule did wants to know it of these as well."""
        return False

    def at(self, state: State) -> Rule | None:
        """Return the rule that compares the nodes in this state, and keep that it met one."""
        found = super().at(state)
        for number in state.accepts:
            self._trace().meet(self._rules[number].spec)
        if found is not None:
            self._trace().judge(found.spec)
        return found

    def comparator(self, rule: Rule) -> Comparator:
        """Return what carries a rule out, and keeps what came of it."""
        judge = super().comparator(rule)

        def traced(walk: Walk, old: Node, new: Node, at: Path, state: State) -> None:
            rulings, before = self._trace().rulings, len(walk.differences)
            place = len(rulings)
            judge(walk, old, new, at, state)
            # An array's items are tried against each other, at no place that a reader knows.
            if segments(at)[:1] and segments(at)[0] in ROOTS:
                found = tuple(walk.differences[before:])
                rulings.insert(place, Ruling(print_location(at), rule, old, new, found, walk.against))

        return traced

    def renaming(self, state: State) -> Rule | None:
        """Return the last rule in this state that gives a member another name, and keep that it met one."""
        found = super().renaming(state)
        if found is not None:
            self._note(found)
        return found

    def waiver(self, state: State, above: Rule | None) -> Rule | None:
        """Return the waiver over the nodes in this state, and keep that it met one."""
        found = super().waiver(state, above)
        for number in state.accepts:
            if self._rules[number].spec.waive:
                self._trace().meet(self._rules[number].spec)
        if found is not None:
            self._trace().judge(found.spec)
        return found

    def check_schemas(self, walk: Walk, old: Node, new: Node, at: Path, state: State, after: int = -1) -> None:  # noqa: PLR0917
        """Hold both nodes against every schema that is asked for here, and keep which those were."""
        for number in state.accepts:
            if number in self._schemas:
                self._note(self._rules[number])
        super().check_schemas(walk, old, new, at, state, after)

    def _note(self, rule: Rule) -> None:
        self._trace().meet(rule.spec)
        self._trace().judge(rule.spec)


class TracedBook(RuleBook):
    """All rules of a run, watched: `trace` tells what they did in the case that was compared last."""

    def __init__(
        self,
        specs: Sequence[RuleSpec],
        groups: Mapping[str, GroupSpec] | None,
        factories: Factories,
        root: Folder | None = None,
    ) -> None:
        super().__init__(specs, groups, factories, root)
        self.trace = Trace()

    @cached_property
    def lets_equals_pass(self) -> bool:
        """Tell that equal answers are walked too: who asks what a rule did wants to know it of these as well."""
        return False

    @cached_property
    def judges_all_alike(self) -> bool:
        """Tell that every case is compared anew: what a rule did is asked of each."""
        return False

    def for_case(self, holds: Callable[[Selection], bool], own: Sequence[RuleSpec] = ()) -> ActiveRules:
        """Return the rules of a case, and begin its trace."""
        self.trace = Trace()
        active = super().for_case(holds, own)
        if isinstance(active, TracedRules):
            for spec in active.specs():
                self.trace.choose(spec)
        return active

    def active(self, prepared: Sequence[PreparedRule]) -> ActiveRules:
        """Return rules that are watched."""
        return TracedRules(prepared, self._factories, lambda: self.trace)
