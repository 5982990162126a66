"""A client that is connected: what it can be told, how long it is waited for, and how it is sent away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from replay.wire.clock import now_ns
from replay.wire.tee.house import House

DONE: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
DONE_AND_CLOSED: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
FOREVER: Final = 2**62
HELD: Final = 1
UNREAD: Final = 2
_MOST_DRAINED: Final = 64 * 2**20
_MOST_HELD: Final = 2**16
"""How many bytes of later requests are read while one is under way."""


class Visitor(asyncio.Protocol):
    """The connection of a client without what it is there for. `_step` takes what comes, and returns the rest of it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._limits = house.limits
        self._transport: asyncio.Transport | None = None
        self._step: Callable[[bytes], bytes] = self._drain
        self._held = bytearray()
        self._half_closed = self._stuck = False
        self._paused = 0
        self._drained = 0
        self._deadline = FOREVER

    def _let_go(self) -> None:
        """Let go of the upstream."""

    def _wait(self, seconds: float) -> None:
        """Give the client so many seconds; one that does not read what it asked for gets none in addition."""
        if not self._stuck:
            self._deadline = now_ns() + int(seconds * 1e9)

    def _pause(self, why: int) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._paused |= why

    def _resume(self, why: int) -> None:
        paused, self._paused = self._paused, self._paused & ~why
        if paused and not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _tell(self, status: int, why: str) -> None:
        text = f"replay record: {why}\n".encode("ascii", "backslashreplace")
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        if self._transport is not None:
            self._transport.write(f"{head}Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
        self._linger()

    def _linger(self) -> None:
        """Read on without passing anything on, until the client has gone or was given its time to read its answer.

        To close with bytes unread would reset the connection, and take the answer from the client.
        """
        self._let_go()
        self._step = self._drain
        self._held.clear()
        self._resume(self._paused)
        self._wait(self._limits.linger)
        if self._half_closed:
            self._close()
        elif self._transport is not None and self._transport.can_write_eof():
            with suppress(OSError):
                self._transport.write_eof()

    def _close(self) -> None:
        """Close once everything is written."""
        self._let_go()
        self._step = self._drain
        self._wait(self._limits.stalled)
        if self._transport is not None:
            self._transport.close()

    def _abort(self) -> None:
        self._let_go()
        self._step = self._drain
        if self._transport is not None:
            self._transport.abort()

    def _drain(self, data: bytes) -> bytes:
        self._drained += len(data)
        if self._drained > _MOST_DRAINED:
            self._abort()
        return b""

    def _hold(self, data: bytes) -> bytes:
        """Keep what came while something else is under way."""
        self._held += data
        if len(self._held) > _MOST_HELD:
            self._pause(HELD)
        return b""

    def _end_tunnel(self) -> None:
        if self._transport is None or self._half_closed:
            self._close()
        else:
            self._wait(self._limits.stalled)
            with suppress(OSError):
                self._transport.write_eof()
