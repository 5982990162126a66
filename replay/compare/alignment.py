"""Two arrays, aligned: what was inserted, what was removed, and which items stand for each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from replay.compare.effort import Effort
from replay.compare.likeness import alike, by_likeness, in_step
from replay.compare.sequences import Match, common, gaps
from replay.compare.values import canonical_text, identity_of
from replay.models import Json

_FEW: Final = 8
"""Up to so many unequal items are held against each other directly: that is quicker than to make them hashable."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which place of old belongs to which of new; both rise."""

    matches: list[Match]
    reordered: bool = False
    """Both hold the same items, only in another order; `matches` pairs equal ones, and new's places do not rise."""
    by_position: bool = False
    """The first belongs to the first, the second to the second, and so on; `matches` does not tell it."""
    gave_up: bool = False
    """Some items were matched by position since there were too many to look further."""


def align(old: list[Json], new: list[Json], apart: list[int], effort: Effort) -> Alignment:
    """Align two arrays, of which `apart` are the places where both have an item and these are unequal.

    By position where nothing else makes items more alike. Rules play no part in it, so no rule that is added can turn
    what belongs together upside down. Exchanging the sides gives the same alignment, exchanged.
    """
    moved = len(old) != len(new) or _moved(old, new, apart, effort)
    if not moved and all(later - earlier > 1 for earlier, later in pairwise(apart)):
        return Alignment([], by_position=True)
    among = None if moved else apart
    if _goes_first(new, old, apart):
        found = _align(new, old, among, effort)
        found = replace(found, matches=sorted((i, j) for j, i in found.matches))
    else:
        found = _align(old, new, among, effort)
    if _likeness(found.matches, old, new) > _likeness(_in_place(old, new), old, new):
        return found
    return Alignment([], by_position=True, gave_up=found.gave_up)


def _likeness(matches: Iterable[Match], old: list[Json], new: list[Json]) -> float:
    return sum(1 if old[i] == new[j] else alike(old[i], new[j]) for i, j in matches)


def _in_place(old: list[Json], new: list[Json]) -> list[Match]:
    return in_step((0, len(old), 0, len(new)))


def _align(old: list[Json], new: list[Json], apart: list[int] | None, effort: Effort) -> Alignment:
    """Match what is equal, then what is between by how alike it is. Where `apart` is given, all others are in place."""
    if apart is not None:
        unequal = set(apart)
        return _between(old, new, [(i, i) for i in range(len(old)) if i not in unequal], effort)
    start = next((i for i, (mine, theirs) in enumerate(zip(old, new, strict=False)) if mine != theirs), None)
    start = min(len(old), len(new)) if start is None else start
    end = _common_end(old, new, start)
    middle = old[start : len(old) - end], new[start : len(new) - end]
    if not effort.afford(sum(map(len, middle))):
        return Alignment(_in_place(old, new), gave_up=True)
    mine, theirs = _numbered(*middle)
    ends = [(i, i) for i in range(start)] + [(len(old) - n, len(new) - n) for n in range(end, 0, -1)]
    if len(mine) == len(theirs) and Counter(mine) == Counter(theirs):
        return Alignment(sorted(ends + _shifted(_permutation(mine, theirs), start)), reordered=True)
    equal = common(mine, theirs, effort)
    if equal is None:
        return Alignment(_in_place(old, new), gave_up=True)
    return _between(old, new, sorted(ends + _shifted(equal, start)), effort)


def _common_end(old: list[Json], new: list[Json], start: int) -> int:
    """Return with how many equal items both end, beyond those that they begin with."""
    most = min(len(old), len(new)) - start
    return next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)


def _shifted(matches: Iterable[Match], by: int) -> list[Match]:
    return [(i + by, j + by) for i, j in matches]


def _between(old: list[Json], new: list[Json], equal: list[Match], effort: Effort) -> Alignment:
    matches, gave_up = list(equal), False
    for gap in gaps(equal, (0, len(old), 0, len(new))):
        found = by_likeness(old, new, gap, effort)
        gave_up = gave_up or found is None
        matches += in_step(gap) if found is None else found
    return Alignment(sorted(matches), gave_up=gave_up)


def _moved(old: list[Json], new: list[Json], apart: list[int], effort: Effort) -> bool:
    """Tell whether an item that is not where it was may stand elsewhere."""
    if len(apart) <= _FEW:
        return any(old[i] == new[j] for i in apart for j in apart)
    if not effort.afford(2 * len(apart)):
        return False
    mine, theirs = _numbered([old[i] for i in apart], [new[j] for j in apart])
    return not set(mine).isdisjoint(theirs)


def _goes_first(one: list[Json], other: list[Json], apart: list[int]) -> bool:
    """Tell which side comes first for whoever has to choose between equally good alignments."""
    if len(one) != len(other):
        return len(one) < len(other)
    return canonical_text(one[apart[0]]) < canonical_text(other[apart[0]])


def _numbered(old: list[Json], new: list[Json]) -> tuple[list[int], list[int]]:
    """Return a number for each item; equal items, and only those, have equal ones."""
    numbers: dict[Any, int] = {}
    mine = [numbers.setdefault(identity_of(item), len(numbers)) for item in old]
    return mine, [numbers.setdefault(identity_of(item), len(numbers)) for item in new]


def _permutation(old: list[int], new: list[int]) -> list[Match]:
    places: dict[int, list[int]] = {}
    for index in range(len(new) - 1, -1, -1):
        places.setdefault(new[index], []).append(index)
    return [(index, places[number].pop()) for index, number in enumerate(old)]
