"""A server that answers every request after a known delay. Prints its port, and serves until it is ended."""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast

from bench.loop import run

_BODY: Final = b'{"slow":true}'
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
) + _BODY


class Slow(asyncio.Protocol):
    """Counts the ends of heads: the bench sends no bodies."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request when its time has come."""
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in heads:
            asyncio.get_running_loop().call_later(self._delay_s, self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the transport."""
        del exc
        self._transport = None

    def _answer(self) -> None:
        if self._transport is not None:
            self._transport.write(_ANSWER)


async def serve(delay_s: float) -> None:
    """Serve on a port that the system picks, and print it."""
    server = await asyncio.get_running_loop().create_server(lambda: Slow(delay_s), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    run(serve(float(sys.argv[1]) / 1000))
