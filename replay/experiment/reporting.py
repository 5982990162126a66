"""Compared calls from the program's threads to the sinks; whoever hands one over never waits, and is told nothing.

    caller's thread        one thread              a thread for each sink
    hand_over(call)  --->  examined, masked  --->  take(outcome)

All of these are daemon threads of this process, begun when the first call is handed over. What does not fit into a
queue is counted, and told to every sink that misses it.

After a fork the child begins anew, with queues and threads of its own; what waited stays with the parent. So servers
that load a program before they fork (gunicorn --preload) need nothing. uWSGI has to run with `enable-threads`, as for
any Python thread. With gevent, `monkey.patch_all()` has to come before this package is imported, as before anything:
its threads are then greenlets, which examine and tell while nothing else runs.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - what examines needs it, and it cannot be imported at a program's end
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from replay.errors import InputError
from replay.experiment.bareness import bare, kind_of, size_of, stripped, tells_bare
from replay.experiment.calls import DISAGREED, Call, Outcome, Relation, Setup, Sink
from replay.experiment.crew import crews_at_rest, end_crews
from replay.experiment.delivery import Delivery
from replay.experiment.forks import Whole
from replay.experiment.lanes import Lane, now
from replay.experiment.listing import ROOM_BYTES, Listing
from replay.experiment.logs import Log
from replay.experiment.losses import UNHANDED, Handed, Losses
from replay.experiment.sinks import NOBODY, Ready, require_sinks
from replay.experiment.troubles import Troubles, told
from replay.experiment.watchers import WATCHERS

MOST_CALLS: Final = 10_000
MOST_BYTES: Final = 32 * 2**20
EXIT_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 0.5
"""For sinks to take note of what they will never be told, once the time is up."""
ENDED: Final = "the program ended before it was told"
FULL: Final = "more calls came than could be examined"
UNEXAMINED: Final = "the call could not be examined"
_LOADING: Final = Whole()
"""Imports in the reporter's thread: a child would wait for ever for one that did not come along."""
_LISTED: Final = frozenset({"differ", "unequal", "parted", "known"})

Examine = Callable[[Call], Outcome]


class Reporter:
    """Examines calls and hands their outcomes to sinks, in threads of its own."""

    def __init__(self, examiner: Callable[[], Examine], sinks: Sequence[Sink] = ()) -> None:
        """Take what makes the examination ready, which is first asked for in the reporter's thread, and the sinks."""
        self._examiner = examiner
        self._sinks = tuple(sinks)
        self._inherited: dict[int, Sink] = {}
        """The sinks that may have been open in the process that this one was forked from."""
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._troubles = Troubles()
        self._listing = Listing()
        self.losses = Losses(self._lose)
        self._counting = threading.RLock()
        self._deliveries: dict[int, Delivery] = {}
        self._examine: Examine | None = None
        self._ready = NOBODY
        self._awaited = False
        self._handed = self._told = 0
        self._lane = self._new_lane()

    def _new_lane(self) -> Lane[Handed]:
        return Lane(self, "replay-examiner", most=MOST_CALLS, most_bytes=MOST_BYTES)

    def forked(self) -> None:
        """Begin anew in a child: threads do not come along, and locks may be held by those that did not."""
        for delivery in self._deliveries.values():
            self._inherited[id(delivery.sink)] = delivery.sink
        self._begin()

    # ------------------------------------------------------------------------------------------------ any thread

    @property
    def lost(self) -> Mapping[tuple[str, str], int]:
        """Return how many calls were lost before they were examined, by experiment and reason."""
        return self.losses.counted

    def report_to(self, *sinks: Sink) -> None:
        """Tell experiments that name no sinks to these from now on; those before get what came before, and close."""
        before, self._sinks = self._sinks, sinks
        gone = [sink for sink in before if id(sink) in self._deliveries and all(sink is not it for it in sinks)]
        self._ready = NOBODY
        if gone:
            self._lane.put((None, gone), always=True)

    def has_room_for_details(self, setup: Setup, relation: Relation = "differ") -> bool:
        """Tell whether the values of a further disagreement would be looked at; where not, none need be frozen."""
        return (relation == "differ" and bool(setup.rules)) or not self._listing.spent(kind_of(setup, relation))

    def hand_over(self, call: Call, sinks: Sequence[Sink] | None) -> None:
        """Take a compared call in, for these sinks, or for those of `report_to`. It neither waits nor raises."""
        try:
            self._hand_over(call, self._sinks if sinks is None else sinks)
        except Exception:  # noqa: BLE001 - a lack of memory, an interpreter that ends: the caller has nothing to do with it
            self.losses.missed.append((call.setup, sinks))

    def _hand_over(self, call: Call, sinks: Sequence[Sink]) -> None:
        if os.getpid() != self._pid:  # a fork of which Python was not told, as by uWSGI
            self.forked()
        if self.losses.missed:
            self.losses.add_missed(self._sinks)
        sinks = (*sinks, *WATCHERS) if WATCHERS else sinks
        ready = self._ready
        if sinks is not ready.sinks:
            ready = self._make_ready(sinks)
        size = 0
        if call.relation == "agreed" and not call.setup.equal_too:
            sinks = ready.of_agreeing
        else:
            size = size_of(call)
        if not sinks:
            return
        self._handed += 1
        if size and call.relation in _LISTED and not self.has_room_for_details(call.setup, call.relation):
            call, size = bare(call), 0
        if self._lane.put((call, sinks), size):
            return
        if not (size and tells_bare(call) and self._lane.put((bare(call), sinks))):
            self.losses.add(call.setup, FULL, sinks)

    def _make_ready(self, sinks: Sequence[Sink]) -> Ready:
        """Begin all threads with the first call: the last one may come when the program ends, and begins none."""
        for sink in sinks:
            if id(sink) not in self._deliveries:
                self._delivery(sink).lane.start()
        if sinks:
            self._await_exit()
        self._ready = ready = Ready(sinks, tuple(sink for sink in sinks if getattr(sink, "agreeing", True)))
        return ready

    def _lose(self, sink: Sink, experiment: str, reason: str) -> None:
        self._delivery(sink).lose(experiment, reason)

    def _delivery(self, sink: Sink) -> Delivery:
        with self._counting:
            found = self._deliveries.get(id(sink))
            if found is None:
                inherited = self._inherited.pop(id(sink), None) is not None
                found = self._deliveries[id(sink)] = Delivery(sink, self._troubles, forked=inherited)
            return found

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was handed over is told; return whether it was within so many seconds."""
        if os.getpid() != self._pid:
            self.forked()
        until = now() + timeout
        self.losses.add_missed(self._sinks)
        return self._lane.passed().wait(max(timeout, 0)) and self._passed(until)

    def caught_up(self, timeout: float) -> bool:
        """Wait likewise, for both sides to have run too; quick where nothing was handed over since the last time."""
        until = now() + timeout
        at_rest, handed = crews_at_rest(timeout), self._handed
        if handed != self._told and self.flush(max(until - now(), 0)):
            self._told = handed
        return at_rest and handed == self._told

    def close(self, timeout: float = EXIT_SECONDS) -> bool:
        """Tell what was handed over and close the sinks; return whether that was done within so many seconds."""
        if os.getpid() != self._pid:
            return True
        until = now() + timeout
        self.losses.add_missed(self._sinks)
        lane, self._lane = self._lane, self._new_lane()
        done = lane.passed(last=True).wait(timeout)
        if not done:
            left = [*lane.emptied(), *([lane.under_way] if lane.under_way else [])]
            self.losses.add_all(left, ENDED)
            until = now() + GRACE_SECONDS
        done = self._ended(until) and done
        self._deliveries, self._ready = {}, NOBODY
        atexit.unregister(self.end_process)
        self._awaited = False
        self._troubles.rest()
        if not done:
            self._troubles.say("exit", "the process ended before all was told: what is missing counts as lost")
        return done

    def _ended(self, until: float) -> bool:
        """Close all sinks; have those that are not ready by then count what they were not handed as lost."""
        marks = [(each, each.lane.passed(last=True)) for each in tuple(self._deliveries.values())]
        late = [(each, mark) for each, mark in marks if not mark.wait(max(until - now(), 0))]
        for each, _ in late:
            each.give_up(ENDED)
        until = now() + GRACE_SECONDS
        for _, mark in late:
            mark.wait(max(until - now(), 0))
        return not late

    def end_process(self, timeout: float = EXIT_SECONDS) -> bool:
        """Close, once what runs the other side afterwards has come back or was given up: the process ends."""
        if os.getpid() != self._pid:
            return True
        end_crews(timeout / 2)
        return self.close(timeout)

    def expect(self) -> None:
        """Take note that calls may come that the end of the process has to wait for."""
        self._await_exit()

    def _passed(self, until: float) -> bool:
        marks = [delivery.lane.passed() for delivery in tuple(self._deliveries.values())]
        return all(mark.wait(max(until - now(), 0)) for mark in marks)

    def _await_exit(self) -> None:
        if self._awaited:
            return
        self._awaited = True
        atexit.register(self.end_process)
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            # A child of multiprocessing ends by os._exit, and runs what it was given in this way alone.
            sys.modules["multiprocessing.util"].Finalize(None, self.end_process, exitpriority=0)

    # ------------------------------------------------------------------------------------------ the reporter's thread

    def take(self, handed: Handed) -> None:
        """Examine one call, and let its sinks have the outcome."""
        call, sinks = handed
        if call is None:
            self._retire(sinks)
        else:
            self._tell(call, sinks)

    def _retire(self, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            delivery = self._deliveries.pop(id(sink), None)
            if delivery is not None:
                delivery.lane.passed(last=True)

    def _tell(self, call: Call, sinks: Sequence[Sink]) -> None:
        try:
            call = self._affordable(call)
            outcome = self._listed(call, self._examined(call))
        except BaseException as error:  # noqa: BLE001 - values may be of classes whose methods raise anything
            self.losses.add(call.setup, UNEXAMINED, sinks)
            # What a value's own methods raise may tell the value, which nobody has masked.
            why = told(error) if isinstance(error, InputError) else type(error).__name__
            text = f"a call of {call.setup.name} could not be examined: {why}"
            self._troubles.say(f"unexamined {call.setup.name}", text)
            return
        size = 0 if outcome.bare else size_of(call)
        for sink in sinks:
            try:
                self._delivery(sink).put(outcome, size)
            except Exception:  # noqa: BLE001 - a lack of memory: it must not be a call that nobody counts
                self.losses.add(call.setup, UNHANDED, (sink,))

    def _affordable(self, call: Call) -> Call:
        """Return a call without its values where they are large, and would not be told: others wait for their turn."""
        if call.relation not in _LISTED or size_of(call) <= ROOM_BYTES or not tells_bare(call):
            return call
        return bare(call) if self._listing.spent(kind_of(call.setup, call.relation)) else call

    def _examined(self, call: Call) -> Outcome:
        if self._examine is None:
            with _LOADING.alone():
                self._examine = self._examiner()
        return self._examine(call)

    def _listed(self, call: Call, outcome: Outcome) -> Outcome:
        """Return an outcome as it is told: bare, where it is one of too many."""
        if outcome.result.outcome not in DISAGREED and call.relation != "known":
            return outcome
        kind = kind_of(call.setup, call.relation)
        if outcome.bare:
            self._listing.pass_over(kind)
            return outcome
        if not self._listing.take(kind, size_of(call)):
            return stripped(outcome)
        return replace(outcome, unlisted=self._listing.unlisted(kind))

    def settle(self) -> bool:
        """Do nothing: sinks settle in their own threads."""
        return False

    def end(self) -> None:
        """Do nothing: the sinks are closed by themselves."""


# ------------------------------------------------------------------------------------------- the one of this process


def _examiner() -> Examine:
    # Models and rules, which no caller's thread needs; and what a log tells of them, while no process can be forked.
    import replay.experiment.telling  # noqa: F401, PLC0415
    from replay.experiment.examining import Examiner  # noqa: PLC0415

    return Examiner().examined


REPORTER: Final = Reporter(_examiner, [Log()])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=REPORTER.forked)


def report_to(*sinks: Sink) -> None:
    """Say where the outcomes of all experiments go that name no sinks of their own: once, when the service starts.

    Without it, disagreements go to the log `replay.experiment`. With no sink at all, nothing is examined or told. Raise
    SettingsError for what is no sink.
    """
    require_sinks(sinks, "report_to")
    REPORTER.report_to(*sinks)


def hand_over(call: Call, sinks: Sequence[Sink] | None) -> None:
    """Take a compared call in, for these sinks, or for those of `report_to`. It neither waits nor raises."""
    REPORTER.hand_over(call, sinks)


def has_room_for_details(setup: Setup, relation: Relation = "differ") -> bool:
    """Tell whether the values of a further such call would be looked at; where not, none need be frozen."""
    return REPORTER.has_room_for_details(setup, relation)


def flush(timeout: float = 5.0) -> bool:
    """Wait until all calls so far are told, at most so many seconds; return whether they are. For tests and scripts."""
    return REPORTER.flush(timeout)


def close(timeout: float = EXIT_SECONDS) -> bool:
    """Tell all calls so far and close the sinks, at most so many seconds; return whether that was done.

    Half of that time is for what runs the other side afterwards. Python does all this when a process ends; one that a
    signal ends, as uvicorn ends its workers, has to say so before. What comes later begins anew.
    """
    return REPORTER.end_process(timeout)
