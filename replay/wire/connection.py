"""One connection to one origin, carrying one exchange at a time."""

from __future__ import annotations

import asyncio
import select
import sys
from dataclasses import dataclass
from typing import Final, cast

from replay.models import Timing
from replay.wire.answer import Answer
from replay.wire.clock import Deadline, milliseconds, now_ns

_EARLY_LIMIT: Final = 2**20


@dataclass(slots=True)
class Stopwatch:
    """When an exchange wrote its first byte, read its first and its last; nanoseconds, 0 for never."""

    sent: int = 0
    first: int = 0
    last: int = 0

    def timing(self, *, connect_ms: float | None, queued_ms: float) -> Timing:
        """Return the figures in milliseconds."""
        first_byte_ms = milliseconds(self.sent, self.first) if self.first else None
        return Timing(milliseconds(self.sent, self.last), first_byte_ms, connect_ms, queued_ms)


class Connection(asyncio.Protocol):
    """An open connection. After an exchange, `usable` says whether it may carry another one."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.idle_since_ns = now_ns()
        self.lost = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._watch = Stopwatch()
        self._early = bytearray()
        self._ended = False
        self._spoiled = False

    async def exchange(self, message: bytes, answer: Answer, deadline: Deadline) -> Stopwatch:
        """Send one message and collect its answer until the deadline. What goes wrong is in the answer."""
        loop = asyncio.get_running_loop()
        self._answer, self._waiter = answer, loop.create_future()
        self._watch = Stopwatch(sent=now_ns())
        timer = loop.call_at(deadline.at, self._expire, answer, deadline)
        try:
            self._start(message, answer)
            await self._waiter
        finally:
            timer.cancel()
            self._stop(answer)
        return self._watch

    def usable(self) -> bool:
        """Return whether the connection is open, silent and stands at the end of an answer."""
        return not (self._spoiled or self._ended or self._is_closing()) and not self._is_readable()

    def abort(self) -> None:
        """Let go at once, without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()

    # ----------------------------------------------------------------------------------------------- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand the bytes to the answer that waits for them."""
        if self._answer is not None:
            self._take(self._answer, data)
        elif self.exchanges == 0 and len(self._early) < _EARLY_LIMIT:
            self._early += data  # it answers before it was asked; that is its answer to the first request
        else:
            self._spoiled = True
            self.abort()

    def eof_received(self) -> None:
        """Take the end of the other side's bytes for the end of the connection."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer, if one is still awaited. An exception that the network did not cause is a mistake of ours."""
        self._transport = None
        if exc is not None and not isinstance(exc, OSError):
            self._give_up(exc)
        else:
            self._end(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    # ------------------------------------------------------------------------------------------------------------ parts

    def _start(self, message: bytes, answer: Answer) -> None:
        self.exchanges += 1
        if self._transport is not None and not self._ended:
            self._transport.write(message)
        if self._early:
            self._take(answer, bytes(self._early))
        if self._ended or self._is_closing():
            self._end(None)

    def _take(self, answer: Answer, data: bytes) -> None:
        now = now_ns()
        self._watch.first = self._watch.first or now
        answer.feed(data)
        self._settle(now)

    def _end(self, error: OSError | None) -> None:
        self._ended = True
        if self._answer is not None:
            self._answer.end(error)
            self._settle(now_ns())

    def _expire(self, answer: Answer, deadline: Deadline) -> None:
        answer.expire(deadline.seconds)
        self._settle(now_ns())

    def _settle(self, now: int) -> None:
        if self._answer is None or not self._answer.done:
            return
        self._watch.last = self._watch.last or now
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _give_up(self, error: Exception) -> None:
        self._ended = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def _stop(self, answer: Answer) -> None:
        self._answer = self._waiter = None
        self._early.clear()
        self.idle_since_ns = now_ns()
        # An answer that came before the request was fully written leaves the rest of the request on the wire.
        unsent = self._transport is not None and self._transport.get_write_buffer_size() > 0
        self._spoiled = self._spoiled or unsent or not answer.reusable

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _is_readable(self) -> bool:
        # Bytes or an end that the loop has not seen yet. Silence is the only thing an idle connection may hold.
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        return sock is None or _readable(sock.fileno())


def _readable(descriptor: int) -> bool:
    if sys.platform == "win32":  # pragma: no cover
        return bool(select.select([descriptor], [], [], 0)[0])
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
