"""At most so many connections to one origin, used again while they are sound."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from replay.wire.clock import Deadline, milliseconds, now_ns
from replay.wire.connect import connect
from replay.wire.connection import Connection
from replay.wire.origin import Origin


@dataclass(frozen=True, slots=True)
class Lease:
    """A connection for one exchange; `connect_ms` is None where it had been opened before."""

    connection: Connection
    connect_ms: float | None

    @property
    def reused(self) -> bool:
        """Return whether the connection has carried an exchange before."""
        return self.connect_ms is None


class Pool:
    """Idle connections, the one used last on top: the others may then run into the server's idle timeout unharmed.

    `slots` is to be held while a connection is out; it admits waiters in the order in which they came.
    """

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, connections: int) -> None:
        self.slots = asyncio.Semaphore(connections)
        self._origin = origin
        self._tls = tls
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()

    async def lease(self, deadline: Deadline, *, max_idle_ns: int | None) -> Lease:
        """Return a sound connection that has rested for at most `max_idle_ns`, else a new one. Raises WireFailure."""
        connection = self._sound(max_idle_ns)
        if connection is not None:
            return Lease(connection, None)
        start = now_ns()
        connection = await connect(self._origin, self._tls, deadline)
        self._open.add(connection)
        connection.lost.add_done_callback(lambda _: self._open.discard(connection))
        return Lease(connection, milliseconds(start, now_ns()))

    def give_back(self, lease: Lease) -> None:
        """Keep the connection for the next exchange if it is sound, else drop it."""
        if lease.connection.usable():
            self._idle.append(lease.connection)
        else:
            lease.connection.abort()

    async def close(self) -> None:
        """Drop every connection and wait until each is gone."""
        self._idle.clear()
        for connection in self._open:
            connection.abort()
        gone = [connection.lost for connection in self._open]
        if gone:
            await asyncio.wait(gone, timeout=1)

    def _sound(self, max_idle_ns: int | None) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            rested = max_idle_ns is None or now_ns() - connection.idle_since_ns <= max_idle_ns
            if rested and connection.usable():
                return connection
            connection.abort()
        return None
