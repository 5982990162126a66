"""What a service sends without end costs no more than the cap, and what it may send comes whole."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import pytest

from replay.models import Observation, Request
from replay.wire import Origin, WireClient

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]

MB: Final = 2**20
BLOCK: Final = bytes(range(256)) * 256
OK: Final = b"HTTP/1.1 200 OK\r\n"


def bomb(megabytes: int) -> bytes:
    """Return so many megabytes of zeros, packed over a hundred times smaller."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MB)) for _ in range(megabytes)) + packer.flush()


async def two_hundred_megabytes(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: %d\r\n\r\n" % (200 * MB))
    for _ in range(200 * MB // len(BLOCK)):
        writer.write(BLOCK)
        await writer.drain()


async def without_end(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK))
        await writer.drain()


async def a_bomb(writer: asyncio.StreamWriter) -> None:
    packed = bomb(300)
    writer.write(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def ask(serve: Serve, behaviour: Behaviour, cap: int) -> tuple[Observation, Observation, int]:
    """Return what came back, what came back to the next case, and the most memory that Python held meanwhile."""

    async def scenario() -> tuple[Observation, Observation, int]:
        async with serve({"/": behaviour}, []) as port:
            client = WireClient(Origin.parse(f"http://127.0.0.1:{port}"), timeout=60, max_body=cap)
            tracemalloc.start()
            try:
                first = await client.exchange(Request())
                return first, await client.exchange(Request(path="/next")), tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                await client.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize("behaviour", [two_hundred_megabytes, without_end, a_bomb])
def test_what_is_over_the_cap_costs_little_more_than_the_cap(behaviour: Behaviour, serve: Serve) -> None:
    seen, after, peak = ask(serve, behaviour, 8 * MB)
    assert seen.error is not None
    assert (seen.error.kind, seen.status, len(seen.body)) == ("too_large", 200, 8 * MB)
    assert after.body == b"ok"
    assert peak < 40 * MB


@pytest.mark.skipif(sys.maxsize < 2**32, reason="the address space is too small")
def test_two_hundred_megabytes_come_whole_where_they_may(serve: Serve) -> None:
    seen, after, peak = ask(serve, two_hundred_megabytes, 256 * MB)
    expected = hashlib.sha256()
    for _ in range(200 * MB // len(BLOCK)):
        expected.update(BLOCK)
    assert (seen.status, seen.error, len(seen.body)) == (200, None, 200 * MB)
    assert hashlib.sha256(seen.body).digest() == expected.digest()
    assert after.body == b"ok"
    assert peak < 3 * 200 * MB
