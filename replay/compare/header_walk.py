"""The headers of two answers compared: those that a rule or the golden names, and those that mean something."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from replay.compare.base import Node, Rule
from replay.compare.header_values import seen_by
from replay.compare.headers import MEANINGS, NAMED, Answered, header_values
from replay.compare.walk import EQUAL, Walk, paired_names
from replay.locations import ROOT, Path, State
from replay.models import MISSING

HEADERS: Final[Path] = (ROOT, "headers")
UNCOMPARED: Final = "default: other headers are compared only where a rule names them"


@dataclass(frozen=True, slots=True)
class Field:
    """One header of one side: its values as they came, and what its meaning depends on."""

    name: str
    values: tuple[str, ...] | None
    answered: Answered

    @property
    def raw(self) -> Node:
        """Return what rules see: the values as one text."""
        if self.values is None:
            return MISSING
        # A comma stands inside cookies' dates, so these cannot be joined as other headers are.
        return list(self.values) if self.name == "set-cookie" and len(self.values) > 1 else ", ".join(self.values)

    @property
    def meaning(self) -> Node:
        """Return what is compared by default."""
        return MISSING if self.values is None else NAMED[self.name](self.values, self.answered)


def compare_headers(
    walk: Walk, old: Answered, new: Answered, *, skipped: Collection[str] = (), named: Collection[str] = ()
) -> None:
    """Compare the headers that a rule or the caller names, and by default those that have a meaning for clients."""
    state = walk.rules.machine.start.key("headers")
    whole = walk.rules.at(state) if state.accepts else None
    floor = whole.number if whole is not None and whole.spec.ignore else -1
    mine, theirs = header_values(old.headers), header_values(new.headers)
    for name, others in paired_names(mine, theirs, _renamed(walk, mine, theirs, state)):
        told = (name or others or "").lower()
        if told in skipped:
            continue
        pair = Field(told, mine.get(name or ""), old), Field(told, theirs.get(others or ""), new)
        below = walk.below(state, told, (pair[0].raw, pair[1].raw))
        if whole is not None and floor >= 0 and max(below.accepts, default=-1) <= floor and below.deepest <= floor:
            if pair[0].values != pair[1].values:
                walk.accept((HEADERS, told), whole.name)
        else:
            renamed = name != others and None not in (name, others)
            with walk.under_waiver(below):
                _compare(walk, pair, below, is_named=told in named or renamed)


def _renamed(
    walk: Walk, old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]], state: State
) -> dict[str, str]:
    return walk.renamed(old, new, HEADERS, state) if walk.rules.renames else {}


def _compare(walk: Walk, pair: tuple[Field, Field], state: State, *, is_named: bool) -> None:
    old, new = pair
    at: Path = (HEADERS, old.name)
    rule = walk.rules.at(state) if state.accepts else None
    if rule is not None:
        walk.node(*_views(rule, old, new), at, state)
        return
    walk.rules.check_schemas(walk, old.raw, new.raw, at, state)
    if old.name in (NAMED if is_named else MEANINGS):
        _compare_meaning(walk, pair, at, state)
    elif is_named or state.accepts:
        if old.raw != new.raw:
            walk.differ(at, "header", old.raw, new.raw, rule=f"named: {old.name} is equal")
    elif old.values != new.values:
        walk.accept(at, UNCOMPARED)


def _views(rule: Rule, old: Field, new: Field) -> tuple[Node, Node]:
    """Return both as the rule needs them, or as they came where one cannot be had so."""
    if old.values is None or new.values is None:
        return old.raw, new.raw
    seen = [seen_by(rule, it.name, it.values or (), it.answered.headers) for it in (old, new)]
    return (old.raw, new.raw) if None in seen else (seen[0], seen[1])


def _compare_meaning(walk: Walk, pair: tuple[Field, Field], at: Path, state: State) -> None:
    old, new = pair
    rule, before = f"default: {old.name} is compared by meaning", len(walk.differences) + walk.unlisted
    meant = old.meaning, new.meaning
    if old.name == "set-cookie" and MISSING not in meant:
        walk.default_name = rule
        walk.default(*meant, at, state)
        walk.default_name = EQUAL
    elif meant[0] != meant[1]:
        shown = [list(it) if isinstance(it, dict) else side.raw for it, side in zip(meant, pair, strict=True)]
        walk.differ(at, "header", shown[0], shown[1], rule=rule)
    if old.raw != new.raw and len(walk.differences) + walk.unlisted == before:
        walk.accept(at, rule)
