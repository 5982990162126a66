"""A recording from its first request to its sums: traffic passes, a process keeps, and whoever watches is told."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Final

from replay.cases.writing import CaptureWriter
from replay.engine.loop import event_loop
from replay.engine.signals import SIGNALS
from replay.errors import SettingsError
from replay.live.couriers import Courier, Tally
from replay.live.scribing import Manner, scribe
from replay.wire import Origin
from replay.wire.tee import Limits, Tee, Usher

GRACE: Final = 5.0
"""How long exchanges under way may take once a recording ends."""
CLOSING: Final = 5.0
"""How long the process that keeps may show no sign of life once everything was handed to it."""
_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Recording:
    """What is recorded and how. Without an upstream, requests are copies: they are answered at once."""

    sock: socket.socket
    upstream: Origin | None
    usher: Usher
    manner: Manner
    writer: CaptureWriter
    tls: ssl.SSLContext | None = None
    limits: Limits = field(default_factory=Limits)
    seconds: float | None = None
    """How long it lasts; until somebody ends it otherwise."""


Watch = Callable[[Tally], None]


def record(recording: Recording, watch: Watch) -> Tally:
    """Pass traffic on and have it kept, until a signal or its time ends it; return the sums.

    The first signal lets exchanges under way come to their end, a second one cuts them off.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise SettingsError("recording needs a process that can be forked", hint="record on Linux or macOS")
    ours, theirs = socket.socketpair()
    process = _started(ours, theirs, recording)
    theirs.close()
    try:
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            return runner.run(_record(recording, Courier(ours, process), watch))
    finally:
        ours.close()
        process.join(CLOSING)
        process.kill()


def _started(ours: socket.socket, theirs: socket.socket, recording: Recording) -> BaseProcess:
    """Start the process that keeps. A signal that comes meanwhile is for this one alone."""
    arguments = (ours, theirs, recording.sock, recording.writer, recording.manner)
    process = multiprocessing.get_context("fork").Process(target=_keep, args=arguments, daemon=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    return process


def _keep(
    ours: socket.socket, theirs: socket.socket, listener: socket.socket, writer: CaptureWriter, manner: Manner
) -> None:
    # What is open here would stay open after the other process has closed it.
    ours.close()
    listener.close()
    scribe(theirs, writer, manner)


class _Stopping:
    """The signals that end a recording: in good order first, then without those under way, then without what waits."""

    def __init__(self) -> None:
        self.first, self.second, self.third = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def caught(self) -> None:
        """Hear signals from now on."""
        for number in SIGNALS:
            with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread: nobody sends any here
                asyncio.get_running_loop().add_signal_handler(number, self._hear)

    def _hear(self) -> None:
        next((it for it in (self.first, self.second) if not it.is_set()), self.third).set()

    @property
    def hurry(self) -> asyncio.Event:
        """Return what tells that somebody waits no longer for what is kept."""
        return self.third if self.second.is_set() else self.second


async def _record(recording: Recording, courier: Courier, watch: Watch) -> Tally:
    stopping = _Stopping()
    stopping.caught()
    faults: Counter[str] = Counter()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.update([fault_of(context)]))
    tee = Tee(recording.upstream, usher=recording.usher, keep=courier.keep, tls=recording.tls, limits=recording.limits)
    courier.begin()
    await tee.listen(recording.sock)
    watching = asyncio.create_task(_watch(tee, courier, watch))
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.first.wait(), recording.seconds)
    finishing = asyncio.create_task(tee.stop(GRACE))
    again = asyncio.create_task(stopping.second.wait())
    await asyncio.wait([finishing, again], return_when=asyncio.FIRST_COMPLETED)
    finishing.cancel()
    again.cancel()
    await tee.stop(0.0)
    told = await courier.close(CLOSING, stopping.hurry)
    watching.cancel()
    told.cut, told.faults = stopping.second.is_set(), faults
    return told


def fault_of(context: Mapping[str, Any]) -> str:
    """Return what went wrong on an event loop, in words that hold nothing of what passed.

    What the machine says is told. Any other error by its kind alone: its text may be a value that was to be masked.
    """
    error = context.get("exception")
    if error is None:
        return str(context.get("message"))
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__


async def _watch(tee: Tee, courier: Courier, watch: Watch) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        told = courier.told()
        told.connections = tee.connections
        watch(told)
