"""Rules for what differs from one asking to the next, as narrow as their evidence; or why there is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from replay.compare.values import same
from replay.curation.orders import reordered
from replay.curation.spelling import rule_text
from replay.curation.spread import Spread
from replay.locations import general
from replay.models import Difference, DifferenceKind, RuleSpec, Side
from replay.models import Result as OneResult
from replay.routes import route_of

MOST_PLACES: Final = 2_000
"""Locations that are told apart; what a hostile service makes up beyond is counted."""
MOST_ROUTES: Final = 3
"""Routes of one location that get a rule each; beyond, one rule speaks of all routes."""
_SMALL: Final = 0.1
"""The share of a number up to which its spread is a tolerance; what varies more has none that would prove anything."""
_EXAMPLES: Final = 3
_MARGIN: Final = 2
"""A tolerance is that many times the largest distance that was seen: the next one may be larger."""
_HOPELESS: Final[frozenset[DifferenceKind]] = frozenset({"status", "type", "missing", "extra", "schema", "validation"})
_WHOLE: Final = re.compile(r"status|headers|body(?:\[\*\]|\.\*|\['\*'\])*")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule, and what speaks for it: askings that differed, by side, and a few of the values."""

    rule: RuleSpec
    text: str
    """As it stands in replay.yaml."""
    examples: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A location for which no rule is proposed: why not, and what to do instead."""

    at: str
    evidence: str
    why: str
    instead: str
    examples: tuple[tuple[Any, Any], ...] = ()


@dataclass(slots=True)
class _Place:
    """What was seen to differ at one location."""

    kinds: Counter[DifferenceKind] = field(default_factory=Counter)
    rules: set[str] = field(default_factory=set)
    routes: dict[str, Counter[Side]] = field(default_factory=dict)
    examples: list[tuple[Any, Any]] = field(default_factory=list)
    spread: Spread = field(default_factory=Spread)

    def add(self, difference: Difference) -> None:
        self.kinds[difference.kind] += 1
        if len(self.rules) < _EXAMPLES:
            self.rules.add(difference.rule)
        pair = difference.old, difference.new
        if len(self.examples) < _EXAMPLES and pair not in self.examples:
            self.examples.append(pair)
        self.spread.add(*pair)

    def evidence(self, asked: Counter[tuple[Side, str]], routes: Sequence[str]) -> str:
        """Return how often each side differed from itself, of how many askings of these routes."""
        found = []
        for side in ("old", "new"):
            differed = sum(self.routes[route][side] for route in routes)
            all_of_them = sum(asked[side, route] for route in routes)
            if all_of_them:
                found.append(f"{side} in {differed:,} of {all_of_them:,} askings")
        return f"differs from itself: {', '.join(found)}"


class Proposals:
    """Gathers what a side says when it is asked several times, and makes rules of it."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._asked: Counter[tuple[Side, str]] = Counter()
        self._reordered: Counter[str] = Counter()
        self._not_reordered: set[str] = set()
        self.unlisted = 0

    def add(self, side: Side, result: OneResult) -> None:
        """Take in one case of a run of a side against itself. Failed cases say nothing of noise."""
        if result.error is not None or result.skipped is not None:
            return
        route = route_of(result.case.request)
        answers = [result.differences, *(result.again.answers if result.again is not None else ())]
        self._asked[side, route] += len(answers)
        for answer in answers:
            # Equal values "differ" where an intended change is absent: a side does not show it against itself.
            found = [each for each in answer if each.against == "old" and not same(each.old, each.new)]
            for at in {general(each.at) for each in found}:
                self._count(at, route, side)
            for each in found:
                if (place := self._places.get(general(each.at))) is not None:
                    place.add(each)
        for at, same_items in reordered(result):
            if same_items:
                self._reordered[general(at)] += 1
            else:
                self._not_reordered.add(general(at))

    def _count(self, at: str, route: str, side: Side) -> None:
        if at not in self._places and len(self._places) >= MOST_PLACES:
            self.unlisted += 1
            return
        self._places.setdefault(at, _Place()).routes.setdefault(route, Counter())[side] += 1

    def made(self) -> tuple[list[Proposal], list[Refusal]]:
        """Return the rules, those with the most evidence first, and what is refused."""
        proposals: list[Proposal] = []
        refusals: list[Refusal] = []
        arrays, restless = self._arrays(), self._restless()
        explained = [at for at in self._places if any(_is_below(at, array) for array in arrays)]
        for array in arrays:
            proposals += self._unordered(array, [at for at in explained if _is_below(at, array)])
        for at, place in sorted(self._places.items(), key=lambda item: -sum(item[1].kinds.values())):
            if at in explained:
                continue
            if (refusal := self._refusal(at, place, restless)) is not None:
                refusals.append(refusal)
            else:
                proposals += self._rules(at, place, _verb(place))
        return proposals, refusals

    def _arrays(self) -> list[str]:
        """Return the arrays whose items were the same whenever they differed, in another order; outermost first."""
        by_kind = {at for at, place in self._places.items() if place.kinds.keys() == {"order"}}
        found = (self._reordered.keys() - self._not_reordered) | by_kind
        return sorted(at for at in found if not any(_is_below(at, other) and at != other for other in found))

    def _unordered(self, array: str, places: Sequence[str]) -> Iterator[Proposal]:
        whole = _Place()
        for at in places:
            for route, sides in self._places[at].routes.items():
                kept = whole.routes.setdefault(route, Counter())
                for side, n in sides.items():
                    kept[side] = max(kept[side], n)
            whole.examples = whole.examples or self._places[at].examples
        yield from self._rules(array, whole, {"unordered": True})

    def _restless(self) -> set[str]:
        """Return the arrays whose items come and go, or become something else: what differs in them is no spread."""
        hopeless = (at for at, place in self._places.items() if place.kinds.keys() & _HOPELESS)
        return {_array(at) for at in hopeless if _array(at) != at}

    def _refusal(self, at: str, place: _Place, restless: Collection[str]) -> Refusal | None:
        found = self._objection(at, place, restless)
        if found is None:
            return None
        why, instead = found
        return Refusal(at, place.evidence(self._asked, list(place.routes)), why, instead, tuple(place.examples))

    def _objection(self, at: str, place: _Place, restless: Collection[str]) -> tuple[str, str] | None:
        """Return why there is to be no rule, and what to do instead."""
        if hopeless := sorted(place.kinds.keys() & _HOPELESS):
            why = f"the difference is one of {', '.join(hopeless)}: a rule that let it pass would hide new's own"
            return why, "find out what it depends on: the clock, the seed, load, other callers"
        if _WHOLE.fullmatch(at) or at.endswith("..*"):
            why = f"a rule here would hide {'every item' if '[' in at else 'all of it'}"
            return why, "`replay run --noise 3` judges texts word by word; or name what differs in it"
        if _array(at) in restless and _array(at) != at:
            return "items of this array come and go", f"try {_array(at)} with match_by or unordered"
        if sum(map(Counter.total, place.routes.values())) == 1:
            return "it was seen once", "ask more often (--times 20), or leave it to `replay run --noise 3`"
        ruled = [rule for rule in place.rules if not rule.startswith(("default: ", "named: "))]
        return (f"there is a rule already: {ruled[0]}", "change that rule, if it is too strict") if ruled else None

    def _rules(self, at: str, place: _Place, verb: dict[str, Any]) -> Iterator[Proposal]:
        """Yield a rule for each route, or one for all where there are many."""
        routes = sorted(place.routes)
        for some in [[route] for route in routes] if len(routes) <= MOST_ROUTES else [routes]:
            on = {"on": some[0]} if len(some) == 1 else {}
            wide = f", on {len(some)} routes" if len(some) > 1 else ""
            why = {"why": f"noise: {place.evidence(self._asked, some)}{wide}"}
            given = {**on, "at": at, **verb, **why}
            yield Proposal(RuleSpec.model_validate(given), rule_text(given), tuple(place.examples))


def _array(at: str) -> str:
    """Return the outermost array of a location; the location itself where it is in none."""
    return at.partition("[*]")[0]


def _is_below(at: str, array: str) -> bool:
    return at == array or at.startswith(f"{array}[")


def _verb(place: _Place) -> dict[str, Any]:
    """Return how the nodes are to be compared: within what was seen where that is little, else not at all."""
    tolerance = place.spread.tolerance(_MARGIN)
    if isinstance(tolerance, str) or (tolerance is not None and place.spread.is_small(_SMALL)):
        return {"within": tolerance}
    return {"ignore": True}
