"""What the present rules would let through: regressions planted into stored answers, and compared anew."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Final

from replay.compare.reading import How, Pair
from replay.compare.scenario import steps_of
from replay.compare.tracing import Trace
from replay.engine.outcome import Referee
from replay.engine.planting import Planted, plantings, written
from replay.locations import general, parse_location
from replay.models import Case, Observation, OutcomeName, Result, RuleSpec
from replay.sampling import unit

NO_RULE: Final = "no rule: the defaults do not compare it"
TRIES: Final = 3
"""How often one regression is planted at one location of one kind of request."""
MOST_PLANTED: Final = 300
"""Regressions in one case: what is large is audited in part, not for hours."""
MOST_SHAPES: Final = 10_000
_AUDITED: Final[tuple[OutcomeName, ...]] = ("match", "deviation", "waived", "noise")
_GOOD: Final[tuple[OutcomeName, ...]] = ("match", "waived", "noise")
_IDS: Final = re.compile(r"[^/]*\d[^/]*")


@dataclass(slots=True)
class Spot:
    """What was planted at one location where a rule spoke, and how much of it passed; a case for an example."""

    planted: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    example: str = ""


@dataclass(slots=True)
class Hole:
    """A rule that lets regressions through, and where; `spec` is None for the defaults."""

    rule: str
    spec: RuleSpec | None
    spots: dict[str, Spot] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Return how many regressions it let through."""
        return sum(spot.passed.total() for spot in self.spots.values())


@dataclass(slots=True)
class Audit:
    """What was planted, and what became of it."""

    cases: int = 0
    planted: int = 0
    passed: int = 0
    holes: dict[str, Hole] = field(default_factory=dict)


# --------------------------------------------------------------------------------------------------------------- sample


def chosen(results: Iterable[Result], count: int, seed: int) -> frozenset[str]:
    """Return the identities of `count` cases to audit: drawn by the seed, of each kind of request about as many."""
    shapes: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for result in results:
        if result.outcome not in _AUDITED or result.new is None:
            continue
        shape = shape_of(result.case)
        drawn = shapes[shape if shape in shapes or len(shapes) < MOST_SHAPES else ""]
        drawn.append((unit(result.case.identity, str(seed)), result.case.identity))
        if len(drawn) > 2 * count:
            drawn[:] = nsmallest(count, drawn)
    ranked = (
        (place, spot, identity) for drawn in shapes.values() for place, (spot, identity) in enumerate(sorted(drawn))
    )
    return frozenset(identity for _, _, identity in nsmallest(count, ranked))


def shape_of(case: Case) -> str:
    """Return what requests of one kind have in common: method and path, what looks like an id left out."""
    path = case.request.path.partition("?")[0]
    return f"{case.request.method} {_IDS.sub('*', path)}" if case.kind == "traffic" else f"golden {case.id}"


# --------------------------------------------------------------------------------------------------------------- audit


class Auditor:
    """Plants regressions, case by case. `referee` judges under the present rules, and `trace` tells what they did."""

    def __init__(self, referee: Referee, trace: Callable[[], Trace], rules: Sequence[RuleSpec]) -> None:
        self._referee = referee
        self._trace = trace
        self._headers = [name for rule in rules for name in _header_names(rule)]
        self._rules = rules
        self._tried: Counter[tuple[str, str, str]] = Counter()
        self.audit = Audit()

    def add(self, result: Result) -> None:
        """Audit one case; a scenario step by step."""
        if result.new is None or result.outcome not in _AUDITED:
            return
        self.audit.cases += 1
        for each in steps_of(result):
            self._add(each)

    def _add(self, result: Result) -> None:
        if result.new is None:
            return
        body = Pair(result.case, result.old, result.new).reading("new", How(spelled=True))
        answer = result.new
        if body.kind == "json" and not body.flaws:
            # As what is planted is written: how a body is spelled must not be among what is found.
            answer = _rewritten(answer, written(body.value, lines=body.lines))
        before = _told(self._referee.result(result.case, result.old, answer))
        for count, planted in enumerate(plantings(answer, body, self._wanted(result.case), self._headers)):
            if count == MOST_PLANTED:
                return
            self._plant(result, planted, before)

    def _wanted(self, case: Case) -> Callable[[str, str], bool]:
        shape = shape_of(case)

        def wanted(regression: str, at: str) -> bool:
            key = shape, regression, general(at)
            self._tried[key] += 1
            return self._tried[key] <= TRIES

        return wanted

    def _plant(self, result: Result, planted: Planted, before: Any) -> None:
        after = self._referee.result(result.case, result.old, planted.answer)
        self.audit.planted += 1
        place = _in_olds_words(general(planted.at), (*self._rules, *result.case.rules))
        rule, spec = self._responsible(place, after)
        spot = self._spot((rule, spec), place, planted.regression, result.case)
        if _told(after) != before:
            return
        self.audit.passed += 1
        spot.passed[planted.regression] += 1
        spot.example = spot.example or result.case.id

    def _spot(self, rule: tuple[str, RuleSpec | None], place: str, regression: str, case: Case) -> Spot:
        hole = self.audit.holes.setdefault(rule[0], Hole(*rule))
        if not hole.cases or hole.cases[-1].identity != case.identity:
            hole.cases.append(case)
        spot = hole.spots.setdefault(place, Spot())
        spot.planted[regression] += 1
        return spot

    def _responsible(self, place: str, after: Result) -> tuple[str, RuleSpec | None]:
        """Return the rule that spoke nearest to a location: the waiver, the rule whose node it is in, or a default."""
        for difference in after.differences:
            if difference.waived and within(place, general(difference.at)):
                return difference.waived, None
        spoke = [it for it in self._trace().rulings if within(place, general(it.at))]
        if spoke:
            nearest = max(spoke, key=lambda it: len(general(it.at)))
            return nearest.rule.name, nearest.rule.spec
        accepted = [it.rule for it in after.accepted if within(place, general(it.at)) and it.at != "body"]
        return (accepted[-1] if accepted else NO_RULE), None


def within(place: str, above: str) -> bool:
    """Tell whether a generalised location is another one, or lies below it."""
    return place == above or (place.startswith(above) and place[len(above)] in ".[")


def _header_names(rule: RuleSpec) -> frozenset[str]:
    steps = parse_location(rule.at).steps
    return steps[1].names if len(steps) > 1 and steps[0].names == {"headers"} else frozenset()


def _in_olds_words(place: str, rules: Iterable[RuleSpec]) -> str:
    """Return a location of new's answer as rules speak of it: of a member that is renamed, by the name that old has."""
    for rule in rules:
        names = parse_location(rule.at).steps[-1].names if rule.renamed else ()
        if len(names) == 1:
            place = re.sub(rf"\.{re.escape(str(rule.renamed))}(?![\w-])", f".{next(iter(names))}", place)
    return place


def _rewritten(answer: Observation, body: bytes) -> Observation:
    return Observation(answer.status, answer.headers, body, answer.error, answer.timing, answer.clock_frozen)


def _told(result: Result) -> tuple[str, frozenset[tuple[str, str, str, str]]]:
    """Return what a reader of the verdict would learn of a case: whether it passes, and all that counts against it."""
    differences = (it for it in result.differences if not it.waived)
    against = frozenset((it.at, it.kind, repr(it.new), it.note) for it in differences)
    return ("good" if result.outcome in _GOOD else result.outcome), against
