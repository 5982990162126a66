"""Items paired whatever their order: equal ones first, then those that tell least of each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from replay.compare.assignment import cheapest
from replay.compare.base import NOWHERE, EnoughError, Paired, state_of
from replay.compare.likeness import alike
from replay.compare.values import identity_of
from replay.compare.walk import Walk
from replay.locations import State
from replay.models import MISSING

Numbered = list[tuple[int, Any]]
"""Items with their places."""

TOO_MANY: Final = "too many unequal items to try which became which"
"""What is said where only equal items were paired, or unequal ones in their order."""
_APART: Final = 2
"""What two items cost that are not paired: one is missing and one is extra."""
_SAME_THING: Final = 0.5
"""How alike two items have to be for one to be taken for the other, changed."""
_MANY: Final = 20
"""How many differences are counted where two items have to be paired: as bad as any more."""
_SCALE: Final = 100_000
"""Differences are counted in so many parts, so that a part can settle a tie."""


@dataclass(frozen=True, slots=True)
class Bags:
    """The items of two arrays, `counts` in all, to be paired under the rules below."""

    walk: Walk
    above: State
    counts: tuple[int, int]

    def state(self, pair: Paired) -> State:
        """Return the state at a pair."""
        return state_of(self.above, pair, self.counts[pair.old is MISSING])

    def paired(self, old: Numbered, new: Numbered, *, all_of_one: bool = False) -> tuple[list[Paired], bool]:
        """Pair the items so that there are as few differences as can be; then those of one side alone.

        With `all_of_one`, items are known to be the same thing: only what one side has too many stays alone. Also
        return whether all was tried that had to be.
        """
        pairs, mine, theirs = self._equal(old, new)
        chosen = self._least(mine, theirs, all_of_one=all_of_one)
        found = [(i, i) for i in range(min(len(mine), len(theirs)) * all_of_one)] if chosen is None else chosen
        pairs += [Paired.of(mine[i], theirs[j]) for i, j in found]
        rows, columns = {i for i, _ in found}, {j for _, j in found}
        pairs += [Paired.of(it, NOWHERE) for i, it in enumerate(mine) if i not in rows]
        pairs += [Paired.of(NOWHERE, it) for j, it in enumerate(theirs) if j not in columns]
        return pairs, chosen is not None

    def _equal(self, old: Numbered, new: Numbered) -> tuple[list[Paired], Numbered, Numbered]:
        """Pair equal items, the first with the first, and return what is left over of both sides."""
        waiting: dict[object, Numbered] = defaultdict(list)
        for numbered in reversed(new):
            waiting[self._identity(numbered)].append(numbered)
        pairs, left = [], []
        for numbered in old:
            equals = waiting.get(self._identity(numbered))
            if equals:
                pairs.append(Paired.of(numbered, equals.pop()))
            else:
                left.append(numbered)
        rest = sorted((it for items in waiting.values() for it in items), key=lambda it: it[0])
        return pairs, left, rest

    def _identity(self, numbered: tuple[int, Any]) -> object:
        return identity_of(numbered[1], spelled=self.walk.strict)

    def _least(self, old: Numbered, new: Numbered, *, all_of_one: bool) -> list[tuple[int, int]] | None:
        """Return which unequal items to pair, None where there are too many to try.

        All choices are weighed together: taking the first fit would leave items over that another choice pairs, and
        so depend on the order that is not to matter.
        """
        if not self.walk.effort.try_pairs(len(old) * len(new)):
            return None
        cost = self._forced if all_of_one else self._offered
        costs = [[cost(mine, theirs) for theirs in new] for mine in old]
        alone = _SCALE * (_MANY + 1 if all_of_one else _APART)
        if all(it >= alone for line in costs for it in line):
            return []
        return [(i, j) for i, j in cheapest(costs) if costs[i][j] < alone]

    def _forced(self, old: tuple[int, Any], new: tuple[int, Any]) -> int:
        return _SCALE * self._differences(old, new, _MANY)

    def _offered(self, old: tuple[int, Any], new: tuple[int, Any]) -> int:
        """Return what two items cost if they are paired; what they cost alone if they are not the same thing.

        Rules may make of any two items the same; without rules only what has much in common is one thing, changed.
        """
        same_thing = isinstance(old[1], dict | list) and alike(old[1], new[1]) >= _SAME_THING
        if not same_thing and self.above.deepest < 0:
            return _SCALE * _APART
        found = self._differences(old, new, _APART)
        if found and not same_thing:
            return _SCALE * _APART
        # Where both tell as much, a reader learns more from what changed within an item.
        return _SCALE * found - (found == _APART)

    def _differences(self, old: tuple[int, Any], new: tuple[int, Any], most: int) -> int:
        """Return how many differences two items have, one more than `most` where there are more."""
        pair, trial = Paired.of(old, new), self.walk.beside(limit=most)
        try:
            trial.node(pair.old, pair.new, ((), pair.segment), self.state(pair))
        except EnoughError:
            return most + 1
        return trial.total
