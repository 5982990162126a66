"""Several processes that share a run's cases: each sends, compares and keeps its results in a journal of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from replay.engine.loop import event_loop
from replay.engine.plan import Plan, Sent, Watch
from replay.engine.sender import Outlet, Sender, divided, left_of
from replay.engine.signals import SIGNALS
from replay.errors import ReplayError, RunError, SettingsError
from replay.models import Intake, OutcomeName, Side
from replay.sampling import Portion
from replay.store.sqlite import SqliteStore

_FAILED: Final[Mapping[OutcomeName, tuple[Side, ...]]] = {
    "old_error": ("old",), "new_error": ("new",), "both_error": ("old", "new"),
}  # fmt: skip
TELL_SECONDS: Final = 0.2
TAKE_IN_SECONDS: Final = 0.5
LEAVE_SECONDS: Final = 10.0
"""How long a process may take to end once it was told to: those under way have two seconds, the rest is tidying up."""


class Crew:
    """The processes of one run, seen from the one that answers for it.

    They are forked, so that they know the plan without being told. Results pass through files and not through pipes:
    what is told here are their outcomes, and how the sending went.
    """

    def __init__(self, plan: Plan, store: SqliteStore, watch: Watch, *, resumed: bool) -> None:
        if "fork" not in multiprocessing.get_all_start_methods():
            raise SettingsError("--workers needs processes that can be forked", hint="leave it out on this system")
        self._plan = plan
        self._store = store
        self._watch = watch
        self._resumed = resumed
        self._members: dict[Connection, BaseProcess] = {}
        self._sent: list[Sent] = []
        self._whole: set[int] = set()
        """The processes that said that they had kept everything."""
        self._failures: Counter[Side] = Counter()
        self._stopped = False
        self._because = ""
        self._error: BaseException | None = None
        self._taken_in = 0.0

    def run(self, begun: Callable[[], None]) -> Sent:
        """Have everything sent; `begun` is called just before. Raise TargetError where a side cannot be started."""
        count, over = self._plan.sending.workers, False
        try:
            for index in range(count):
                self._fork(Portion(index, count))
            ready = self._all_ready()
            if ready or (self._stopped and self._error is None):
                begun()
            if ready:
                self._tell_all(True)
                self._follow()
            over = True
        finally:
            self._end(at_once=not over)
        if self._error is not None:
            raise self._error
        if not ready and not self._stopped:
            raise RunError(f"nothing was sent: {_together(self._sent).ended_because}")
        whole = _together(self._sent)
        return replace(whole, ended_because=self._because or whole.ended_because)

    def stop(self) -> None:
        """Have every process send nothing more, and end in order."""
        self._stopped = True
        for process in self._members.values():
            process.terminate()

    def flush(self) -> None:
        """End every process at once; its journal keeps what is done, for `--resume`."""
        for process in self._members.values():
            process.kill()

    def _fork(self, portion: Portion) -> None:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        member = _Member(divided(self._plan, portion), self._store, portion, theirs, resumed=self._resumed)
        others = (ours, *self._members)
        process = context.Process(target=member.main, args=(others,), daemon=True)
        # Until it has handlers of its own, a signal would meet those of this process, and be lost in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            process.start()
            self._members[ours] = process
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        theirs.close()
        if self._stopped:
            process.terminate()

    def _all_ready(self) -> bool:
        """Wait until every process has started its sides; False where one could not."""
        heard = {self._answer(connection) for connection in self._members}
        return heard == {"ready"}

    def _answer(self, connection: Connection) -> str:
        """Return what a process says of its start: `ready`, or `over` where there will be nothing more."""
        while (word := self._heard(connection)) == "outcomes":
            pass
        return word

    def _tell_all(self, word: object) -> None:
        for connection in self._members:
            with suppress(OSError):
                connection.send(word)

    def _follow(self) -> None:
        open_ones = list(self._members)
        while open_ones:
            for connection in wait(open_ones, timeout=TAKE_IN_SECONDS):
                if self._heard(connection) == "over":  # type: ignore[arg-type]
                    open_ones.remove(connection)  # type: ignore[arg-type]
            if time.monotonic() - self._taken_in >= TAKE_IN_SECONDS:
                self._store.take_in(self._plan.record.id)
                self._taken_in = time.monotonic()

    def _heard(self, connection: Connection) -> str:
        """Take one message in, and return what it is: `ready`, `outcomes`, or `over` once there will be no more."""
        try:
            name, content = connection.recv()
        except (EOFError, OSError):
            self._lost(self._members[connection])
            return "over"
        if name == "outcomes":
            for outcome, n in content.items():
                self._watch(outcome, n)
                self._count_failures(outcome, n)
        elif name == "sent":
            self._sent.append(content)
            self._whole.add(list(self._members).index(connection))
            if not content.complete:
                self.stop()
            return "over"
        elif name == "error":
            self._error = self._error or content
            self.stop()
            return "over"
        return str(name)

    def _lost(self, process: BaseProcess) -> None:
        process.join(LEAVE_SECONDS)
        code = process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        self._sent.append(Sent(ended_because=f"a worker process ended {how}"))
        self.stop()

    def _count_failures(self, outcome: OutcomeName, n: int) -> None:
        """Stop once a side has failed as often as it may, in whichever process."""
        for side in _FAILED.get(outcome, ()):
            self._failures[side] += n
            spec = self._plan.sides.get(side)
            limit = spec.stop_after if spec is not None else None
            if limit is not None and self._failures[side] >= limit and not self._stopped:
                self._because = f"{side} failed {self._failures[side]} times, and is to be left alone after {limit}"
                self.stop()

    def _end(self, *, at_once: bool) -> None:
        """End what is still there, and have the store take in what was kept."""
        if at_once:
            self.stop()
        self._tell_all(False)
        deadline = time.monotonic() + LEAVE_SECONDS
        for connection, process in self._members.items():
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            connection.close()
        self._members.clear()
        self._store.take_in(self._plan.record.id, ended=True, whole=self._whole)


class _Member:
    """One of the processes, seen from inside."""

    def __init__(
        self, plan: Plan, store: SqliteStore, portion: Portion, connection: Connection, *, resumed: bool
    ) -> None:
        self._plan = plan
        self._store = store
        self._portion = portion
        self._connection = connection
        self._resumed = resumed
        self._outcomes: Counter[OutcomeName] = Counter()
        self._sender: Sender | None = None
        self._stopped = False

    def _stop(self) -> None:
        self._stopped = True
        if self._sender is not None:
            self._sender.stop()

    def main(self, others: Iterable[Connection]) -> None:
        """Do this process's part, and tell how it went."""
        for other in others:
            other.close()  # Or nobody would notice that the process at its far end is gone.
        # The terminal interrupts every process; the one that answers for the run tells the others what to do.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda _number, _frame: self._stop())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        try:
            self._tell("sent", self._send())
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody sees it
            self._tell("error", _portable(error))

    def _send(self) -> Sent:
        run = self._plan.record.id
        journal = self._store.journal(run, self._portion.index)
        with left_of(self._store.path, run, resumed=self._resumed) as left:
            outlet = Outlet(journal, self._watch, left, resumed=self._resumed)
            self._sender = sender = Sender(self._plan, outlet, self._portion)
            try:
                with asyncio.Runner(loop_factory=event_loop()) as runner:
                    return runner.run(self._on_loop(sender))
            finally:
                journal.close()
                self._tell_outcomes(sender)

    async def _on_loop(self, sender: Sender) -> Sent:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        if self._stopped:
            sender.stop()
        telling = loop.create_task(self._keep_telling(sender))
        try:
            return await sender.run(self._wait_for_others)
        finally:
            telling.cancel()

    def _wait_for_others(self) -> None:
        self._tell("ready", None)
        if not self._connection.recv():
            os._exit(0)

    def _watch(self, outcome: OutcomeName, n: int = 1) -> None:
        self._outcomes[outcome] += n

    async def _keep_telling(self, sender: Sender) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self._tell_outcomes(sender)

    def _tell_outcomes(self, sender: Sender) -> None:
        outcomes, self._outcomes = self._outcomes, Counter()
        if not self._tell("outcomes", outcomes):
            sender.stop()  # Nobody answers for the run any more: what is done is in the journal.

    def _tell(self, name: str, content: Any) -> bool:
        try:
            self._connection.send((name, content))
        except OSError:
            return False
        return True


def _portable(error: BaseException) -> BaseException:
    """Return an error that can be told to another process; a mistake of ours with where it happened."""
    if isinstance(error, ReplayError):
        return error
    return RuntimeError("".join(traceback.format_exception(error)))


def _together(parts: Iterable[Sent]) -> Sent:
    """Return what several processes tell as one."""
    parts = list(parts)
    whole = parts[0] if parts else Sent(ended_because="no process sent anything")
    for part in parts[1:]:
        whole = replace(
            whole,
            complete=whole.complete and part.complete,
            ended_because=whole.ended_because or part.ended_because,
            silent={**whole.silent, **part.silent},
            clock_notes=_either(whole.clock_notes, part.clock_notes),
            beyond=Counter(whole.beyond) + Counter(part.beyond),
            intakes=tuple(map(_sum, whole.intakes, part.intakes)),
            targets={**part.targets, **whole.targets},
            results=whole.results + part.results,
            warmed=whole.warmed + part.warmed,
            begun=whole.begun + part.begun,
            planned_seconds=max(whole.planned_seconds, part.planned_seconds),
            spent_seconds=max(whole.spent_seconds, part.spent_seconds),
        )
    return whole


def _either(one: Mapping[Side, str], other: Mapping[Side, str]) -> dict[Side, str]:
    """Return what is said of each side's clock: a process may have seen nothing that was worth a word."""
    return {side: one.get(side) or other.get(side, "") for side in (*one, *other)}


def _sum(one: Intake, other: Intake) -> Intake:
    return Intake(one.file, one.loaded + other.loaded, dict(Counter(one.skipped) + Counter(other.skipped)))
