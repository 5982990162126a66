"""Which cases are under way: so many at a time, a session's own cases in their order, none before its moment."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from replay.engine.pacing import Planned
from replay.models import Case, Failed, Lateness
from replay.wire.alarm import Alarm
from replay.wire.clock import now_ns

T = TypeVar("T")
Begin = Callable[[Case, Lateness | None, Callable[[T], None], Failed], None]
"""Begins a case, and tells what became of it, once."""

GRACE: Final = 2.0
"""Seconds that cases under way get to finish once a run is stopped: what was sent should be known, not sent again."""
LOOKAHEAD: Final = 16
"""How many times `concurrency` cases may wait for the one before them in their session, while others overtake them."""
AT_ONCE: Final = 128
"""How many cases are begun before everybody else on the loop has a turn: many cost nothing, as skipped ones do."""
_ROW: Final = 16
"""How many are taken from the source before the first of them is begun: reading is quicker in a row, as all else is."""


class Schedule(Generic[T]):
    """Carries cases out, at most `concurrency` at a time, and hands each result to `finished` as it comes.

    A case of a session begins when the one before it has ended. With a concurrency of 1 the order is the source's. No
    case is taken from the source before there is room for it, save those that wait for their session.
    After `seconds`, no case is begun that has a moment. Everything happens on one event loop, and nothing waits for a
    thread.
    """

    def __init__(
        self,
        planned: Iterable[Planned],
        begin: Begin[T],
        finished: Callable[[T], None],
        *,
        concurrency: int,
        seconds: float | None = None,
    ) -> None:
        self._source = iter(planned)
        self._begin = begin
        self._finished = finished
        self._concurrency = concurrency
        self._ends_ns = None if seconds is None else int(seconds * 1e9)
        self._under_way = 0
        self._next: Planned | None = None
        self._sessions: dict[str, deque[Planned]] = {}
        self._ready: deque[tuple[Planned, int]] = deque()
        """Cases that may begin, and since when: whose turn in their session has come, or that were held back."""
        self._waiting = 0
        self._began_ns = 0
        self._exhausted = self._stopped = self._filling = self._held = False
        self._alarm = Alarm(self._fill)
        self.begun = 0
        """How many cases were begun of those that had a moment."""
        self.planned_ns = 0
        """The latest moment of these, after the run began."""
        self.spent_ns = 0
        """When the last of these was really begun, after the run began; those that waited for their session aside."""
        self.cut: Case | None = None
        """The first case that is not begun since its moment lies beyond the end of `seconds`."""
        self._error: BaseException | None = None
        self._over: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Carry everything out. Where a case raises, no further one is begun, and the error comes out at the end."""
        self._over = asyncio.get_running_loop().create_future()
        self._fill()
        try:
            await self._over
        finally:
            self._stopped = True
            self._alarm.close()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Begin nothing more, and end when what is under way has, or its time is up."""
        if self._stopped:
            return
        self._stopped = True
        self._alarm.close()
        if self._over is not None and not self._over.done():
            asyncio.get_running_loop().call_later(GRACE, self._end)
            self._settle()

    def fail(self, error: BaseException) -> None:
        """Begin nothing more, and raise this error once what is under way has ended."""
        self._error = self._error or error
        self.stop()

    def hold(self) -> None:
        """Begin nothing more for now: results are not taken as fast as they come."""
        self._held = True

    def go_on(self) -> None:
        """Begin cases again."""
        self._held = False
        self._fill()

    @property
    def under_way(self) -> int:
        """Return how many cases were begun and have not ended."""
        return self._under_way

    def after(self, ending: Callable[[], bool]) -> None:
        """Do what ends several cases, and begin others in their place only after that, if it returns that they may.

        What is done in a row finds its code and data in the processor's caches: with endings and beginnings in turns,
        a case cost a fifth more.
        """
        self._filling = True
        try:
            may_begin = ending()
        finally:
            self._filling = False
        if may_begin:
            self._fill()

    # ------------------------------------------------------------------------------------------------------- beginning

    def _fill(self) -> None:
        # A case may end before it has begun, so to speak: the loop below then goes on, and not one within it.
        if self._filling:
            return
        self._filling = True
        try:
            self._begin_some()
        except BaseException as error:  # noqa: BLE001 - raised by `run`, once what is under way has ended
            self.fail(error)
        finally:
            self._filling = False
        self._settle()

    def _begin_some(self) -> None:
        begun = 0
        while begun < AT_ONCE:
            row = self._row()
            if not row:
                return
            begun += len(row)
            while row and not self._stopped and not self._held:
                self._under_way += 1
                self._carry_out(*row.popleft())
            self._ready.extendleft(reversed(row))
        self._alarm.set(0)

    def _row(self) -> deque[tuple[Planned, int]]:
        """Take as many cases as may begin now and there is room for, up to a row; on a timetable one by one."""
        row: deque[tuple[Planned, int]] = deque()
        room = 0 if self._stopped or self._held else min(_ROW, self._concurrency - self._under_way)
        while len(row) < room and (due := self._due()) is not None:
            row.append(due)
            if due[0].at_ns is not None:  # It is late as it is: the next record is read when this one is on its way.
                break
        return row

    def _due(self) -> tuple[Planned, int] | None:
        """Return the next case that may begin now, and since when it could have; None where none can."""
        if self._ready:
            return self._ready.popleft()
        while self._waiting < LOOKAHEAD * self._concurrency and (planned := self._taken()) is not None:
            session = planned.case.session
            if session is None or session not in self._sessions:
                if session is not None:
                    self._sessions[session] = deque()
                return planned, 0
            self._sessions[session].append(planned)
            self._waiting += 1
        return None

    def _taken(self) -> Planned | None:
        """Take a case from the source unless its moment is still to come; then see to it that it is not missed."""
        if self._next is None:
            if self._exhausted:
                return None
            self._next = next(self._source, None)
            if self._next is None:
                self._exhausted = True
                return None
            # The timetable begins with the first case at hand: to find and read it may take long.
            self._began_ns = self._began_ns or now_ns()
        if self._next.at_ns is not None and self._ends_ns is not None and self._next.at_ns >= self._ends_ns:
            self.cut, self._next, self._exhausted = self._next.case, None, True
            return None
        if self._next.at_ns is not None and (moment := self._began_ns + self._next.at_ns) > now_ns():
            self._alarm.set(moment)
            return None
        planned, self._next = self._next, None
        return planned

    def _carry_out(self, planned: Planned, ready_ns: int) -> None:
        case = planned.case
        lateness = None if planned.at_ns is None else self._late(planned.at_ns, ready_ns)

        def done(result: T) -> None:
            self._done(case.session, result)

        try:
            self._begin(case, lateness, done, self._failed)
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._failed(error)

    def _late(self, at_ns: int, ready_ns: int) -> Lateness:
        """Return how late a case is begun, which could be since a moment (0 where nothing was waited for)."""
        now, moment = now_ns(), self._began_ns + at_ns
        self.begun += 1
        self.planned_ns = max(self.planned_ns, at_ns)
        if ready_ns <= moment:
            self.spent_ns = max(self.spent_ns, now - self._began_ns)
        return Lateness(max(0, now - max(moment, ready_ns)) / 1e6, max(0, now - moment) / 1e6)

    # ---------------------------------------------------------------------------------------------------------- ending

    def _done(self, session: str | None, result: T) -> None:
        if self._over is None or self._over.done():
            return
        self._under_way -= 1
        if session is not None:
            self._free(session)
        try:
            self._finished(result)
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self.fail(error)
        self._fill()

    def _free(self, session: str) -> None:
        waiting = self._sessions[session]
        if waiting:
            self._waiting -= 1
            self._ready.append((waiting.popleft(), now_ns()))
        else:
            del self._sessions[session]

    def _failed(self, error: BaseException) -> None:
        self._under_way -= 1
        self.fail(error)
        self._settle()

    def _settle(self) -> None:
        """End where nothing is under way and nothing will be."""
        if self._under_way or self._filling:
            return
        if self._stopped or (self._exhausted and not self._ready and not self._waiting):
            self._end()

    def _end(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
