"""Looks ahead in a stream of cases, to know of each captured answer what later requests of its session use of it.

It holds `MOST_CASES` cases or `MOST_BYTES` of them, whichever is fewer, and none where no case has a session. What is
used later than that is not known when the answer comes, and is sent as it was recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from replay.models import Case
from replay.rebinding.handing import Handing, Spot, may_be_handed_out, spots
from replay.rebinding.uses import put, words_of
from replay.selection import SAFE_METHODS

MOST_CASES: Final = 2_000
MOST_BYTES: Final = 32 << 20
MOST_CANDIDATES: Final = 5_000
"""Values of one session that are remembered until they are used."""
MOST_SAID: Final = 20_000
"""Words of one session's requests that are remembered, so that none of them counts as handed out."""

T = TypeVar("T")
Pins = Callable[[Case, Spot], bool | None]
"""Tells whether a rule says that a place is minted; None where none speaks of it."""


@dataclass(slots=True)
class Seen:
    """What is known of one session so far."""

    candidates: dict[str, Handing] = field(default_factory=dict)
    """What may have been handed out, by how it is written."""
    said: set[str] = field(default_factory=set)
    users: list[Case] = field(default_factory=list)
    """The cases whose requests use what was handed out."""
    waiting: int = 0
    """How many of its cases are still held."""


def thread_of(case: Case) -> tuple[str, int] | None:
    """Return what the cases of one session, sent in one turn, have in common; None for a case that has no session."""
    if case.session is None or case.kind != "traffic" or case.recorded is None:
        return None
    return case.session, case.turn


class Foresight:
    """Tells what a case's answer hands out, once the case has come through."""

    def __init__(self, pins: Pins = lambda _case, _spot: None, most: int = MOST_CASES) -> None:
        self._pins = pins
        self._most = most
        self._seen: dict[tuple[str, int], Seen] = {}
        self._handed: dict[str, list[Handing]] = {}
        self._cases = 0
        self._bytes = 0
        self._in_sessions = 0

    def through(self, items: Iterable[T], case_of: Callable[[T], Case]) -> Iterator[T]:
        """Yield what holds the cases in its order, each item after those that follow it closely were looked at."""
        held: deque[T] = deque()
        for item in items:
            if not held and case_of(item).session is None:
                yield item
                continue
            held.append(item)
            self._take(case_of(item))
            while held and (not self._in_sessions or self._full):
                yield self._given(held, case_of)
        while held:
            yield self._given(held, case_of)

    def _given(self, held: deque[T], case_of: Callable[[T], Case]) -> T:
        item = held.popleft()
        self._give(case_of(item))
        return item

    @property
    def _full(self) -> bool:
        return self._cases > self._most or self._bytes > MOST_BYTES

    def handed_out(self, case: Case) -> list[Handing]:
        """Return what the recorded answer to a case handed out, as far as it is used again; to be asked once."""
        return [it for it in self._handed.pop(case.identity, ()) if it.used]

    def users(self, case: Case) -> list[Case]:
        """Return the cases of the same session, as far as they are known, that use what was handed out in it."""
        key = thread_of(case)
        seen = self._seen.get(key) if key is not None else None
        return seen.users if seen is not None else []

    def _take(self, case: Case) -> None:
        self._cases += 1
        self._bytes += _size(case)
        key = thread_of(case)
        if key is not None:
            self._in_sessions += 1
            seen = self._seen.setdefault(key, Seen())
            seen.waiting += 1
            self._look(case, seen)

    def _give(self, case: Case) -> None:
        self._cases -= 1
        self._bytes -= _size(case)
        key = thread_of(case)
        if key is not None:
            self._in_sessions -= 1
            seen = self._seen[key]
            seen.waiting -= 1
            if not seen.waiting:
                del self._seen[key]

    def _look(self, case: Case, seen: Seen) -> None:
        words = set(words_of(case.request))
        self._find_uses(case, seen, words)
        if len(seen.said) < MOST_SAID:
            seen.said |= words
        if case.recorded is None:
            return
        safe = case.request.method.upper() in SAFE_METHODS
        for spot, value in spots(case.recorded):
            pinned = self._pins(case, spot)
            if may_be_handed_out(spot, value, pinned=pinned, safe=safe):
                self._note(case, seen, Handing(value, [spot], case.id, pinned=bool(pinned)))

    def _note(self, case: Case, seen: Seen, handing: Handing) -> None:
        said = str(handing.value)
        known = seen.candidates.get(said)
        if known is not None:
            if known.by == case.id and type(known.value) is type(handing.value):
                known.spots += handing.spots
                known.pinned = known.pinned or handing.pinned
        elif (said not in seen.said or handing.pinned) and len(seen.candidates) < MOST_CANDIDATES:
            seen.candidates[said] = handing
            self._handed.setdefault(case.identity, []).append(handing)

    def _find_uses(self, case: Case, seen: Seen, words: set[str]) -> None:
        found = [seen.candidates[word] for word in sorted(words & seen.candidates.keys())]
        used = [(handing, put(case.request, handing, handing.value)[1]) for handing in found]
        for handing, where in used:
            handing.used += [it for it in where if it not in handing.used]
        if any(where for _, where in used):
            seen.users.append(case)


def _size(case: Case) -> int:
    return len(case.request.body or b"") + (len(case.recorded.body) if case.recorded is not None else 0)
