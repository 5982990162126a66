"""What a tee endures: slow, broken and too many clients, upstreams that are slow or gone, bodies of any size."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from tests.wire.conftest import Listen, Run, read_request
from tests.wire.tee.conftest import PATIENCE, QUICK, Open

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PIECE = bytes(2**16)


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(OK)


def test_a_head_that_drips_is_given_up(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None) as place:
            reader, writer = await place.client()
            writer.write(GET[:9])
            assert (await asyncio.wait_for(reader.read(), PATIENCE))[:12] == b"HTTP/1.1 408"
            writer.close()
            assert place.kept[0].missing == "refused: the head did not come in time"

    run(story())


def test_an_idle_connection_is_closed_and_counts_for_nothing(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None, limits=replace(QUICK, idle=0.05)) as place:
            reader, writer = await place.client()
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
            writer.close()
            assert place.kept == []

    run(story())


def test_a_body_that_stalls_is_given_up(run: Run, listen: Listen, opened: Open) -> None:
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            ended.set()

    async def story() -> None:
        async with listen(talk) as port, opened(port, limits=replace(QUICK, stalled=0.1)) as place:
            _, writer = await place.client()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            await asyncio.wait_for(ended.wait(), PATIENCE)
            writer.close()
            assert (await place.outcome()).missing == "the client stalled"

    run(story())


def test_an_upstream_that_is_down_is_a_bad_gateway_and_the_next_request_tries_anew(run: Run, opened: Open) -> None:
    async def story() -> None:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        async with opened(sock.getsockname()[1]) as place:
            answer = await place.ask(GET)
            assert (answer[:12], b"connection refused" in answer) == (b"HTTP/1.1 502", True)
            sock.listen()
            sock.setblocking(False)
            asking = asyncio.create_task(place.ask(GET))
            connection, _ = await asyncio.get_running_loop().sock_accept(sock)
            await asyncio.get_running_loop().sock_sendall(connection, OK)
            assert await asking == OK
            connection.close()
            sock.close()
            told = [kept.missing for kept in place.kept]
            assert told == ["no answer: the upstream cannot be reached: connection refused", ""]

    run(story())


def test_an_upstream_that_is_silent_is_a_gateway_timeout(run: Run, listen: Listen, opened: Open) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        async with listen(talk) as port, opened(port, limits=replace(QUICK, silent=0.1)) as place:
            reader, writer = await place.client()
            writer.write(GET)
            assert (await asyncio.wait_for(reader.read(), PATIENCE))[:12] == b"HTTP/1.1 504"
            writer.close()

    run(story())


def test_an_upload_that_is_aborted_is_aborted_at_the_upstream(
    run: Run, listen: Listen, opened: Open, reset: Callable[[asyncio.StreamWriter], None]
) -> None:
    came: list[bytes] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"abc")
        begun.set()
        try:
            came.append(await reader.read())
        finally:
            ended.set()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            _, writer = await place.client()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            await asyncio.wait_for(begun.wait(), PATIENCE)
            reset(writer)
            await asyncio.wait_for(ended.wait(), PATIENCE)
            assert (await place.outcome()).missing == "the client went away"
            assert came in ([], [b""])

    run(story())


def test_a_download_that_is_aborted_is_aborted_at_the_upstream(
    run: Run, listen: Listen, opened: Open, reset: Callable[[asyncio.StreamWriter], None]
) -> None:
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        try:
            await reader.read()
        finally:
            ended.set()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(GET)
            await reader.readuntil(b"abc")
            reset(writer)
            await asyncio.wait_for(ended.wait(), PATIENCE)
            assert (await place.outcome()).missing == "the client went away"

    run(story())


def test_an_upload_of_100_mb_passes_in_little_memory(run: Run, listen: Listen, opened: Open) -> None:
    pieces = 100 * 2**20 // len(PIECE)
    came = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        await reader.readuntil(b"\r\n\r\n")
        while came < pieces * len(PIECE):
            came += len(await reader.read(2**18))
        writer.write(OK)

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (pieces * len(PIECE)))
            for _ in range(pieces):
                writer.write(PIECE)
                await writer.drain()
            assert await asyncio.wait_for(reader.readuntil(b"ok"), PATIENCE) == OK
            writer.close()
            assert ((await place.outcome()).body, came) == (b"", pieces * len(PIECE))

    run(story())


def test_an_upstream_waits_for_a_client_that_does_not_read(run: Run, listen: Listen, opened: Open) -> None:
    sent = 0
    stuck = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (100 * 2**20))
        while sent < 100 * 2**20:
            writer.write(PIECE)
            sent += len(PIECE)
            try:
                await asyncio.wait_for(asyncio.shield(writer.drain()), 0.3)
            except TimeoutError:
                stuck.set()
                await writer.drain()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            cast("asyncio.Transport", writer.transport).pause_reading()
            writer.write(GET)
            await asyncio.wait_for(stuck.wait(), PATIENCE)
            assert sent < 50 * 2**20
            cast("asyncio.Transport", writer.transport).resume_reading()
            await reader.readuntil(b"\r\n\r\n")
            left = 100 * 2**20
            while left:
                left -= len(await asyncio.wait_for(reader.read(2**20), PATIENCE))
            writer.close()
            assert (await place.outcome()).missing == ""

    run(story())


def test_a_client_that_never_reads_is_given_up(run: Run, listen: Listen, opened: Open) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(PIECE)
            await writer.drain()

    async def story() -> None:
        async with listen(talk) as port, opened(port, limits=replace(QUICK, stalled=0.1)) as place:
            _, writer = await place.client()
            cast("asyncio.Transport", writer.transport).pause_reading()
            writer.write(GET)
            assert (await place.outcome()).missing == "the client stalled"
            writer.transport.abort()

    run(story())


def test_one_connection_too_many_is_told_so(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None, limits=replace(QUICK, connections=1)) as place:
            _, first = await place.client()
            reader, second = await place.client()
            assert (await asyncio.wait_for(reader.read(), PATIENCE))[:12] == b"HTTP/1.1 503"
            first.close()
            second.close()

    run(story())


@pytest.mark.parametrize(("method", "status"), [(b"GET", b"200"), (b"POST", b"502")])
def test_a_kept_connection_that_the_upstream_closes_is_replaced_for_what_may_be_sent_twice(
    run: Run, listen: Listen, opened: Open, method: bytes, status: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        writer.transport.abort()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            answer = await place.ask(GET + method + GET[3:-2] + b"Content-Length: 0\r\n\r\n")
            assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", status]

    run(story())


def test_what_cannot_be_sent_twice_takes_a_new_connection_after_a_rest(run: Run, listen: Listen, opened: Open) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answer_all(reader, writer)

    async def story() -> None:
        async with listen(talk) as port, opened(port, limits=replace(QUICK, fresh=0)) as place:
            await place.ask(GET + GET + b"DELETE" + GET[3:])
            assert (connections, [kept.missing for kept in place.kept]) == (2, [""] * 3)

    run(story())


def test_at_the_end_exchanges_under_way_are_finished_and_idle_connections_closed(
    run: Run, listen: Listen, opened: Open
) -> None:
    asked, stopping = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await stopping.wait()
        writer.write(OK)
        await reader.read()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            idle, idler = await place.client()
            reader, writer = await place.client()
            writer.write(GET)
            await asyncio.wait_for(asked.wait(), PATIENCE)
            ending = asyncio.create_task(place.tee.stop(PATIENCE))
            assert await asyncio.wait_for(idle.read(), PATIENCE) == b""
            stopping.set()
            assert await asyncio.wait_for(reader.read(), PATIENCE) == OK
            await asyncio.wait_for(ending, PATIENCE)
            writer.close()
            idler.close()
            assert [kept.missing for kept in place.kept] == [""]

    run(story())


def test_at_the_end_what_does_not_finish_in_time_is_cut_off_and_counted(run: Run, listen: Listen, opened: Open) -> None:
    asked = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await reader.read()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            _, writer = await place.client()
            writer.write(GET)
            await asyncio.wait_for(asked.wait(), PATIENCE)
            await place.tee.stop(0)
            writer.close()
            assert [kept.missing for kept in place.kept] == ["cut off at the end"]

    run(story())
