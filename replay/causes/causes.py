"""From gathered cases to causes, each told by what its cases have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from replay.causes.cover import covered
from replay.causes.gathering import SHOWN_IDS, Gathered, Gathering
from replay.causes.ways import SESSION, UNLISTED, Weight, telling, ways_of, weight_of
from replay.causes.wording import followed, title, worded
from replay.models import Cluster, Result, Way

SAMPLED: Final = 100
"""Causes whose example is looked up for its values."""
SHOWN_WAYS: Final = 10
SHOWN_ROUTES: Final = 10

LookUp = Callable[[str], Result | None]
"""Returns the result of a case by its identity."""


class Causes:
    """Finds the causes of deviations and failures in a stream of results, in memory that does not grow with it."""

    def __init__(self) -> None:
        self._gathering = Gathering()

    def add(self, result: Result) -> None:
        """Take one result in; what did not depart is passed over. The cases of a session come in their order."""
        self._gathering.add(result)

    def clusters(self, look_up: LookUp = lambda _identity: None) -> tuple[Cluster, ...]:
        """Return the causes: failures and changed statuses first, then texts that break off; the largest first.

        What departs in nothing that is listed, as most of a flood that an experiment counted, comes last.

        Every case that departs is counted in one of them. `look_up` is asked for the examples of the first `SAMPLED`.
        The order in which results came makes no difference, as long as there are not more sets of ways than are told
        apart.
        """
        shares = [_Share(self._gathering, *each) for each in covered(self._gathering, self._order)]
        shares.sort(key=lambda each: (min(weight_of(each.lead), Weight.TYPE), each.lead == UNLISTED, -each.cases))
        return tuple(_cluster(each, look_up if place < SAMPLED else None) for place, each in enumerate(shares))

    def _order(self, number: int) -> tuple[int, Any] | None:
        """Return where a way stands: what came after a failed write first, since only there it is not on its own."""
        way = self._gathering.ways[number]
        if way.kind != SESSION:
            return weight_of(way), telling(way)
        return (-1, telling(way)) if self._gathering.followed[number] else None


@dataclass(frozen=True, slots=True)
class _Share:
    """The cases that one way explains."""

    gathering: Gathering
    number: int
    sets: Sequence[Gathered]

    @property
    def lead(self) -> Way:
        return self.gathering.ways[self.number]

    @property
    def cases(self) -> int:
        return sum(each.cases for each in self.sets)

    @property
    def followers(self) -> int:
        return sum(each.cases for each in self.sets if each.follows)

    @property
    def first(self) -> Sequence[Gathered]:
        """Return the cases that tell the cause: writes that departed, and not what came after them."""
        return [each for each in self.sets if not each.follows] or self.sets

    def always(self, sets: Sequence[Gathered]) -> list[Way]:
        """Return the ways that all of these sets have in common, the lead first, then what says most."""
        common = set(sets[0].ways).intersection(*(each.ways for each in sets)) - {self.number}
        ways = (self.gathering.ways[number] for number in common)
        return [self.lead, *sorted((way for way in ways if way.kind != SESSION), key=telling)]

    def sometimes(self, always: Sequence[Way]) -> Mapping[str, int]:
        """Return in how many cases other ways were seen as well, the most frequent ones."""
        seen: Counter[Way] = Counter()
        for each in self.sets:
            seen.update({self.gathering.ways[number]: each.cases for number in each.ways})
        others = [way for way in seen if way not in always and way.kind != SESSION]
        others.sort(key=lambda way: (-seen[way], telling(way)))
        return {worded(way): seen[way] for way in others[:SHOWN_WAYS]}

    def routes(self) -> Mapping[str, int]:
        """Return how many cases went where; the empty name stands for the routes that are not told."""
        found: Counter[str] = Counter()
        for each in self.sets:
            found.update(each.routes)
        rest = found.pop("", 0)
        ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
        rest += sum(cases for _, cases in ordered[SHOWN_ROUTES:])
        return dict(ordered[:SHOWN_ROUTES]) | ({"": rest} if rest else {})


def _cluster(share: _Share, look_up: LookUp | None) -> Cluster:
    told = [way for way in share.always(share.first) if way.kind != SESSION]
    always = share.always(share.sets)
    example = min(each.example for each in share.first)
    named = title(share.lead, told, share.gathering.varieties[share.number])
    promotable = [each.promotable for each in share.sets if each.promotable]
    cluster = Cluster(
        title=named if share.lead.kind != SESSION else followed(named, share.cases, share.followers),
        cases=share.cases,
        example=example.id,
        locations=tuple(dict.fromkeys(way.at for way in told)),
        kinds=tuple(dict.fromkeys(way.kind for way in told)),
        ids=tuple(name for _, name in sorted(name for each in share.sets for name in each.ids)[:SHOWN_IDS]),
        promotable=min(promotable)[1] if promotable else None,
        ways=tuple(always),
        sometimes=share.sometimes(always),
        routes=share.routes(),
        followers=share.followers,
    )
    result = look_up(example.identity) if look_up else None
    return cluster if result is None else _with_sample(cluster, result, told)


def _with_sample(cluster: Cluster, result: Result, told: Sequence[Way]) -> Cluster:
    """Return the cause with the values of its example, in the first of its ways that has any."""
    found = ways_of(result)
    shown = (found[way] for way in told if way in found)
    return replace(cluster, sample=next((each.difference for each in shown if each.difference), None))
