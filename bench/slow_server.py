"""A server that answers every request after a known delay. Prints its port, and serves until it is ended.

A thread for each connection sleeps with the system's own precision; what it really took is counted, and told at
`/truth`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from typing import Final

_BODY: Final = b'{"slow":true}'
_TRUTH: Final = b"GET /truth "
_END: Final = b"\r\n\r\n"


class Slow:
    """Answers late, and knows how late."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._taken_ms: list[float] = []

    def serve(self) -> None:
        """Serve on a port that the system picks, and print it."""
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer_all, args=(connection,), daemon=True).start()

    def _answer_all(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            rest = b""
            while data := connection.recv(65536):
                asked = time.perf_counter()
                *heads, rest = (rest + data).split(_END)
                for head in heads:
                    self._answer(connection, head, asked)

    def _answer(self, connection: socket.socket, head: bytes, asked: float) -> None:
        if head.startswith(_TRUTH):
            connection.sendall(_answer(json.dumps(self._truth()).encode()))
            return
        time.sleep(max(0.0, asked + self._delay_s - time.perf_counter()))
        self._taken_ms.append((time.perf_counter() - asked) * 1e3)
        connection.sendall(_answer(_BODY))

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
