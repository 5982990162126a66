"""The ways in which one case departs, the weightiest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from replay.causes.shapes import Shape, shape_of
from replay.locations import general
from replay.models import MISSING, CaseError, Difference, Observation, Result, Way

MOST_WAYS: Final = 100
"""Ways of one case that are looked at, the weightiest: two disjoint documents differ in a thousand."""

FAILED: Final = {"old": "only old failed", "new": "only new failed", "both": "both failed"}
SESSION: Final = "session"
"""The kind of the way in which a failed write and what came after it in its session go together."""
UNLISTED: Final = Way("nothing that is listed", "unlisted")
"""How a case departs of which no difference is kept."""
OTHER: Final = Way("elsewhere", "other")
"""What stands for all ways that are too many to be told apart."""

_NONE: Final = Shape()
STOPS: Final = "stops early"
_MEDIA: Final = {
    "text/html": "another HTML text", "text/plain": "another plain text", "text/css": "another style sheet",
    "text/csv": "another CSV text", "application/xml": "another XML text", "text/xml": "another XML text",
    "text/javascript": "another script", "application/javascript": "another script",
}  # fmt: skip
_STOPS: Final = re.compile(r"(old|new) stops at line ")
_BECAME: Final = re.compile(r"(.{1,40}) became (.{1,40})")
_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]{0,80}(?=:|$)")


class Weight(IntEnum):
    """What readers need to see first: in this order, however many cases there are."""

    FAILURE = 0
    """A side failed, or answered with another status."""
    LOSS = 1
    """A text breaks off, under a status that says nothing of it."""
    TYPE = 2
    """What stands there is of another type: a program that read old's answers stumbles over new's."""
    ABSENCE = 3
    CHANGE = 4
    ADDITION = 5
    """New answers something more, or with other headers: most programs never notice."""


_WEIGHTS: Final = {
    "status": Weight.FAILURE,
    SESSION: Weight.FAILURE,
    "type": Weight.TYPE,
    "schema": Weight.TYPE,
    "missing": Weight.ABSENCE,
    "extra": Weight.ADDITION,
    "header": Weight.ADDITION,
}
_TELLING: Final = (
    "status",
    "schema",
    "type",
    "missing",
    "validation",
    "order",
    "rank",
    "value",
    "text",
    "extra",
    "header",
)
"""Which kinds say more of a cause than others do, where all else is equal."""


@lru_cache(maxsize=4_096)
def weight_of(way: Way) -> Weight:
    """Return how early readers need to see a way."""
    if way.at in FAILED.values():
        return Weight.FAILURE
    if way.change.endswith(STOPS) and way.kind == "text":
        return Weight.LOSS
    return _WEIGHTS.get(way.kind, Weight.CHANGE)


@lru_cache(maxsize=4_096)
def telling(way: Way) -> tuple[int, int, int, str, str]:
    """Return what to sort ways by that go together: what says most of their cause comes first."""
    kind = _TELLING.index(way.kind) if way.kind in _TELLING and way.at not in FAILED.values() else -1
    return weight_of(way), kind, len(way.at), way.at, way.change


class Departure(NamedTuple):
    """How one case departs in one way: the first difference that shows it, and what was done there."""

    difference: Difference | None
    shape: Shape


Departures = Mapping[Way, Departure]


def ways_of(result: Result) -> Departures:
    """Return each way in which a result departs, the weightiest first. Never empty, and at most `MOST_WAYS`."""
    found: dict[Way, Departure] = {}
    if result.error is not None:
        shown = next((each for each in result.differences if each.kind == "status"), None)
        found[_error(result.error, result)] = Departure(shown, _NONE)
    for difference in result.differences:
        if difference.counts and not _is_told(difference, result):
            look = _CHANGES.get(difference.kind)
            shape = look(difference, result) if look else _NONE
            found.setdefault(way_at(general(difference.at), difference.kind, shape.words), Departure(difference, shape))
    ways = sorted(found, key=telling)[:MOST_WAYS] if len(found) > 1 else found
    return {way: found[way] for way in ways} or {UNLISTED: Departure(None, _NONE)}


def _is_told(difference: Difference, result: Result) -> bool:
    """Tell whether an error by status says already that the status is another one."""
    by_status = result.error is not None and result.error.kind == "status"
    return by_status and difference.kind == "status" and difference.against == "old"


@lru_cache(maxsize=4_096)
def way_at(at: str, kind: str, change: str) -> Way:
    """Return the way, the same object for the same way: it is kept many times over."""
    return Way(at, kind, change)


def _error(error: CaseError, result: Result) -> Way:
    named = _EXCEPTION.match(error.message) if error.kind == "exception" else None
    return way_at(FAILED[error.side], error.kind, named[0] if named else _statuses(result))


def _statuses(result: Result) -> str:
    """Return both statuses where both sides answered, and not alike; of a scenario, at the step that failed."""
    old, new = (it.status if it is not None else None for it in _at_fault(result))
    return "" if old is None or new is None or old == new else f"{old} -> {new}"


def _at_fault(result: Result) -> tuple[Observation | None, Observation | None]:
    """Return what both sides did; of a scenario, at the first step at which one failed, where the other may go on."""
    sides = result.old, result.new
    if not result.case.steps:
        return sides
    failed = {side.steps[-1].step for side in sides if side is not None and side.error is not None and side.steps}
    name = next((step.name for step in result.case.steps if step.name in failed), "")
    old, new = (next((it.seen for it in side.steps if it.step == name), None) if side else None for side in sides)
    return old, new


def _of_status(difference: Difference, _: Result) -> Shape:
    old, new = ("missing" if it is MISSING else str(it) for it in (difference.old, difference.new))
    return Shape(f"{old} expected -> {new}" if difference.against == "expect" else f"{old} -> {new}")


def _of_type(difference: Difference, _: Result) -> Shape:
    # Of two bodies that are not both JSON, the note knows what they were read as.
    became = _BECAME.fullmatch(difference.note)
    if became:
        return Shape(f"{became[1]} -> {became[2]}")
    shape = shape_of(difference.old, difference.new)
    return shape if shape.words else Shape("another type")


def _of_text(difference: Difference, result: Result) -> Shape:
    """Return which side breaks off, else what sort of text it is."""
    stops = _STOPS.match(difference.note)
    if stops:
        return Shape(f"{stops[1]} {STOPS}")
    header = result.old.header("content-type") if result.old is not None and difference.at == "body" else None
    return Shape(_MEDIA.get((header or "").partition(";")[0].strip().lower(), ""))


def _of_absence(difference: Difference, _: Result) -> Shape:
    # What `must` asks for has no value of its own: nothing was lost where it was not seen.
    unseen = difference.old is MISSING or difference.new is not MISSING
    return Shape("the intended change is not seen") if unseen else _NONE


def _of_value(difference: Difference, _: Result) -> Shape:
    if difference.old is MISSING or difference.new is MISSING:
        return Shape("missing" if difference.new is MISSING else "new")
    return shape_of(difference.old, difference.new)


_CHANGES: Final[Mapping[str, Callable[[Difference, Result], Shape]]] = {
    "status": _of_status, "missing": _of_absence, "type": _of_type, "text": _of_text, "value": _of_value,
    "header": _of_value, "order": _of_value, "validation": _of_value,
}  # fmt: skip
