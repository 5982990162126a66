"""The worker processes of one side: one case at a time in each, replaced when they die."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import CLOCK_MONOTONIC, clock_gettime_ns
from typing import Any, Final, cast, get_args

from replay.errors import TargetError
from replay.models import ErrorKind, Failure, Observation, Timing
from replay.targets import worker
from replay.targets.process import Launch, WorkerDiedError, WorkerProcess

START_SECONDS: Final = 60.0
MAX_FAILED_STARTS: Final = 3


class WorkerPool:
    """At most `size` workers, started when they are needed; `timeout` is each case's deadline in seconds.

    The deadline runs from the moment a worker takes the case; waiting for one is `Timing.queued_ms`, and
    `latency_ms` is what the worker itself measured around the app.
    """

    def __init__(
        self, launch: Launch, *, size: int, timeout: float, fresh: bool = False, start_seconds: float = START_SECONDS
    ) -> None:
        self._launch = launch
        self._timeout = timeout
        self._fresh = fresh
        self._start_seconds = start_seconds
        # Last in, first out: a warm worker goes before a place where none is running yet.
        self._places: asyncio.LifoQueue[WorkerProcess | None] = asyncio.LifoQueue()
        for _ in range(max(1, size)):
            self._places.put_nowait(None)
        self._running: set[WorkerProcess] = set()
        self._failed_starts = 0
        self._broken = ""
        self._closed = False
        self.kind = ""
        """What the workers found behind the name: asgi, wsgi or function. Empty before `start`."""
        self.clock_note = ""
        """Why time is not frozen in the workers; empty where it is."""
        self.blind: set[str] = set()
        """Libraries in the workers that ask the system for the time, so that they see the real one."""

    async def start(self) -> None:
        """Start the first worker. Raises TargetError with the app's own words when that fails."""
        place = await self._places.get()
        try:
            place = place or await self._launch_one()
        except WorkerDiedError as error:
            raise TargetError(
                f"{self._launch.settings['target']} cannot be started: {error}",
                hint=_hint(str(error)),
            ) from error
        finally:
            self._places.put_nowait(place)

    async def send(self, header: Mapping[str, Any], body: bytes) -> Observation:
        """Have one case answered. Whatever happens to the worker is in the observation."""
        waiting = clock_gettime_ns(CLOCK_MONOTONIC)
        place = await self._places.get()
        queued_ms = (clock_gettime_ns(CLOCK_MONOTONIC) - waiting) / 1e6
        process = place
        try:
            process = await self._ready(place)
            return await self._exchange(process, header, body, queued_ms)
        except WorkerDiedError as error:
            return Observation(error=Failure("crashed", str(error)))
        finally:
            kept = process if process and process.alive and not self._fresh and not self._closed else None
            self._places.put_nowait(kept)
            if process is not None and kept is None:
                self._running.discard(process)
                await process.stop()

    async def _exchange(
        self, process: WorkerProcess, header: Mapping[str, Any], body: bytes, queued_ms: float
    ) -> Observation:
        begun = clock_gettime_ns(CLOCK_MONOTONIC)
        answered = False
        try:
            async with asyncio.timeout(self._timeout):
                reply, answer = await process.ask(header, body)
            seen = observation(reply, answer, queued_ms)
            self.blind.update(map(str, reply["blind"]))
            answered = True
            return seen  # noqa: TRY300 - the except is for the deadline alone
        except TimeoutError:
            spent = (clock_gettime_ns(CLOCK_MONOTONIC) - begun) / 1e6
            failure = Failure("timeout", f"no answer within {self._timeout:g} s")
            return Observation(error=failure, timing=Timing(spent, queued_ms=queued_ms))
        finally:
            # After a timeout, a crash or a cancelled run the worker may be amid a case: no other may meet it.
            if not answered:
                process.kill()

    async def _ready(self, place: WorkerProcess | None) -> WorkerProcess:
        """Return a worker that can take a case: the one at this place, or a new one."""
        if place is not None and not place.ended():
            return place
        if place is not None:
            # It died between two cases: what an earlier one left behind must not be this one's fault.
            self._running.discard(place)
            await place.stop()
        while not self._broken:
            try:
                return await self._launch_one()
            except WorkerDiedError as error:
                self._failed_starts += 1
                if self._failed_starts >= MAX_FAILED_STARTS:
                    self._broken = f"no worker starts any more: {error}"
        raise WorkerDiedError(self._broken)

    async def _launch_one(self) -> WorkerProcess:
        if self._closed:
            raise WorkerDiedError("the run is over")
        try:
            process = WorkerProcess(self._launch)
        except OSError as error:
            raise WorkerDiedError(f"{self._launch.python}: {error.strerror or error}") from error
        self._running.add(process)
        ready = False
        try:
            await self._begin(process)
            ready = True
        finally:
            if not ready:
                process.kill()
                self._running.discard(process)
                await process.stop()
        self._failed_starts = 0
        return process

    async def _begin(self, process: WorkerProcess) -> None:
        try:
            async with asyncio.timeout(self._start_seconds):
                hello = await process.begin()
        except TimeoutError:
            raise WorkerDiedError(process.with_output(f"not ready within {self._start_seconds:g} s")) from None
        self.kind, self.clock_note = str(hello.get("kind")), str(hello.get("clock"))

    async def close(self) -> None:
        """End every worker, also those that are amid a case; may be called twice."""
        self._closed = True
        running, self._running = self._running, set()
        await asyncio.gather(*(process.stop() for process in running))


def observation(reply: Mapping[str, Any], body: bytes, queued_ms: float) -> Observation:
    """Read a worker's reply. Raises WorkerDiedError for one that no worker sends."""
    try:
        error = reply["error"]
        return Observation(
            status=reply["status"],
            headers=tuple((str(name), str(value)) for name, value in reply["headers"]),
            body=body,
            error=Failure(_kind(error[0]), str(error[1])) if error else None,
            timing=Timing(max(0, reply["ns"]) / 1e6, queued_ms=queued_ms),
            clock_frozen=reply["frozen"],
        )
    except (KeyError, TypeError, ValueError, IndexError) as fault:
        raise WorkerDiedError(f"the worker's answer cannot be read: {fault}") from fault


def _kind(name: str) -> ErrorKind:
    if name not in get_args(ErrorKind):
        raise ValueError(f"unknown kind {name!r}")
    return cast("ErrorKind", name)


def _hint(fact: str) -> str:
    """Return what to do about a worker that does not start."""
    if "has to be 3.8" in fact or (worker.__file__ in fact and "SyntaxError" in fact):
        return "its interpreter has to be Python 3.8 or newer: name another in `at: venv:DIR`"
    return "it has to be importable as module:attribute from the working directory, or from `at:`"
