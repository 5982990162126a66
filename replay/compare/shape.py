"""`same_type:` compares types, `matches:` holds both values against a pattern, `strict:` compares spellings."""

from __future__ import annotations

import re
from typing import Any

from replay.compare.base import Rule, pair_at
from replay.compare.values import same
from replay.compare.walk import Walk
from replay.documents import json_type, spelling
from replay.errors import SettingsError
from replay.locations import PATTERN_SECONDS, Path, State, limited
from replay.models import MISSING


class SameType:
    """Accepts any values of the same types: members by name, items by position as far as both arrays go."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Compare types from here down; the lengths of arrays are values, not types."""
        if old is MISSING or new is MISSING:
            walk.absent(old, new, at, self._rule.name)
        elif json_type(old) != json_type(new):
            walk.differ(at, "type", old, new, rule=self._rule.name)
        elif isinstance(old, dict):
            for name, mine, theirs, below in walk.members(old, new, at, state):
                self._below(walk, mine, theirs, (at, name), below)
        elif isinstance(old, list):
            for index in range(min(len(old), len(new))):
                self._below(walk, *pair_at(old, new, index), (at, index), walk.below_item(state, index, old, new))
        elif not same(old, new):
            walk.accept(at, self._rule.name)

    def _below(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        later = walk.rules.at(state) if state.accepts else None
        if later is not None and later.number > self._rule.number:
            walk.node(old, new, at, state)
            return
        with walk.under_waiver(state):
            walk.rules.check_schemas(walk, old, new, at, state)
            self(walk, old, new, at, state)


class Matches:
    """Accepts any two texts that both match the pattern from end to end."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        try:
            self._pattern = re.compile(str(rule.spec.matches))
        except re.error as error:
            raise SettingsError(
                f"rule at '{rule.spec.at}': matches is no regular expression: {error}",
                hint="it has to match whole values",
            ) from None

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:  # noqa: ARG002 - a leaf
        """Hold both values against the pattern; numbers and words as JSON spells them."""
        try:
            with limited():
                met = [_whole(self._pattern, value) for value in (old, new)]
        except TimeoutError:
            note = f"the pattern took more than {PATTERN_SECONDS} s; write it without nested repetition"
            walk.differ(at, "validation", old, new, rule=self._rule.name, note=note)
            return
        if not all(met):
            side = "neither side matches" if not any(met) else f"{'old' if met[1] else 'new'} does not match"
            walk.differ(at, "validation", old, new, rule=self._rule.name, note=side)
        elif json_type(old) != json_type(new):
            walk.differ(at, "type", old, new, rule=self._rule.name)
        elif not same(old, new):
            walk.accept(at, self._rule.name)


def _whole(pattern: re.Pattern[str], value: Any) -> bool:
    """Tell whether a scalar matches from end to end; an object or an array is no text and matches nothing."""
    return not isinstance(value, dict | list) and pattern.fullmatch(spelling(value)) is not None


class Strict:
    """Compares from here down as it is written: 1 is not 1.0."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Walk on with spellings instead of values."""
        before = walk.strict, walk.default_name
        walk.strict, walk.default_name = True, self._rule.name
        try:
            walk.default(old, new, at, state)
        finally:
            walk.strict, walk.default_name = before
