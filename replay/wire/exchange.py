"""One request on its way to its observation."""

from __future__ import annotations

import asyncio
from typing import Protocol

from replay.models import Done, Failed


class Carrier(Protocol):
    """The connection that an exchange is on."""

    def expire(self, seconds: float) -> None:
        """End the exchange because its time, so many seconds, is over; see to what had come by then."""

    def forget(self) -> None:
        """Let go of the exchange without an outcome."""


class Exchange:
    """What is sent, who waits for it, and how far it has come. Nanoseconds on the measuring clock."""

    __slots__ = (
        "asked", "connect_ms", "connecting", "connection", "deadline", "done", "failed", "message", "method",
        "over", "queued_ms", "repeated",
    )  # fmt: skip

    def __init__(self, method: str, message: bytes, done: Done, failed: Failed) -> None:
        self.method = method
        self.message = message
        self.done = done
        self.failed = failed
        self.asked = 0
        self.deadline = 0
        self.queued_ms = 0.0
        self.connect_ms: float | None = None
        self.connecting: asyncio.Task[None] | None = None
        self.connection: Carrier | None = None
        self.repeated = False
        self.over = False
