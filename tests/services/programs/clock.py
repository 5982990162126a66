"""A service in Python that tells its time, and whether its timers go on."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Clock(BaseHTTPRequestHandler):
    """Answers with the time."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self) -> None:
        """Answer; at /crash, end."""
        if self.path == "/crash":
            say("about to crash")
            os._exit(7)
        self.served += 1
        begun = time.monotonic()
        time.sleep(0.02)
        fired = threading.Event()
        threading.Timer(0.01, fired.set).start()
        told = {
            "now": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "timer": fired.wait(5) and time.monotonic() - begun >= 0.015,
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-on-this-connection", str(self.served))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - so it is called
        """Say what was asked."""
        say(format % arguments)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Clock)
    say("listening")
    server.serve_forever()
