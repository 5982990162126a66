"""`minted:` compares what each side named itself: two names mean one thing if they do so throughout."""

from __future__ import annotations

from typing import Any

from replay.compare.base import Rule
from replay.compare.walk import Walk
from replay.documents import json_type
from replay.locations import Path, State


class Minted:
    """Accepts any two scalars of one type, as long as names of old and of new correspond one to one."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Hold both names against the pairs that are known of the scenario or the session; a new pair is kept."""
        if isinstance(old, dict | list) and json_type(old) == json_type(new):
            walk.default(old, new, at, state)
        elif json_type(old) != json_type(new):
            walk.differ(at, "type", old, new, rule=self._rule.name)
        elif old != new and ("" in (old, new) or isinstance(old, bool)):
            note = "an empty text names nothing" if "" in (old, new) else "true and false name nothing"
            walk.differ(at, "value", old, new, rule=self._rule.name, note=note)
        elif not walk.names.same(old, new, _member(at)):
            note = "elsewhere one of the two is paired with another name"
            walk.differ(at, "value", old, new, rule=self._rule.name, note=note)
        elif old != new:
            walk.accept(at, self._rule.name)


def _member(at: Path) -> str:
    return at[1] if at and isinstance(at[1], str) else ""
