"""Two arrays of which no rule says how: aligned, or by position where rules accept what differs there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, Protocol, Self

from replay.compare.alignment import Alignment, align
from replay.compare.base import NOWHERE, EnoughError, Node, Paired, item_state, pair_at, state_of
from replay.compare.effort import Effort
from replay.compare.values import glance, same_types, settled
from replay.locations import Path, Segment, State
from replay.models import MISSING, Acceptance, Difference, DifferenceKind

TOO_LARGE: Final = "compared by position: too large to align"
TOO_DEEP: Final = "compared by position: too deep to align"
_MOST_TRIALS: Final = 3
"""How many arrays within one another are tried both ways: each of them doubles the work."""


Step = tuple[Segment, Node, Node, State]
"""A node to look at: its last segment, what either side has there, and the state."""


class Walking(Protocol):
    """What is asked of the walk that comes upon two arrays."""

    effort: Effort
    differences: list[Difference]
    accepted: dict[tuple[str, str], Acceptance]
    total: int
    trials: int

    @property
    def deep(self) -> bool:
        """Whether this is so many levels down that nothing is looked at twice any more."""

    def eager(self, state: State) -> bool:
        """Tell whether what is equal below a node in this state may be passed over at a glance."""

    def spelled(self, state: State) -> bool:
        """Tell whether it matters below a node in this state how numbers are written."""

    def takes_for_equal(self, old: Any, new: Any, state: State) -> bool:
        """Tell whether what Python calls equal in these two is equal."""

    def follow(self, steps: Iterable[Step], at: Path, *, vouched: bool) -> None:
        """Compare the nodes that are to be looked at; `vouched` says that there is no boolean in any."""

    def vouched(self, old: Any, new: Any) -> bool:
        """Tell whether it is known of these two that there is no boolean in them."""

    def node(self, old: Node, new: Node, at: Path, state: State) -> None:
        """Compare what stands at one location."""

    def differ(self, at: Path, kind: DifferenceKind, old: Node, new: Node) -> None:
        """Keep one difference."""

    def remark(self, place: int, note: str) -> None:
        """Add a note to the first difference that was listed since there were `place` of them."""

    def beside(self, limit: int | None = None) -> Self:
        """Return a walk to try something with; it raises EnoughError beyond so many differences."""


Sides = tuple[list[Any], list[Any]]


def array_steps(walk: Walking, old: list[Any], new: list[Any], at: Path, state: State) -> tuple[Iterator[Step], str]:
    """Return which items to look at, as they are aligned, and what is to be said of it.

    Rules have no part in the alignment, so what they ignore may be all that it had to go by. So where rules accept all
    that differs by position, items are looked at by position.
    """
    both = range(min(len(old), len(new)))
    apart = [*both] if walk.deep else [index for index in both if old[index] != new[index]]
    found, note = _alignment(walk, (old, new), apart)
    if found is None or _accepted_by_position(walk, (old, new), apart, at, state):
        return _by_position(walk, (old, new), apart, state), note
    if found.reordered:
        walk.differ(at, "order", old, new)
    return _aligned(walk, (old, new), found, state), note


def _alignment(walk: Walking, sides: Sides, apart: list[int]) -> tuple[Alignment | None, str]:
    """Return how to align both arrays, None where that is by position; and what is to be said of it."""
    old, new = sides
    if len(old) == len(new) and len(apart) <= 1:
        return None, ""
    if walk.deep or walk.trials >= _MOST_TRIALS:
        return None, TOO_DEEP if len(old) != len(new) else ""
    found = align(old, new, apart, walk.effort)
    return (None if found.by_position else found), TOO_LARGE if found.gave_up else ""


def _accepted_by_position(walk: Walking, sides: Sides, apart: list[int], at: Path, state: State) -> bool:
    """Tell whether rules accept all that differs by position.

    All, since a rule that accepts more could otherwise exchange one reading for another, which has fewer differences
    but in places where there were none. So whatever accepts more only ever takes differences away.
    """
    if state.deepest < 0:
        return False
    position = walk.beside(limit=0)
    try:
        position.follow(_by_position(position, sides, apart, state), at, vouched=walk.vouched(*sides))
    except EnoughError:
        return False
    return True


def _by_position(walk: Walking, sides: Sides, apart: Sequence[int], state: State) -> Iterator[Step]:
    """Yield the first with the first, the second with the second; `apart` are the places that are not equal."""
    old, new = sides
    both, count = min(len(old), len(new)), max(len(old), len(new))
    passing = walk.eager(state) and (
        walk.takes_for_equal(old, new, state) or _rest_is_settled(sides, apart, spelled=walk.spelled(state))
    )
    for index in chain(apart if passing else range(both), range(both, count)):
        pair = pair_at(old, new, index)
        below = item_state(state, index, pair, count)
        if below.accepts or not settled(*pair):
            yield index, *pair, below


def _rest_is_settled(sides: Sides, apart: Sequence[int], *, spelled: bool) -> bool:
    """Tell whether all items that both sides have, but those apart, are equal to their types."""
    unequal = set(apart)
    rest = [index for index in range(min(map(len, sides))) if index not in unequal]
    return same_types(*([side[index] for index in rest] for side in sides), spelled=spelled)


def _aligned(walk: Walking, sides: Sides, found: Alignment, state: State) -> Iterator[Step]:
    """Yield the items as they are matched."""
    eager = walk.eager(state)
    for pair in _pairs(found, *sides):
        if not (eager and glance(pair.old, pair.new, spelled=walk.spelled(state))):
            side = sides[pair.old is MISSING]
            yield pair.segment, pair.old, pair.new, state_of(state, pair, len(side))


def _pairs(found: Alignment, old: list[Any], new: list[Any]) -> Iterator[Paired]:
    """Yield all items in old's order, those that only new has where they stand between their neighbours."""
    matches = found.matches
    i = j = 0
    for mine, theirs in matches if found.reordered else (*matches, (len(old), len(new))):
        if not found.reordered:
            yield from (Paired.of((index, old[index]), NOWHERE) for index in range(i, mine))
            yield from (Paired.of(NOWHERE, (index, new[index])) for index in range(j, theirs))
            i, j = mine + 1, theirs + 1
        if mine < len(old):
            yield Paired.of((mine, old[mine]), (theirs, new[theirs]))
