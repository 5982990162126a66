"""What settings say of masking: which places and patterns are masked beside what tells itself, and what is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from replay.errors import LocationError, SettingsError
from replay.locations import Machine, Pattern, State, parse_location
from replay.models import KeepSpec, MaskSpec, Request
from replay.privacy.detectors import DETECTORS, OPTIONAL, Find
from replay.privacy.patterns import bounded
from replay.selection import Route, parse_route

KINDS: Final = frozenset({*DETECTORS, *OPTIONAL, "secret"})
"""The kinds that are found by themselves."""
ALWAYS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
"""Header fields that hold nothing but credentials."""
_ROOTS: Final = frozenset({"headers", "body"})
_REQUEST: Final = {"headers": "headers", "json": "body", "body": "body", "query": "query"}
"""What of a request a location may begin with, and where that is looked for."""
_HINT: Final = "write body.customer.name, headers.x-user, request.json.name or request.query.name"


@dataclass(frozen=True, slots=True)
class Keep:
    """An exception: what is of this kind, and reads so, stays."""

    kind: str | None = None
    value: str | None = None

    @property
    def whole(self) -> bool:
        """Tell whether it keeps whatever stands there."""
        return self.kind is None and self.value is None

    def holds(self, kind: str, text: str) -> bool:
        """Tell whether a text of a kind stays."""
        return self.kind in (None, kind) and (self.value is None or _fits(text.casefold(), self.value.casefold()))


@dataclass(frozen=True, slots=True)
class Extra:
    """What else is looked for in every text."""

    kind: str
    find: Find


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of either list, ready to be asked."""

    route: Route | None = None
    at: Pattern | None = None
    in_requests_only: bool = False
    becomes: str = ""
    """The kind of what is masked here; empty for an exception."""
    keep: Keep | None = None
    extra: Extra | None = None


class MaskRules:
    """All rules in order; their numbers tell them."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Take the rules; those with a location are compiled into one automaton."""
        self.rules = tuple(rules)
        self._placed = tuple(number for number, rule in enumerate(self.rules) if rule.at is not None)
        self._machine = Machine([rule.at for rule in self.rules if rule.at is not None])
        self.holding = lru_cache(maxsize=1024)(self._holding)
        self.only_except = all(rule.keep is not None and rule.at is None for rule in self.rules)
        """Whether they mask nothing that is not masked without them, wherever it stands; true of no rules."""

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.rules)

    @property
    def start(self) -> State:
        """Return where every location begins."""
        return self._machine.start

    def at(self, state: State) -> list[int]:
        """Return the numbers of the rules whose location ends at a state."""
        return [self._placed[number] for number in state.accepts]

    def _holding(self, requests: tuple[Request, ...]) -> frozenset[int]:
        """Return the rules that hold for a case: one that keeps only if all of its requests go its way."""
        return frozenset(
            number
            for number, rule in enumerate(self.rules)
            if rule.route is None
            or (any if rule.keep is None else all)(map(rule.route.matches, requests or (Request("", ""),)))
        )

    @property
    def in_files(self) -> frozenset[int]:
        """Return the rules that hold where nobody knows the route: what masks for one, and no exception for one."""
        return frozenset(
            number
            for number, rule in enumerate(self.rules)
            if rule.keep is None or (rule.route is None and not rule.in_requests_only)
        )

    def keeps(self, holding: frozenset[int]) -> tuple[Keep, ...]:
        """Return the exceptions without a location."""
        return tuple(rule.keep for rule in self._of(holding) if rule.keep is not None and rule.at is None)

    def extras(self, holding: frozenset[int]) -> tuple[Extra, ...]:
        """Return what else is looked for in every text."""
        return tuple(rule.extra for rule in self._of(holding) if rule.extra is not None)

    def has_places(self, holding: frozenset[int]) -> bool:
        """Tell whether any of these rules has a location."""
        return any(rule.at is not None for rule in self._of(holding))

    def masks_name(self, name: str, holding: frozenset[int]) -> bool:
        """Tell whether the location of a rule that masks ends with a name."""
        placed = (rule.at for rule in self._of(holding) if rule.keep is None and rule.at is not None)
        return any(name in at.steps[-1].names or at.steps[-1].everything for at in placed)

    def _of(self, holding: frozenset[int]) -> Iterator[Rule]:
        return (self.rules[number] for number in sorted(holding))


NO_RULES: Final = MaskRules()


def mask_rules(masks: Sequence[MaskSpec], keeps: Sequence[KeepSpec]) -> MaskRules:
    """Make rules of what users write. Raise InputError for what makes no sense."""
    called = named_kinds(masks)
    return MaskRules([*map(mask_rule, masks), *(keep_rule(spec, called) for spec in keeps)])


def masking_checks(
    masks: Sequence[MaskSpec], keeps: Sequence[KeepSpec]
) -> Iterator[tuple[tuple[str | int, ...], Callable[[], object]]]:
    """Yield what a model alone cannot check, with the path of what it speaks of."""
    for index, mask in enumerate(masks):
        yield ("mask", index), partial(mask_rule, mask)
    for index, keep in enumerate(keeps):
        yield ("keep", index), partial(keep_rule, keep, named_kinds(masks))


def named_kinds(masks: Sequence[MaskSpec]) -> frozenset[str]:
    """Return the kinds that there are, with those that rules of `mask` name."""
    return KINDS | {spec.as_ for spec in masks}


def mask_rule(spec: MaskSpec) -> Rule:
    """Read one rule of `mask`."""
    if sum(it is not None for it in (spec.at, spec.match, spec.kind)) != 1:
        raise SettingsError("a mask says one of at, match and kind", hint="write two rules for two of them")
    rule = Rule(route=_route(spec.on), becomes=spec.as_)
    if spec.at is not None:
        return _located(rule, spec.at)
    if spec.match is not None:
        bounded(spec.match)
        return replace(rule, extra=Extra(spec.as_, partial(_matches, spec.match)))
    if spec.kind is None or spec.kind not in OPTIONAL:
        known = ", ".join(sorted(OPTIONAL))
        fact = f"the kind {spec.kind} is on anyway" if spec.kind in KINDS else f"there is no kind '{spec.kind}'"
        raise SettingsError(fact, hint=f"kinds that can be switched on: {known}")
    return replace(rule, extra=Extra(spec.kind, OPTIONAL[spec.kind]))


def keep_rule(spec: KeepSpec, kinds: Collection[str] = KINDS) -> Rule:
    """Read one rule of `keep`; `kinds` are those that there are."""
    if spec.at is None and spec.kind is None and spec.value is None:
        raise SettingsError("an exception says none of at, kind and value", hint="it would keep everything")
    if spec.value is not None and not spec.value.strip("* "):
        raise SettingsError("a value of nothing but * keeps everything", hint="write it as in *@example.com")
    if spec.kind is not None and spec.kind not in kinds:
        raise SettingsError(f"there is no kind '{spec.kind}'", hint=f"there are {', '.join(sorted(kinds))}")
    if spec.kind == "secret" and spec.at is None and spec.value is None:
        fact = "an exception for the kind secret would write every password"
        raise SettingsError(fact, hint="name the place too: {kind: secret, at: body.token_count}")
    rule = Rule(route=_route(spec.on), keep=Keep(spec.kind, spec.value))
    if spec.at is None:
        return rule
    rule = _located(rule, spec.at)
    if rule.at is not None and _speaks_of_credentials(rule.at):
        raise SettingsError(f"what {spec.at} holds is never written", hint="credentials have no exception")
    return rule


def _speaks_of_credentials(at: Pattern) -> bool:
    first, *rest = at.steps
    return "headers" in first.names and bool(rest) and bool(rest[0].names & ALWAYS)


def _matches(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in bounded(pattern).finditer(text) if found.end() > found.start())


def _fits(text: str, value: str) -> bool:
    """Tell whether a text is a value, in which `*` stands for any characters."""
    first, *rest = value.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _route(on: str | None) -> Route | None:
    return None if on is None else parse_route(on)


def _located(rule: Rule, at: str) -> Rule:
    whole = at
    of_request = at.startswith("request.")
    if of_request:
        root, *rest = re.split(r"(?=[.\[])", at.removeprefix("request."), maxsplit=1)
        if root not in _REQUEST:
            raise LocationError(f"'{whole}' names no part of a request that can be masked", hint=_HINT)
        at = ("headers" if root == "headers" else "body") + "".join(rest)
        pattern = parse_location(at)
        if root == "query":
            first, *others = pattern.steps
            pattern = replace(pattern, steps=(replace(first, names=frozenset({"query"})), *others))
    else:
        pattern = parse_location(at)
    _require_places(pattern, whole)
    return replace(rule, at=pattern, in_requests_only=of_request)


def _require_places(pattern: Pattern, at: str) -> None:
    first = pattern.steps[0]
    if pattern.scene is not None:
        raise LocationError(f"'{at}' names a step", hint="leave it out: masks and exceptions hold for every step")
    if not first.descends and (first.everything or first.names - _ROOTS - {"query"}):
        raise LocationError(f"nothing at '{at}' can be masked", hint=_HINT)
    if "headers" in first.names and (len(pattern.steps) == 1 or pattern.steps[1].everything):
        raise LocationError(f"'{at}' names no field", hint="write it as in headers.x-user, a rule for each")
    if any(step.tests or (step.indices and step.descends) for step in pattern.steps):
        raise LocationError(f"'{at}' looks at values or counts from the end", hint="write [*] for all of them")
