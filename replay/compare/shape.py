"""`same_type:` compares types, `matches:` holds both values against a pattern, `strict:` compares spellings."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from replay.compare.base import Rule
from replay.compare.values import json_type
from replay.compare.walk import Walk, pair_at
from replay.errors import SettingsError
from replay.locations import Path, State
from replay.models import MISSING

PATTERN_SECONDS: Final = 0.25


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
            for name in {**old, **new}:
                self._below(
                    walk, old.get(name, MISSING), new.get(name, MISSING), (at, name), walk.below(state, name, old, new)
                )
        elif isinstance(old, list):
            for index in range(min(len(old), len(new))):
                self._below(walk, *pair_at(old, new, index), (at, index), walk.below_item(state, index, old, new))
        elif old != new:
            walk.accept(at, self._rule.name)

    def _below(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        later = walk.rules.at(state) if state.accepts else None
        if later is not None and later.number > self._rule.number:
            walk.node(old, new, at, state)
        else:
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
            with limited(PATTERN_SECONDS):
                met = [self._pattern.fullmatch(_spelled(value)) is not None for value in (old, new)]
        except TimeoutError:
            note = f"the pattern took more than {PATTERN_SECONDS} s; write it without nested repetition"
            walk.differ(at, "validation", old, new, rule=self._rule.name, note=note)
            return
        if not all(met):
            side = "neither side matches" if not any(met) else f"{'old' if met[1] else 'new'} does not match"
            walk.differ(at, "validation", old, new, rule=self._rule.name, note=side)
        elif json_type(old) != json_type(new):
            walk.differ(at, "type", old, new, rule=self._rule.name)
        elif old != new:
            walk.accept(at, self._rule.name)


def _spelled(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, dict | list)
        else ""
    )


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError when a regular expression runs away: Python's matcher looks for signals while it works.

    Only where signals reach: the main thread of a POSIX system. Elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _run_away)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run_away(_number: int, _frame: object) -> None:
    raise TimeoutError


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
