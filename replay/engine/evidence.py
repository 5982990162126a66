"""How often old differs from itself and new from old, place by place, over all cases of a route: counts and tests.

Of one case, the further answers of old and the answer of new are on a par: each was held against the same first answer
of old, and who was asked when was drawn. If new is like old, each of them is as likely to be among those that differ.
So of `k` further answers and new, of which `m` differ, new does with probability m / (k + 1): for one case that is
Fisher's exact test, and over cases a sum of such trials, whatever the rates of the cases are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from replay.engine.figures import Figures
from replay.engine.parts import Part, parts_of
from replay.models import Difference, Json, OutcomeName, Result
from replay.routes import route_of
from replay.verdict.chances import Trials, at_least

ALPHA: Final = 0.01
"""How seldom a new that is like old is said to differ more often, at one place of a route."""
ENOUGH: Final = 30
"""Further answers of a route that must differ before a place is noisy at cases where old held still."""
FEWEST: Final = 3
"""Further answers that must have been given where a place is noisy, to say that old is never the same there."""
ALWAYS: Final = 0.95
"""The share of old's answers that must be like no other of its answers to the same case."""
_TELLING: Final = 3
"""Fewer answers of old to one case say nothing of whether it ever says the same twice."""
MOST_SAID: Final = 32
"""Values of a place that are told apart: one of them may be what new says too often. More are no such choice."""
MOST_PLACES: Final = 5_000
"""Places that are told apart. What differs at further ones is no noise: nothing is known of it."""
_JUDGED: Final[frozenset[OutcomeName]] = frozenset({"match", "noise", "waived", "deviation"})

Spot = tuple[str, str]
"""A place, and where exactly it is in one case."""
Group = tuple[int, int]
"""How many of a case's answers stand out, and how many further ones old gave."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of one case: the parts in which each further answer of old, and new's, differ from old's first."""

    route: str
    again: tuple[tuple[Part, ...], ...]
    new: tuple[Part, ...]

    def differing(self, place: str) -> int:
        """Return how many of old's further answers differ at a place."""
        return sum(any(part.place == place for part in parts) for parts in self.again)

    def values(self, spot: Spot) -> list[object]:
        """Return what old's further answers said where they differ at a spot."""
        return [part.new for parts in self.again for part in parts if (part.place, part.spot) == spot]


def asked(result: Result) -> Asked | None:
    """Return what a result tells of noise; None where old was not asked again, or a side failed.

    A new with another status is no evidence, as a further answer with another one is none.
    """
    if result.again is None or not result.again.answers or result.outcome not in _JUDGED:
        return None
    if any(each.kind == "status" for each in result.differences):
        return None
    again = tuple(map(_parts, result.again.answers))
    return Asked(route_of(result.case.request), again, _parts(result.differences))


def _parts(differences: Sequence[Difference]) -> tuple[Part, ...]:
    return tuple(part for difference in differences for part in parts_of(difference))


@dataclass(slots=True)
class _Groups:
    """Cases by how many of their answers stand out: how many there are, and in how many new is among them."""

    cases: Counter[Group] = field(default_factory=Counter)
    new: int = 0

    def add(self, standing_out: int, further: int, *, new: bool) -> None:
        self.cases[standing_out, further] += 1
        self.new += new

    @property
    def trials(self) -> list[Trials]:
        return [(n, m / (k + 1)) for (m, k), n in self.cases.items()]

    @property
    def chance(self) -> float:
        """Return how probable it is that new stands out so often or more, if it is like old."""
        return at_least(self.new, self.trials)

    @property
    def tells(self) -> bool:
        """Tell whether a new that stood out in every case would be told from old."""
        return at_least(sum(n for (m, _), n in self.cases.items() if m), self.trials) < ALPHA


class Place:
    """One place of a route."""

    def __init__(self) -> None:
        self.differ = _Groups()
        self.odd = _Groups()
        """Answers that differ where no other answer to the same case does."""
        self.old_differs = 0
        self.new_differs = 0
        self.asked_where_any = 0
        self.figures = Figures()
        self._said: dict[str, _Groups] = {}
        """For each of a few values in how many answers old and new say it."""
        self._times: Counter[str] = Counter()
        self._alone = 0
        """Answers of old that are like no other of its answers to the same case."""
        self._answers = 0
        self._too_often: set[str] | None = None

    def add(self, again: Sequence[Mapping[str, Part]], new: Mapping[str, Part], luck: random.Random) -> None:
        """Take in one case in which any answer differs here: for each answer its parts at this place, by their spot."""
        answers = [*again, new]
        further = len(again)
        spots = Counter(spot for answer in answers for spot in answer)
        odd = [any(spots[spot] == 1 for spot in answer) for answer in answers]
        self.differ.add(sum(map(bool, answers)), further, new=bool(new))
        self.odd.add(sum(odd), further, new=odd[-1])
        self.old_differs += sum(map(bool, again))
        self.new_differs += bool(new)
        self.asked_where_any += further
        self._add_values(next(iter(spots)), answers, luck)

    def _add_values(self, spot: str, answers: Sequence[Mapping[str, Part]], luck: random.Random) -> None:
        """Take in what all answers say at one spot: what they say at others may hang together with that."""
        parts = [answer.get(spot) for answer in answers]
        first = next(part.old for part in parts if part is not None)
        self.figures.asked(len(answers) - 1)
        self.figures.known(first)
        for number, part in enumerate(parts, start=1):
            if part is not None:
                self.figures.add(first, part.new, luck, new=number == len(parts))
        self._count_values([repr(first), *(repr(first if part is None else part.new) for part in parts)])

    def _count_values(self, values: Sequence[str]) -> None:
        """Count who says what; new's value is the last."""
        *old, new = values
        if len(old) >= _TELLING:
            self._answers += len(old)
            self._alone += sum(n == 1 for n in Counter(old).values())
        counted = Counter(values)
        for value in dict.fromkeys((new, *old)):  # new's first: there may be no room for all
            if value == new:
                self._make_room(value)
            if value in self._said or len(self._said) < MOST_SAID:
                self._said.setdefault(value, _Groups()).add(counted[value], len(old), new=value == new)
                self._times[value] += 1

    def _make_room(self, value: str) -> None:
        """Forget a value of one case alone, so that one which new keeps saying from some case on is counted."""
        if value not in self._said and len(self._said) >= MOST_SAID:
            once = next((known for known in self._said if self._times[known] == 1), None)
            if once is not None:
                del self._said[once], self._times[once]

    @cached_property
    def more_often(self) -> bool:
        """Tell whether new differs more often than old from itself."""
        return self.differ.chance < ALPHA

    @cached_property
    def could_tell(self) -> bool:
        """Tell whether there are cases enough to see it if new always differed."""
        return self.differ.tells

    @property
    def never_the_same(self) -> bool:
        """Tell whether old as good as never says the same twice, so that no new could differ from it more often.

        That all further answers differ from the first is not enough: it may be the first that was odd. Nor is it that
        two differ: they may be all that old ever says, in turn.
        """
        return min(self.asked_where_any, self._answers) >= FEWEST and self._alone >= ALWAYS * self._answers

    def says_too_often(self, value: Json) -> bool:
        """Tell whether new says a value more often than old does, though old says it too."""
        if self._too_often is None:
            limit = ALPHA / max(1, len(self._said))
            self._too_often = {said for said, groups in self._said.items() if groups.chance < limit}
        return repr(value) in self._too_often

    @cached_property
    def anywhere(self) -> bool:
        """Tell whether old is noisy here at any case of the route, and new as seldom by itself as old is."""
        return self.old_differs >= ENOUGH and self.odd.tells and self.odd.chance >= ALPHA


class Evidence:
    """Gathers what all cases of a run tell of noise, in memory that grows with places and not with cases."""

    def __init__(self) -> None:
        self.askings: Counter[str] = Counter()
        self.cases: Counter[str] = Counter()
        self.places: dict[tuple[str, str], Place] = {}
        self._luck = random.Random(0)  # noqa: S311 - a sample that is the same whenever it is drawn

    def add(self, result: Result) -> None:
        """Take in one result; those that tell nothing are passed over."""
        found = asked(result)
        if found is None or (found.route not in self.cases and len(self.cases) >= MOST_PLACES):
            return
        self.askings[found.route] += len(found.again)
        self.cases[found.route] += 1
        for place, answers in _by_place(found).items():
            if (known := self._place(found.route, place)) is not None:
                known.add(answers[:-1], answers[-1], self._luck)

    def _place(self, route: str, place: str) -> Place | None:
        key = route, place
        if key not in self.places and len(self.places) >= MOST_PLACES:
            return None
        return self.places.setdefault(key, Place())

    def noisy(self) -> Iterator[tuple[str, str, Place]]:
        """Yield each place at which old differs from itself, with its route; the most often first."""
        found = [(route, at, place) for (route, at), place in self.places.items() if place.old_differs]
        yield from sorted(found, key=lambda each: (-each[2].old_differs, each[0], each[1]))


def _by_place(found: Asked) -> dict[str, list[dict[str, Part]]]:
    """Return, for each place, the parts of each answer there by their spot; new's answer comes last."""
    answers: Iterable[tuple[Part, ...]] = (*found.again, found.new)
    by_place: dict[str, list[dict[str, Part]]] = {}
    for number, parts in enumerate(answers):
        for part in parts:
            empty: list[dict[str, Part]] = [{} for _ in range(len(found.again) + 1)]
            by_place.setdefault(part.place, empty)[number].setdefault(part.spot, part)
    return by_place
