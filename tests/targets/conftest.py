"""A service for the tests of HTTP sides, which answers as a test scripts it and keeps what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Asked:
    """One request as it came. `at` is on the monotonic clock, in seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

Script = Callable[[Asked], Answer]


@dataclass
class Scripted:
    """A running service: its URL, and what it was asked, in order."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(script: Script) -> Iterator[Scripted]:
    """Serve on a free port of loopback until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_anything(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            with lock:
                service.asked.append(asked)
                status, headers, content = script(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_anything  # noqa: N815 - the library's names

        def handle(self) -> None:
            # Clients of these tests go away at any moment.
            with suppress(OSError):
                super().handle()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service = Scripted(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(name="scripted")
def scripted_fixture() -> Callable[[Script], AbstractContextManager[Scripted]]:
    return scripted
