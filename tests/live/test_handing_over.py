"""Between the traffic and what keeps it: nothing waits, nothing is lost without being counted."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from replay.cases import CaptureFile
from replay.cases.writing import CaptureLimits, CaptureWriter, Mask
from replay.live.choosing import Choice, parse_sticky
from replay.live.couriers import Courier, Tally
from replay.live.recording import fault_of
from replay.live.scribing import Manner, scribe
from replay.models import Case
from replay.privacy import MaskKey, Redactor
from replay.wire.tee import Carried, Room, read_answer_head, read_request_head

HEAD = (
    b"POST /orders/\xc3\xa9?token=geheim HTTP/1.1\r\nHost: shop.test\r\nCookie: sid=s3cr3t\r\nContent-Length: 3\r\n\r\n"
)
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n"


def carried(room: Room, *, head: bytes = HEAD, answer: bytes = ANSWER, missing: str = "", size: int = 0) -> Carried:
    """Return an exchange that has passed."""
    request = read_request_head(head)
    exchange = Carried(request, 1_700_000_000_000_000_000, 5, room, 10**9)
    exchange.ended_ns, exchange.correlation = 2_000_005, "c-1"
    exchange.body.add(b"abc" + bytes(size))
    if answer:
        exchange.status = read_answer_head(answer, request).status
        exchange.answer_head = answer
        exchange.answer_body.add(b"ok")
    exchange.missing = missing
    return exchange


class Crossing:
    """A courier, and at the other end the process that keeps, or one that does nothing."""

    def __init__(
        self, folder: Path, *, limits: CaptureLimits | None = None, most: int = 2**26, mask: Mask | None = None
    ) -> None:
        self.file = folder / "r.jsonl"
        redactor = Redactor(MaskKey(b"key", made=False))
        manner = Manner(Choice(), redactor, parse_sticky("cookie:sid"), "r")
        self._writer = CaptureWriter(self.file, mask or redactor.case, limits=limits or CaptureLimits())
        ours, theirs = socket.socketpair()
        context = multiprocessing.get_context("fork")
        self.process: BaseProcess = context.Process(target=self._keep, args=(ours, theirs, manner), daemon=True)
        self.process.start()
        theirs.close()
        self.room = Room()
        self.courier = Courier(ours, self.process, most)

    def _keep(self, ours: socket.socket, theirs: socket.socket, manner: Manner) -> None:
        ours.close()
        scribe(theirs, self._writer, manner)

    def carry(self, *exchanges: Carried, close: float = 20.0) -> Tally:
        """Hand these over, and return the sums."""

        async def story() -> Tally:
            self.courier.begin()
            for exchange in exchanges:
                self.courier.keep(exchange)
                await asyncio.sleep(0)
            return await self.courier.close(close)

        return asyncio.run(story())

    @property
    def cases(self) -> list[Case]:
        """Return what was kept."""
        return list(CaptureFile(self.file))


@pytest.fixture
def crossing(tmp_path: Path) -> Iterator[Crossing]:
    crossing = Crossing(tmp_path)
    yield crossing
    crossing.process.kill()
    crossing.process.join(10)


def test_an_exchange_becomes_a_case_without_secrets(crossing: Crossing) -> None:
    told = crossing.carry(carried(crossing.room), carried(crossing.room, answer=b""))
    (case, copy), written = crossing.cases, crossing.file.read_bytes()
    assert (told.seen, told.kept, told.not_kept, told.waiting) == (2, 2, {}, 0)
    assert (case.request.method, case.request.body, case.correlation_id) == ("POST", b"abc", "c-1")
    assert case.request.path.startswith("/orders/%C3%A9?token=tok_")
    assert case.recorded is not None
    assert (case.recorded.status, case.recorded.body, copy.recorded) == (201, b"ok", None)
    assert case.recorded.timing is not None
    assert (case.recorded.timing.latency_ms, case.session == copy.session, case.session is None) == (2.0, True, False)
    assert (b"geheim" in written, b"s3cr3t" in written) == (False, False)
    assert [name for name, _ in case.request.headers] == ["Host", "Cookie"]
    assert crossing.file.stat().st_mode & 0o777 == 0o600
    assert crossing.room.left == Room().left


def test_a_mask_that_fails_costs_one_case_and_tells_nothing_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(case: Case) -> Case:
        if case.recorded is None:
            raise KeyError(case.request.path)
        return case

    crossing = Crossing(tmp_path, mask=failing)
    told = crossing.carry(carried(crossing.room, answer=b""), carried(crossing.room))
    assert (told.kept, told.not_kept, told.waiting) == (1, {"a mistake of this tool: KeyError": 1}, 0)
    assert "geheim" not in "".join(capfd.readouterr())


def test_what_did_not_pass_whole_is_counted_by_reason(crossing: Crossing) -> None:
    large = carried(crossing.room)
    large.body.cut = True
    unwanted = carried(crossing.room)
    unwanted.wanted = False
    told = crossing.carry(
        carried(crossing.room, missing="the client went away"), large, unwanted, carried(crossing.room)
    )
    reasons = {"the client went away": 1, "larger than --max-body": 1, "not in the sample": 1}
    assert (told.seen, told.kept, told.not_kept, told.lost) == (4, 1, reasons, 0)
    assert crossing.room.left == Room().left


def test_what_is_more_than_the_budget_is_counted_and_no_fault(tmp_path: Path) -> None:
    crossing = Crossing(tmp_path, limits=CaptureLimits(budget=2_000))
    told = crossing.carry(*(carried(crossing.room, size=3_000) for _ in range(5)))
    assert (told.kept, told.not_kept, told.lost) == (0, {"over the budget": 5}, 0)


def test_a_keeper_that_is_stopped_holds_nothing_up_and_what_it_missed_is_counted(tmp_path: Path) -> None:
    crossing = Crossing(tmp_path, most=100_000)
    assert crossing.process.pid is not None
    os.kill(crossing.process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    told = crossing.carry(*(carried(crossing.room, size=50_000) for _ in range(100)), close=0.05)
    assert time.monotonic() - begun < 20
    assert (told.seen, told.kept, told.not_kept, told.lost) == (100, 0, {"keeping fell behind": 100}, 100)
    assert crossing.room.left == Room().left
    assert not crossing.process.is_alive()


def test_a_keeper_that_was_killed_is_noticed(tmp_path: Path) -> None:
    crossing = Crossing(tmp_path)
    crossing.process.kill()
    crossing.process.join(10)
    told = crossing.carry(*(carried(crossing.room) for _ in range(10)))
    assert (told.seen, told.kept, told.lost) == (10, 0, 10)
    assert set(told.not_kept) == {"the process that keeps has ended"}


def test_reasons_are_bounded_and_add_up(crossing: Crossing) -> None:
    told = crossing.carry(*(carried(crossing.room, missing=f"reason {number}") for number in range(1_000)))
    assert (told.seen, told.not_kept.total(), len(told.not_kept)) == (1_000, 1_000, 51)


def test_an_upgrade_or_a_record_that_nobody_could_replay_is_counted(crossing: Crossing) -> None:
    star = b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"
    told = crossing.carry(carried(crossing.room, head=star), carried(crossing.room))
    assert (told.seen, told.kept, told.not_kept.total()) == (2, 1, 1)


def test_a_fault_tells_what_the_machine_says_and_of_a_mistake_its_kind_alone() -> None:
    assert fault_of({"exception": OSError(24, "Too many open files")}) == "OSError: [Errno 24] Too many open files"
    assert fault_of({"exception": ValueError("password=geheim")}) == "ValueError"
    assert fault_of({"exception": KeyError("geheim"), "message": "geheim"}) == "KeyError"
    assert fault_of({"message": "Unclosed transport"}) == "Unclosed transport"
