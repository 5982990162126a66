"""Which locations lie within others, as far as that can be told without a document."""

from __future__ import annotations

from collections.abc import Sequence

from replay.locations import parse_location
from replay.locations.parsing import Step


def covers(one: str, other: str) -> bool:
    """Tell whether the first location selects every node that the second one can; False where that is not certain."""
    return _covers(parse_location(one).steps, parse_location(other).steps)


def covers_above(one: str, other: str) -> bool:
    """Tell whether the first location selects a node above each that the second one can."""
    steps = parse_location(other).steps
    return any(_covers(parse_location(one).steps, steps[:end]) for end in range(1, len(steps)))


def _covers(one: Sequence[Step], other: Sequence[Step]) -> bool:
    if not one or not other:
        return not one and not other
    head, rest = one[0], one[1:]
    if not head.descends:
        return not other[0].descends and _selects(head, other[0]) and _covers(rest, other[1:])
    # It matches at any depth from here on, so it may stand for any number of the other's steps.
    return any(_selects(head, other[end - 1]) and _covers(rest, other[end:]) for end in range(1, len(other) + 1))


def _selects(one: Step, other: Step) -> bool:
    """Tell whether one step selects whatever the other does; of a filter nobody knows what it selects."""
    if one.everything:
        return True
    return not other.everything and not other.tests and other.names <= one.names and other.indices <= one.indices
