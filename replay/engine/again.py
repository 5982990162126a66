"""What old says when it is asked again: each further answer held against its first one, by the rules of the run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from replay.engine.kpis import NO_KPIS
from replay.engine.outcome import Referee
from replay.engine.sides import Party
from replay.models import Again, Case, Difference, Observation, Order
from replay.selection import SAFE_METHODS

MOST_TIMES: Final = 20
"""How often old may be asked again at one case: beyond, it is load and no evidence."""
MOST_KEPT: Final = 1_000
"""Differences of one further answer that are kept."""
LONGEST_VALUE: Final = 4_000
"""Characters of a value that is kept; of texts, a difference holds no more of each side."""
MOST_CHARACTERS: Final = 400_000
"""Of all values that are kept with one case."""
_DEEPEST: Final = 20

Asking = tuple[Party, int]
"""A side to ask, and the how-manieth further time this is: 0 is the asking that counts."""


def may_repeat(case: Case) -> bool:
    """Tell whether asking again changes nothing: methods that may change something are sent once."""
    return all(request.method.upper() in SAFE_METHODS for request in case.requests)


def askings(parties: Sequence[Party], times: int, order: Order, seed: int) -> tuple[Asking, ...]:
    """Return who is asked when: both sides once, and old so many times more, in an order drawn from the seed.

    Which of old's answers counts is drawn too, so that a cache it warms favours none of them. Only `old-first` has it
    in front.
    """
    once: list[Asking] = [(party, 0) for party in parties]
    old = next(party for party in parties if party.side == "old")
    more: list[Asking] = [(old, nth) for nth in range(1, times + 1)]
    front = once[:1] if order == "old-first" else []
    rest = once[len(front) :] + more
    random.Random(seed).shuffle(rest)  # noqa: S311 - a fair order, no secret
    return (*front, *rest)


class Learner:
    """Learns where old differs from itself."""

    def __init__(self, referee: Referee) -> None:
        self._referee = replace(referee, comparison=referee.comparison.with_itself("old"), kpis=NO_KPIS)

    def learned(self, case: Case, first: Observation, answers: Sequence[Observation]) -> Again:
        """Hold further answers against the first one.

        One that fails, or has another status, is counted and proves nothing: what else is in it may all come of that.
        """
        asked = replace(case, expect=None, bound=()) if case.expect is not None or case.bound else case
        found = [self._differences(asked, first, answer) for answer in answers]
        kept = [differences for differences in found if differences is not None]
        listed = [_listed(differences, MOST_CHARACTERS // max(1, len(kept))) for differences in kept]
        unlisted = sum(map(len, kept)) - sum(map(len, listed))
        return Again(tuple(listed), failed=len(found) - len(kept), unlisted=unlisted)

    def _differences(self, case: Case, first: Observation, answer: Observation) -> tuple[Difference, ...] | None:
        if answer.status != first.status:
            return None
        result = self._referee.result(case, first, answer)
        return None if result.error is not None else result.differences


def _listed(differences: Sequence[Difference], room: int) -> tuple[Difference, ...]:
    """Return the first differences, as many and as long as are kept."""
    kept = []
    for difference in differences[:MOST_KEPT]:
        size = _size(difference.old) + _size(difference.new)
        if size <= min(2 * LONGEST_VALUE, room):
            room -= size
            kept.append(difference)
    return tuple(kept)


def _size(value: Any) -> int:
    """Return about how many characters a value takes, or more than any that is kept."""
    total = 0
    for part in _parts(value, 0):
        total += part
        if total > LONGEST_VALUE:
            return 2 * LONGEST_VALUE + 1
    return total


def _parts(value: Any, depth: int) -> Iterator[int]:
    if isinstance(value, str | bytes):
        yield len(value)
    elif isinstance(value, dict | list | tuple):
        # What is nested deeper is as good as too long: nobody reads it, and recursion has an end.
        yield 2 if depth < _DEEPEST else LONGEST_VALUE + 1
        for item in value.items() if isinstance(value, dict) else value:
            yield from _parts(item, depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value.bit_length() // 3 + 1
    else:
        yield 8
