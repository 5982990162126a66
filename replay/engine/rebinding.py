"""Captured sessions under way: each side is sent what it handed out itself, and is held to the names that it chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from replay.compare import Comparison
from replay.compare.handed import handed_out
from replay.engine.sides import Parties
from replay.models import MISSING, Binding, Case, Failure, Json, Observation, Request, Side
from replay.rebinding import Bound, Foresight, Handing, Limit, Thread, Threads, binding_of

T = TypeVar("T")


class Sessions:
    """Follows the sessions of one process's cases, which come through in their order."""

    def __init__(self, comparison: Comparison, *, old_is_live: bool) -> None:
        self._foresight = Foresight(lambda case, spot: comparison.minted(case, spot.path))
        self._threads = Threads()
        self._old_is_live = old_is_live

    @property
    def beyond(self) -> Counter[Limit]:
        """Return how many cases were beyond which bound of what is followed."""
        return self._foresight.beyond + self._threads.beyond

    def through(self, items: Iterable[T], case_of: Callable[[T], Case]) -> Iterator[T]:
        """Yield what holds the cases in its order, each item once what follows it was looked at."""
        return self._foresight.through(items, case_of)

    def pass_over(self, case: Case) -> None:
        """Take note that a case is not sent: what its recorded answer hands out goes on as it was recorded."""
        self._foresight.handed_out(case)

    def users(self, case: Case) -> Sequence[Case]:
        """Return the cases of the same session, as far as they are known, that use what was handed out in it."""
        return self._foresight.users(case)

    def turn(self, case: Case) -> Turn | None:
        """Begin a case; None where its session has nothing to do with it."""
        handed = self._foresight.handed_out(case)
        thread = self._threads.begun(case) if handed else self._threads.of(case)
        return None if thread is None else Turn(thread, case, handed, old_is_live=self._old_is_live)


def sessions_of(sides: Parties, comparison: Comparison) -> Sessions:
    """Return what follows the sessions that are sent to these sides."""
    old = sides.get("old")
    return Sessions(comparison, old_is_live=old is not None and old.target.kind != "recorded")


class Turn:
    """One case of a session."""

    def __init__(self, thread: Thread, case: Case, handed: Sequence[Handing], *, old_is_live: bool) -> None:
        self._thread = thread
        self._case = case
        self._handed = handed
        self._old_is_live = old_is_live

    def request(self, side: Side) -> Request | Failure:
        """Return what a side is sent, or why nothing can be."""
        return self._thread.request(side, self._case.request)

    def learned(self, seen: Mapping[Side, Observation]) -> Case:
        """Take in what both sides answered, and return the case with all that is known of names in it."""
        before = len(self._thread.bound)
        self._thread.learn(self._handed, seen)
        for bound in self._thread.bound[before:]:
            bound.same = self._is_one_thing(bound, seen)
        return replace(self._case, bound=self._thread.bindings(self._case.request, seen.values()))

    def _is_one_thing(self, bound: Bound, seen: Mapping[Side, Observation]) -> bool:
        old, new = (bound.values.get(side, MISSING) for side in ("old", "new"))
        if MISSING in (old, new):
            return False
        if bound.handing.pinned:
            return True
        if self._old_is_live and old == bound.handing.value != new:
            # A live old that still says what was recorded did not make it up: then new says something else.
            return False
        return handed_out(binding_of(bound), self._case.request.method, seen["old"], seen["new"])

    def found(self, pairs: Iterable[tuple[Json, Json]]) -> None:
        """Keep the names that a rule found to mean one thing, for the rest of the session."""
        self._thread.found += [Binding(old, new, by=self._case.id) for old, new in pairs]
