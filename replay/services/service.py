"""One started command, seen from the run that needs it: begun, waited for, ended."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from replay.errors import TargetError
from replay.inert import printable
from replay.models import ReadySpec, Side, Started, TargetSpec
from replay.services.asking import status_of
from replay.services.clock import LEFT_ALONE, OBEYING, Clock, clock_for, remove_clock
from replay.services.commands import PORT, environment, filled, shown_command, words_of
from replay.services.keeper import GONE_WELL, HELD_BACK, SETUP_SECONDS, TEARDOWN_SECONDS, Order, forked
from replay.services.log import Log, last_lines
from replay.services.ports import address, clash, free_port, listening
from replay.services.records import clock_folder

ATTEMPTS: Final = 3
"""How many ports are tried where each is taken just before the command could have it."""
_LOOK_SECONDS: Final = 0.02
_SLACK_SECONDS: Final = 10.0
_LONGEST_LINE: Final = 200
"""Of each line of output that is told, so much is shown."""
_BAD: Final = 400
_NOT_STARTED: Final = "it has not been started yet"
_BY_HAND: Final = "run it by hand to see"
_FOREGROUND: Final = "it has to stay in the foreground, and not to go on as a daemon"
_LISTEN: Final = "it has to listen on {port}, which is also in $PORT"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command needs beside its settings: where its output goes, without what, and what time it begins at."""

    log: Path
    redact: Callable[[str], str]
    instant: datetime


class NotReadyError(Exception):
    """A command that did not get ready; message and hint are fit for people."""

    def __init__(self, fact: str, hint: str = _BY_HAND) -> None:
        super().__init__(fact)
        self.hint = hint


class PortTakenError(NotReadyError):
    """It did not, since somebody else has its port."""


class Service:
    """One side's command. Paths in its spec are absolute, and a commit is checked out."""

    def __init__(self, side: Side, spec: TargetSpec, surroundings: Surroundings) -> None:
        self.side = side
        self._spec = spec
        self._ready = spec.ready or ReadySpec()
        self._surroundings = surroundings
        self._words = words_of(spec.run or "")
        self._control: Connection | None = None
        self._keeper = 0
        self._pid = (0, "")
        self._line_seen = False
        self._port = 0
        self._env: dict[str, str] = {}
        self._clock = Clock({}, None, "")
        self._since = 0
        """How large its log was when this start began: what stands before that is another's."""
        self.lacks = _NOT_STARTED
        """Why it is not ready yet; empty once it is."""
        self.not_undone = ""
        """Which command of its teardown failed, and where that is told; empty where none did."""

    @property
    def log(self) -> Path:
        """Return where its output is."""
        return self._surroundings.log

    @property
    def prepares(self) -> bool:
        """Tell whether something is done before it starts, which another side's start should not come across."""
        return bool(self._spec.setup)

    def begin(self) -> None:
        """Have it started. Raise TargetError where that makes no sense."""
        self._port = self._spec.port or free_port()
        if self._spec.port and listening(self._port):
            raise self._failed(f"somebody listens on port {self._port} already", hint="end that, or take another port")
        if not Path(self._cwd).is_dir():
            raise self._failed(f"the working directory {self._cwd} is not there", hint="correct `cwd`")
        token = secrets.token_hex(16)
        self._env = environment(self._spec, self._port, token)
        if self._spec.paced_by_clock:
            self._clock = clock_for(clock_folder(token), self._env, self._surroundings.instant)
        else:
            self._clock = OBEYING if self._spec.freeze else LEFT_ALONE
        self._fork(self._order(token))

    def _order(self, token: str) -> Order:
        def all_of(commands: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
            return tuple(filled(words_of(command), self._port) for command in commands)

        return Order(
            words=filled(self._words, self._port),
            cwd=self._cwd,
            env=self._env,
            clock_env=self._clock.env,
            token=token,
            setup=all_of(self._spec.setup),
            teardown=all_of(self._spec.teardown),
            line=self._ready.line,
            stop=self._spec.stop,
            grace=self._spec.grace.total_seconds(),
            moment=self._clock.file,
        )

    def _fork(self, order: Order) -> None:
        try:
            log = Log(self._surroundings.log, self._surroundings.redact)
        except OSError as error:
            raise self._failed(f"its log cannot be written: {error.strerror}", place=self._surroundings.log) from None
        self._since = log.size
        self.lacks = "its setup is not over" if self._spec.setup else _NOT_STARTED
        log.note(f"{self.side}: {self._surroundings.redact(shown_command(tuple(order.words)))}")
        ours, theirs = Pipe()
        self._control, self._line_seen = ours, False
        # A signal that came now would be raised in the keeper as well, and end the run once more there; here, nobody
        # would know which keeper to wait for.
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        try:
            self._keeper = forked(order, ours, theirs, log)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
        log.close()

    @property
    def _cwd(self) -> str:
        return self._spec.cwd or str(Path.cwd())

    def wait(self) -> Started:
        """Wait until it is ready. Raise TargetError with the last that it printed where it does not get so."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                host = self._wait()
            except PortTakenError as error:
                self.end()
                if self._spec.port or attempt == ATTEMPTS:
                    raise self._failed(str(error), printed=True, hint="see which of them listens there") from None
                self.begin()
            except NotReadyError as error:
                self.end()
                raise self._failed(str(error), printed=True, hint=error.hint) from None
            else:
                return self._started(host)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _started(self, host: str) -> Started:
        self.lacks = ""
        return Started(
            address=address(host, self._port),
            pid=self._pid[0],
            born=self._pid[1],
            log=self._surroundings.log,
            log_since=self._since,
            env=self._env,
            cwd=self._cwd,
            moment=self._clock.file,
            clock_note=self._clock.note,
        )

    def _wait(self) -> str:
        """Return at which host it listens."""
        self._hear_of_start()
        within = self._ready.within.total_seconds()
        deadline, pause = time.monotonic() + within, _LOOK_SECONDS
        while time.monotonic() < deadline:
            self._listen(pause)
            ready, self.lacks = self._look()
            if ready:
                return ready
            pause = min(0.2, pause * 1.3)
        hint = "`ready: {within: 5m}` gives it more time" if self._is_told_port else _LISTEN
        raise NotReadyError(f"it was not ready within {within:g} s: {self.lacks}", hint)

    def _hear_of_start(self) -> None:
        seconds = SETUP_SECONDS * max(1, len(self._spec.setup)) + _SLACK_SECONDS
        deadline = time.monotonic() + seconds
        while not self._pid[0]:
            if time.monotonic() > deadline:
                raise NotReadyError("it did not start")
            self._listen(0.2)

    def _look(self) -> tuple[str, str]:
        """Return at which host it is ready; else, why it is not yet."""
        if self._ready.line is not None and not self._line_seen:
            return "", f"no line of its output holds '{self._ready.line}'"
        host = listening(self._port)
        if not host:
            return "", f"nobody listens on port {self._port}"
        if self._ready.path is None:
            return host, ""
        status = status_of(host, self._port, self._ready.path)
        if isinstance(status, str):
            return "", status
        return (host, "") if status < _BAD else ("", f"{self._ready.path} answers {status}")

    def _listen(self, seconds: float) -> None:
        """Take in what its keeper tells. Raise NotReadyError where it will never be ready."""
        if self._control is None:
            raise RuntimeError("begin() comes first")
        try:
            if self._control.poll(seconds):
                self._hear(*self._control.recv())
        except (EOFError, OSError):
            raise NotReadyError("the process that looks after it is gone") from None

    def _hear(self, word: str, content: Any) -> None:
        if word == "started":
            self._pid, self.lacks = content, "it has only just been started"
        elif word == "line":
            self._line_seen = True
        elif word == "setup":
            raise NotReadyError(f"its setup failed: {content}")
        elif word == "failed":
            raise NotReadyError(f"it cannot be started: {content}")
        elif word == "ended":
            raise self._ended(content)

    def _ended(self, how: str) -> NotReadyError:
        """Return why it ended before it was ready: it may have found its port taken, or another one that it wants."""
        found = clash(last_lines(self._surroundings.log, self._since))
        wanted = found is not None and (self._port in found.ports or (not found.ports and self._is_told_port))
        if wanted or listening(self._port):
            return PortTakenError(f"somebody else has port {self._port}: {how}")
        if found is None:
            return NotReadyError(f"it ended before it was ready: {how}", _FOREGROUND if how == GONE_WELL else _BY_HAND)
        hint = "end what listens there" + ("" if self._is_told_port else ", or have it listen on {port}")
        return NotReadyError(f"it ended before it was ready, for {found} is in use already: {how}", hint)

    def let_go(self) -> None:
        """Have its keeper end it."""
        if self._control is not None:
            self._control.close()
            self._control = None

    def end(self) -> None:
        """End it, and wait until its keeper is done; may be called twice."""
        self.let_go()
        if self._keeper:
            self._note_end(_await_end(self._keeper, self._patience()))
            self._keeper, self._pid = 0, (0, "")
        remove_clock(self._clock.file)
        self._clock = replace(self._clock, file=None)

    def _note_end(self, failed: int) -> None:
        """Take note of a teardown that failed: what the command leaves behind may meet the next run."""
        if failed:
            words = words_of(self._spec.teardown[min(failed, len(self._spec.teardown)) - 1])
            command = self._surroundings.redact(shown_command(words))
            self.not_undone = f"the teardown of {self.side} failed, at {command}: {self._surroundings.log} says how"

    def _patience(self) -> float:
        return self._spec.grace.total_seconds() + TEARDOWN_SECONDS * len(self._spec.teardown) + _SLACK_SECONDS

    @property
    def _is_told_port(self) -> bool:
        """Tell whether it wants the port that it is waited for at, as far as its settings show."""
        return self._spec.port is not None or any(PORT in it for it in (*self._words, *self._spec.env.values()))

    def _failed(
        self, fact: str, *, place: Path | None = None, hint: str | None = None, printed: bool = False
    ) -> TargetError:
        lines = last_lines(self._surroundings.log, self._since) if printed else []
        told = "".join(f"\n  | {printable(line, _LONGEST_LINE)}" for line in lines)
        where = f"\n  its output: {self._surroundings.log}" if printed else ""
        return TargetError(
            f"{self.side} cannot start: {fact}{told}{where}", place=str(place) if place else None, hint=hint
        )


def _await_end(pid: int, seconds: float) -> int:
    """Wait for a keeper; return its exit code, which is that of no keeper where it was killed or does not end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        if ended:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        time.sleep(0.01)
    return 0
