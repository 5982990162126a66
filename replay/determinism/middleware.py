"""ASGI and WSGI middleware that obeys `Replay-Time` and `Replay-Seed` where the service opted in.

    app = FrozenTimeASGI(app)            # does nothing unless the environment sets REPLAY_DETERMINISM_SECRET

A request has to prove that it knows that secret (see `proof`); others are answered at the real time, and told why.
Wrap the app last, after its imports. The clock is the process's: from the opt-in on, requests are answered one at a
time, those that ask for no instant among them; so two in flight never see each other's instant. What threads, tasks and
websockets do meanwhile sees the frozen time as well. Run one such middleware in a process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from replay.determinism.clock import Consent, FrozenClock, Refused
from replay.determinism.headers import CLOCK, FROZEN, REFUSED, write_instant

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Held:
    """What both middlewares share: the consent and, where it was given, the clock."""

    def __init__(self, consent: Consent | None) -> None:
        self.consent = Consent.from_environment() if consent is None else consent
        self.clock = FrozenClock() if self.consent.given else None

    @contextmanager
    def at(self, header: Callable[[str], str | None]) -> Iterator[str]:
        """Freeze time as a request asks; yield what its answer says of the clock, empty where nothing was asked."""
        moment = self.consent.moment(header)
        if moment is None or self.clock is None:
            yield ""
        elif isinstance(moment, Refused):
            yield f"{REFUSED}, {moment.why}"
        else:
            with self.clock.at(moment) as there:
                yield f"{FROZEN} {write_instant(moment.instant)}" if there else f"{REFUSED}, the clock did not obey"

    def close(self) -> None:
        if self.clock is not None:
            self.clock.release()


class FrozenTimeASGI:
    """Wraps an ASGI app; `Replay-Clock: frozen INSTANT` in an answer says that its request was obeyed."""

    def __init__(self, app: AsgiApp, consent: Consent | None = None) -> None:
        self._app = app
        self._held = _Held(consent)
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, under its own instant."""
        if not self._held.consent.given or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        async with self._turn:
            with self._held.at(lambda name: fields.get(name.lower().encode())) as mark:
                await self._app(scope, receive, _marking(send, mark) if mark else send)

    def close(self) -> None:
        """Give the process its own clock back."""
        self._held.close()


def _marking(send: Send, mark: str) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            field = (CLOCK.lower().encode(), mark.encode())
            message = {**message, "headers": [*message.get("headers", ()), field]}
        await send(message)

    return marked


class FrozenTimeWSGI:
    """Wraps a WSGI app; `Replay-Clock: frozen INSTANT` in an answer says that its request was obeyed.

    The answer is collected before it is passed on: a body that is made while it is read has to see the instant too.
    """

    def __init__(self, app: WsgiApp, consent: Consent | None = None) -> None:
        self._app = app
        self._held = _Held(consent)
        self._turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, under its own instant."""
        if not self._held.consent.given:
            return self._app(environ, start_response)
        with self._turn, self._held.at(lambda name: _field(environ, name)) as mark:
            return list(_chunks(self._app(environ, _starting(start_response, mark) if mark else start_response)))

    def close(self) -> None:
        """Give the process its own clock back."""
        self._held.close()


def _field(environ: dict[str, Any], name: str) -> str | None:
    value = environ.get("HTTP_" + name.upper().replace("-", "_"))
    return None if value is None else str(value)


def _starting(start_response: Callable[..., Any], mark: str) -> Callable[..., Any]:
    def started(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Any:
        marked = [*headers, (CLOCK, mark)]
        return start_response(status, marked) if exc_info is None else start_response(status, marked, exc_info)

    return started


def _chunks(answer: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from answer
    finally:
        close: Callable[[], object] | None = getattr(answer, "close", None)
        if close is not None:
            close()
