"""Sends a portion of a run's cases from one process, and has the results recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from signal import SIGINT

from replay.engine.dual_run import DualRun
from replay.engine.pacing import AsRoomAllows, Planned, Turns
from replay.engine.plan import Plan, Selected, Sent, Watch
from replay.engine.rebinding import Sessions
from replay.engine.recording import Recorder, Sink, Tell
from replay.engine.sides import Parties, parties, started
from replay.engine.signals import cut_off
from replay.errors import InputError, RunError, StoreError
from replay.models import Case, Intake, Result, Side
from replay.sampling import Portion
from replay.store.sqlite import SqliteStore

_TIME_OVER = "the time was over before every case had been sent once"


WHOLE = Portion()


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where results go: to a sink, and their outcomes to whoever watches; `left` tells which cases are to be sent.

    `tell` is told the results as they are kept, in their order.
    """

    sink: Sink
    watch: Watch
    left: Callable[[Case], bool] = lambda _case: True
    tell: Tell = lambda _results: None
    resumed: bool = False


class Sender:
    """One process's part in a run."""

    def __init__(self, plan: Plan, outlet: Outlet, portion: Portion = WHOLE) -> None:
        self._plan = plan
        self._outlet = outlet
        self._portion = portion
        self._dual: DualRun | None = None
        self._recorder: Recorder | None = None
        self._stopped = False
        self._starting: asyncio.Task[None] | None = None
        self._turn: Side | None = None
        """The side that is being started, or was last."""
        self._results = 0
        self._resent = 0
        """How many results stand in the place of one that was there before."""

    def stop(self) -> None:
        """Send nothing more, and end in order."""
        self._stopped = True
        if self._starting is not None:
            self._starting.cancel()
        if self._dual is not None:
            self._dual.stop()

    def flush(self) -> None:
        """Keep what is waiting to be kept, at once."""
        if self._recorder is not None:
            self._recorder.flush()

    async def run(self, begun: Callable[[], None] = lambda: None) -> Sent:
        """Start both sides, call `begun`, and send. Raise TargetError before that, RunError or StoreError after.

        Where it is stopped before both sides have started, CutOffError says which one was waited for.
        """
        async with self._started() as sides:
            begun()
            self._dual = dual = DualRun(sides, self._plan.referee, self._plan.sending)
            if self._stopped:
                dual.stop()
            warmed = 0
            try:
                with having_sent():
                    warmed = await dual.warm(self._warming()) if self._plan.sending.warmup else 0
                    await self._record(dual)
            except (RunError, InputError) as error:
                dual.end(error)
            return replace(dual.sent(warmed), intakes=self._intakes(), results=self._results - self._resent)

    def _intakes(self) -> tuple[Intake, ...]:
        """Return what was read here; where every process reads everything, one of them tells it."""
        told = tuple(self._plan.cases.intakes)
        return tuple(Intake(it.file, 0) for it in told) if self._reads_all and self._portion.index else told

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Parties]:
        sides = parties(self._plan.sides, concurrency=self._plan.sending.concurrency)
        async with AsyncExitStack() as stack:
            self._starting = asyncio.ensure_future(started(sides, stack, self._wait_for))
            if self._stopped:
                self._starting.cancel()
            try:
                await self._starting
            except asyncio.CancelledError:
                if not self._stopped:
                    raise
                # Which signal it was is known to who has it.
                raise cut_off(SIGINT, f"{self._turn or 'no side'} was being started") from None
            finally:
                self._starting = None
            yield sides

    def _wait_for(self, side: Side) -> None:
        self._turn = side

    async def _record(self, dual: DualRun) -> None:
        outlet = self._outlet
        redact, sides = self._plan.redact, list(dual.sides.values())

        def redacted(results: Sequence[Result]) -> Sequence[Result]:
            # Asked each time: a login may have been made anew meanwhile.
            return redact(results, frozenset().union(*[party.target.secrets() for party in sides]))

        self._recorder = recorder = Recorder(outlet.sink, self._plan.record.id, redacted, dual, outlet.tell)

        def finished(result: Result) -> None:
            recorder.add(result)
            self._results += 1
            outlet.watch(result.outcome)

        planned = self._planned(dual)
        # Looking ahead takes its time before the first case, and must not make it late.
        first = list(islice(planned, 1))
        try:
            await dual.run(chain(first, planned), finished, seconds=self._plan.seconds)
        finally:
            await recorder.close()
        if dual.cut is not None:
            dual.exhausted = True
            if dual.cut.turn == 1:
                dual.end(RunError(_TIME_OVER))

    def _planned(self, dual: DualRun) -> Iterator[Planned]:
        """Return this process's cases that have no result yet, each with its moment."""
        ahead, mine = dual.sessions, self._mine(dual)
        coming = mine if ahead is None else ahead.through(mine, itemgetter(0))
        # Every step on the way costs each case: what would pass all of them on is left out, here and in `_mine`.
        return self._left(coming, ahead) if self._outlet.resumed else coming

    def _left(self, coming: Iterable[Planned], ahead: Sessions | None) -> Iterator[Planned]:
        """Yield what has no result from before the run was cut off, or is needed; moments begin with the first."""
        shift: int | None = None
        for case, at_ns in coming:
            if not self._is_left(case, ahead):
                if ahead is not None:
                    ahead.pass_over(case)
                continue
            if at_ns is not None and shift is None:
                shift = at_ns  # What was sent before is not waited for again.
            yield Planned(case, at_ns if at_ns is None else at_ns - (shift or 0))

    def _mine(self, dual: DualRun) -> Iterator[Planned]:
        """Return this process's cases, each with its moment."""
        turns = Turns(self._cases(), self._plan.repeat, self._plan.seconds)
        cases = dual.readable(turns)
        if not self._timed and self._plan.seconds is None:
            return map(Planned, cases)
        return self._timetable(dual, turns, cases)

    def _timetable(self, dual: DualRun, turns: Turns, cases: Iterable[Case]) -> Iterator[Planned]:
        """Yield this process's cases of those that it reads, each with its moment, until the time is over."""
        moment, timed, reads_all = self._plan.sending.pace.moments(), self._timed, self._reads_all
        for number, case in enumerate(cases):
            # Cases that are not sent take no time. All others do, also those of other processes: moments are of all.
            at_ns = moment(case) if timed and not dual.refuses(case) else None
            if not reads_all or self._portion.has(case.session, number):
                yield Planned(case, at_ns)
        if turns.cut_short:
            dual.end(RunError(_TIME_OVER))

    def _is_left(self, case: Case, ahead: Sessions | None) -> bool:
        """Tell whether a case is to be sent: it has no result, or a later one of its session has none and needs it."""
        if self._outlet.left(case):
            return True
        if ahead is None or not any(map(self._outlet.left, ahead.users(case))):
            return False
        self._resent += 1
        return True

    def _warming(self) -> Iterator[Case]:
        """Yield what this process may warm up with: not what another one does."""
        index, count = self._portion.index, self._portion.count
        return islice(iter(self._plan.cases), index, None, count)

    def _cases(self) -> Iterable[Case]:
        return self._plan.cases if self._reads_all else PartOf(self._plan.cases, self._portion)

    @property
    def _reads_all(self) -> bool:
        """Tell whether this process reads the cases of all: alone, or since a timetable is made from all of them."""
        return self._portion.count == 1 or self._timed

    @property
    def _timed(self) -> bool:
        """Tell whether there is a timetable."""
        return not isinstance(self._plan.sending.pace, AsRoomAllows)


@contextmanager
def having_sent() -> Iterator[None]:
    """Give a store that fails the exit code of a run that did not complete: cases have been sent."""
    try:
        yield
    except StoreError as error:
        error.exit_code = RunError.exit_code
        raise


@contextmanager
def left_of(path: Path, run: str, *, resumed: bool) -> Iterator[Callable[[Case], bool]]:
    """Give what tells whether a case has no result yet.

    It asks by a connection of its own: one must not pass through a fork, nor wait for what is being written.
    """
    if not resumed:
        yield lambda _case: True
        return
    with SqliteStore.open(path, create=False) as reader:
        yield lambda case: not reader.done(run, case.identity)


class PartOf:
    """A part of the cases, read anew at every iteration."""

    def __init__(self, cases: Selected, portion: Portion) -> None:
        self._cases = cases
        self._portion = portion

    def __iter__(self) -> Iterator[Case]:
        return self._cases.part(self._portion)


def divided(plan: Plan, portion: Portion) -> Plan:
    """Return the plan of one of several processes: its share of what is under way, and of what a side may get."""
    sides = {side: spec.shared(portion) for side, spec in plan.sides.items()}
    concurrency, warmup = map(portion.share, (plan.sending.concurrency, plan.sending.warmup))
    return replace(plan, sides=sides, sending=replace(plan.sending, concurrency=concurrency, warmup=warmup))
