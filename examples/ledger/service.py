"""A ledger over HTTP that keeps everything in PostgreSQL: `service.py old|new PORT`.

It speaks to the database by `psql`, in the schema that the search path names. What a side does is in its tables.sql;
the two services differ only in how they name a transfer.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PSQL: Final = ("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1")
NAMES: Final[Mapping[str, Callable[[], str]]] = {
    "old": lambda: f"trf_{secrets.token_hex(6)}",
    "new": lambda: str(uuid.uuid4()),
}


def answer_of(call: str, **values: str) -> tuple[int, str]:
    """Call a function of the schema; return the status and the JSON text that it answers.

    Each value reaches the database as a quoted literal. CalledProcessError: the database refused, or is not there.
    """
    given = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run([*PSQL, *given], input=f"SELECT {call};", capture_output=True, text=True, check=True)  # noqa: S603 - no shell, and psql quotes
    status, _, body = done.stdout.strip().partition(" ")
    return int(status), body


class Ledger(BaseHTTPRequestHandler):
    """Answers for accounts and transfers; what the database refuses is a 500."""

    protocol_version = "HTTP/1.1"
    mint: Callable[[], str]

    def do_GET(self) -> None:
        """Show an account or a transfer."""
        match self.path.split("/")[1:]:
            case ["accounts", name]:
                self._ask("account(:'name')", name=name)
            case ["transfers", transfer]:
                self._ask("transfer(:'id')", id=transfer)
            case _:
                self._say(404, '{"error": "no such page"}')

    def do_POST(self) -> None:
        """Carry out a transfer, or reverse one."""
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        # The database has a clock of its own, which nothing freezes: the service tells it what time it is.
        fresh = {"minted": self.mint(), "now": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        match self.path.split("/")[1:]:
            case ["transfers"]:
                self._ask("transfer(:'minted', :'now', :'wanted')", **fresh, wanted=sent.decode())
            case ["transfers", transfer, "reversal"]:
                self._ask("reversal(:'minted', :'now', :'id')", **fresh, id=transfer)
            case _:
                self._say(404, '{"error": "no such page"}')

    def _ask(self, call: str, **values: str) -> None:
        try:
            status, body = answer_of(call, **values)
        except subprocess.CalledProcessError as error:
            status, body = 500, json.dumps({"error": error.stderr})
        self._say(status, body)

    def _say(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(side: str, port: str) -> None:
    """Serve until a signal ends it."""
    Ledger.mint = staticmethod(NAMES[side])
    ThreadingHTTPServer(("127.0.0.1", int(port)), Ledger).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
