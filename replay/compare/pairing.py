"""`match_by:` pairs the items of two arrays by what they hold; `unordered:` compares them as bags."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from replay.compare.bags import TOO_MANY, Bags, Numbered
from replay.compare.base import NOWHERE, Paired, Rule, item_state, state_of
from replay.compare.effort import MOST_TRIALS
from replay.compare.values import identity_of
from replay.compare.walk import Walk
from replay.errors import SettingsError
from replay.locations import Keyed, Path, Segment, State
from replay.models import MISSING

__all__ = ["MOST_TRIALS", "MatchBy", "Paired", "Unordered", "state_of"]

Keys = dict[object, tuple[Numbered, Numbered]]


class MatchBy:
    """Pairs items with equal keys. Of those that repeat a key, and of those without, each meets the most alike."""

    def __init__(self, rule: Rule) -> None:
        by = rule.spec.match_by
        self._fields = (by,) if isinstance(by, str) else tuple(by or ())
        if not self._fields:
            raise SettingsError(f"rule at '{rule.spec.at}': match_by names no field", hint="write match_by: sku")
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Compare the items of each pair by the rules that reach them, in old's order, then what only new has."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        bags = Bags(walk, state, (len(old), len(new)))
        found = [it for key, sides in self._keys(old, new).items() for it in self._paired(bags, key, *sides)]
        for pair, note in sorted(found, key=lambda it: (it[0].old is MISSING, it[0].index)):
            before = len(walk.differences)
            walk.node(pair.old, pair.new, (at, pair.segment), bags.state(pair))
            if note:
                walk.remark(before, note)

    def _keys(self, old: list[Any], new: list[Any]) -> Keys:
        keys: Keys = defaultdict(lambda: ([], []))
        for side, items in enumerate((old, new)):
            for index, item in enumerate(items):
                keys[self._key(item)][side].append((index, item))
        return keys

    def _key(self, item: Any) -> object | None:
        if not isinstance(item, dict) or any(field not in item for field in self._fields):
            return None
        return tuple(identity_of(item[field]) for field in self._fields)

    def _paired(self, bags: Bags, key: object | None, old: Numbered, new: Numbered) -> list[tuple[Paired, str]]:
        """Return the pairs of one key, each with what is to be said of it; None is the key of those without."""
        if key is not None and len(old) <= 1 and len(new) <= 1:
            pair = Paired.of(*(side[0] if side else NOWHERE for side in (old, new)))
            return [(Paired(self._segment(pair), pair.index, pair.old, pair.new), "")]
        pairs, tried = bags.paired(old, new, all_of_one=True)
        names = " and ".join(self._fields)
        why = f"without {names}" if key is None else f"{names} repeats"
        how = "paired with the most alike" if tried else f"paired in order: {TOO_MANY}"
        return [(pair, f"{why}, {how}") for pair in pairs]

    def _segment(self, pair: Paired) -> Segment:
        """Return how to tell an item by its fields, or its index where a rule could not find these."""
        item: Any = pair.new if pair.old is MISSING else pair.old
        values = tuple((field, item[field]) for field in self._fields)
        speakable = all(not isinstance(value, dict | list) and value == value for _, value in values)  # noqa: PLR0124 - NaN
        return Keyed(values) if speakable else pair.index


class Unordered:
    """Compares two arrays as bags: every item of old finds one of new that is equal under the rules below."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Tell what is left over on either side, and what changed in an item that is otherwise the same."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        bags, before = Bags(walk, state, (len(old), len(new))), walk.total
        pairs, tried = bags.paired(_judged(walk, old, state), _judged(walk, new, state))
        listed = len(walk.differences)
        for pair in sorted(pairs, key=lambda it: (it.old is MISSING, it.index)):
            if pair.old is MISSING or pair.new is MISSING:
                walk.absent(pair.old, pair.new, (at, pair.segment), self._rule.name)
            else:
                # Equal items are judged too: a change that must be seen is absent where nothing changed.
                walk.node(pair.old, pair.new, (at, pair.segment), bags.state(pair))
        if not tried:
            walk.remark(listed, TOO_MANY)
        if walk.total == before and old != new:
            walk.accept(at, self._rule.name)


def _judged(walk: Walk, items: list[Any], state: State) -> Numbered:
    """Return the items with their places, without those that are ignored whole."""
    numbered = list(enumerate(items))
    if state.deepest < 0:
        return numbered
    return [it for it in numbered if not _ignored(walk, item_state(state, it[0], it[1:], len(items)))]


def _ignored(walk: Walk, state: State) -> bool:
    rule = walk.rules.at(state) if state.accepts else None
    return rule is not None and bool(rule.spec.ignore) and state.deepest <= rule.number
