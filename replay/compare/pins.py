"""Where rules say that a value is minted, or that it is not: asked of recorded answers, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replay.locations import Machine, parse_location
from replay.models import RuleSpec
from replay.selection import Selection


class Pins:
    """Rules with `minted`, in order. Filters in their locations are not asked: there is one answer and no pair."""

    def __init__(self, rules: Sequence[tuple[RuleSpec, Selection]]) -> None:
        self._rules = rules
        self._machine = Machine([parse_location(spec.at) for spec, _ in rules])

    def says(self, holds: Callable[[Selection], bool], path: Sequence[str | int]) -> bool | None:
        """Return what the last rule that speaks of a place says, of those whose selection holds."""
        if not self._rules:
            return None
        state = self._machine.start
        for step in path:
            state = state.key(step) if isinstance(step, str) else state.index(step)
        spoken = [self._rules[number] for number in reversed(state.accepts)]
        return next((spec.minted for spec, selection in spoken if not selection.narrows or holds(selection)), None)
