"""One connection to one origin, carrying one exchange at a time."""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable
from typing import Final, Protocol, cast

from replay.models import Observation, Timing
from replay.wire.answer import Answer
from replay.wire.clock import now_ns
from replay.wire.exchange import Exchange
from replay.wire.heads import Heads
from replay.wire.stream import Stream

_EARLY_LIMIT: Final = 2**20


class Keeper(Protocol):
    """Who opens connections, and is told what becomes of them."""

    def opened(self, connection: Connection) -> None:
        """Take note of a new connection."""

    def finished(self, connection: Connection, exchange: Exchange) -> None:
        """Take the outcome, and the connection back."""

    def broken(self, connection: Connection, exchange: Exchange, error: BaseException) -> None:
        """Take what ended the exchange and is a mistake of ours, and the connection back."""

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is gone."""


class Connection(asyncio.Protocol):
    """An open connection. `carry` begins an exchange, and the keeper hears of its end."""

    def __init__(self, keeper: Keeper, heads: Heads, max_body: int) -> None:
        self.answer = Answer(method="", max_body=max_body, heads=heads)
        self.exchanges = 0
        self.spoiled = False
        """It does not stand at the end of an answer, and is never to be used again."""
        self.idle_since_ns = 0
        self._keeper = keeper
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._readable: Callable[[int], object] = bool  # asked with 0: it holds nothing as yet
        self._sent = self._first = 0
        self._early = bytearray()
        self._ended = False

    @property
    def stale(self) -> bool:
        """Return whether the server had given this kept-alive connection up before it can have seen the request."""
        failure = self.answer.failure
        if failure is None or self.answer.begun:
            return False
        return self.exchanges > 1 and failure.kind in ("closed", "reset")

    def carry(self, exchange: Exchange) -> None:
        """Send the message of an exchange; only on a connection that is new, or `usable`."""
        self.exchanges += 1
        self._exchange = exchange
        exchange.connection = self
        if self.exchanges > 1:
            self.answer.renew(exchange.method)
            self._first = 0
            self._sent = now_ns()
            cast("asyncio.Transport", self._transport).write(exchange.message)
        else:
            self._carry_first(exchange)

    def usable(self) -> bool:
        """Return whether the connection is open and silent: it may hold no bytes, and no end, still to be read."""
        transport = self._transport
        if self.spoiled or self._ended or transport is None or transport.is_closing():
            return False
        # Silence is the only thing an idle connection may hold, seen by the loop or not.
        return not self._readable(0)

    def observation(self, exchange: Exchange) -> Observation:
        """Return what came back, the content coding of its body not undone yet."""
        answer, sent, first, last = self.answer, self._sent, self._first, self.idle_since_ns
        # As `milliseconds`, without the calls. The clock is monotonic, and the answer may yet come before the request.
        first_ms = (first - sent) / 1e6 if first > sent else 0.0 if first else None
        timing = Timing((last - sent) / 1e6 if last > sent else 0.0, first_ms, exchange.connect_ms, exchange.queued_ms)
        return Observation(answer.status, answer.headers, answer.body, answer.failure, timing)

    def expire(self, seconds: float) -> None:
        """End the exchange because its time is over, unless its answer came in time and was only not read yet."""
        exchange, stream = self._exchange, self._transport
        while exchange is not None and self._exchange is exchange and isinstance(stream, Stream):
            if not stream.catch_up(exchange.deadline):
                break
        if exchange is None or self._exchange is exchange:
            self.answer.expire(seconds)
            self._finish(now_ns())

    def abort(self) -> None:
        """Let go at once, without waiting for the other side. An exchange under way fails as `closed`."""
        self.spoiled = True
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """Let go of the exchange under way, whose outcome nobody wants any more, and of the connection."""
        self._exchange = None
        self.abort()

    # ----------------------------------------------------------------------------------------------- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._readable = _watch(transport.get_extra_info("socket"))
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take in bytes whose arrival the loop does not know: they have just come."""
        self.arrived(data, now_ns())

    def arrived(self, data: bytes, at_ns: int) -> None:
        """Hand the bytes to the answer that waits for them."""
        if self._exchange is not None:
            self._first = self._first or at_ns
            self.answer.feed(data)
            if self.answer.done:
                self._finish(at_ns)
        elif self.exchanges == 0 and len(self._early) < _EARLY_LIMIT:
            self._early += data  # it answers before it was asked; that is its answer to the first request
        else:
            self.abort()

    def eof_received(self) -> None:
        """Take the end of the other side's bytes for the end of the connection."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer, if one is still awaited. An exception that the network did not cause is a mistake of ours."""
        self._transport = None
        self._keeper.lost(self)
        if exc is not None and not isinstance(exc, OSError):
            self._give_up(exc)
        else:
            self._end(exc)

    # ------------------------------------------------------------------------------------------------------------ parts

    def _carry_first(self, exchange: Exchange) -> None:
        self.answer.renew(exchange.method)
        self._sent = now_ns()
        if self._transport is not None and not self._ended:
            self._transport.write(exchange.message)
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            self.data_received(early)
        if self._ended or self._transport is None or self._transport.is_closing():
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        self._ended = True
        if self._exchange is not None:
            self.answer.end(error)
            self._finish(now_ns())

    def _finish(self, now: int) -> None:
        exchange, transport = self._exchange, self._transport
        if exchange is None:
            return
        self._exchange = None
        self.idle_since_ns = now
        # An answer that came before the request was fully written leaves the rest of the request on the wire.
        self.spoiled = not self.answer.reusable or transport is None or transport.get_write_buffer_size() > 0
        self._keeper.finished(self, exchange)

    def _give_up(self, error: Exception) -> None:
        self._ended = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._keeper.broken(self, exchange, error)


def _watch(sock: object) -> Callable[[int], object]:
    """Return what tells, asked with 0, whether a socket holds something to read. Asked before each use: made once."""
    descriptor = cast("_Socket", sock).fileno()
    if sys.platform == "win32":  # pragma: no cover
        return lambda _: select.select([descriptor], [], [], 0)[0]
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return poller.poll


class _Socket(Protocol):
    def fileno(self) -> int: ...
