"""Which unequal items of two arrays are the same thing, changed: by members that only they have, then by how alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from replay.compare.effort import Effort
from replay.compare.sequences import Gap, Match, gaps, rising
from replay.documents import json_type
from replay.models import MISSING, Json

_TELLING: Final = frozenset({"string", "number"})
"""What may tell an item from its siblings; true and false do not."""
_MOST_MEMBERS: Final = 64
"""How many members of an item are looked at."""
_OF_ONE_KIND: Final = 0.1
"""How alike two items are of which no member is equal: more than an object and a number."""


def by_likeness(old: Sequence[Json], new: Sequence[Json], gap: Gap, effort: Effort) -> list[Match] | None:
    """Match as many items of a gap as can be, in order, the most alike with each other.

    Return None where that takes more than there is left to spend, or there is nothing to go by in so many.
    """
    if gap[1] - gap[0] == gap[3] - gap[2] == 1 or not (_nests(old, gap[0], gap[1]) and _nests(new, gap[2], gap[3])):
        return in_step(gap)
    steps = (gap[1] - gap[0] + gap[3] - gap[2]) * _width(old[gap[0]])
    if not effort.afford(steps):
        return None
    anchors = rising(_telling(old, new, gap))
    found = list(anchors)
    for rest in gaps(anchors, gap):
        closest = _closest(old, new, rest, effort)
        if closest is None:
            return None
        found += closest
    return sorted(found)


def in_step(gap: Gap) -> list[Match]:
    """Match the first with the first, the second with the second."""
    return [(gap[0] + step, gap[2] + step) for step in range(min(gap[1] - gap[0], gap[3] - gap[2]))]


def alike(old: Json, new: Json) -> float:
    """Return how much two unequal items have in common, 0 to 1: the share of their members that are equal."""
    if isinstance(old, dict) and isinstance(new, dict):
        equal = sum(1 for name, value in islice(old.items(), _MOST_MEMBERS) if new.get(name, MISSING) == value)
    elif isinstance(old, list) and isinstance(new, list):
        equal = sum(1 for mine, theirs in islice(zip(old, new, strict=False), _MOST_MEMBERS) if mine == theirs)
    else:
        return _OF_ONE_KIND if json_type(old) == json_type(new) else 0.0
    most = min(max(len(old), len(new)), _MOST_MEMBERS)
    return max(_OF_ONE_KIND, equal / most) if most else _OF_ONE_KIND


def _nests(items: Sequence[Json], start: int, end: int) -> bool:
    return any(isinstance(item, dict | list) for item in islice(items, start, end))


def _width(item: Json) -> int:
    return min(len(item), _MOST_MEMBERS) + 1 if isinstance(item, dict | list) else 1


# --------------------------------------------------------------------------------------- members that only one item has


def _telling(old: Sequence[Json], new: Sequence[Json], gap: Gap) -> list[Match]:
    """Return the items that have more members in common with each other than with any other, of those that are unique.

    Of two that have as many, the one that does not stand across: items that count their places tell nothing, and
    whether all of them are best left in their places is tried anyway.
    """
    mine, theirs = _unique_members(old, gap[0], gap[1]), _unique_members(new, gap[2], gap[3])
    votes = Counter((i, theirs[member]) for member, i in mine.items() if member in theirs)
    shift = gap[2] - gap[0]
    ranked = sorted(votes, key=lambda match: (-votes[match], match[1] - match[0] == shift, match))
    best_of_new: dict[int, int] = {}
    best_of_old: dict[int, int] = {}
    for i, j in ranked:
        best_of_old.setdefault(i, j)
        best_of_new.setdefault(j, i)
    return [(i, j) for i, j in sorted(best_of_old.items()) if best_of_new[j] == i]


def _unique_members(items: Sequence[Json], start: int, end: int) -> dict[tuple[Any, Any], int]:
    """Return what stands in exactly one of the items, and in which."""
    places: dict[tuple[Any, Any], int] = {}
    repeated = set()
    for index in range(start, end):
        for member in _members(items[index]):
            if json_type(member[1]) in _TELLING:
                if member in places:
                    repeated.add(member)
                places[member] = index
    for member in repeated:
        del places[member]
    return places


def _members(item: Json) -> Iterator[tuple[Any, Any]]:
    if isinstance(item, dict):
        yield from islice(item.items(), _MOST_MEMBERS)
    elif isinstance(item, list):
        yield from islice(enumerate(item), _MOST_MEMBERS)


# ------------------------------------------------------------------------------------------------------ the most alike


def _closest(old: Sequence[Json], new: Sequence[Json], gap: Gap, effort: Effort) -> list[Match] | None:
    """Match items in order so that what is left over and how much the matched ones differ is least in sum.

    The alignment of S. B. Needleman and C. D. Wunsch (J. Mol. Biol. 48, 1970): an item that is left over costs 1, two
    that are matched what they do not have in common. So two are never left over where they could be matched.
    """
    rows, columns = gap[1] - gap[0], gap[3] - gap[2]
    if min(rows, columns) == 0 or rows == columns == 1:
        return in_step(gap)
    if not effort.afford(rows * columns * _width(old[gap[0]])):
        return None
    costs: dict[int, list[float]] = defaultdict(list)
    costs[0] = [float(column) for column in range(columns + 1)]
    apart = [[1 - alike(mine, theirs) for theirs in new[gap[2] : gap[3]]] for mine in old[gap[0] : gap[1]]]
    for row in range(1, rows + 1):
        above, current = costs[row - 1], [float(row)]
        for column, distance in enumerate(apart[row - 1], 1):
            current.append(min(above[column - 1] + distance, above[column] + 1, current[column - 1] + 1))
        costs[row] = current
    return _traced(costs, apart, gap)


def _traced(costs: dict[int, list[float]], apart: list[list[float]], gap: Gap) -> list[Match]:
    row, column = gap[1] - gap[0], gap[3] - gap[2]
    found = []
    while row and column:
        cost = costs[row][column]
        if cost == costs[row - 1][column - 1] + apart[row - 1][column - 1]:
            row, column = row - 1, column - 1
            found.append((gap[0] + row, gap[2] + column))
        elif cost == costs[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    return found[::-1]
