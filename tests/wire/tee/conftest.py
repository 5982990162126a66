"""A tee between a client and an upstream that does whatever a test scripts, all on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from replay.wire import Origin
from replay.wire.tee import Admitted, Carried, Limits, RequestHead, Tee

Open = Callable[..., AbstractAsyncContextManager["Place"]]

PATIENCE = 20.0
QUICK = Limits(idle=5, head=0.2, stalled=5, connect=5, silent=5, tunnel=5, linger=5, fresh=5)


class Welcoming:
    """Lets everything in as it came."""

    def admit(self, head: RequestHead) -> Admitted:
        """Send the head on as it came."""
        return Admitted(head.raw, "id")


@dataclass
class Kept:
    """What is left of an exchange once it was kept."""

    method: str
    status: int
    missing: str
    body: bytes
    answer: bytes


@dataclass
class Place:
    """A tee that listens."""

    port: int
    first: asyncio.Event = field(default_factory=asyncio.Event)
    kept: list[Kept] = field(default_factory=list)
    tee: Tee = field(init=False)

    def keep(self, carried: Carried) -> None:
        """Keep what is asked about."""
        method = carried.head.method if carried.head else ""
        body, answer = carried.body.bytes(), carried.answer_body.bytes()
        self.kept.append(Kept(method, carried.status, carried.missing, body, answer))
        carried.drop()
        self.first.set()

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the tee."""
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)

    async def ask(self, message: bytes) -> bytes:
        """Send these bytes, say that no more come, and return all that comes back."""
        reader, writer = await self.client()
        writer.write(message)
        writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), PATIENCE)
        finally:
            writer.transport.abort()

    async def outcome(self) -> Kept:
        """Return the first exchange that was kept, as soon as there is one."""
        await asyncio.wait_for(self.first.wait(), PATIENCE)
        return self.kept[0]


@asynccontextmanager
async def opened(
    upstream: int | None, *, limits: Limits = QUICK, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Place]:
    """Run a tee before an upstream at a port of this machine, or before none."""
    sock = socket.create_server(("127.0.0.1", 0))
    origin = None if upstream is None else Origin.parse(f"{'https' if tls else 'http'}://localhost:{upstream}")
    place = Place(sock.getsockname()[1])
    tee = Tee(origin, usher=Welcoming(), keep=place.keep, tls=tls, limits=limits)
    await tee.listen(sock)
    place.tee = tee
    try:
        yield place
    finally:
        await tee.stop(0)


@pytest.fixture(name="opened")
def opened_fixture() -> Open:
    return opened
