"""The process that looks after one command: prepares for it, starts it, keeps what it prints, and ends it.

It is forked, so that it can take secrets out of what is printed without being told them, and so that a command ends in
order even where this tool is killed: its end of the pipe then closes. Whatever it learns it tells through that pipe,
as a word and what belongs to it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from replay.services import processes
from replay.services.clock import remove_clock, tidy_up
from replay.services.log import Log
from replay.services.records import Record

SETUP_SECONDS: Final = 900.0
"""How long each command of `setup` may take."""
TEARDOWN_SECONDS: Final = 60.0
GONE_WELL: Final = "exit code 0"
_LOOK_SECONDS: Final = 0.05
_CHUNK: Final = 65536
_CHUNKS: Final = 32
_ENDED: Final = os.WEXITED | os.WNOHANG | os.WNOWAIT
_MOST_EXIT_CODES: Final = 255
_MOST_DESCRIPTORS: Final = 1 << 20
_PR_SET_CHILD_SUBREAPER: Final = 36
HELD_BACK: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that a new keeper has no handlers for yet: whoever forks it holds them back meanwhile."""
_C_LIBRARY: Final = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Order:
    """All that a keeper has to know."""

    words: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    clock_env: Mapping[str, str]
    """Variables for the command alone: what prepares for it lives in the present."""
    token: str
    setup: Sequence[Sequence[str]] = ()
    teardown: Sequence[Sequence[str]] = ()
    line: str | None = None
    stop: str = "SIGTERM"
    grace: float = 5.0
    moment: Path | None = None
    """The file that the command's clock follows: it goes with the command."""


@dataclass(slots=True)
class Keeper:
    """Looks after one command. Belongs to the process that it runs in."""

    order: Order
    control: Connection
    log: Log
    _output: int = -1
    _printing: int = -1
    _over: bool = False
    """Whoever ordered the command wants its end, or is gone."""
    _awaited: str | None = field(default=None)
    _mine: int = 0
    """The command that was begun last: whoever began it waits for it."""
    not_undone: int = 0
    """Which command of the teardown was the first to fail, counted from 1; 0 where none did.

    It becomes the exit code: the pipe is closed by then.
    """

    def main(self) -> None:
        """Carry the order out. Whatever happens, nothing that was started is left behind."""
        _adopt_orphans()
        self._output, self._printing = os.pipe()
        os.set_blocking(self._output, False)
        self._awaited = self.order.line
        self._record(0).write()
        try:
            if self._prepared():
                self._serve()
        finally:
            for number, words in enumerate(self.order.teardown, start=1):
                if how := self._carry_out(words, TEARDOWN_SECONDS, although_over=True):
                    self.log.note(f"teardown, {words[0]}: {how}")
                    self.not_undone = self.not_undone or number
            record = self._record(0)
            record.end()
            for pid in processes.end_descendants(os.getpid()):
                tidy_up(pid)
            record.erase()
            if self._over:
                remove_clock(self.order.moment)  # Else the run still sets it, and finds out at its next case.
            self._drain()
            self.log.close()
            self._tell("over")

    def _record(self, pid: int) -> Record:
        me = os.getpid()
        return Record(self.order.token, pid, processes.born(pid) if pid else "", me, processes.born(me))

    def _prepared(self) -> bool:
        for words in self.order.setup:
            if self._over:
                return False
            how = self._carry_out(words, SETUP_SECONDS)
            if how:
                self._tell("setup", f"{words[0]}: {how}")
                return False
        return not self._over

    def _carry_out(self, words: Sequence[str], seconds: float, *, although_over: bool = False) -> str:
        """Run a command to its end; return what went wrong with it."""
        try:
            process = self._begin(words, self.order.env)
        except OSError as error:
            return f"it cannot be started: {(error.strerror or str(error)).lower()}"
        deadline = time.monotonic() + seconds
        while not _has_ended(process) and time.monotonic() < deadline and (although_over or not self._over):
            self._look()
        if _has_ended(process):
            # What it left running may be what it was to prepare, such as a database.
            return "" if process.wait() == 0 else how_ended(process.returncode)
        self._end(process, "SIGTERM", self.order.grace)
        return "it was stopped" if self._over else f"it did not end within {seconds:g} s"

    def _serve(self) -> None:
        try:
            process = self._begin(self.order.words, {**self.order.env, **self.order.clock_env})
        except OSError as error:
            self._tell("failed", f"{self.order.words[0]}: {(error.strerror or str(error)).lower()}")
            return
        try:
            record = self._record(process.pid)
            record.write()
            self._tell("started", (process.pid, record.born))
            self._follow(process)
        finally:
            self._end(process, self.order.stop, self.order.grace)
            tidy_up(process.pid)

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        while not self._over:
            self._look()
            if _has_ended(process):
                self._drain()
                how = how_ended(_code_of(process))
                self.log.note(f"the command has ended: {how}")
                self._tell("ended", how)
                return

    def _begin(self, words: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - what the settings say, and no shell
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=self._printing,
            stderr=self._printing,
            cwd=self.order.cwd,
            env=dict(env),
            start_new_session=True,
        )
        self._mine = process.pid
        return process

    def _end(self, process: subprocess.Popen[bytes], signal_name: str, grace: float) -> None:
        """Ask a command to end, and all that it has started; after a while, make it."""
        # Until it is waited for, its number is nobody else's, and neither is its group's.
        if not _has_ended(process):
            _signal(process, signal.Signals[signal_name])
            deadline = time.monotonic() + grace
            while not _has_ended(process) and time.monotonic() < deadline:
                self._look()
        _signal(process, signal.SIGKILL)
        process.wait()

    def _look(self) -> None:
        """Wait a little, take in what is printed, and see whether the end is wanted."""
        watched: list[Connection | int] = [self._output] if self._over else [self._output, self.control]
        ready = wait(watched, timeout=_LOOK_SECONDS)
        if self._output in ready:
            self._drain()
        if self.control in ready:
            with suppress(EOFError, OSError):
                self.control.recv()
            self._over = True
        self._let_rest()

    def _let_rest(self) -> None:
        """Wait for what has ended of the orphans, which nobody else does."""
        with suppress(ChildProcessError):
            while (told := os.waitid(os.P_ALL, 0, _ENDED)) is not None and told.si_pid != self._mine:
                os.waitpid(told.si_pid, 0)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            # Not to the end of it: a command that never stops printing must not keep this from ending it.
            for _ in range(_CHUNKS):
                self._printed(self.log.add(os.read(self._output, _CHUNK)))

    def _printed(self, lines: Sequence[str]) -> None:
        if self._awaited is not None and any(self._awaited in line for line in lines):
            self._awaited = None
            self._tell("line")

    def _tell(self, word: str, content: object = None) -> None:
        with suppress(OSError):
            self.control.send((word, content))


def _adopt_orphans() -> None:
    """Become the parent of whatever loses its own below, such as daemons that have written over their mark."""
    with suppress(AttributeError):  # Other systems have no such thing; there, the mark is all that there is.
        _C_LIBRARY.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process has ended, and leave it to be waited for."""
    return process.returncode is not None or os.waitid(os.P_PID, process.pid, _ENDED) is not None


def _code_of(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that has ended, or its signal as a negative number."""
    told = os.waitid(os.P_PID, process.pid, _ENDED)
    if told is None:
        return 0
    return told.si_status if told.si_code == os.CLD_EXITED else -told.si_status


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def how_ended(code: int) -> str:
    """Return how a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def forked(order: Order, ours: Connection, theirs: Connection, log: Log) -> int:
    """Fork a keeper; return its number. `ours` is the end of the pipe that it must not hold.

    Signals that could end the run are to be held back until its number is known.
    """
    with warnings.catch_warnings():
        # Newer versions of Python warn where there are threads: a keeper waits for no lock that one of them may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        theirs.close()
        return pid
    keeper = Keeper(order, theirs, log)
    try:
        ours.close()
        _let_go(theirs.fileno(), log.fileno())
        keeper.main()
    except BaseException as error:  # noqa: BLE001 - it is told where somebody sees it
        with suppress(OSError):
            theirs.send(("failed", f"it cannot be looked after: {error}"))
    finally:
        os._exit(min(keeper.not_undone, _MOST_EXIT_CODES))


def _let_go(*kept: int) -> None:
    """Hold nothing that is another's: neither the terminal, nor a store, nor a lock, nor the ends of other pipes."""
    os.setsid()
    for number in HELD_BACK:
        # Not ignored: what is ignored here would be in every command as well, and so would be what is held back.
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, _MOST_DESCRIPTORS)
