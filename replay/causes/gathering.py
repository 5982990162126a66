"""Deviating cases by the set of ways in which they depart: many cases, few sets."""

from __future__ import annotations

import sys
from bisect import insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from replay.causes.sessions import Sessions
from replay.causes.variety import Variety
from replay.causes.ways import OTHER, Departures, Weight, ways_of, weight_of
from replay.models import OutcomeName, Result, Way
from replay.routes import route_of

MOST_SETS: Final = 2_000
"""Sets of ways that are told apart; cases of further ones are gathered by their weightiest way alone."""
MOST_WAYS: Final = 10_000
MOST_FAILURES: Final = 1_000
"""Ways beyond those that are kept for failures and changed statuses, which nobody must overlook."""
MOST_ROUTES: Final = 16
SHOWN_IDS: Final = 20
DEPARTING: Final[frozenset[OutcomeName]] = frozenset({"deviation", "new_error", "old_error", "both_error"})

_Id = tuple[int, str]
"""An id to sort by: short ones first, so that `c-9` comes before `c-10`."""


class Example(NamedTuple):
    """A case to show; the smallest of several is the one with the least to read, then the one of the shortest id."""

    size: int
    length: int = 0
    id: str = ""
    identity: str = ""


_NONE_YET: Final = Example(sys.maxsize)


@dataclass(slots=True)
class Gathered:
    """Cases that depart in the same ways: how many, the smallest of them, and where they went.

    `ways` are numbers in ascending order. What is kept of the cases does not depend on their order.
    """

    ways: tuple[int, ...]
    follows: bool
    """Whether they came after a departing write of their session."""
    cases: int = 0
    ids: list[_Id] = field(default_factory=list)
    example: Example = _NONE_YET
    promotable: _Id | None = None
    routes: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Take one case in."""
        case = result.case
        name = (len(case.id), case.id)
        self.cases += 1
        insort(self.ids, name)
        del self.ids[SHOWN_IDS:]
        self.example = min(self.example, Example(_size(result), *name, case.identity))
        # Where both sides fail, old's answer is nothing to hold new to.
        if case.kind == "traffic" and result.outcome != "both_error":
            self.promotable = name if self.promotable is None else min(self.promotable, name)
        route = route_of(case.request)
        self.routes[route if route in self.routes or len(self.routes) < MOST_ROUTES else ""] += 1


class Gathering:
    """Gathers deviating cases; memory grows with the sets of ways in which they depart, up to a bound."""

    def __init__(self) -> None:
        self.ways: list[Way] = []
        self.varieties: list[Variety] = []
        self.followed: Counter[int] = Counter()
        """How many cases came after each departing write."""
        self._sessions = Sessions()
        self._numbers: dict[Way, int] = {}
        self._sets: dict[tuple[tuple[int, ...], bool], Gathered] = {}
        self._leads: dict[tuple[int, bool], Gathered] = {}

    def __iter__(self) -> Iterator[Gathered]:
        """Yield what was gathered; each case is in one."""
        yield from self._sets.values()
        yield from self._leads.values()

    def add(self, result: Result) -> None:
        """Take one result in; what did not depart is passed over. The cases of a session come in their order."""
        if result.outcome not in DEPARTING:
            return
        found = ways_of(result)
        numbers = list(self._counted(found))
        lead = numbers[0]
        shared, follows = self._sessions.way(result, found)
        if shared is not None and (shared in self._numbers or len(self.ways) < MOST_WAYS):
            numbers.append(self._number(shared))
            self.followed[numbers[-1]] += follows
        self._gathered(tuple(sorted({*numbers})), lead, follows).add(result)

    def _counted(self, found: Departures) -> Iterator[int]:
        for way, departure in found.items():
            number = self._number(way)
            self.varieties[number].add(departure)
            yield number

    def _number(self, way: Way) -> int:
        number = self._numbers.get(way)
        if number is None and way != OTHER and len(self.ways) >= _most(way):
            return self._number(OTHER)
        if number is None:
            number = self._numbers[way] = len(self.ways)
            self.ways.append(way)
            self.varieties.append(Variety())
        return number

    def _gathered(self, ways: tuple[int, ...], lead: int, follows: bool) -> Gathered:  # noqa: FBT001 - half of a key
        if (ways, follows) in self._sets or len(self._sets) < MOST_SETS:
            return self._sets.setdefault((ways, follows), Gathered(ways, follows))
        found = self._leads.setdefault((lead, follows), Gathered(ways, follows))
        # What is said of all of them has to hold in each.
        found.ways = tuple(sorted({*found.ways} & {*ways}))
        return found


def _most(way: Way) -> int:
    return MOST_WAYS + (MOST_FAILURES if weight_of(way) == Weight.FAILURE else 0)


def _size(result: Result) -> int:
    """Return how much there is to read in a case: its differences, then the values in them, roughly."""
    shown = sum(_length(value) for each in result.differences for value in (each.old, each.new))
    return len(result.differences) * 1_000_000 + min(shown + len(result.case.request.path), 999_999)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | list | dict) else 1
