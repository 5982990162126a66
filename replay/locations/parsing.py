"""Locations as users write them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jsonpath.exceptions import JSONPathError
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector, SliceSelector, WildcardSelector

from replay.errors import LocationError
from replay.locations.query import compile_query, filter_test, told
from replay.models import Json

ROOTS: Final = ("status", "headers", "body", "error", "latency_ms")
SCENES: Final = "steps"
"""What a location begins with that speaks of one step of a scenario."""


Test = Callable[[Json, int, int], bool]
"""Does an item (the value, its index or -1, its siblings' count) belong to the selection?"""


@dataclass(frozen=True, slots=True)
class Step:
    """One segment of a pattern: what it selects by name, by index, all of, or only by looking."""

    descends: bool
    names: frozenset[str]
    indices: frozenset[int]
    everything: bool
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed location."""

    text: str
    steps: tuple[Step, ...]
    scene: str | None = None
    """The step of a scenario of whose answer it speaks, `*` for each; None for any answer, of a step or not."""

    @property
    def root(self) -> str | None:
        """Return the only part of the observation that it can reach, or None where it can reach several."""
        first = self.steps[0]
        return (
            next(iter(first.names)) if len(first.names) == 1 and not first.descends and not first.everything else None
        )

    @property
    def plain(self) -> tuple[str | int, ...] | None:
        """Return the names and indices of the one node that it can reach; None where it may reach several, or looks."""
        path: list[str | int] = []
        for step in self.steps:
            named: list[str | int] = [*step.names, *step.indices]
            if step.descends or step.everything or step.tests or len(named) != 1:
                return None
            path.append(named[0])
        return tuple(path)


@lru_cache(maxsize=4096)
def parse_location(text: str) -> Pattern:
    """Read a location. Raise LocationError, pointing at the character, for what is none."""
    source = text if text.startswith(("[", "..")) else f".{text}"
    try:
        query = compile_query("$" + source)
    except JSONPathError as error:
        raise LocationError(f"'{text}' is no location: {_told(error)}", hint=_syntax_hint(text)) from None
    steps = tuple(_step(segment, text) for segment in query.segments)
    if not steps:
        raise LocationError(f"'{text}' is no location: it names nothing")
    scene, steps = _scene(text, steps)
    return Pattern(text, _lower_header(_rooted(text, steps)), scene)


def _scene(text: str, steps: tuple[Step, ...]) -> tuple[str | None, tuple[Step, ...]]:
    """Return the step of a scenario that a location names, and what it says of that step's answer."""
    first, second = steps[0], steps[1] if len(steps) > 1 else None
    if first.names != {SCENES} or first.descends:
        return None, steps
    hint = "write it as in steps.pay.body.total, or steps.*.headers.etag for every step"
    if second is None or second.descends or not (second.everything or len(second.names) == 1):
        raise LocationError(f"'{text}' names no step", hint=hint)
    if len(steps) == 2:  # noqa: PLR2004 - `steps` and the step's name
        raise LocationError(f"'{text}' names a step, and nothing of its answer", hint=hint)
    return ("*" if second.everything else next(iter(second.names))), steps[2:]


def _told(error: JSONPathError) -> str:
    column = f" (character {error.token.index - 1})" if error.token is not None and error.token.index > 1 else ""
    return told(error) + column


def _syntax_hint(text: str) -> str:
    if text.startswith("$"):
        return f"leave out the '$': {text.lstrip('$').lstrip('.') or 'body'}"
    return "write it as in body.items[*].id, headers.content-type or body['odd key']"


def _rooted(text: str, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    unknown = [name for name in steps[0].names if name not in ROOTS]
    if unknown and not steps[0].descends:
        near = difflib.get_close_matches(unknown[0], ROOTS, n=1)
        hint = f"did you mean '{text.replace(unknown[0], near[0], 1)}'?" if near else f"did you mean 'body.{text}'?"
        raise LocationError(f"'{text}' starts at '{unknown[0]}', which no observation has", hint=hint)
    return steps


def _lower_header(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if len(steps) < 2 or steps[0].names != {"headers"}:  # noqa: PLR2004  (the root, and the header's name)
        return steps
    name = steps[1]
    lowered = Step(name.descends, frozenset(map(str.lower, name.names)), name.indices, name.everything, name.tests)
    return (steps[0], lowered, *steps[2:])


def _step(segment: Any, text: str) -> Step:
    names, indices, tests = set(), set(), []
    for selector in segment.selectors:
        match selector:
            case NameSelector():
                names.add(selector.name)
            case IndexSelector() if selector.index >= 0:
                indices.add(selector.index)
            case IndexSelector():
                tests.append(_at_end(selector.index))
            case SliceSelector():
                tests.append(_in_slice(selector.slice))
            case Filter():
                tests.append(filter_test(selector, text))
    return Step(
        descends=isinstance(segment, JSONPathRecursiveDescentSegment),
        names=frozenset(names),
        indices=frozenset(indices),
        everything=any(isinstance(selector, WildcardSelector) for selector in segment.selectors),
        tests=tuple(tests),
    )


def _at_end(wanted: int) -> Test:
    return lambda _item, index, count: index >= 0 and index - count == wanted


def _in_slice(wanted: slice) -> Test:
    return lambda _item, index, count: index >= 0 and index in range(*wanted.indices(count))
