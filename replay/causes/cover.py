"""The fewest causes that explain all cases, nearly: the way that explains most of what is left comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from replay.causes.gathering import Gathered


def covered(
    gathered: Iterable[Gathered], order: Callable[[int], tuple[int, Any] | None]
) -> list[tuple[int, Sequence[Gathered]]]:
    """Share the sets of cases out among ways, in the order in which they are chosen: each set to one of its own.

    Greedy, which for covers is as good as anything that is quick (Chvátal, 1979). `order` gives a way's weight, the
    least of which comes first, however few its cases are, and what to sort by where all else is equal; None for a way
    that nothing is to be explained by.
    """
    sets = list(gathered)
    holding: dict[int, list[int]] = {}
    left: Counter[int] = Counter()
    for place, each in enumerate(sets):
        for way in each.ways:
            holding.setdefault(way, []).append(place)
            left[way] += each.cases
    queue = [(rank[0], -left[way], rank[1], way) for way in left if (rank := order(way)) is not None]
    heapify(queue)
    taken = [False] * len(sets)
    chosen: list[tuple[int, Sequence[Gathered]]] = []
    while queue:
        weight, cases, name, way = heappop(queue)
        if left[way] < -cases:
            # Others have explained some of its cases meanwhile: it has to wait for its turn.
            if left[way]:
                heappush(queue, (weight, -left[way], name, way))
            continue
        places = [place for place in holding[way] if not taken[place]]
        for place in places:
            taken[place] = True
            left.subtract(dict.fromkeys(sets[place].ways, sets[place].cases))
        chosen.append((way, [sets[place] for place in places]))
    return chosen
