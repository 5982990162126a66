"""`match_by:` pairs the items of two arrays by what they hold; `unordered:` compares them as bags."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter
from typing import Any, Final

from replay.compare.base import Node, Rule
from replay.compare.values import identity_of
from replay.compare.walk import Walk
from replay.errors import SettingsError
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


def state_of(state: State, pair: Paired, count: int) -> State:
    """Return the state at a pair of items; filters have to hold for both."""
    below = state.index(pair.index)
    if state.tests:
        present = [item for item in (pair.old, pair.new) if item is not MISSING]
        return state.with_tests(below, present, pair.index, count)
    return below


# ------------------------------------------------------------------------------------------------------------ match_by


class MatchBy:
    """Pairs items with equal keys, the first with the first where keys repeat; items without the key by position."""

    def __init__(self, rule: Rule) -> None:
        by = rule.spec.match_by
        self._fields = (by,) if isinstance(by, str) else tuple(by or ())
        if not self._fields:
            raise SettingsError(f"rule at '{rule.spec.at}': match_by names no field", hint="write match_by: sku")
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Compare the items of each pair by the rules that reach them."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        for pair in pair_by(self._fields, old, new):
            walk.node(pair.old, pair.new, (at, pair.segment), state_of(state, pair, max(len(old), len(new))))


def pair_by(fields: tuple[str, ...], old: list[Any], new: list[Any]) -> Iterator[Paired]:
    """Pair the items of two arrays by their fields: old's order first, then what only new has.

    An item is told by its fields where these name one item of each side, else by its index.
    """
    mine, theirs = _keyed(fields, old), _keyed(fields, new)
    repeated = {key for side in (mine, theirs) for key, count in Counter(key for key, _ in side).items() if count > 1}
    waiting: dict[object, list[tuple[int, Any]]] = defaultdict(list)
    for key, numbered in reversed(theirs):
        waiting[key].append(numbered)
    rest_of_new = waiting.pop(None, [])[::-1]
    rest_of_old = [numbered for key, numbered in mine if key is None]
    for key, (index, item) in mine:
        if key is not None:
            found = waiting[key].pop()[1] if waiting.get(key) else MISSING
            yield Paired(index if key in repeated else _segment(fields, item, index), index, item, found)
    only_new = sorted(((index, key, item) for key, left in waiting.items() for index, item in left), key=itemgetter(0))
    for index, key, item in only_new:
        yield Paired(index if key in repeated else _segment(fields, item, index), index, MISSING, item)
    for ours, others in zip_longest(rest_of_old, rest_of_new, fillvalue=(-1, MISSING)):
        index = others[0] if ours[1] is MISSING else ours[0]
        yield Paired(index, index, ours[1], others[1])


def _keyed(fields: tuple[str, ...], items: list[Any]) -> list[tuple[object | None, tuple[int, Any]]]:
    return [(_key(fields, item), (index, item)) for index, item in enumerate(items)]


def _key(fields: tuple[str, ...], item: Any) -> object | None:
    if not isinstance(item, dict) or any(field not in item for field in fields):
        return None
    return tuple(identity_of(item[field]) for field in fields)


def _segment(fields: tuple[str, ...], item: Any, index: int) -> Segment:
    values = tuple((field, item[field]) for field in fields)
    speakable = all(not isinstance(value, dict | list) and value == value for _, value in values)  # noqa: PLR0124 - NaN
    return Keyed(values) if speakable else index


# ----------------------------------------------------------------------------------------------------------- unordered

Numbered = list[tuple[int, Any]]


class Unordered:
    """Compares two arrays as bags: every item of old finds one of new that is equal under the rules below."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Tell what is left over on either side."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        bags = _Bags(walk, state, max(len(old), len(new)))
        pairs, mine, theirs = bags.paired(bags.judged(old), bags.judged(new))
        if state.deepest >= 0:
            # Equal items are judged too: a change that must be seen is absent where nothing changed.
            for pair in pairs:
                walk.node(pair.old, pair.new, (at, pair.index), bags.state(pair))
        for index, item in mine:
            walk.absent(item, MISSING, (at, index), self._rule.name)
        for index, item in theirs:
            walk.absent(MISSING, item, (at, index), self._rule.name)
        if not mine and not theirs and old != new:
            walk.accept(at, self._rule.name)


@dataclass(frozen=True, slots=True)
class _Bags:
    """The items of two arrays, paired under the rules below."""

    walk: Walk
    above: State
    count: int

    def state(self, pair: Paired) -> State:
        return state_of(self.above, pair, self.count)

    def judged(self, items: list[Any]) -> Numbered:
        """Return the items with their places, without those that are ignored whole."""
        numbered = list(enumerate(items))
        return [it for it in numbered if not self._ignored(*it)] if self.above.deepest >= 0 else numbered

    def _ignored(self, index: int, item: Any) -> bool:
        state = self.state(Paired(index, index, item, MISSING))
        rule = self.walk.rules.at(state) if state.accepts else None
        return rule is not None and bool(rule.spec.ignore) and state.deepest <= rule.number

    def paired(self, old: Numbered, new: Numbered) -> tuple[list[Paired], Numbered, Numbered]:
        """Pair equal items, then those that are alike under the rules; return the pairs and what is left over."""
        waiting: dict[object, Numbered] = defaultdict(list)
        for index, item in reversed(new):
            waiting[identity_of(item, spelled=self.walk.strict)].append((index, item))
        pairs, left = [], []
        for index, item in old:
            equals = waiting.get(identity_of(item, spelled=self.walk.strict))
            if equals:
                pairs.append(Paired(index, index, item, equals.pop()[1]))
            else:
                left.append((index, item))
        rest = sorted((it for items in waiting.values() for it in items), key=lambda it: it[0])
        alike = self._alike(left, rest)
        pairs += [Paired(left[i][0], left[i][0], left[i][1], rest[j][1]) for j, i in alike.items()]
        paired = set(alike.values())
        return (
            pairs,
            [it for i, it in enumerate(left) if i not in paired],
            [it for j, it in enumerate(rest) if j not in alike],
        )

    def _alike(self, old: Numbered, new: Numbered) -> dict[int, int]:
        """Return as many pairs as can be, by new's place: of unequal items that a tolerance or an ignore makes alike.

        Augmenting paths (H. W. Kuhn, The Hungarian method, 1955): taking the first fit would leave items over that
        another choice pairs, and so depend on the order that is not to matter.
        """
        if self.above.deepest < 0 or len(old) * len(new) > MOST_TRIALS:
            return {}
        fits = [[j for j, theirs in enumerate(new) if self._trial(mine, theirs[1])] for mine in old]
        found: dict[int, int] = {}

        def augment(i: int, seen: set[int]) -> bool:
            for j in fits[i]:
                if j not in seen:
                    seen.add(j)
                    if j not in found or augment(found[j], seen):
                        found[j] = i
                        return True
            return False

        for i in range(len(old)):
            augment(i, set())
        return found

    def _trial(self, old: tuple[int, Any], new: Any) -> bool:
        trial = Walk(self.walk.rules, self.walk.against)
        trial.strict = self.walk.strict
        pair = Paired(old[0], old[0], old[1], new)
        trial.node(pair.old, pair.new, ((), pair.index), self.state(pair))
        return not trial.differences
