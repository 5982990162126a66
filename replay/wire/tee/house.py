"""What both ends of an exchange share: limits, who lets requests in, and who keeps what passed."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Protocol

from replay.wire.origin import Origin
from replay.wire.tee.carried import Carried, Keep, Room
from replay.wire.tee.heads import RequestHead


@dataclass(frozen=True, slots=True)
class Limits:
    """How long anybody is waited for, in seconds, and how much there may be at once."""

    idle: float = 75.0
    """An open connection that asks nothing."""
    head: float = 10.0
    """A request's head, from its first byte to its last."""
    stalled: float = 60.0
    """A client that neither sends the body it announced nor reads what it asked for."""
    connect: float = 10.0
    """A connection to the upstream."""
    silent: float = 600.0
    """An upstream that sends nothing while an answer is awaited."""
    tunnel: float = 3600.0
    """A connection that was upgraded, and carries nothing."""
    linger: float = 2.0
    """A client that goes on sending what nobody reads any more, until it has read why."""
    fresh: float = 1.0
    """How long a connection may have rested for a request that cannot be sent twice."""
    connections: int = 1000
    kept_body: int = 2**20
    """The largest body that is held for keeping, in bytes."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that is let in: the head that is sent on, and the id under which it is known."""

    message: bytes
    correlation: str
    wanted: bool = True
    """Whether it may be kept: of one that is not, nothing is held."""


class Usher(Protocol):
    """Who looks at each request before it is sent on."""

    def admit(self, head: RequestHead) -> Admitted:
        """Let a request in. Raise BadMessageError for one that is refused."""


class Member(Protocol):
    """A connection of a client, as its house sees it."""

    def check(self, now_ns: int) -> None:
        """End what has waited for too long."""

    def leave(self, *, at_once: bool) -> None:
        """End, after what is under way unless at once."""


class House:
    """What all connections of one tee have in common. Without an upstream, requests are answered at once."""

    def __init__(
        self, upstream: Origin | None, tls: ssl.SSLContext | None, usher: Usher, keep: Keep, limits: Limits
    ) -> None:
        self.upstream = upstream
        self.tls = tls
        self.usher = usher
        self.limits = limits
        self.room = Room()
        self.members: set[Member] = set()
        self.seen = 0
        self.leaving = False
        self.empty: asyncio.Future[None] | None = None
        self._keep = keep

    def keep(self, carried: Carried) -> None:
        """Hand an exchange to whoever keeps it."""
        self.seen += 1
        self._keep(carried)

    def gone(self, member: Member) -> None:
        """Forget a connection."""
        self.members.discard(member)
        if not self.members and self.empty is not None and not self.empty.done():
            self.empty.set_result(None)
