"""The client: one request in, one observation out, whatever the far side does."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from replay.errors import SettingsError
from replay.models import Done, Failed, Headers, Observation, Request
from replay.wire.connect import Way
from replay.wire.exchange import Exchange
from replay.wire.memory import keep_freed_memory
from replay.wire.origin import Address, Origin
from replay.wire.pool import Pool
from replay.wire.render import OWNED, Renderer
from replay.wire.tls import default_tls

# An unsafe request cannot be sent twice, so that it must not meet a connection which the server is about to close.
# Servers keep idle ones for 2 s (gunicorn), 5 s (uvicorn, Node, Apache) or longer.
_MAX_IDLE_UNSAFE_NS: Final = 1_000_000_000


class WireClient:
    """Sends requests to one origin over kept-alive connections, and measures them. Belongs to one event loop.

    Redirects are not followed, cookies not kept, proxy variables of the environment not read, and nothing is sent
    that the case does not say (see `render`).

    `timeout`: seconds for the whole exchange with connecting, from when a connection was free for it.
    `max_body`: the most bytes of a body, as it comes and as it is once its coding is undone.
    `connections`: how many exchanges are under way at once; the others wait, first come first served.
    `headers`: sent with every request; each replaces the case's of the same name. SettingsError for those that
    belong to the connection (`Connection`, `Transfer-Encoding`, ...); InputError for what no header can hold.
    `tls`: how to verify an https origin, without it by the system's authorities.
    `address`: where to connect to, if not to the host and port of the origin.
    `rate`: the most exchanges that begin in a second, evenly spaced; the others wait.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        timeout: float,
        max_body: int,
        connections: int = 64,
        headers: Headers = (),
        tls: ssl.SSLContext | None = None,
        address: Address | None = None,
        rate: float | None = None,
    ) -> None:
        keep_freed_memory()
        self._origin = origin
        self.use_headers(headers)
        self._pool = Pool(
            Way.to(origin, address, (tls or default_tls()) if origin.scheme == "https" else None),
            rate=rate,
            connections=connections,
            timeout=timeout,
            max_body=max_body,
            max_idle_unsafe_ns=_MAX_IDLE_UNSAFE_NS,
        )

    def use_headers(self, headers: Headers) -> None:
        """Send these with every request from now on, in place of the `headers` so far; raise as for those."""
        _check_owned(headers)
        self._renderer = Renderer(self._origin, headers)

    def send(self, request: Request, done: Done, failed: Failed, *, added: Headers = ()) -> Exchange:
        """Send one request; `done` is called once with what came back, from the loop, or `failed` as `exchange` raises.

        What the far side does wrong is the observation's `error`. A GET, HEAD or OPTIONS that met a kept-alive
        connection which the server had closed is sent once more, on a new connection, within the same deadline. Other
        methods never are; they only use connections that rested briefly.

        `added`: headers that go with the request where it has none of that name. What is returned is for `cancel`.
        Raises InputError for a request that cannot be written (see `check_request`), and RuntimeError after `close`.
        """
        exchange = Exchange(request.method, self._renderer.message(request, added), done, failed)
        self._pool.take(exchange)
        return exchange

    def cancel(self, exchange: Exchange) -> None:
        """Let go of an exchange: it will not be told, and its connection is dropped. Nothing happens if it is over."""
        self._pool.drop(exchange)

    async def exchange(self, request: Request, *, added: Headers = ()) -> Observation:
        """Send one request as `send` does, and return what came back.

        Raises InputError for a request that cannot be written (see `check_request`), and RunError where this machine
        has no file handle left.
        """
        outcome: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()

        def done(observation: Observation) -> None:
            if not outcome.done():
                outcome.set_result(observation)

        def failed(error: BaseException) -> None:
            if not outcome.done():
                outcome.set_exception(error)

        exchange = self.send(request, done, failed, added=added)
        try:
            return await outcome
        except asyncio.CancelledError:
            self.cancel(exchange)
            raise

    async def close(self) -> None:
        """Drop every connection. Exchanges under way or waiting fail as `closed`; it may be called twice."""
        await self._pool.close()


def _check_owned(headers: Headers) -> None:
    for name, _ in headers:
        if name.lower() in OWNED or name.lower() == "content-length":
            raise SettingsError(f"the header '{name}' belongs to the connection", hint="remove it from headers:")
