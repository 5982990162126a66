"""The client: one request in, one observation out, whatever the far side does."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from replay.errors import SettingsError
from replay.models import Failure, Headers, Observation, Request
from replay.wire.answer import Answer
from replay.wire.clock import Deadline, milliseconds, now_ns
from replay.wire.coding import decode
from replay.wire.connect import default_tls
from replay.wire.connection import Stopwatch
from replay.wire.failure import WireFailure
from replay.wire.origin import Origin
from replay.wire.pool import Lease, Pool
from replay.wire.render import OWNED, check_headers, render

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FRESH: Final = -1
# An unsafe request cannot be sent twice, so that it must not meet a connection which the server is about to close.
# Servers keep idle ones for 2 s (gunicorn), 5 s (uvicorn, Node, Apache) or longer.
_MAX_IDLE_UNSAFE_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Attempt:
    answer: Answer
    watch: Stopwatch
    lease: Lease

    @property
    def stale(self) -> bool:
        """Return whether the server had given the connection up before it can have seen the request."""
        failure = self.answer.failure
        gone = failure is not None and failure.kind in ("closed", "reset")
        return gone and self.lease.reused and not self.answer.begun


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
    ) -> None:
        _check_owned(headers)
        check_headers(headers)
        self._origin = origin
        self._timeout = timeout
        self._max_body = max_body
        self._headers = headers
        self._pool = Pool(origin, (tls or default_tls()) if origin.scheme == "https" else None, connections)

    async def exchange(self, request: Request) -> Observation:
        """Send one request and return what came back; what the far side does wrong is the observation's `error`.

        A GET, HEAD or OPTIONS that met a kept-alive connection which the server had closed is sent once more, on a new
        connection, within the same deadline. Other methods never are; they only use connections that rested briefly.

        Raises InputError for a request that cannot be written (see `check_request`), and RunError where this machine
        has no file handle left.
        """
        message = render(request, self._origin, self._headers)
        asked = now_ns()
        async with self._pool.slots:
            queued_ms = milliseconds(asked, now_ns())
            try:
                attempt = await self._attempts(request, message)
            except WireFailure as error:
                return Observation(error=error.failure)
        return self._observation(attempt, queued_ms)

    async def close(self) -> None:
        """Drop every connection. Exchanges under way fail as `closed`; it may be called twice."""
        await self._pool.close()

    async def _attempts(self, request: Request, message: bytes) -> _Attempt:
        deadline = Deadline(asyncio.get_running_loop().time() + self._timeout, self._timeout)
        safe = request.method in _SAFE
        attempt = await self._attempt(request, message, deadline, None if safe else _MAX_IDLE_UNSAFE_NS)
        if attempt.stale and safe:
            # Where one was given up, the other idle ones are no better.
            return await self._attempt(request, message, deadline, _FRESH)
        return attempt

    async def _attempt(self, request: Request, message: bytes, deadline: Deadline, max_idle_ns: int | None) -> _Attempt:
        lease = await self._pool.lease(deadline, max_idle_ns=max_idle_ns)
        answer = Answer(method=request.method, max_body=self._max_body)
        try:
            watch = await lease.connection.exchange(message, answer, deadline)
        finally:
            self._pool.give_back(lease)
        return _Attempt(answer, watch, lease)

    def _observation(self, attempt: _Attempt, queued_ms: float) -> Observation:
        answer = attempt.answer
        body, flaw = self._decoded(answer)
        return Observation(
            status=answer.status,
            headers=answer.headers,
            body=body,
            error=answer.failure or flaw,
            timing=attempt.watch.timing(connect_ms=attempt.lease.connect_ms, queued_ms=queued_ms),
        )

    def _decoded(self, answer: Answer) -> tuple[bytes, Failure | None]:
        """Undo the content coding, after the clock has stopped; as far as it goes where the body is cut."""
        decoded = decode(answer.body, answer.headers, limit=self._max_body)
        return decoded.body, decoded.failure


def _check_owned(headers: Headers) -> None:
    for name, _ in headers:
        if name.lower() in OWNED or name.lower() == "content-length":
            raise SettingsError(f"the header '{name}' belongs to the connection", hint="remove it from headers:")
