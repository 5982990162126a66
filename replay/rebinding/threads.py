"""What the sides of one run have handed out, session by session, and what each is therefore sent.

Decisions:

- A value that a side did not hand out where the recording did (the answer failed, or holds nothing there) is lost to
  this side: a later request that uses it is that side's failure, and is not sent. Two sides that both lost it have both
  failed.
- A side whose answer holds the recorded value itself knows it: nothing is put in its place there.
- Where the answer was never asked for, since the case was skipped, requests go as they were recorded.
- What old and new handed out in one place is compared as one thing if it counts as such (`compare.handed`), and a live
  old did not say what the recording says: if old still gives the same name, it is not made up anew each time.
- Nothing passes from a side or a session to another.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replay.models import MISSING, Binding, Case, Failure, Json, Missing, Observation, Request, Side
from replay.rebinding.bounds import MOST_THREADS, Forgotten
from replay.rebinding.bounds import Bound as Limit
from replay.rebinding.foresight import thread_of
from replay.rebinding.handing import Handing, Spot, spots
from replay.rebinding.uses import put
from replay.words import holds


@dataclass(slots=True)
class Bound:
    """One value, and what stands for it on each side; MISSING on a side that handed out nothing."""

    handing: Handing
    values: Mapping[Side, Json | Missing]
    same: bool = False
    """Whether both sides' values are names of one thing."""


@dataclass(slots=True)
class Thread:
    """One session under way."""

    bound: list[Bound] = field(default_factory=list)
    found: list[Binding] = field(default_factory=list)
    """Pairs of names that a rule came upon."""

    def request(self, side: Side, request: Request) -> Request | Failure:
        """Return what a side is sent for a recorded request, or why nothing can be."""
        sent = request
        for it in self.bound:
            value = it.values.get(side, MISSING)
            if value is MISSING or value is None:
                if put(request, it.handing, it.handing.value)[1]:
                    what = f"it uses what {it.handing.by} hands out at {it.handing.spot.at}"
                    return Failure("capture", f"{what}, and this side gave nothing there")
            elif value != it.handing.value:
                sent = put(sent, it.handing, value)[0]
        return sent

    def learn(self, handed: Iterable[Handing], seen: Mapping[Side, Observation]) -> None:
        """Take in what both sides handed out in one case."""
        said = {side: _said(answer) for side, answer in seen.items()}
        for handing in handed:
            values = {side: _value(handing, answer, said[side]) for side, answer in seen.items()}
            self.bound.append(Bound(handing, values))

    def bindings(self, request: Request, seen: Iterable[Observation]) -> tuple[Binding, ...]:
        """Return what turns up in a request or in the answers to it, of all that is bound."""
        told = [it for it in self.bound if _turns_up(it, request, seen)]
        return (*(binding_of(it) for it in told), *self.found)


class Threads:
    """All sessions under way, each for itself; the one that was quiet for longest makes room."""

    def __init__(self) -> None:
        self._threads: OrderedDict[tuple[str, int], Thread] = OrderedDict()
        self._forgotten = Forgotten()
        self.beyond: Counter[Limit] = Counter()
        """How many cases were beyond which bound."""

    def of(self, case: Case) -> Thread | None:
        """Return the session of a case, if it was begun and anything is bound in it."""
        key = thread_of(case)
        if key is None or key not in self._threads:
            self.beyond["sessions"] += key in self._forgotten
            return None
        self._threads.move_to_end(key)
        return self._threads[key]

    def begun(self, case: Case) -> Thread:
        """Return the session of a case, beginning it if need be."""
        key = thread_of(case) or ("", 0)
        thread = self._threads.setdefault(key, Thread())
        self._threads.move_to_end(key)
        if len(self._threads) > MOST_THREADS:
            self._forgotten.add(self._threads.popitem(last=False)[0])
        return thread


def _said(answer: Observation) -> dict[Spot, Json]:
    """Return what an answer says by its place; of several fields or cookies of one name, the last."""
    return dict(spots(answer)) if answer.error is None else {}


def _value(handing: Handing, answer: Observation, all_said: Mapping[Spot, Json]) -> Json | Missing:
    """Return what a side handed out in the place of a recorded value."""
    found = (all_said[spot] for spot in handing.spots if spot in all_said)
    said = next((value for value in found if type(value) is type(handing.value)), MISSING)
    if said is MISSING:
        return MISSING
    if said != handing.value and not handing.pinned and holds(answer, handing.value):
        return handing.value
    return said


def _turns_up(it: Bound, request: Request, seen: Iterable[Observation]) -> bool:
    if put(request, it.handing, it.handing.value)[1]:
        return True
    values = [value for value in it.values.values() if value is not MISSING and value is not None]
    return any(holds(answer, value) for answer in seen for value in values)


def binding_of(it: Bound) -> Binding:
    """Return what is stored of a value."""
    old, new = (it.values.get(side, MISSING) for side in ("old", "new"))
    return Binding(
        old=None if old is MISSING else old,
        new=None if new is MISSING else new,
        at=it.handing.spot.at,
        by=it.handing.by,
        recorded=it.handing.value,
        used=tuple(it.handing.used),
        same=it.same,
    )
