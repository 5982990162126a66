"""A server that answers every request after a known delay. Prints its port, and serves until it is ended.

It keeps account of what it really took: from when the system had the request, by its note of arrival, until it had
taken the answer. So what is slow about this server counts as its own. The account is told at `/truth`.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from collections import deque
from typing import Final, NamedTuple

from replay.wire.arrival import Arrivals
from replay.wire.clock import now_ns

_BODY: Final = b'{"slow":true}'
_TRUTH: Final = b"GET /truth "
_END: Final = b"\r\n\r\n"


class _Due(NamedTuple):
    at_ns: int
    asked_ns: int
    connection: socket.socket


class Slow:
    """Answers late, and knows how late. One thread: many would wait for each other."""

    def __init__(self, delay_s: float) -> None:
        self._delay_ns = int(delay_s * 1e9)
        self._taken_ms: list[float] = []
        self._due: deque[_Due] = deque()
        self._arrivals = Arrivals()
        self._open: list[socket.socket] = []

    def serve(self) -> None:
        """Serve on a port that the system picks, and print it."""
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            while True:
                # Unlike its siblings, `select` waits for microseconds.
                ready, _, _ = select.select([listener, *self._open], [], [], self._patience())
                self._answer_due()
                for each in ready:
                    if each is listener:
                        self._welcome(listener)
                    else:
                        self._read(each)

    def _patience(self) -> float | None:
        return max(0.0, (self._due[0].at_ns - now_ns()) / 1e9) if self._due else None

    def _welcome(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Arrivals.on(connection)
        self._open.append(connection)

    def _read(self, connection: socket.socket) -> None:
        """Take requests in; of the few bytes of one, all come together."""
        try:
            data, notes, _, _ = connection.recvmsg(65536, Arrivals.SPACE)
        except OSError:
            data = b""
        if not data:
            self._open.remove(connection)
            connection.close()
        asked = self._arrivals.moment(notes) if data else 0
        for head in data.split(_END)[:-1]:
            if head.startswith(_TRUTH):
                connection.sendall(_answer(json.dumps(self._truth()).encode()))
            else:
                self._due.append(_Due(asked + self._delay_ns, asked, connection))

    def _answer_due(self) -> None:
        while self._due and self._due[0].at_ns <= now_ns():
            _, asked, connection = self._due.popleft()
            try:
                connection.sendall(_answer(_BODY))
            except OSError:
                continue  # Whoever asked is gone.
            self._taken_ms.append((now_ns() - asked) / 1e6)

    def _truth(self) -> dict[str, float]:
        """Return how long answers took since this was asked last, in milliseconds."""
        taken, self._taken_ms = sorted(self._taken_ms), []
        if not taken:
            return {"n": 0}
        return {"n": len(taken), "p50": taken[len(taken) // 2], "p99": taken[len(taken) * 99 // 100]}


def _answer(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


if __name__ == "__main__":
    Slow(float(sys.argv[1]) / 1000).serve()
