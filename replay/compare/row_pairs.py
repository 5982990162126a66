"""Which rows of two files belong together, found by their keys: numbers that stand for them.

Millions of rows are paired share by share, so that only a share of the keys is in a dictionary at any time.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

AT_ONCE: Final = 200_000
"""How many rows of both files are in dictionaries at a time: some tens of megabytes."""
NONE: Final = -1
_STRETCH: Final = 65_536

Pair = tuple[int | None, int | None]
Cut: TypeAlias = "Callable[[array[int], int, int], array[int]]"


@dataclass(frozen=True, slots=True)
class Partners:
    """For each row of old the row of new with its key, or NONE; and whose keys are repeated."""

    of_old: array[int]
    repeated_old: bytearray
    repeated_new: bytearray

    def moved(self) -> Pair | None:
        """Return the first row of old that has its partner before that of a row above, and the partner."""
        last = NONE
        for index, there in enumerate(self.of_old):
            if there != NONE:
                if there < last:
                    return index, there
                last = there
        return None

    def alone_in_new(self) -> Iterator[int]:
        """Yield the rows of new that are nobody's partner."""
        taken = bytearray(len(self.repeated_new))
        for there in self.of_old:
            if there != NONE:
                taken[there] = 1
        return (index for index, is_taken in enumerate(taken) if not is_taken)


def partners(old: array[int], new: array[int]) -> Partners:
    """Pair rows by key, the first with the first where a key is repeated."""
    found = Partners(array("q", [NONE]) * len(old), bytearray(len(old)), bytearray(len(new)))
    shares = 1 + (len(old) + len(new)) // AT_ONCE
    for share in range(shares):
        mine, theirs = _places(old, share, shares), _places(new, share, shares)
        for key, places in mine.items():
            others = theirs.get(key, [])
            for place, other in zip(places, others, strict=False):
                found.of_old[place] = other
            if len(places) > 1 or len(others) > 1:
                _mark(found, places, others)
        for others in theirs.values():
            if len(others) > 1:
                _mark(found, [], others)
    return found


def _places(keys: array[int], share: int, shares: int) -> dict[int, list[int]]:
    places: dict[int, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        if key % shares == share:
            places[key].append(index)
    return places


def _mark(found: Partners, old: list[int], new: list[int]) -> None:
    for place in old:
        found.repeated_old[place] = 1
    for place in new:
        found.repeated_new[place] = 1


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two files run beside each other; `moved` is the first row of old that new has elsewhere, if there is one."""

    pairs: Iterator[Pair]
    moved: Pair | None = None


def aligned(old: array[int], new: array[int]) -> Alignment:
    """Align two files: what they begin and end with alike, then by key, or by position where that tells less.

    Rows between two that belong together are paired in turn: they are taken to have changed.
    """
    begin = _alike(old, new, min(len(old), len(new)), lambda keys, low, high: keys[low:high])
    rest = min(len(old), len(new)) - begin
    end = _alike(old, new, rest, lambda keys, low, high: keys[len(keys) - high : len(keys) - low][::-1])
    middle = old[begin : len(old) - end], new[begin : len(new) - end]
    found = partners(*middle)
    alone = sum(there == NONE for there in found.of_old)
    added = len(middle[1]) - len(middle[0]) + alone
    moved = found.moved()
    if len(middle[0]) == len(middle[1]):
        unlike = sum(mine != theirs for mine, theirs in zip(*middle, strict=True))
        if unlike <= (alone + added + 1 if moved else max(alone, added)):
            return Alignment(_in_turn(range(len(old)), range(len(new))))
    tail = _in_turn(range(len(old) - end, len(old)), range(len(new) - end, len(new)))
    head = _in_turn(range(begin), range(begin))
    body = _scattered(found) if moved else _by_anchors(found, len(middle[1]))
    return Alignment(_joined(head, _shifted(body, begin), tail), moved and next(_shifted(iter([moved]), begin)))


def _alike(old: array[int], new: array[int], most: int, cut: Cut) -> int:
    """Return how many keys of both, as `cut` counts them, are alike from the first one on."""
    for low in range(0, most, _STRETCH):
        mine, theirs = (cut(keys, low, min(low + _STRETCH, most)) for keys in (old, new))
        if mine != theirs:
            return low + next(n for n, (one, other) in enumerate(zip(mine, theirs, strict=True)) if one != other)
    return most


def _joined(*parts: Iterator[Pair]) -> Iterator[Pair]:
    for part in parts:
        yield from part


def _shifted(pairs: Iterator[Pair], by: int) -> Iterator[Pair]:
    return ((None if i is None else i + by, None if j is None else j + by) for i, j in pairs)


def _in_turn(old: range, new: range) -> Iterator[Pair]:
    for n in range(max(len(old), len(new))):
        yield (old[n] if n < len(old) else None), (new[n] if n < len(new) else None)


def _by_anchors(found: Partners, new: int) -> Iterator[Pair]:
    mine = theirs = 0
    for index, there in enumerate(found.of_old):
        if there != NONE:
            yield from _in_turn(range(mine, index), range(theirs, there))
            yield index, there
            mine, theirs = index + 1, there + 1
    yield from _in_turn(range(mine, len(found.of_old)), range(theirs, new))


def _scattered(found: Partners) -> Iterator[Pair]:
    for index, there in enumerate(found.of_old):
        yield index, None if there == NONE else there
    for there in found.alone_in_new():
        yield None, there
