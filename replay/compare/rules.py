"""Rules, made ready: checked when settings are read, chosen by case, compiled once per choice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path as Folder
from typing import Final

from replay.compare.base import Node, Rule
from replay.compare.formats import ENCODINGS
from replay.compare.hiding import PARTS, reaches
from replay.compare.loading import load_own, names_code
from replay.compare.pins import Pins
from replay.compare.reading import How
from replay.compare.schema import SchemaCheck
from replay.compare.sight import Sight
from replay.compare.via import Via, load_via
from replay.compare.walk import Comparator, Walk
from replay.compare.wrapped import Wrapping, Wrappings
from replay.errors import SettingsError
from replay.locations import ROOTS, Machine, Path, State, parse_location
from replay.models import MISSING, GroupSpec, RuleSpec
from replay.selection import Selection, selection_of

_READING: Final = ("as_", "via", "allow")
_SCOPE: Final = frozenset({"at", "on", "where", "why", "tag"})
_BESIDE: Final = ("renamed", "must", "schema_")
"""Verbs that go with any other; of the comparators a rule takes one, save `map` with `within` for the rest."""
MOST_CHOICES: Final = 512
_QUIET: Final = frozenset({
    "ignore", "within", "unordered", "match_by", "map", "same_type", "strict", "allow", "waive",
})  # fmt: skip
"""Verbs that have nothing to say where both sides are equal. All others are asked about equal nodes too."""

Factories = Mapping[str, Callable[[Rule], Comparator]]


@dataclass(frozen=True, slots=True)
class PreparedRule:
    """A rule that makes sense: its location, selection and verbs are checked."""

    spec: RuleSpec
    selection: Selection
    verb: str | None
    via: Via | None
    scoped: bool
    """It speaks of certain cases only, so that each of them can be asked to show the change that it intends."""


def prepare(
    spec: RuleSpec,
    groups: Mapping[str, GroupSpec] | None,
    factories: Factories,
    *,
    root: Folder | None = None,
    of_golden: bool = False,
) -> PreparedRule:
    """Check one rule. Raise SettingsError or LocationError, telling what about it makes no sense.

    `root` is the folder from which `via` and `rank.gain` may load code; without one they may not.
    """
    scene = parse_location(spec.at).scene
    selection = selection_of(on=spec.on, tag=spec.tag, where=spec.where, groups=groups)
    if scene is not None:
        selection = replace(selection, scene=scene)
    verb = _verb(spec, factories)
    _check_places(spec)
    if spec.rank is not None and spec.rank.gain is not None and names_code(spec.rank.gain):
        load_own(spec.rank.gain, root, f"rule at '{spec.at}'", "rank.gain")
    if verb is not None:
        factories[verb](Rule(0, spec, spec.name))
    if spec.schema_ is not None:
        SchemaCheck(spec)
    via = None if spec.via is None else load_via(spec.via, root, spec.at)
    return PreparedRule(spec, selection, verb, via, scoped=of_golden or selection.narrows)


def _verb(spec: RuleSpec, factories: Factories) -> str | None:
    # By identity: a tolerance of 0 is one, and equals False.
    given = [verb for verb in factories if not any(getattr(spec, verb) is off for off in (None, False))]
    if spec.waive is not None:
        _require_alone(spec)
        return None
    if sorted(given) == ["map", "within"]:
        return "map"
    if len(given) > 1:
        raise SettingsError(f"rule at '{spec.at}' has both {given[0]} and {given[1]}", hint="make it two rules")
    beside = [verb for verb in (*_READING, "renamed", "schema_", "minted") if getattr(spec, verb) is not None]
    if not given and not beside:
        raise SettingsError(f"rule at '{spec.at}' says nothing", hint=f"say how to compare: {', '.join(factories)}")
    if spec.must and spec.map is None and spec.renamed is None:
        raise SettingsError(f"rule at '{spec.at}': must goes with map or renamed")
    return given[0] if given else None


def _is_quiet(spec: RuleSpec) -> bool:
    # By identity: `schema: false` is a schema, which nothing meets.
    verbs = {name for name in type(spec).model_fields if getattr(spec, name) is not None} - _SCOPE
    if spec.minted is False:  # it is about what is sent
        verbs -= {"minted"}
    return verbs <= _QUIET or (spec.at == "body" and verbs <= {*_QUIET, "as_"})


def _require_alone(spec: RuleSpec) -> None:
    """Raise SettingsError for a waiver that also says how to compare: nobody could tell what ends with it."""
    beside = sorted(spec.model_fields_set - _SCOPE - {"waive"})
    if beside:
        verb = beside[0].rstrip("_")
        raise SettingsError(f"rule at '{spec.at}' has both waive and {verb}", hint="make it two rules")


def _check_places(spec: RuleSpec) -> None:
    _check_reading(spec)
    root = parse_location(spec.at).root
    if root in ("error", "latency_ms"):
        raise SettingsError(f"'{spec.at}' is judged by criteria, not by rules", hint="see cut_when: errors <= old")
    if spec.at == "headers" and not spec.ignore:
        hint = "name one, headers.etag, or all: headers.*"
        raise SettingsError("a rule at 'headers' can only ignore them", hint=hint)
    if spec.renamed is not None and (spec.at in ROOTS or not spec.renamed):
        raise SettingsError(
            f"rule at '{spec.at}': renamed gives a member its new name",
            hint="write at: body.userName, renamed: user_name",
        )


def _check_reading(spec: RuleSpec) -> None:
    if (spec.via or spec.allow) and not _is_body(spec):
        raise SettingsError(f"rule at '{spec.at}': via and allow speak of the whole body", hint="write at: body")
    if spec.via and spec.as_:
        raise SettingsError(f"rule at '{spec.at}': as and via both read the body", hint="let the function do both")
    if spec.as_ and parse_location(spec.at).root != "body":
        raise SettingsError(f"rule at '{spec.at}': as reads the body, or a text in it", hint="write at: body.payload")
    for step in spec.steps[:-1]:
        if step not in ENCODINGS:
            told = step if isinstance(step, str) else "csv"
            hint = f"end with it; what others can follow: {', '.join(ENCODINGS)}"
            fact = f"rule at '{spec.at}': as {told} gives a value, and nothing is read from one"
            raise SettingsError(fact, hint=hint)


def _is_body(spec: RuleSpec) -> bool:
    """Tell whether a rule speaks of the body itself, and not of what is in it."""
    location = parse_location(spec.at)
    return location.root == "body" and len(location.steps) == 1


class ActiveRules:
    """The rules of one case, in order, as one automaton."""

    def __init__(self, prepared: Sequence[PreparedRule], factories: Factories) -> None:
        self._prepared = tuple(prepared)
        self.machine = Machine([parse_location(it.spec.at) for it in prepared])
        rules = [Rule(number, it.spec, it.spec.name) for number, it in enumerate(prepared)]
        self._rules = tuple(rules)
        self._comparators = {
            rule.number: factories[it.verb](rule) for rule, it in zip(rules, prepared, strict=True) if it.verb
        }
        self._schemas = {rule.number: SchemaCheck(rule.spec) for rule in rules if rule.spec.schema_ is not None}
        self.renames = any(rule.spec.renamed for rule in rules)
        self.waives = any(rule.spec.waive for rule in rules)
        self._at: dict[tuple[int, ...], Rule | None] = {}
        self.objecting = frozenset(rule.number for rule in rules if not _is_quiet(rule.spec))
        """The rules, by number, that may find fault with two equal values."""
        self._strict = frozenset(rule.number for rule in rules if rule.spec.strict)
        self._quiet: dict[State, bool] = {}
        self._spelled: dict[State, bool] = {}

    @property
    def untraced(self) -> ActiveRules:
        """Return the same rules, unwatched."""
        return self

    def at(self, state: State) -> Rule | None:
        """Return the rule that compares the nodes in this state: the last that matches."""
        try:
            return self._at[state.accepts]
        except KeyError:
            last = max((number for number in state.accepts if number in self._comparators), default=None)
            found = self._at[state.accepts] = None if last is None else self._rules[last]
            return found

    def quiet(self, state: State) -> bool:
        """Tell whether no rule that may match below has anything to say where both sides are equal."""
        found = self._quiet.get(state)
        if found is None:
            found = self._quiet[state] = self.objecting.isdisjoint(state.waiting)
        return found

    def spelled(self, state: State) -> bool:
        """Tell whether a rule may match below that looks at how numbers are written."""
        found = self._spelled.get(state)
        if found is None:
            found = self._spelled[state] = not self._strict.isdisjoint(state.waiting)
        return found

    def comparator(self, rule: Rule) -> Comparator:
        """Return what carries a rule out."""
        return self._comparators[rule.number]

    def renaming(self, state: State) -> Rule | None:
        """Return the last rule in this state that gives a member another name on the new side."""
        return next((self._rules[n] for n in reversed(state.accepts) if self._rules[n].spec.renamed), None)

    def waiver(self, state: State, above: Rule | None) -> Rule | None:
        """Return the waiver that stands over the nodes in this state; `above` is the one over what they are part of.

        The last rule speaks: one that compares, here or further down, takes an earlier waiver back.
        """
        numbers = [n for n in state.accepts if n in self._comparators or self._rules[n].spec.waive]
        last = max(numbers, default=-1)
        if last < 0 or (above is not None and above.number > last):
            return above
        return self._rules[last] if self._rules[last].spec.waive else None

    def check_schemas(self, walk: Walk, old: Node, new: Node, at: Path, state: State, after: int = -1) -> None:  # noqa: PLR0917
        """Hold both nodes against every schema of a rule later than `after` that is asked for here.

        Values are compared besides; so a node that one side lacks is told there, unless an `ignore` lets it pass.
        """
        numbers = [n for n in state.accepts if n in self._schemas and n > after] if self._schemas else []
        lacking = old is MISSING or new is MISSING
        if lacking and after < 0 and not self._ignores(state):
            return
        for number in numbers:
            self._schemas[number].check(walk, old, new, at, self._rules[number])

    def _ignores(self, state: State) -> bool:
        rule = self.at(state)
        return rule is not None and bool(rule.spec.ignore)

    @cached_property
    def how(self) -> How:
        """Return how bodies are to be read: as the last rule says, and with numbers as written where one is strict."""
        spelled = any(rule.spec.strict for rule in self._rules)
        saying = [it for it in self._prepared if (it.spec.as_ or it.via) and _is_body(it.spec)]
        within = [
            Wrapping(it.spec.at, it.spec.steps, it.spec.name)
            for it in self._prepared
            if it.spec.as_ and not _is_body(it.spec)
        ]
        wrappings = Wrappings(tuple(within), spelled)
        if not saying:
            return How(spelled=spelled, wrappings=wrappings)
        last = saying[-1]
        return How(last.spec.steps, spelled, last.via, wrappings, last.spec.name)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Return the flaws of JSON that rules allow."""
        return frozenset(flaw for rule in self._rules for flaw in rule.spec.allow or ())

    def root(self, rule: Rule) -> str | None:
        """Return the part of the answer that a rule speaks of: status, body, headers.NAME; None for several."""
        steps = self.machine.patterns[rule.number].steps
        names = [next(iter(step.names)) for step in steps[:2] if len(step.names) == 1 and not step.descends]
        return ".".join(names) if names[:1] == ["headers"] else next(iter(names), None)

    @cached_property
    def comparing(self) -> tuple[Rule, ...]:
        """Return the rules that hold values against something, in order: all but those that read, ignore or waive."""
        return tuple(
            rule
            for rule in self._rules
            if (rule.number in self._comparators and not rule.spec.ignore) or rule.number in self._schemas
        )

    @cached_property
    def sight(self) -> Sight:
        """Return what these rules leave to be seen of an answer."""
        return Sight(self)

    @cached_property
    def musts(self) -> tuple[Rule, ...]:
        """Return the rules whose intended change every selected case has to show."""
        pairs = zip(self._rules, self._prepared, strict=True)
        return tuple(rule for rule, it in pairs if rule.spec.must and it.scoped)


class RuleBook:
    """All rules of a run; hands out those of a case, settings first, then the golden's."""

    def __init__(
        self,
        specs: Sequence[RuleSpec],
        groups: Mapping[str, GroupSpec] | None,
        factories: Factories,
        root: Folder | None = None,
    ) -> None:
        self._factories = factories
        self._groups = groups
        self._prepared = tuple(prepare(spec, groups, factories, root=root) for spec in specs)
        self._narrowed = tuple(n for n, it in enumerate(self._prepared) if it.selection.narrows)
        self._choices: dict[tuple[int, ...], ActiveRules] = {}
        """By the rules that are left out: most rules are for all cases, and are not to be gone through for each."""

    @cached_property
    def lets_equals_pass(self) -> bool:
        """Tell whether equal answers cannot differ under any of these rules, nor be measured by one."""
        specs = [it.spec for it in self._prepared]
        # What is ignored whole is not known to be equal: nobody would have looked, had it differed.
        hidden = any(spec.ignore and any(reaches(spec, part) for part in PARTS) for spec in specs)
        return not hidden and all(_is_quiet(spec) and spec.as_ is None for spec in specs)

    @cached_property
    def speaks_of_headers(self) -> bool:
        """Tell whether any of these rules may reach a header."""
        return any(parse_location(it.spec.at).root not in ("status", "body") for it in self._prepared)

    @cached_property
    def judges_all_alike(self) -> bool:
        """Tell whether no rule is for some cases only, reaches a header, runs code of the user's, or learns names."""
        own = any(it.via or it.spec.rank or it.spec.minted is not None for it in self._prepared)
        return not (own or self._narrowed or self.speaks_of_headers)

    def check(self, specs: Sequence[RuleSpec]) -> None:
        """Check a golden's own rules; raise SettingsError or LocationError for the first that makes no sense."""
        for spec in specs:
            prepare(spec, self._groups, self._factories)

    def for_case(self, holds: Callable[[Selection], bool], own: Sequence[RuleSpec] = ()) -> ActiveRules:
        """Return the rules whose selection holds, and the golden's own."""
        out = tuple(n for n in self._narrowed if not holds(self._prepared[n].selection))
        if own:
            mine = [prepare(spec, self._groups, self._factories, of_golden=True) for spec in own]
            kept = [it for it in mine if not it.selection.narrows or holds(it.selection)]
            return self.active([*self._without(out), *kept])
        found = self._choices.get(out)
        if found is None:
            if len(self._choices) >= MOST_CHOICES:
                self._choices.clear()
            found = self._choices[out] = self.active(self._without(out))
        return found

    def minted(self, holds: Callable[[Selection], bool], path: Sequence[str | int]) -> bool | None:
        """Return what the last rule of a case says of a place: that it is minted, or not; None where none speaks."""
        return self._pins.says(holds, path)

    @cached_property
    def _pins(self) -> Pins:
        return Pins([(it.spec, it.selection) for it in self._prepared if it.spec.minted is not None])

    def _without(self, out: Collection[int]) -> list[PreparedRule]:
        return [it for n, it in enumerate(self._prepared) if n not in out]

    def active(self, prepared: Sequence[PreparedRule]) -> ActiveRules:
        """Return rules that hold for a case, ready to judge."""
        return ActiveRules(prepared, self._factories)
