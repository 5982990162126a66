"""The location language: a JSONPath (RFC 9535) without `$`, rooted in the observation; parsed, matched and printed.

Keys, indices, `*` and `..` of all rules are compiled into one automaton that is walked beside the document, so that a
node costs one dictionary lookup however many rules there are. Filters, slices and negative indices depend on the
document and are asked only where a rule has one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.path import JSONPath
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector, SliceSelector, WildcardSelector

from replay.errors import LocationError
from replay.models import Json

ROOTS: Final = ("status", "headers", "body", "error", "latency_ms")
ENVIRONMENT: Final = JSONPathEnvironment(strict=True)

_SHORTHAND: Final = re.compile(r"[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][A-Za-z0-9_\u0080-\ud7ff\ue000-\U0010ffff]*")
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+")


# ------------------------------------------------------------------------------------------------------------- printing


@dataclass(frozen=True, slots=True)
class Keyed:
    """An array item that was found by what it holds, not by where it stands: `[?@.sku=='A1']`."""

    fields: tuple[tuple[str, Json], ...]

    def __str__(self) -> str:
        return "[?" + " && ".join(f"@{_child(name)}=={_literal(value)}" for name, value in self.fields) + "]"


Segment = str | int | Keyed
Path = tuple["Path", Segment] | tuple[()]
"""A location under way: its parent and its last segment. Printed only when there is a difference."""

ROOT: Final[Path] = ()


def segments(path: Path) -> tuple[Segment, ...]:
    """Return a path from its root on."""
    found: list[Segment] = []
    while path:
        path, segment = path
        found.append(segment)
    return tuple(reversed(found))


def print_location(path: Path) -> str:
    """Return a path in the location language, fit to paste into a rule."""
    parts = segments(path)
    text = "".join(_header(part) if parts[index - 1 : index] == ("headers",) else _child(part)
                   for index, part in enumerate(parts))  # fmt: skip
    return text.removeprefix(".")


def _child(segment: Segment) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    if isinstance(segment, Keyed):
        return str(segment)
    return f".{segment}" if _SHORTHAND.fullmatch(segment) else f"[{_quote(segment)}]"


def _header(segment: Segment) -> str:
    return f".{segment}" if isinstance(segment, str) and _HEADER.fullmatch(segment) else _child(segment)


def _literal(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _quote(value) if isinstance(value, str) else str(value)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + "'"


# -------------------------------------------------------------------------------------------------------------- parsing


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

    @property
    def root(self) -> str | None:
        """Return the only part of the observation that it can reach, or None where it can reach several."""
        first = self.steps[0]
        return (
            next(iter(first.names)) if len(first.names) == 1 and not first.descends and not first.everything else None
        )


@lru_cache(maxsize=4096)
def parse_location(text: str) -> Pattern:
    """Read a location. Raise LocationError, pointing at the character, for what is none."""
    source = text if text.startswith("[") else f".{text}"
    try:
        query = compile_query("$" + source)
    except JSONPathError as error:
        raise LocationError(f"'{text}' is no location: {_told(error)}", hint=_syntax_hint(text)) from None
    steps = tuple(_step(segment) for segment in query.segments)
    if not steps:
        raise LocationError(f"'{text}' is no location: it names nothing")
    return Pattern(text, _lower_header(_rooted(text, steps)))


def compile_query(text: str) -> JSONPath:
    """Return a compiled JSONPath. Raise JSONPathError for what is none, or is several in one."""
    query = ENVIRONMENT.compile(text)
    if not isinstance(query, JSONPath):
        raise JSONPathError("one path, not several", token=None)
    return query


def _told(error: JSONPathError) -> str:
    column = f" (character {error.token.index - 1})" if error.token is not None and error.token.index > 1 else ""
    return str(error.args[0]).splitlines()[0] + column if error.args else "it does not parse" + column


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


def _step(segment: Any) -> Step:
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
                tests.append(_meets(f"$[{selector}]"))
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


def _meets(query: str) -> Test:
    compiled = compile_query(query)
    return lambda item, _index, _count: bool(compiled.findall([item]))


# ------------------------------------------------------------------------------------------------------------- matching


class State:
    """Where all patterns stand after the segments walked so far.

    `accepts` holds the numbers of the patterns that end here, ascending. States are made when they are first reached
    and are shared by all keys and indices that no pattern mentions, so that their number does not grow with documents.
    """

    __slots__ = ("_any_index", "_any_key", "_children", "_machine", "_positions", "accepts", "deepest", "tests")

    def __init__(self, machine: Machine, positions: frozenset[tuple[int, int]]) -> None:
        self._machine = machine
        self._positions = positions
        self._children: dict[Segment, State] = {}
        self._any_key: State | None = None
        self._any_index: State | None = None
        self.accepts = tuple(sorted(rule for rule, at in positions if at == len(machine.patterns[rule].steps)))
        waiting = [rule for rule, at in positions if at < len(machine.patterns[rule].steps)]
        self.deepest = max(waiting, default=-1)
        """The last pattern that may still match below this node; -1 if none can."""
        self.tests = tuple((rule, at, test) for rule, at, step in self._steps() for test in step.tests)

    def _steps(self) -> Iterable[tuple[int, int, Step]]:
        for rule, at in self._positions:
            steps = self._machine.patterns[rule].steps
            if at < len(steps):
                yield rule, at, steps[at]

    def key(self, name: str) -> State:
        """Return the state below a member of an object."""
        found = self._children.get(name)
        if found is None:
            if any(name in step.names for _, _, step in self._steps()):
                found = self._children[name] = self._machine.state(self._next(lambda step: name in step.names))
            elif self._any_key is None:
                found = self._any_key = self._machine.state(self._next(lambda _step: False))
            else:
                found = self._any_key
        return found

    def index(self, index: int) -> State:
        """Return the state below an item of an array."""
        found = self._children.get(index)
        if found is None:
            if any(index in step.indices for _, _, step in self._steps()):
                found = self._children[index] = self._machine.state(self._next(lambda step: index in step.indices))
            elif self._any_index is None:
                found = self._any_index = self._machine.state(self._next(lambda _step: False))
            else:
                found = self._any_index
        return found

    def with_tests(self, below: State, items: Sequence[Json], index: int, count: int) -> State:
        """Return `below`, moved on by the filters of this state that every one of `items` meets.

        A filter has to hold on both sides: a rule made for gifts must not hide that new turned something into a gift.
        """
        met = {(rule, at + 1) for rule, at, test in self.tests if all(test(item, index, count) for item in items)}
        return self._machine.state(below._positions | met) if met else below

    def _next(self, selects: Callable[[Step], bool]) -> frozenset[tuple[int, int]]:
        moved = set()
        for rule, at, step in self._steps():
            if step.descends:
                moved.add((rule, at))
            if step.everything or selects(step):
                moved.add((rule, at + 1))
        return frozenset(moved)


class Machine:
    """Many patterns as one automaton; a pattern's number is its place in the sequence."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = tuple(patterns)
        self._states: dict[frozenset[tuple[int, int]], State] = {}
        self.start = self.state(frozenset((number, 0) for number in range(len(self.patterns))))

    def state(self, positions: frozenset[tuple[int, int]]) -> State:
        """Return the one state with these positions."""
        found = self._states.get(positions)
        if found is None:
            found = self._states[positions] = State(self, positions)
        return found
