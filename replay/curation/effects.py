"""What a change of the rules would do to the stored cases of a run, by comparing their answers anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Final, Protocol

from replay.causes import DEPARTING, Naming
from replay.models import Cluster, Difference, OutcomeName, Result

MOST_JUDGED: Final = 20_000
"""Cases that are compared anew for one answer, those of the cause and all others each: a curator waits for it."""
_FEW: Final = 100
"""Cases up to which it is quicker to look each of them up than to read all of a run."""
_ELSEWHERE: Final = -1
"""The place of cases that did not depart, and hold something that a rule accepts."""


class Stored(Protocol):
    """Gives the results of a run in their order, at every call."""

    def __call__(self, outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:
        """Return the results with these outcomes; without bodies it is quicker."""


Find = Callable[[str], Iterable[Result]]
"""Returns the results of a run that have this id or identity, with their bodies."""
Judge = Callable[[Result], Result | None]
"""Judges a stored result by some rules; None where tokens stand for what a rule would look at."""


class Evidence:
    """The stored cases of a run, by their causes."""

    def __init__(self, stored: Stored, clusters: Sequence[Cluster], find: Find | None = None) -> None:
        self._stored = stored
        self._find = find
        self._clusters = clusters

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """Return the cause of each case that departs, by identity, and which others rules had a part in."""
        naming, found = Naming(self._clusters), dict[str, int]()
        for result in self._stored((*DEPARTING, "match"), bodies=False):
            if result.outcome == "match":
                if result.accepted:
                    found[result.case.identity] = _ELSEWHERE
            elif (place := naming.place(result)) is not None:
                found[result.case.identity] = place
        return found

    def of(self, place: int, most: int = MOST_JUDGED) -> Iterator[Result]:
        """Yield the first cases of a cause, with their bodies."""
        return (result for _, result in islice(self._bodied(lambda found: found == place), most))

    def others(self, place: int, most: int = MOST_JUDGED) -> Iterator[tuple[int, Result]]:
        """Yield the first cases that rules could touch and are of no cause, or of another one, with its place."""
        return islice(self._bodied(lambda found: found != place), most)

    def count(self, place: int) -> tuple[int, int]:
        """Return how many cases a cause has, and how many others there are that rules could touch."""
        mine = sum(found == place for found in self._places.values())
        return mine, len(self._places) - mine

    def _bodied(self, wanted: Callable[[int], bool]) -> Iterator[tuple[int, Result]]:
        identities = {identity: place for identity, place in self._places.items() if wanted(place)}
        if self._find is not None and len(identities) <= _FEW:
            for identity, found in identities.items():
                yield from ((found, it) for it in self._find(identity) if it.case.identity == identity)
            return
        for result in self._stored((*DEPARTING, "match"), bodies=True):
            place = identities.get(result.case.identity)
            if place is not None:
                yield place, result


@dataclass(slots=True)
class Effect:
    """In how many cases a change settles everything, or eases something; `untold` are those with tokens in the way."""

    cases: int = 0
    already: int = 0
    """Cases with which nothing is wrong by the rules of now."""
    settled: int = 0
    eased: int = 0
    """Cases of which some differences go, and others stay."""
    untold: int = 0
    hidden: Counter[int] = field(default_factory=Counter)
    """By the place of another cause, cases of which something goes."""
    spoiled: int = 0
    """Cases that were equal by a rule, and would deviate."""
    unseen: int = 0
    """Cases beyond those that were compared anew."""
    unknown: int = 0
    """Of these, the ones of no cause, or of another one: whether the change hides anything in them nobody knows."""

    def add(self, gone: int | None, left: int) -> None:
        """Take in a case of the cause, of which so many differences go and so many stay; None where nobody can tell."""
        self.cases += 1
        self.untold += gone is None
        self.already += gone == left == 0
        self.settled += bool(gone) and not left
        self.eased += bool(gone) and bool(left)

    @property
    def does_nothing(self) -> bool:
        """Tell whether no case of the cause is any better for it, as far as can be told."""
        return not (self.settled or self.eased or self.untold)


def effect(
    evidence: Evidence,
    place: int,
    before: Judge,
    after: Judge,
    most: int = MOST_JUDGED,
    *,
    reaches: Callable[[Result], bool] = lambda _: True,
) -> Effect:
    """Return what changed rules do to the cases of one cause, and to all others; to `most` of each.

    Cases of others that they do not reach are not judged: `before` and `after` would find the same.
    """
    found = Effect()
    for result in evidence.of(place, most):
        found.add(*_gone(result, before, after))
    others = 0
    for other, result in evidence.others(place, most):
        others += 1
        if not reaches(result):
            continue
        if other == _ELSEWHERE:
            judged = after(result)
            found.spoiled += judged is not None and judged.outcome in DEPARTING
        elif _gone(result, before, after)[0]:
            found.hidden[other] += 1
    mine, rest = evidence.count(place)
    found.unknown = rest - others
    found.unseen = mine - found.cases + found.unknown
    return found


def _gone(result: Result, before: Judge, after: Judge) -> tuple[int | None, int]:
    """Return how many differences go, and how many things are still wrong; None where tokens are in the way."""
    one, other = before(result), after(result)
    if one is None or other is None:
        return None, 0
    was, is_now = _wrong(one, result), _wrong(other, result)
    return len(was - is_now), len(is_now)


def _wrong(judged: Result, stored: Result) -> set[tuple[str, str, str]]:
    """Return what makes a case depart, without what a run found to be noise."""
    noise = {(each.at, each.against) for each in stored.differences if each.noise}
    wrong = {_key(each) for each in judged.differences if each.counts and (each.at, each.against) not in noise}
    return wrong | ({("", judged.error.side, judged.error.kind)} if judged.error is not None else set())


def _key(difference: Difference) -> tuple[str, str, str]:
    return difference.at, difference.kind, difference.against


def with_own_rules(judge: Judge, golden: str, rules: Sequence[object]) -> Judge:
    """Return a judge for whom one golden has further rules of its own, in every row of it."""

    def judged(result: Result) -> Result | None:
        if result.case.kind != "golden" or result.case.id.partition("#")[0] != golden:
            return judge(result)
        case = replace(result.case, rules=(*result.case.rules, *rules))  # type: ignore[arg-type]
        return judge(replace(result, case=case))

    return judged
