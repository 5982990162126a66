"""When an answer arrived is told by the system, and not by how soon somebody came to read it."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from replay.models import Observation
from replay.wire.arrival import Arrivals
from replay.wire.clock import now_ns
from replay.wire.connection import Connection
from replay.wire.exchange import Exchange
from replay.wire.heads import Heads
from replay.wire.stream import Stream

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Noted = list[tuple[bytes, int]]
LARGE = 8 * 2**20
ATTEMPTS = 1000

linux_only = pytest.mark.skipif(not Arrivals.SPACE, reason="this system keeps no account of arrivals")


class Listener:
    """Keeps what a stream tells."""

    def __init__(self) -> None:
        self.noted: Noted = []
        self.mistake: Exception | None = None
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.some = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take no note."""

    def arrived(self, data: bytes, at_ns: int) -> None:
        """Take note of bytes."""
        self.noted.append((data, at_ns))
        self.some.set()
        if self.mistake is not None:
            raise self.mistake

    def eof_received(self) -> bool | None:
        """Take no note."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        self.lost.set_result(exc)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a connection; the first one does not block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setblocking(False)
    with near, far:
        yield near, far


Ends = tuple[socket.socket, socket.socket]


@linux_only
def test_bytes_that_waited_to_be_read_keep_the_time_of_their_arrival(run: Run, ends: Ends) -> None:
    near, far = ends

    async def talk() -> bool:
        listener = Listener()
        stream = Stream(near, listener)
        # The system begins to keep account a little after it was told to, and may pause between two looks at a clock.
        for _ in range(ATTEMPTS):
            listener.some.clear()
            far.sendall(b"answer")
            select.select([near], [], [])
            busy_since = now_ns()
            await listener.some.wait()
            if listener.noted[-1][1] <= busy_since:
                break
        stream.abort()
        await listener.lost
        return listener.noted[-1][1] <= busy_since

    assert run(talk())


def test_bytes_without_a_note_have_just_come() -> None:
    before = now_ns()
    assert before <= Arrivals().moment([]) <= now_ns()


@linux_only
@pytest.mark.parametrize("wrong_by", [1, -1], ids=["forward", "back"])
def test_a_note_from_before_the_clock_was_set_is_passed_over(wrong_by: int) -> None:
    wall = [1_700_000_000_000_000_000]
    arrivals = Arrivals(lambda: wall[0] + now_ns())
    note = struct.pack("@ll", *divmod(wall[0] + now_ns() - 5_000_000, 10**9))
    assert arrivals.moment([(0, 0, note)]) < now_ns() - 4_000_000
    wall[0] += wrong_by * 3_600_000_000_000
    before = now_ns()
    assert arrivals.moment([(0, 0, note)]) >= before


@linux_only
def test_a_note_of_what_is_yet_to_come_is_passed_over() -> None:
    arrivals = Arrivals(lambda: 10**18 + now_ns())
    before = now_ns()
    note = struct.pack("@ll", *divmod(10**18 + before + 10**9, 10**9))
    assert before <= arrivals.moment([(0, 0, note)]) <= now_ns()


def test_what_the_system_does_not_take_at_once_is_sent_later(run: Run, ends: Ends) -> None:
    near, far = ends
    message = bytes(range(256)) * (LARGE // 256)

    def take() -> bytes:
        taken = bytearray()
        while len(taken) < LARGE and (piece := far.recv(2**20)):
            taken += piece
        return bytes(taken)

    async def talk() -> tuple[int, bytes, int]:
        listener = Listener()
        stream = Stream(near, listener)
        stream.write(message[:-1])
        stream.write(message[-1:])
        waiting = stream.get_write_buffer_size()
        taken = await asyncio.get_running_loop().run_in_executor(None, take)
        left = stream.get_write_buffer_size()
        stream.abort()
        await listener.lost
        return waiting, taken, left

    waiting, taken, left = run(talk())
    assert waiting > 0
    assert taken == message
    assert left == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there the loop's own transports are used")
def test_an_answer_that_came_before_the_end_is_taken_where_nothing_can_be_written(run: Run, ends: Ends) -> None:
    near, far = ends

    async def talk() -> tuple[Noted, bool]:
        listener = Listener()
        near.shutdown(socket.SHUT_WR)
        far.sendall(b"too large" * 10_000)  # more than is read at once
        stream = Stream(near, listener)
        stream.write(b"more")
        await listener.lost
        return listener.noted, stream.is_closing()

    noted, closing = run(talk())
    assert len(noted) > 1
    assert b"".join([data for data, _ in noted]) == b"too large" * 10_000
    assert closing


def test_a_mistake_of_the_receiver_ends_the_stream_and_is_told(run: Run, ends: Ends) -> None:
    near, far = ends

    async def talk() -> Exception | None:
        listener = Listener()
        listener.mistake = LookupError("ours")
        Stream(near, listener)
        far.sendall(b"bytes")
        return await listener.lost

    assert isinstance(run(talk()), LookupError)


def test_nothing_is_written_once_it_is_closed(run: Run, ends: Ends) -> None:
    near, far = ends

    async def talk() -> bytes:
        listener = Listener()
        stream = Stream(near, listener)
        stream.abort()
        stream.abort()
        stream.write(b"late")
        await listener.lost
        return far.recv(10)

    assert run(talk()) == b""


class Keeper:
    """Keeps what became of an exchange."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def opened(self, connection: Connection) -> None:
        """Take no note."""

    def finished(self, connection: Connection, exchange: Exchange) -> None:
        """Take note of the outcome."""
        self.seen.append(connection.observation(exchange))

    def broken(self, connection: Connection, exchange: Exchange, error: BaseException) -> None:  # noqa: ARG002 - as asked
        """Fail: nothing of ours is broken here."""
        raise error

    def lost(self, connection: Connection) -> None:
        """Take no note."""


def expired(run: Run, ends: Ends, *, seconds_left: int) -> Observation:
    """Return what is told of an answer that had come, unread, when the time of its exchange was found to be over."""
    near, far = ends

    async def talk() -> Observation:
        keeper = Keeper()
        connection = Connection(keeper, Heads(), max_body=100)
        Stream(near, connection)
        exchange = Exchange("GET", b"GET / HTTP/1.1\r\n\r\n", lambda _: None, lambda _: None)
        exchange.deadline = now_ns() + seconds_left * 10**9
        connection.carry(exchange)
        far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        select.select([near], [], [])
        connection.expire(1.0)
        connection.abort()
        await asyncio.sleep(0)
        [seen] = keeper.seen
        return seen

    observation: Observation = run(talk())
    return observation


def test_an_answer_that_came_in_time_is_no_timeout_for_being_read_late(run: Run, ends: Ends) -> None:
    seen = expired(run, ends, seconds_left=3600)
    assert (seen.status, seen.body, seen.error) == (200, b"ok", None)


def test_an_answer_that_came_too_late_is_a_timeout(run: Run, ends: Ends) -> None:
    seen = expired(run, ends, seconds_left=-3600)
    assert seen.status is None
    assert seen.error is not None
    assert seen.error.kind == "timeout"
