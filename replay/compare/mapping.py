"""`map:` states intended changes: old's value on the left, the value that new has to give on the right."""

from __future__ import annotations

from typing import Any

from replay.compare.base import Rule
from replay.compare.values import exact, same
from replay.compare.walk import Comparator, Walk
from replay.compare.within import Within
from replay.locations import Path, State


class Map:
    """Accepts the listed changes; values that are not listed have to be equal, or within a tolerance beside."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._pairs = [(exact(mine), exact(theirs)) for mine, theirs in rule.spec.map or ()]
        self._rest: Comparator | None = Within(rule) if rule.spec.within is not None else None

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Look old's value up. An expectation already holds the new value, so nothing is mapped there."""
        wanted = [theirs for mine, theirs in self._pairs if same(mine, old)] if walk.against == "old" else []
        if any(same(theirs, new) for theirs in wanted):
            walk.met.add(self._rule.number)
            walk.accept(at, self._rule.name)
            walk.explicit(old, new, at, state, self._rule.number)
        elif wanted and (self._rule.spec.must or not same(old, new)):
            note = "the intended change is absent" if same(old, new) else "neither the old value nor the intended one"
            walk.differ(at, "value", old, new, rule=self._rule.name, note=note)
        else:
            (self._rest or _default)(walk, old, new, at, state)


def _default(walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
    walk.default(old, new, at, state)
