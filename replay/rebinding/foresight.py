"""Looks ahead in a stream of cases, to know of each captured answer what later requests of its session use of it.

It holds `MOST_CASES` cases or `MOST_BYTES` of them, whichever is fewer, and none where no case has a session. What is
used later than that is not known when the answer comes, and is sent as it was recorded; such cases are counted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from replay.models import Case, Observation
from replay.rebinding.bounds import (
    MOST_BYTES,
    MOST_CANDIDATES,
    MOST_CASES,
    MOST_RESTING,
    MOST_SAID,
    Bound,
    Forgotten,
)
from replay.rebinding.handing import Handing, Spot, may_be_handed_out, spots
from replay.rebinding.uses import put, words_of
from replay.selection import SAFE_METHODS

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
    broken: bool = False
    """What was known of its earlier cases was forgotten."""

    @property
    def words(self) -> int:
        """Return how much is remembered."""
        return len(self.candidates) + len(self.said)


def thread_of(case: Case) -> tuple[str, int] | None:
    """Return what the cases of one session, sent in one turn, have in common; None for a case that has no session."""
    if case.session is None or case.kind != "traffic" or case.recorded is None:
        return None
    return case.session, case.turn


class Resting:
    """Sessions of which no case is held. Those that rest for longest are forgotten where there are too many words."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, int], Seen] = OrderedDict()
        self._words = 0
        self._forgotten = Forgotten()

    def put(self, key: tuple[str, int], seen: Seen) -> None:
        """Keep what is known of a session."""
        seen.users.clear()
        self._seen[key] = seen
        self._words += seen.words
        while self._words > MOST_RESTING:
            oldest, gone = self._seen.popitem(last=False)
            self._words -= gone.words
            self._forgotten.add(oldest)

    def take(self, key: tuple[str, int]) -> Seen:
        """Return what is known of a session that goes on, or begins."""
        seen = self._seen.pop(key, None)
        if seen is None:
            return Seen(broken=key in self._forgotten)
        self._words -= seen.words
        return seen


class Foresight:
    """Tells what a case's answer hands out, once the case has come through."""

    def __init__(self, pins: Pins = lambda _case, _spot: None, most: int = MOST_CASES) -> None:
        self._pins = pins
        self._most = most
        self.beyond: Counter[Bound] = Counter()
        """How many cases were beyond which bound."""
        self._seen: dict[tuple[str, int], Seen] = {}
        self._resting = Resting()
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
            if key not in self._seen:
                self._seen[key] = self._resting.take(key)
            seen = self._seen[key]
            seen.waiting += 1
            self._look(case, seen)

    def _give(self, case: Case) -> None:
        self._cases -= 1
        self._bytes -= _size(case)
        for handing in self._handed.get(case.identity, ()):
            handing.unused = not handing.used
        key = thread_of(case)
        if key is not None:
            self._in_sessions -= 1
            seen = self._seen[key]
            seen.waiting -= 1
            if not seen.waiting:
                self._resting.put(key, self._seen.pop(key))

    def _look(self, case: Case, seen: Seen) -> None:
        words = set(words_of(case.request))
        self._find_uses(case, seen, words)
        crowded = len(seen.said) >= MOST_SAID
        if not crowded:
            seen.said |= words
        crowded |= case.recorded is not None and self._look_into(case, case.recorded, seen)
        self.beyond["values"] += crowded
        self.beyond["sessions"] += seen.broken

    def _look_into(self, case: Case, recorded: Observation, seen: Seen) -> bool:
        """Note what an answer may have handed out; return whether that was more than is remembered."""
        crowded = False
        safe = case.request.method.upper() in SAFE_METHODS
        for spot, value in spots(recorded):
            pinned = self._pins(case, spot)
            if may_be_handed_out(spot, value, pinned=pinned, safe=safe):
                crowded |= not self._note(case, seen, Handing(value, [spot], case.id, pinned=bool(pinned)))
        return crowded

    def _note(self, case: Case, seen: Seen, handing: Handing) -> bool:
        """Remember what may have been handed out; return whether there was room for it."""
        said = str(handing.value)
        known = seen.candidates.get(said)
        if known is not None and not known.unused:
            if known.by == case.id and type(known.value) is type(handing.value):
                known.spots += handing.spots
                known.pinned = known.pinned or handing.pinned
        elif said not in seen.said or handing.pinned:
            if known is None and len(seen.candidates) >= MOST_CANDIDATES:
                return False
            seen.candidates[said] = handing
            self._handed.setdefault(case.identity, []).append(handing)
        return True

    def _find_uses(self, case: Case, seen: Seen, words: set[str]) -> None:
        found = [seen.candidates[word] for word in sorted(words & seen.candidates.keys())]
        used = [(handing, put(case.request, handing, handing.value)[1]) for handing in found]
        # What was asked for before any use of it was seen is bound on no side.
        self.beyond["window"] += any(where for handing, where in used if handing.unused)
        used = [(handing, where) for handing, where in used if not handing.unused]
        for handing, where in used:
            handing.used += [it for it in where if it not in handing.used]
        if any(where for _, where in used):
            seen.users.append(case)


def _size(case: Case) -> int:
    return len(case.request.body or b"") + (len(case.recorded.body) if case.recorded is not None else 0)
