"""A small shop over HTTP, with sessions, orders and jobs, whose ids are minted as each of its owners likes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

Answer = tuple[int, Any, dict[str, str]]
"""Status, body and headers."""
Mint = Callable[[str, int], Any]
"""From what is minted (token, order, job) and its number, a name for it."""


def by_number(kind: str, number: int) -> Any:
    """Mint tokens of hex digits, and numbers for all else."""
    return f"{0xA11CE00 + number * 7919:08x}{number:04d}" if kind == "token" else 1000 + number


def by_larger_number(kind: str, number: int) -> Any:
    """Mint other tokens of hex digits, and larger numbers."""
    return f"{0xB0B0000 + number * 6271:08x}{number:04d}" if kind == "token" else 70_000 + 3 * number


def by_text(kind: str, number: int) -> Any:
    """Mint texts that nobody types: tok_00b7e151, ord_k8f1c2d9..."""
    return f"{kind[:3]}_{(number + 11) * 2654435761 % 2**32:08x}{number}"


def by_other_text(kind: str, number: int) -> Any:
    """Mint other texts of the same kind."""
    return f"{kind[:3]}-{(number + 5) * 40503 % 2**16:04x}-{(number + 3) * 2246822519 % 2**32:08x}"


@dataclass
class Shop:
    """One shop. `slips` are the mistakes that it makes; `polls` is how often a job is asked for before it is done."""

    mint: Mint
    slips: frozenset[str] = frozenset()
    polls: int = 2
    page: int = 2
    port: int = 0
    asked: list[str] = field(default_factory=list)
    instants: list[str | None] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def new(self, kind: str) -> Any:
        """Mint one more name."""
        return self.mint(kind, next(self.numbers))

    def answer(self, method: str, target: str, token: str, sent: Any) -> Answer:
        """Return status, body and headers."""
        path, _, query = target.partition("?")
        words = path.strip("/").split("/")
        if (method, path) == ("POST", "/login"):
            made = str(self.new("token"))
            self.tokens.add(made)
            return 200, {"access_token": made, "expires_in": 900}, {}
        if token not in self.tokens:
            return 401, {"error": "who are you?"}, {}
        if words[0] == "jobs":
            return self._job(method, words)
        return self._order(method, words, query, sent, token)

    def _job(self, method: str, words: list[str]) -> Answer:
        if method == "POST":
            made = self.new("job")
            self.jobs[str(made)] = 0
            return 202, {"id": made, "state": "queued"}, {}
        if words[1] not in self.jobs:
            return 404, {"error": "no such job"}, {}
        self.jobs[words[1]] += 1
        done = self.jobs[words[1]] >= self.polls and "never" not in self.slips
        return 200, {"state": "done" if done else "running"}, {}

    def _order(self, method: str, words: list[str], query: str, sent: Any, token: str) -> Answer:
        if method == "POST":
            made = self.orders[next(reversed(self.orders))]["id"] if self._repeats() else self.new("order")
            order = {"id": made, "links": {"self": f"/orders/{made}"}, **sent, "state": "open"}
            self.orders[str(made)], self.owners[str(made)] = order, token
            if "silent" in self.slips:
                return 201, {}, {}
            body = {name: it for name, it in order.items() if "no_id" not in self.slips or name != "id"}
            return 201, body, {"Location": f"/orders/{made}", "ETag": f'"{made}-1"'}
        if words == ["orders"]:
            return self._page(int(query.partition("after=")[2] or 0), token)
        if words[1] not in self.orders:
            return 404, {"error": "no such order"}, {}
        order = self.orders[words[1]]
        if method == "DELETE":
            del self.orders[words[1]]
            return 204, None, {}
        if method in ("PUT", "PATCH"):
            order |= sent
        shown = order | ({"total": order["total"] + 1} if "total" in self.slips and "total" in order else {})
        if "swapped" in self.slips and len(self.orders) > 1:
            shown = order | {"id": next(iter(self.orders.values()))["id"]}
        return 200, shown, {"ETag": f'"{order["id"]}-2"'}

    def _repeats(self) -> bool:
        return "same_id" in self.slips and bool(self.orders)

    def _page(self, after: int, token: str) -> Answer:
        orders = [order for name, order in self.orders.items() if self.owners[name] == token]
        further = after + self.page if after + self.page < len(orders) else None
        shown = [it | {"sku": "Z9"} if "third" in self.slips and it is orders[-1] else it for it in orders]
        return 200, {"items": shown[after : after + self.page], "next": further}, {}


@contextmanager
def open_shop(mint: Mint, *slips: str, **more: Any) -> Iterator[Shop]:
    """Serve a shop on a free port."""
    shop = Shop(mint, frozenset(slips), **more)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_anything(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            with shop.lock:
                shop.asked.append(f"{self.command} {self.path}")
                shop.instants.append(self.headers.get("replay-time"))
                status, answer, headers = shop.answer(self.command, self.path, token, json.loads(body or b"{}"))
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = handle_anything  # noqa: N815 - the library's names

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shop.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
