"""How the steps of a scenario rest on each other, and at which of them a scenario departs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from replay.causes import DEPARTING, FAILED, ways_of
from replay.models import Case, ErrorKind, Result, Step, Way
from replay.placeholders import names_of

_ABSENT: Final[frozenset[ErrorKind]] = frozenset({"refused", "dns", "tls"})


@dataclass(frozen=True, slots=True)
class Departure:
    """One way in which a case departs, and the step at which it does; the step of a plain case is empty."""

    way: Way
    step: str = ""

    @property
    def fails(self) -> bool:
        """Tell whether a side failed there."""
        return self.way.at in FAILED.values()


def absent(result: Result) -> str:
    """Return which side was not there at all, which no request is the cause of; empty where both were."""
    error = result.error
    return (
        f"{error.side} could not be reached: {error.message or error.kind}" if error and error.kind in _ABSENT else ""
    )


def departures(result: Result) -> tuple[Departure, ...]:
    """Return the ways in which a case departs, the weightiest first; none where it does not."""
    ways = ways_of(result) if result.outcome in DEPARTING else {}
    return tuple(Departure(way, _step(way, result)) for way in ways)


def _step(way: Way, result: Result) -> str:
    """Return the step that a way is at: that of its place, or the one at which a side failed."""
    if not result.case.steps:
        return ""
    if way.at in FAILED.values():
        played = [
            side.steps[-1].step for side in (result.old, result.new) if side is not None and side.error is not None
        ]
        return " and ".join(dict.fromkeys(played))
    names = {step.name for step in result.case.steps}
    first, *rest = way.at.split(".", 2)
    return rest[0].partition("[")[0] if first == "steps" and rest and rest[0].partition("[")[0] in names else ""


def used_by(step: Step) -> set[str]:
    """Return the names of what earlier steps hand out that a step sends again."""
    requests = [step.request]
    if step.pages is not None and step.pages.further is not None:
        requests.append(step.pages.further)
    return {name for request in requests for name in names_of(request)}


def is_closed(steps: Iterable[Step]) -> bool:
    """Tell whether every step finds what it uses among what the steps before it, or its own pages, hand out."""
    known: set[str] = set()
    for step in steps:
        own = step.capture.keys() if step.pages is not None else set()
        if not used_by(step) <= known | own:
            return False
        known |= step.capture.keys()
    return True


def leading_to(name: str, steps: Sequence[Step]) -> list[Step]:
    """Return the step of this name with those whose values it uses, or these use, in their order; else all."""
    kept: list[Step] = []
    wanted: set[str] = set()
    for step in reversed(steps):
        if step.name == name or (kept and step.capture.keys() & wanted):
            kept.insert(0, step)
            wanted = (wanted - step.capture.keys()) | used_by(step)
    return kept or list(steps)


def without(steps: Sequence[Step], some: Sequence[Step]) -> list[Step]:
    """Return some of the steps, at the instants that they had among all: the clock moves on by what is left out."""
    kept, names, left = [], {step.name for step in some}, 0.0
    for step in steps:
        left += step.advance
        if step.name in names:
            kept.append(replace(step, advance=left))
            left = 0.0
    return kept


def plain(case: Case) -> Case:
    """Return a scenario of one step that hands out nothing as a case of one request; any other as it is."""
    if len(case.steps) != 1:
        return case
    [step] = case.steps
    if step.capture or step.settle or step.until is not None or step.pages is not None:
        return case
    freeze = case.freeze and case.freeze + timedelta(seconds=step.advance)
    return replace(case, request=step.request, steps=(), freeze=freeze, rules=(*case.rules, *step.rules))
