"""`match_by:` pairs the items of two arrays by what they hold; `unordered:` compares them as bags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from replay.compare.base import Node, Rule
from replay.compare.values import identity_of
from replay.compare.walk import Walk
from replay.locations import Keyed, Path, Segment, State
from replay.models import MISSING

MOST_TRIALS: Final = 10_000
"""How many pairs of unequal items are tried under the rules before the rest counts as missing and extra."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Two items that belong together, and how their place is told."""

    segment: Segment
    index: int
    old: Node
    new: Node


class MatchBy:
    """Pairs items with equal keys, the first with the first where keys repeat; items without the key by position."""

    def __init__(self, rule: Rule) -> None:
        by = rule.spec.match_by
        self._fields = (by,) if isinstance(by, str) else tuple(by or ())
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Compare the items of each pair by the rules that reach them."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        for pair in pair_by(self._fields, old, new):
            walk.node(pair.old, pair.new, (at, pair.segment), state_of(state, pair, max(len(old), len(new))))


def pair_by(fields: tuple[str, ...], old: list[Any], new: list[Any]) -> Iterator[Paired]:
    """Pair the items of two arrays by their fields: old's order first, then what only new has."""
    waiting: dict[object, list[tuple[int, Any]]] = defaultdict(list)
    for index, item in reversed(list(enumerate(new))):
        waiting[_key(fields, item)].append((index, item))
    rest_of_new = waiting.pop(None, [])[::-1]
    rest_of_old: list[tuple[int, Any]] = []
    for index, item in enumerate(old):
        key = _key(fields, item)
        if key is None:
            rest_of_old.append((index, item))
            continue
        found = waiting[key].pop()[1] if waiting.get(key) else MISSING
        yield Paired(_segment(fields, item, index), index, item, found)
    for index, item in sorted(((i, it) for left in waiting.values() for i, it in left), key=lambda pair: pair[0]):
        yield Paired(_segment(fields, item, index), index, MISSING, item)
    for mine, theirs in zip_longest(rest_of_old, rest_of_new, fillvalue=(-1, MISSING)):
        index = theirs[0] if mine[1] is MISSING else mine[0]
        yield Paired(index, index, mine[1], theirs[1])


def _key(fields: tuple[str, ...], item: Any) -> object | None:
    if not isinstance(item, dict) or any(field not in item for field in fields):
        return None
    return tuple(identity_of(item[field]) for field in fields)


def _segment(fields: tuple[str, ...], item: Any, index: int) -> Segment:
    values = tuple((field, item[field]) for field in fields)
    return index if any(isinstance(value, dict | list) for _, value in values) else Keyed(values)


def state_of(state: State, pair: Paired, count: int) -> State:
    """Return the state at a pair of items; filters have to hold for both."""
    below = state.index(pair.index)
    if state.tests:
        present = [item for item in (pair.old, pair.new) if item is not MISSING]
        return state.with_tests(below, present, pair.index, count)
    return below


class Unordered:
    """Compares two arrays as bags: every item of old finds one of new that is equal under the rules below."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Tell what is left over on either side."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        mine, theirs = _without_equals(old, new)
        mine, theirs = _without_alike(walk, mine, theirs, state, max(len(old), len(new)))
        if not mine and not theirs and old != new:
            walk.accept(at, self._rule.name)
        for index, item in mine:
            walk.absent(item, MISSING, (at, index), self._rule.name)
        for index, item in theirs:
            walk.absent(MISSING, item, (at, index), self._rule.name)


Numbered = list[tuple[int, Any]]


def _without_equals(old: list[Any], new: list[Any]) -> tuple[Numbered, Numbered]:
    waiting: dict[object, Numbered] = defaultdict(list)
    for index, item in reversed(list(enumerate(new))):
        waiting[identity_of(item)].append((index, item))
    left = []
    for index, item in enumerate(old):
        equals = waiting.get(identity_of(item))
        if equals:
            equals.pop()
        else:
            left.append((index, item))
    return left, sorted((pair for pairs in waiting.values() for pair in pairs), key=lambda pair: pair[0])


def _without_alike(walk: Walk, old: Numbered, new: Numbered, state: State, count: int) -> tuple[Numbered, Numbered]:
    """Pair what is not equal but alike under the rules below: a tolerance, an ignored field."""
    if state.deepest < 0 or len(old) * len(new) > MOST_TRIALS:
        return old, new
    left, rest = [], list(new)
    for index, item in old:
        found = next((it for it in rest if _alike(walk, Paired(index, index, item, it[1]), state, count)), None)
        if found is None:
            left.append((index, item))
        else:
            rest.remove(found)
    return left, rest


def _alike(walk: Walk, pair: Paired, state: State, count: int) -> bool:
    trial = Walk(walk.rules, walk.against)
    trial.node(pair.old, pair.new, ((), pair.index), state_of(state, pair, count))
    return not trial.differences
