"""A far side that does whatever a test scripts, on loopback, and both event loops to meet it on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[[Talk], AbstractAsyncContextManager[int]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def answer_ok(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one whole request as it came; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + await reader.readexactly(int(lengths[0]) if lengths else 0)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def listen(talk: Talk) -> AsyncIterator[int]:
    """Run `talk` with each connection, and leave nothing open behind. Yields the port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.transport.abort()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(visit(reader, writer)))

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.001)  # a connection that was just accepted gets its task
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def serve(routes: Mapping[str, Behaviour], seen: list[tuple[int, bytes]]) -> AsyncIterator[int]:
    """Answer each route by its behaviour, others with `ok`; `seen` collects (connection number, request)."""
    numbers = iter(range(1, 10**6))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        while not writer.is_closing() and (request := await read_request(reader)):
            seen.append((number, request))
            route = request.split(b" ", 2)[1].decode()
            await routes.get(route, answer_ok)(writer)
        writer.close()

    async with listen(talk) as port:
        yield port


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a RST instead of a FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture(name="serve")
def serve_fixture() -> Serve:
    return serve


@pytest.fixture(name="listen")
def listen_fixture() -> Listen:
    return listen


@pytest.fixture(name="reset")
def reset_fixture() -> Callable[[asyncio.StreamWriter], None]:
    return reset


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Return what runs a coroutine, once on asyncio's own loop and once on uvloop's."""
    if request.param == "asyncio":
        return asyncio.run
    if sys.platform == "win32":
        pytest.skip("uvloop does not exist here")
    uvloop = pytest.importorskip("uvloop")

    def run_on_uvloop(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)

    return run_on_uvloop
