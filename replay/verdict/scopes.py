"""Of which cases a criterion speaks: `on` a route or a group of them all, `per` route or value each part by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from replay.models import NO_VALUE, WORST_FIRST, Judgement, Result, VerdictState
from replay.routes import route_of
from replay.selection import parse_route
from replay.verdict.base import Metric, worst
from replay.verdict.clauses import Clause, Scope, unmoving
from replay.verdict.statistics import corrected
from replay.verdict.wording import cases, level, listed

MOST_PARTS: Final = 500
"""Parts that are judged by themselves; a run that has more is not GO."""
_LONGEST: Final = 120
_NAMED: Final = 3
_OTHERWISE: Final[Mapping[VerdictState, str]] = {"NO-GO": "not met by", "INCONCLUSIVE": "open for"}


def scoped(clause: Clause, make: Callable[[], Metric]) -> Metric:
    """Return the metric of a clause, made as often as needed, over the cases and parts that it speaks of."""
    metric = make() if clause.per is None else PerPart(clause, clause.per, make)
    return metric if clause.scope is None else OnScope(clause.scope, metric)


class OnScope:
    """Hands on what is in scope. A scope in which nothing is proves nothing."""

    def __init__(self, scope: Scope, metric: Metric) -> None:
        self._scope = scope
        self._metric = metric
        self._holds = _ON[scope.kind](scope.text)
        self._found = 0

    def add_all(self, results: Sequence[Result]) -> None:
        """Take in what is in scope."""
        found = list(filter(self._holds, results))
        self._found += len(found)
        self._metric.add_all(found)

    def judge(self, parts: int = 1) -> Judgement:
        """Answer the clause over what was in scope."""
        judgement = self._metric.judge(parts)
        if self._found:
            return judgement
        why = f"no case of this run {_MEANS[self._scope.kind]} '{unmoving(self._scope.text)}'"
        return Judgement(judgement.sentence, "INCONCLUSIVE", why, n=0.0)


_MEANS: Final = {"route": "goes to", "group": "is in the group"}


def _on_route(text: str) -> Callable[[Result], bool]:
    route = parse_route(text)
    return lambda result: route.matches(result.case.request)


def _in_group(name: str) -> Callable[[Result], bool]:
    return lambda result: any(membership.group == name for membership in result.groups)


_ON: Final[Mapping[str, Callable[[str], Callable[[Result], bool]]]] = {"route": _on_route, "group": _in_group}


class PerPart:
    """Each part of the traffic by itself: GO needs all of them, NO-GO one.

    That all hold needs no correction: were one part really beyond its limit, that one part would have to pass wrongly.
    That any fails does: with 50 parts, chance alone would make one of them fail. So each fails only with the
    confidence that keeps all of them together wrong no more often than one alone (Bonferroni; Holm's steps would
    change which further parts fail beside the first one, and not whether any does).
    """

    def __init__(self, clause: Clause, per: str, make: Callable[[], Metric]) -> None:
        self._clause = clause
        self._make = make
        self._part_of = _route if per == "route" else _value_of(per)
        self._metrics: dict[str, Metric] = {}
        self._beyond = 0

    def add_all(self, results: Sequence[Result]) -> None:
        """Take cases of the traffic into their parts; one without is out of scope, and goldens are judged apart."""
        found: dict[str, list[Result]] = {}
        for result in results:
            part = None if result.case.kind == "golden" else self._part_of(result)
            if part is not None:
                found.setdefault(part, []).append(result)
        for part, several in found.items():
            self._into_part(part, several)

    def _into_part(self, part: str, results: Sequence[Result]) -> None:
        if part not in self._metrics:
            if len(self._metrics) >= MOST_PARTS:
                self._beyond += len(results)
                return
            self._metrics[part] = self._make()
        self._metrics[part].add_all(results)

    def judge(self, parts: int = 1) -> Judgement:
        """Return how the parts stand, those first that keep the whole from GO."""
        many = parts * max(1, len(self._metrics))
        found = [replace(metric.judge(many), sentence=_name(part)) for part, metric in self._metrics.items()]
        found.sort(key=lambda each: (WORST_FIRST.index(each.state), -(each.n or 0.0), each.sentence))
        state = self._state(found)
        n = sum(each.n or 0.0 for each in found)
        why = "; ".join([self._head(found), *self._told(found), *self._remarks(many)])
        return Judgement(self._clause.text, state, why, n=n, parts=tuple(found))

    def _state(self, found: list[Judgement]) -> VerdictState:
        state = worst(each.state for each in found)
        return "INCONCLUSIVE" if state == "GO" and (self._beyond or self._undivided) else state

    @property
    def _undivided(self) -> bool:
        """Tell whether no case had a value, as where the place that divides is misspelt: then there are no parts."""
        return self._metrics.keys() == {NO_VALUE} and self._clause.per != "route"

    def _head(self, found: Sequence[Judgement]) -> str:
        if not found:
            return "no traffic was sent that has a part"
        holding = sum(each.state == "GO" for each in found)
        return f"{holding:,} of {len(found):,} parts hold"

    def _told(self, found: Sequence[Judgement]) -> Iterator[str]:
        """Yield which parts stand in the way; of the first of each kind also why."""
        for state, word in _OTHERWISE.items():
            names = [each for each in found if each.state == state]
            if names:
                first = names[0]
                others = tuple(each.sentence for each in names[1:_NAMED])
                more = f"; {word} {listed(others, len(names) - 1)} too" if others else ""
                yield f"{word} {first.sentence} ({first.why}){more}"

    def _remarks(self, many: int) -> Iterator[str]:
        if self._beyond:
            most = f"of more than {MOST_PARTS:,} parts only the first ones are judged"
            yield f"{most}, and {cases(self._beyond)} of others are not: that is never GO"
        if self._undivided:
            yield f"no case has a value by which '{unmoving(self._clause.per or '')}' is divided: that is never GO"
        if many > 1:
            sure = level(corrected(self._clause.confidence, many))
            yield f"a part fails with {sure} confidence alone, since {many:,} are judged side by side"


def _route(result: Result) -> str:
    return route_of(result.case.request)


def _value_of(group: str) -> Callable[[Result], str | None]:
    return lambda result: next((each.value for each in result.groups if each.group == group), None)


def _name(part: str) -> str:
    text = unmoving(part)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
