"""`ignore: true`: what stands here is not compared, unless a later rule reaches deeper."""

from __future__ import annotations

from typing import Any

from replay.compare.base import Rule
from replay.compare.values import same
from replay.compare.walk import Walk
from replay.locations import Path, State


class Ignore:
    """Lets pass whatever stands here; says so where the sides really differ."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Keep that there was a difference, and go on only where later rules reach."""
        if not same(old, new):
            walk.accept(at, self._rule.name)
        walk.explicit(old, new, at, state, self._rule.number)
