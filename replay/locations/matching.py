"""All patterns of a case as one automaton that is walked beside the document.

A node costs one dictionary lookup however many rules there are. Filters, slices and negative indices depend on the
document and are asked only where a rule has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from replay.locations.parsing import Pattern, Step
from replay.locations.printing import Segment
from replay.models import Json


class State:
    """Where all patterns stand after the segments walked so far.

    `accepts` holds the numbers of the patterns that end here, ascending. States are made when they are first reached
    and are shared by all keys and indices that no pattern mentions, so that their number does not grow with documents.
    """

    __slots__ = (
        "_any_index",
        "_any_key",
        "_children",
        "_machine",
        "_named",
        "_positions",
        "accepts",
        "deepest",
        "tests",
        "waiting",
    )

    def __init__(self, machine: Machine, positions: frozenset[tuple[int, int]]) -> None:
        self._machine = machine
        self._positions = positions
        self._children: dict[Segment, State] = {}
        self._any_key: State | None = None
        self._any_index: State | None = None
        self.accepts = tuple(sorted(rule for rule, at in positions if at == len(machine.patterns[rule].steps)))
        self.waiting = frozenset(rule for rule, at in positions if at < len(machine.patterns[rule].steps))
        """The patterns that may still match below this node."""
        self.deepest = max(self.waiting, default=-1)
        """The last of them; -1 if there is none."""
        self._named = {it for _, _, step in self._steps() for it in (*step.names, *step.indices)}
        self.tests = tuple((rule, at, test) for rule, at, step in self._steps() for test in step.tests)

    def _steps(self) -> Iterable[tuple[int, int, Step]]:
        for rule, at in self._positions:
            steps = self._machine.patterns[rule].steps
            if at < len(steps):
                yield rule, at, steps[at]

    def key(self, name: str) -> State:
        """Return the state below a member of an object."""
        found = self._children.get(name)
        if found is not None:
            return found
        if name in self._named:
            found = self._children[name] = self._machine.state(self._next(lambda step: name in step.names))
            return found
        if self._any_key is None:
            self._any_key = self._machine.state(self._next(lambda _step: False))
        return self._any_key

    def index(self, index: int) -> State:
        """Return the state below an item of an array."""
        found = self._children.get(index)
        if found is not None:
            return found
        if index in self._named:
            found = self._children[index] = self._machine.state(self._next(lambda step: index in step.indices))
            return found
        if self._any_index is None:
            self._any_index = self._machine.state(self._next(lambda _step: False))
        return self._any_index

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
