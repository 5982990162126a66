"""What goldens lack, and the smallest set of captured cases that shows most of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import islice

from replay.curation.gathering import Candidate, Gathering
from replay.models import FACET_KINDS, Coverage, Facet, Lack, RouteCoverage, Suggested, Suggestion


def coverage_of(gathered: Gathering, unanswered: int = 0) -> Coverage:
    """Return what the traffic of a closed gathering has that its goldens lack."""
    shown, examples = gathered.shown(), _examples(gathered)
    by_route: dict[str, list[int]] = {route: [] for route in gathered.routes}
    for number in gathered.counting():
        by_route[gathered.facets[number].route].append(number)
    return Coverage(
        routes=tuple(
            RouteCoverage(
                route=route,
                cases=cases,
                goldens=gathered.golden_routes[route],
                facets=len(by_route[route]),
                lacks=tuple(_lacks(gathered, (it for it in by_route[route] if it not in shown), examples)),
            )
            for route, cases in gathered.routes.most_common()
        ),
        cases=gathered.routes.total(),
        alike=gathered.alike,
        goldens=len(gathered.goldens),
        unanswered=unanswered,
        beyond=gathered.beyond,
    )


def _examples(gathered: Gathering) -> dict[int, str]:
    """Return the first case that shows a facet, by its number."""
    found: dict[int, str] = {}
    for each in gathered.pool:
        for number in each.facets:
            found.setdefault(number, each.id)
    return found


def _lacks(gathered: Gathering, numbers: Iterable[int], examples: dict[int, str]) -> Iterator[Lack]:
    """Yield them as they are to be read: what is lacking altogether first, then by kind and weight."""
    ranks = {kind: rank for rank, kind in enumerate(FACET_KINDS)}

    def order(number: int) -> tuple[int, float, Facet]:
        return ranks[gathered.facets[number].kind], -gathered.weight(number), gathered.facets[number]

    for number in sorted(numbers, key=order):
        yield Lack(gathered.facets[number], max(gathered.cases[number], 1), examples[number])


def suggested(gathered: Gathering, n: int) -> Suggested:
    """Return the `n` captured cases of a closed gathering that together show most of what its goldens lack.

    Greedy: each is the one whose new facets weigh most, which is as good a cover as anything quick finds (Nemhauser,
    Wolsey and Fisher, 1978, for a gain that only shrinks).
    """
    lacking = set(gathered.counting()) - gathered.shown()
    chosen = list(_covering(gathered, lacking))
    examples = _examples(gathered)
    cases = tuple(
        Suggestion(
            id=each.id,
            route=each.route,
            session=each.session,
            adds=tuple(_lacks(gathered, adds, examples)),
            alike=gathered.prints[each.print],
        )
        for each, adds in islice(chosen, n)
    )
    return Suggested(cases, len(lacking), len(chosen))


def _covering(gathered: Gathering, lacking: set[int]) -> Iterator[tuple[Candidate, frozenset[int]]]:
    """Yield cases until nothing is lacking, each with what it adds to those before it."""
    left = set(lacking)

    def gain(place: int) -> float:
        return sum(map(gathered.weight, gathered.pool[place].facets & left))

    queue = [(-worth, place) for place in range(len(gathered.pool)) if (worth := gain(place))]
    heapify(queue)
    while queue and left:
        worth, place = heappop(queue)
        now = -gain(place)
        if not now:
            continue
        if queue and (now, place) > queue[0]:
            # Others have shown some of it meanwhile: it has to wait for its turn.
            heappush(queue, (now, place))
            continue
        adds = gathered.pool[place].facets & left
        left -= adds
        yield gathered.pool[place], frozenset(adds)
