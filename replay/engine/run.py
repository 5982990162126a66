"""One run from its plan to its verdict: begin or go on, send from one process or several, close."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from replay.engine.loop import event_loop
from replay.engine.plan import Plan, Sent, Watch
from replay.engine.sender import Outlet, Sender, having_sent, left_of
from replay.engine.signals import SIGNALS, caught
from replay.engine.standing import standing
from replay.engine.summary import closed
from replay.engine.sums import Sums
from replay.engine.workers import Crew
from replay.errors import CutOffError
from replay.models import OutcomeName, Summary, Verdict
from replay.store.base import RunState
from replay.store.sqlite import SqliteStore


def _nobody(_outcome: OutcomeName, _n: int = 1) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended; the verdict is None where it was only collected."""

    summary: Summary
    verdict: Verdict | None
    signalled: int | None = None
    """The signal that ended it, if one did."""
    left: tuple[str, ...] = ()
    """What the commands of its sides did not undo; its summary warns of it, too."""


class Run:
    """Carries a plan out.

    `watch` is told the outcome of every result; `given_up` is called where a second signal ends the process at once.
    """

    def __init__(
        self,
        plan: Plan,
        store: SqliteStore,
        watch: Watch = _nobody,
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan = plan
        self.store = store
        self._watch = watch
        self._given_up = given_up
        self._sending: Sender | Crew | None = None
        self._signalled: int | None = None
        self._late: int | None = None
        """A signal after the last case, while what had been started was ended."""
        self._left: list[str] = []
        """What the commands of the sides have left behind."""
        self._along: Sums | None = None
        """What the results added up to as they came; None where they have to be read for that."""
        self._before = 0
        """How many results were there before this process sent anything."""

    def carry_out(self, *, resumed: bool = False) -> Finished:
        """Send every case that has no result yet, and judge all there are.

        Raise TargetError where a side cannot be started, before anything is sent; later RunError or StoreError. What
        was done is stored. SIGINT and SIGTERM end the sending in order, a second one at once; before anything is
        sent, CutOffError says what was waited for.
        """
        with _garbage_left():
            sent = self._sent(resumed=resumed)
            with having_sent():
                return self._closed(sent)

    def _sent(self, *, resumed: bool) -> Sent:
        plan, store = self.plan, self.store
        if resumed:
            store.mark(plan.record.id, "running")
            store.take_in(plan.record.id, ended=True)
            self._before = store.count(plan.record.id)

        def begun() -> None:
            if not resumed:
                store.begin(plan.record)

        with standing(
            plan.sides, plan.stage, store.path, plan.record.id, self._catch_late, tell=self._left.append
        ) as sides:
            try:
                return self._sent_to(replace(plan, sides=sides), begun, resumed=resumed)
            except CutOffError as error:
                error.exit_code = 128 + (self._signalled or error.exit_code - 128)
                raise

    def _sent_to(self, plan: Plan, begun: Callable[[], None], *, resumed: bool) -> Sent:
        """Send to sides whose commands have been started."""
        store = self.store
        if plan.sending.workers > 1:
            self._sending = crew = Crew(plan, store, self._watch, resumed=resumed)
            with caught(self._catch):
                return crew.run(begun)
        with left_of(store.path, plan.record.id, resumed=resumed) as left:
            # Noise changes results that were kept; and to add up a page takes a millisecond, which a timetable has not.
            if not (resumed or plan.sending.noise or plan.sending.pace.name):
                self._along = Sums.of(self.plan)
            tell = (lambda _results: None) if self._along is None else self._along.add_all
            self._sending = sender = Sender(plan, Outlet(store, self._watch, left, tell, resumed=resumed))
            # From before the loop is there to after it is gone: a signal in between would break the run off.
            with caught(self._catch), asyncio.Runner(loop_factory=event_loop()) as runner:
                return runner.run(self._on_loop(sender, begun))

    async def _on_loop(self, sender: Sender, begun: Callable[[], None]) -> Sent:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._catch, number)
        return await sender.run(begun)

    def _catch(self, number: int) -> None:
        if self._sending is None:
            return
        if self._signalled is not None:
            self._given_up()
            self._sending.flush()
            os._exit(128 + number)
        self._signalled = number
        self._sending.stop()

    def _catch_late(self, number: int) -> None:
        """Take note of a signal once everything was sent: what there is to judge is judged, and told."""
        self._late = number

    def _closed(self, sent: Sent) -> Finished:
        interrupted = self._signalled is not None
        reason = "it was interrupted" if interrupted else ""
        expected = self._before + sent.results
        plan = replace(self.plan, warnings=(*self.plan.warnings, *self._left))
        summary, verdict = closed(plan, self.store, sent, reason, expected=expected, along=self._along)
        state: RunState = "interrupted" if interrupted else "complete" if summary.complete else "incomplete"
        signalled = self._signalled or self._late
        if signalled is not None:
            verdict = replace(verdict, exit_code=128 + signalled)
        answer = None if self.plan.record.collect else verdict
        self.store.finish(self.plan.record.id, state, summary, answer)
        return Finished(summary, answer, signalled, tuple(self._left))


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Look for reference cycles seldom: what a case leaves behind holds none, and there are thousands a second."""
    before = gc.get_threshold()
    gc.freeze()  # What a collection would find by now is little, and to look takes as long as hundreds of cases.
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
