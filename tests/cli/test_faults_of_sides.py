"""A fault that one side shows is found on that side; one that both show is two failures, and never a GO."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
CUT: Final = gzip.compress(b"hi")[:-5]
FAULTS: Final = {
    "closed": b"",
    "protocol": b"garbage\r\n\r\n",
    "incomplete_body": OK[:-1],
    "decode": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(CUT) + CUT,
    "two answers": OK + OK,
    "too short a length": OK + b"more",
}
NAMED: Final = {"two answers": "protocol", "too short a length": "protocol"}


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Serve the same bytes to every request, one connection each; yield the URL."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    connection.recv(10_000)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(10_000)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(timeout=5)


@pytest.mark.parametrize("faulty", ["old", "new", "both"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_on_the_side_that_shows_it(desk: Desk, fault: str, faulty: str) -> None:
    desk.capture("c.jsonl", desk.requests(4))
    desk.write("replay.yaml", "cut_when: [deviation < 10%]\n")
    sent = {side: FAULTS[fault] if faulty in (side, "both") else OK for side in ("old", "new")}
    with answering(sent["old"]) as old, answering(sent["new"]) as new:
        ended = desk.cli(
            "run", "--traffic", "c.jsonl", "--old", old, "--new", new, "--report", "json:report.json",
            "--concurrency", "1",
        )  # fmt: skip
    report = desk.report()
    assert {each["outcome"] for each in report["results"]} == {f"{faulty}_error"}
    assert {(each["error"]["side"], each["error"]["kind"]) for each in report["results"]} == {
        (faulty, NAMED.get(fault, fault))
    }
    assert report["counts"]["compared"] == 0
    assert (ended.code, report["verdict"]) == ((1, "NO-GO") if faulty == "new" else (3, "INCONCLUSIVE"))
