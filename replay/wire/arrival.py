"""When bytes arrived in this machine, by the system's own account: whoever reads them may come much later."""

from __future__ import annotations

import platform
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from replay.wire.clock import now_ns

Ancillary = Sequence[tuple[int, int, bytes]]

_SO_TIMESTAMPNS: Final = 35  # Python has no name for it; the number is another one on a few machines
_KNOWN: Final = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
_TIMESPEC: Final = struct.Struct("@ll")
_SET_NS: Final = 1_000_000
"""A clock that went so much more or less than the other one since it was last asked has been set."""


if sys.platform == "win32":  # pragma: no cover
    _wall_ns: Callable[[], int] = time.time_ns
else:
    # As with the other clock: this way of asking is left alone by what freezes time.
    _wall_ns: Final[Callable[[], int]] = partial(time.clock_gettime_ns, time.CLOCK_REALTIME)


class Arrivals:
    """Tells by the clock that measures when what was read had arrived; where the system does not say, that is now.

    The system notes arrivals by the clock of the day. Right after that one was set it could mislead, so that such an
    account is passed over.
    """

    SPACE: Final = socket.CMSG_SPACE(_TIMESPEC.size) if _KNOWN else 0
    """How much room for ancillary data a read needs."""

    def __init__(self, wall_ns: Callable[[], int] = _wall_ns) -> None:
        self._wall_ns = wall_ns
        self._apart = wall_ns() - now_ns()

    @classmethod
    def on(cls, sock: socket.socket) -> Callable[[Ancillary], int]:
        """Have the system note arrivals at a socket, and return what reads its notes."""
        if not _KNOWN:
            return _now
        with suppress(OSError):  # Then there will be no notes.
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return cls().moment

    def moment(self, ancillary: Ancillary) -> int:
        """Return when the last of the bytes arrived that were read with these notes."""
        now = now_ns()
        if not ancillary:
            return now
        wall = self._wall_ns()
        before, self._apart = self._apart, wall - now
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        age = wall - seconds * 1_000_000_000 - nanoseconds
        return now - age if age > 0 and -_SET_NS < self._apart - before < _SET_NS else now


def _now(_: Ancillary) -> int:
    return now_ns()
