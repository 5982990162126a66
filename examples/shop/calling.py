"""Calls an app within this process, as a server would: for the traffic that is recorded, and for the tests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_to_bytes
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
    Awaitable[None],
]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent: `target` is the raw path with its query."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Received:
    """What the app answered; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def call_wsgi(app: WSGIApplication, sent: Sent) -> Received:
    """Return the answer of a WSGI app."""
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        head[:] = [status, headers]
        return lambda _: None

    chunks: Iterable[bytes] = app(_environ(sent), start_response)
    body = b"".join(chunks)
    return Received(int(head[0][:3]), tuple((name.lower(), value) for name, value in head[1]), body)


def call_asgi(app: AsgiApp, sent: Sent) -> Received:
    """Return the answer of an ASGI app."""
    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    async def call() -> None:
        await app(_scope(sent), receive, send)

    asyncio.run(call())
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in messages[0]["headers"])
    return Received(messages[0]["status"], headers, b"".join(message["body"] for message in messages[1:]))


def _environ(sent: Sent) -> dict[str, Any]:
    path, _, query = sent.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(sent.body)),
        "wsgi.input": io.BytesIO(sent.body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.headers},
    }
    setup_testing_defaults(environ)
    return environ


def _scope(sent: Sent) -> dict[str, Any]:
    path, _, query = sent.target.partition("?")
    return {
        "type": "http",
        "method": sent.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.headers],
    }
