"""How narrow a rule could be: what really differs where it speaks, and what it lets through beyond that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from replay.compare import Comparison, rule_book
from replay.compare.covering import covers
from replay.compare.reading import Pair
from replay.documents import json_type
from replay.engine.audit import Audit, Hole, within
from replay.locations import general
from replay.models import MISSING, Difference, GroupSpec, Result, RuleSpec, Side

MOST_NAMED: Final = 5
"""Narrower rules that are proposed for one."""


@dataclass(slots=True)
class Need:
    """What differs at one location without the rule: what a narrower one would have to accept."""

    kinds: set[str] = field(default_factory=set)
    types: set[tuple[str, str]] = field(default_factory=set)
    farthest: Decimal | None = Decimal(0)
    """The largest distance of two numbers; None where something else than numbers differs."""

    def add(self, difference: Difference) -> None:
        """Take one difference in."""
        self.kinds.add(difference.kind)
        self.types.add((_type(difference.old), _type(difference.new)))
        distance = _distance(difference.old, difference.new)
        self.farthest = None if distance is None or self.farthest is None else max(self.farthest, distance)

    def verb(self) -> str:
        """Return the narrowest verb that would have accepted it."""
        if self.kinds == {"order"}:
            return "unordered: true"
        if self.farthest is not None:
            return f"within: {self.farthest.normalize():f}"
        alike = all(old == new and old not in ("array", "object") for old, new in self.types)
        return "same_type: true" if alike else "ignore: true"


@dataclass(frozen=True, slots=True)
class Advice:
    """A hole, what of it did not have to be open, and what to write."""

    hole: Hole
    needs: Mapping[str, Need]
    excess: Sequence[str]
    """The locations at which it lets regressions through although nothing had to be accepted there."""
    remedies: Sequence[str]

    @property
    def weight(self) -> tuple[int, int]:
        """Return how much it matters: regressions that pass for no reason, then all that pass."""
        needless = sum(self.hole.spots[at].passed.total() for at in self.excess)
        return needless, self.hole.passed


Without = Callable[[RuleSpec], Comparison]
"""Returns a comparison by all rules but one."""


def without(
    specs: Sequence[RuleSpec], groups: Mapping[str, GroupSpec], bases: Mapping[Side, str | None], today: date
) -> Without:
    """Return what compares without a rule: a ranking by its items instead, since without order everything differs."""

    def comparison(spec: RuleSpec) -> Comparison:
        kept = [_instead(it) if it is spec else it for it in specs]
        return Comparison(rule_book([it for it in kept if it is not None], groups), bases, today)

    return comparison


def _instead(spec: RuleSpec) -> RuleSpec | None:
    if spec.rank is None or spec.rank.by is None:
        return None
    return spec.model_copy(update={"rank": None, "match_by": spec.rank.by})


def advise(audit: Audit, results: Callable[[frozenset[str]], Iterable[Result]], compare: Without) -> list[Advice]:
    """Return advice for every rule that lets anything through, what matters most first.

    `results` gives the stored results of these identities: each hole is held against the cases that it was found in.
    """
    found = [_advice(hole, results, compare) for hole in audit.holes.values() if hole.passed]
    return sorted(found, key=lambda it: it.weight, reverse=True)


def _advice(hole: Hole, results: Callable[[frozenset[str]], Iterable[Result]], compare: Without) -> Advice:
    open_at = [at for at, spot in hole.spots.items() if spot.passed]
    if hole.spec is None:
        return Advice(hole, {}, open_at, list(_compared_again(open_at)))
    identities = frozenset(case.identity for case in hole.cases)
    needs = _needs(hole.spec, results(identities), compare(hole.spec))
    excess = [at for at in open_at if not _needed(at, hole, needs)]
    return Advice(hole, needs, excess, list(_remedies(hole.spec, needs, excess)))


def _needs(spec: RuleSpec, results: Iterable[Result], comparison: Comparison) -> dict[str, Need]:
    needs: dict[str, Need] = {}
    for result in results:
        own = tuple(it for it in result.case.rules if it != spec)
        case = replace(result.case, rules=own)
        for difference in comparison.compare(Pair(case, result.old, result.new)).differences:
            if not difference.waived:
                needs.setdefault(general(difference.at), Need()).add(difference)
    return needs


def _needed(at: str, hole: Hole, needs: Mapping[str, Need]) -> bool:
    """Tell whether something differs here or above, or, of an array that is in disorder, among its items."""
    disordered = set(hole.spots[at].passed) == {"two items swapped"}
    return any(within(at, need) or (disordered and within(need, at)) for need in needs)


def _remedies(spec: RuleSpec, needs: Mapping[str, Need], excess: Sequence[str]) -> Iterator[str]:
    if not excess:
        return
    if spec.ignore or spec.same_type or spec.matches is not None:
        if not needs:
            yield "nothing differs there in these cases: take it out"
            return
        told = [f"{{at: {at}, {need.verb()}}}" for at, need in list(needs.items())[:MOST_NAMED]]
        more = f" and {len(needs) - MOST_NAMED} more" if len(needs) > MOST_NAMED else ""
        yield f"all that it has to accept in these cases: {', '.join(told)}{more}"
        return
    below = [at for at in excess if not covers(spec.at, at) and not any(within(need, at) for need in needs)]
    yield from _compared_again(below)
    if len(below) < len(excess):
        yield "what passes at its own nodes, or beside what has to differ, only narrower limits would stop"


def _compared_again(places: Sequence[str]) -> Iterator[str]:
    if not places:
        return
    told = [f"{{at: {at}, strict: true}}" for at in _topmost(places)]
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    yield f"to have it compared, add after it: {', '.join(told[:MOST_NAMED])}{more}"


def _topmost(places: Iterable[str]) -> list[str]:
    found: list[str] = []
    for place in sorted(places):
        if not any(within(place, above) for above in found):
            found.append(place)
    return found


def _distance(old: Any, new: Any) -> Decimal | None:
    """Return how far two numbers are apart; None for anything else, and for what cannot be computed."""
    if any(isinstance(it, bool) or not isinstance(it, int | Decimal) for it in (old, new)):
        return None
    try:
        distance = abs(Decimal(old) - Decimal(new))
    except ArithmeticError:
        return None
    return distance if distance.is_finite() else None


def _type(value: Any) -> str:
    return "missing" if value is MISSING else json_type(value)
