"""At most so many connections to one origin, used again while they are sound; and the queue before them."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Final

from replay.models import Failure, Observation
from replay.wire.clock import milliseconds, now_ns
from replay.wire.coding import decode
from replay.wire.connect import Way, connect
from replay.wire.connection import Connection
from replay.wire.deadlines import Deadlines
from replay.wire.exchange import Exchange
from replay.wire.failure import WireFailure
from replay.wire.heads import Heads
from replay.wire.pace import Pace

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CLOSED: Final = Failure("closed", "the client was closed")


class Pool:
    """Carries exchanges, so many at a time, and at most `rate` a second; the others wait, first come first served.

    Idle connections lie on a stack, the one used last on top: the others may then run into the server's idle timeout
    unharmed. A safe request that met a connection which the server had given up is sent once more, on a new one.
    Unsafe ones are sent once, on a connection that rested for at most `max_idle_unsafe_ns`.
    """

    def __init__(
        self,
        way: Way,
        *,
        connections: int,
        timeout: float,
        max_body: int,
        max_idle_unsafe_ns: int,
        rate: float | None = None,
    ) -> None:
        self._max_idle_unsafe_ns = max_idle_unsafe_ns
        self._way = way
        self._pace = Pace(rate, self._depart) if rate is not None else None
        self._free = connections
        self._timeout = timeout
        self._max_body = max_body
        self._heads = Heads()
        self._deadlines = Deadlines(timeout, self._expire)
        self._waiting: deque[Exchange] = deque()
        self._outbox: list[Exchange] = []
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._closing = False
        self._gone: asyncio.Future[None] | None = None

    def take(self, exchange: Exchange) -> None:
        """Begin an exchange, or have it wait for its turn. Raises RuntimeError once the pool is closed."""
        if self._closing:
            raise RuntimeError("the client is closed")
        if self._free and self._pace is None:
            self._free -= 1
            self._begin(exchange, now_ns())
            return
        exchange.asked = now_ns()
        self._waiting.append(exchange)
        if self._free:
            self._free -= 1
            self._next()

    def drop(self, exchange: Exchange) -> None:
        """Let go of an exchange whose outcome nobody wants any more; nothing happens if it is over."""
        if exchange.over:
            return
        if exchange in self._waiting:
            self._waiting.remove(exchange)
            exchange.over = True
        elif self._pace is not None and self._pace.drop(exchange):
            exchange.over = True
            self._next()
        else:
            self._let_go(exchange)
            self._next()

    async def close(self) -> None:
        """Drop every connection and wait until each is gone. Every exchange fails as `closed`, also those waiting."""
        self._closing = True
        self._deadlines.close()
        waiting, self._waiting = self._waiting, deque()
        held = self._pace.close() if self._pace is not None else ()
        for exchange in (*self._deadlines.active(), *held, *waiting):
            if exchange.connection is None:
                self._let_go(exchange)
                exchange.done(Observation(error=_CLOSED))
        self._idle.clear()
        for connection in self._open:
            connection.abort()
        if self._open:
            self._gone = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._gone], timeout=1)

    # ------------------------------------------------------------------------------------------ what a connection tells

    def opened(self, connection: Connection) -> None:
        """Take note of a new connection."""
        self._open.add(connection)

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._open.discard(connection)
        if self._gone is not None and not self._open and not self._gone.done():
            self._gone.set_result(None)

    def finished(self, connection: Connection, exchange: Exchange) -> None:
        """Take the outcome of an exchange, have the next one begin, and hand the outcome on."""
        if connection.answer.failure is not None and self._stale(connection, exchange):
            self._repeat(exchange)
            return
        observation, coded = connection.observation(exchange), connection.answer.coded
        exchange.over = True
        self._deadlines.remove(exchange)
        if connection.spoiled:
            connection.abort()
        else:
            self._idle.append(connection)
        if self._waiting:
            self._next()
        else:
            self._free += 1
        # The far side is at work again: now there is time to undo the coding, which no timing includes.
        exchange.done(self._decoded(observation) if coded else observation)

    def broken(self, connection: Connection, exchange: Exchange, error: BaseException) -> None:
        """Hand on what ended an exchange and is a mistake of ours."""
        connection.abort()
        self._fail(exchange, error)

    # ------------------------------------------------------------------------------------------------------------ parts

    def _begin(self, exchange: Exchange, now: int) -> None:
        """Put an exchange among those that are written in the next turn of the loop, all in a row.

        A write that wakes the server's process costs this one more than everything else in an exchange. In a row, the
        first one wakes it and the others find it awake; written one by one as answers come, each would wake it anew.
        """
        self._deadlines.add(exchange, now)
        self._outbox.append(exchange)
        if len(self._outbox) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        now = now_ns()
        for exchange in outbox:
            if exchange.over:
                continue
            connection = self._sound(None if exchange.method in _SAFE else self._max_idle_unsafe_ns, now)
            if connection is None:
                self._connect(exchange)
            else:
                connection.carry(exchange)

    def _next(self) -> None:
        """Hand the free place to whoever waits longest."""
        if not self._waiting:
            self._free += 1
        elif self._pace is None:
            self._depart(self._waiting.popleft(), now_ns())
        else:
            # It waits for its turn in its place: were places handed out after turns, those that waited for a slow
            # answer would all be sent at once when it comes.
            self._pace.add(self._waiting.popleft())

    def _depart(self, exchange: Exchange, now: int) -> None:
        exchange.queued_ms = milliseconds(exchange.asked, now)
        self._begin(exchange, now)

    def _sound(self, max_idle_ns: int | None, now: int) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            rested = max_idle_ns is None or now - connection.idle_since_ns <= max_idle_ns
            if rested and connection.usable():
                return connection
            connection.abort()
        return None

    def _stale(self, connection: Connection, exchange: Exchange) -> bool:
        """Tell whether an exchange is to be repeated on a new connection, since it met one that was given up."""
        return connection.stale and exchange.method in _SAFE and not exchange.repeated and not self._closing

    def _repeat(self, exchange: Exchange) -> None:
        exchange.repeated, exchange.connection = True, None
        # Where one was given up, the other idle ones are no better.
        while self._idle:
            self._idle.pop().abort()
        self._connect(exchange)

    def _connect(self, exchange: Exchange) -> None:
        exchange.connecting = asyncio.get_running_loop().create_task(self._carry_on_new(exchange))

    async def _carry_on_new(self, exchange: Exchange) -> None:
        start = now_ns()
        made: list[Connection] = []
        try:
            connection = await connect(self._way, lambda: self._make(made))
        except asyncio.CancelledError:
            for late in made:
                late.abort()
            raise
        except WireFailure as error:
            exchange.connecting = None
            self._end(exchange, error.failure)
        except Exception as error:  # noqa: BLE001 (not the far side's doing: whoever waits for the outcome is told)
            exchange.connecting = None
            self._fail(exchange, error)
        else:
            exchange.connecting = None
            exchange.connect_ms = milliseconds(start, now_ns())
            connection.carry(exchange)

    def _make(self, made: list[Connection]) -> Connection:
        made.append(Connection(self, self._heads, self._max_body))
        return made[-1]

    def _expire(self, exchange: Exchange) -> None:
        if exchange.connection is not None:
            exchange.connection.expire(self._timeout)
        else:
            self._end(exchange, Failure("timeout", f"after {self._timeout:g} s there was no connection"))

    def _end(self, exchange: Exchange, failure: Failure) -> None:
        """End an exchange that never had a connection."""
        self._let_go(exchange)
        self._next()
        exchange.done(Observation(error=failure))

    def _fail(self, exchange: Exchange, error: BaseException) -> None:
        self._let_go(exchange)
        self._next()
        exchange.failed(error)

    def _let_go(self, exchange: Exchange) -> None:
        exchange.over = True
        self._deadlines.remove(exchange)
        if exchange.connecting is not None:
            exchange.connecting.cancel()
        if exchange.connection is not None:
            exchange.connection.forget()
        exchange.connecting = exchange.connection = None

    def _decoded(self, observation: Observation) -> Observation:
        """Undo the content coding; as far as it goes where the body is cut."""
        decoded = decode(observation.body, observation.headers, limit=self._max_body)
        return replace(observation, body=decoded.body, error=observation.error or decoded.failure)
