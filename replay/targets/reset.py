"""A side that keeps something is given its first state back before every case, or before every session.

Decisions:

- The reset belongs to its side, and whoever sends to it waits for it; that waiting is queueing, and no latency.
- One that fails, or is not over in time, is the side's error at the case which waited for it: that case is not sent.
- Between sessions, cases without one are sessions of their own. That the cases of a session come one after the other is
  the engine's business.
- A command gets the variables of the side and its folder; one of a started command lives in the present, not at the
  instant of the case.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from replay.models import Case, Done, Failed, Failure, Headers, Observation, Request, TargetSpec
from replay.services.commands import filled, inherited, words_of
from replay.targets.layers import Send
from replay.targets.process import Tail
from replay.wire import WireClient
from replay.wire.clock import now_ns

_BAD: Final = 400
_LONGEST: Final = 400
_NO_SESSION: Final = (None, 0)


class Resets:
    """Sends cases after a reset. Cases come one at a time: the engine sees to that."""

    def __init__(self, spec: TargetSpec, client: WireClient, send: Send) -> None:
        assert spec.reset is not None  # noqa: S101 - whoever makes this has looked
        self._spec = spec
        self._reset = spec.reset
        self._client = client
        self._send = send
        self._session: tuple[str | None, int] = _NO_SESSION
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, case: Case, added: Headers, done: Done, failed: Failed, *, goes_on: bool = False) -> None:
        """Reset the side where this case wants that, and send it; a scenario that goes on never does."""
        session = (case.session, case.turn)  # a session that is sent once more begins with the first state again
        same = case.session is not None and session == self._session and self._reset.between == "sessions"
        self._session = session
        if goes_on or same:
            self._send(case, added, done, failed)
            return
        task = asyncio.get_running_loop().create_task(self._after_reset(case, added, done, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after_reset(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        begun = now_ns()
        try:
            why = await self._carry_out()
            waited_ms = (now_ns() - begun) / 1e6
            if why:
                self._session = _NO_SESSION  # What comes next of this session finds no state to go on with.
                done(Observation(error=Failure("exception", f"reset: {why}"[:_LONGEST])))
                return
            self._send(case, added, lambda seen: done(_delayed(seen, waited_ms)), failed)
        except Exception as error:  # noqa: BLE001 - whoever waits for the outcome is told, whatever it is
            failed(error)

    async def _carry_out(self) -> str:
        """Return why the reset failed; empty where it did not."""
        seconds = self._reset.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await (self._request(self._reset.request) if self._reset.request else self._command())
        except TimeoutError:
            return f"it was not over within {seconds:g} s"

    async def _request(self, text: str) -> str:
        method, _, path = text.partition(" ")
        seen = await self._client.exchange(Request(method, path))
        if seen.error is not None:
            return f"{text}: {seen.error.kind}, {seen.error.message}"
        return f"{text} answered {seen.status}" if (seen.status or _BAD) >= _BAD else ""

    async def _command(self) -> str:
        words = words_of(self._reset.run or "")
        started = self._spec.started
        if started is not None:
            words = filled(words, int(started.address.rpartition(":")[2]))
        env: Mapping[str, str] = started.env if started is not None else {**inherited(), **self._spec.env}
        cwd = started.cwd if started is not None else self._spec.cwd
        output, printed = os.pipe()
        tail = Tail(asyncio.get_running_loop(), output)
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
            )
            return await _outcome(words[0], process, tail)
        except OSError as error:
            return f"{words[0]}: {(error.strerror or str(error)).lower()}"
        finally:
            os.close(printed)
            tail.close()


async def _outcome(name: str, process: asyncio.subprocess.Process, tail: Tail) -> str:
    """Wait for a reset; return what went wrong with it. One that is given up is ended, with what it started.

    Its own end counts, and not that of its output: what it has started anew, such as a database, may hold that open.
    """
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code == 0:
        return ""
    told = tail.text()
    return f"{name} ended with {code}" + (f": {told}" if told else "")


def _delayed(seen: Observation, queued_ms: float) -> Observation:
    timing = seen.timing and replace(seen.timing, queued_ms=seen.timing.queued_ms + queued_ms)
    return replace(seen, timing=timing)
