"""Listening: clients are welcomed, those that wait for too long are sent away, and all end in good order."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

from replay.wire.clock import now_ns
from replay.wire.origin import Origin
from replay.wire.tee.carried import Keep
from replay.wire.tee.front import Front
from replay.wire.tee.house import Admitted, House, Limits, Usher

__all__ = ["Admitted", "Limits", "Tee", "Usher"]

_LOOKS: Final = 8
"""How often within the shortest limit it is looked whether one is over."""
_BACKLOG: Final = 1024


class Tee:
    """Passes requests on to an upstream and their answers back, and hands what passed to `keep`.

    Without an upstream, requests are answered at once with 204. Belongs to one event loop.
    """

    def __init__(
        self,
        upstream: Origin | None,
        *,
        usher: Usher,
        keep: Keep,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self._house = House(upstream, tls, usher, keep, limits)
        self._every = min(1.0, min(limits.head, limits.linger, limits.stalled, limits.connect, limits.silent) / _LOOKS)
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def seen(self) -> int:
        """Return how many requests have been handed to `keep`."""
        return self._house.seen

    @property
    def connections(self) -> int:
        """Return how many clients are connected."""
        return len(self._house.members)

    async def listen(self, sock: socket.socket) -> None:
        """Welcome clients at a socket that is bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Front(self._house), sock=sock, backlog=_BACKLOG)
        self._timer = loop.call_later(self._every, self._look)

    async def stop(self, grace: float) -> None:
        """Welcome nobody any more; exchanges under way have `grace` seconds to come to their end."""
        self._house.leaving = True
        if self._server is not None:
            self._server.close()
        self._house.empty = asyncio.get_running_loop().create_future()
        for at_once, seconds in ((False, grace), (True, 1.0)):
            for member in list(self._house.members):
                member.leave(at_once=at_once)
            if self._house.members:
                await asyncio.wait([self._house.empty], timeout=seconds)
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = now_ns()
        for member in list(self._house.members):
            member.check(now)
        self._timer = asyncio.get_running_loop().call_later(self._every, self._look)
