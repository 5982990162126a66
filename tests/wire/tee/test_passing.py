"""What passes through a tee, passes as it came: every byte, in both directions, whatever HTTP/1.1 allows."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.wire.conftest import Listen, Run, read_request
from tests.wire.tee.conftest import PATIENCE, Open

CHUNKED = b"3;note=1\r\nabc\r\n4\r\n\r\n\r\n\r\n0\r\nDigest: x\r\nOther: y\r\n\r\n"
"""Seven bytes, four of them looking like the end of a head; an extension, and two trailers."""


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with its own bytes."""
    while request := await read_request(reader):
        writer.write(b"HTTP/1.1 200 Fine\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: %d\r\n\r\n" % len(request) + request)


def test_a_request_and_its_answer_pass_to_the_byte(run: Run, listen: Listen, opened: Open) -> None:
    request = (
        b"POST /a/../b?x=%2f&y HTTP/1.1\r\nhOsT:  any \r\nX-Twice: 1\r\nx-twice: \xe9\r\nContent-Length: 3\r\n\r\nabc"
    )

    async def story() -> None:
        async with listen(echo) as port, opened(port) as place:
            answer = await place.ask(request)
            head = b"HTTP/1.1 200 Fine\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: %d\r\n\r\n" % len(request)
            assert answer == head + request
            kept = await place.outcome()
            assert (kept.missing, kept.status, kept.body, kept.answer) == ("", 200, b"abc", request)

    run(story())


def test_requests_of_one_client_share_a_connection_to_the_upstream(run: Run, listen: Listen, opened: Open) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await echo(reader, writer)

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            for number in range(5):
                writer.write(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" % number)
                await reader.readuntil(b"\r\n\r\nx")
            writer.close()
            assert (connections, len(place.kept)) == (1, 5)

    run(story())


def test_pipelined_requests_are_sent_one_at_a_time_and_answered_in_order(
    run: Run, listen: Listen, opened: Open
) -> None:
    under_way: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            under_way.append(1)
            await asyncio.sleep(0.002)
            assert sum(under_way) == 1
            under_way.append(-1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + request[5:7])

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            requests = [b"GET /%02d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(20)]
            answer = await place.ask(b"\r\n".join(requests))
            assert [part[-2:] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [b"%02d" % n for n in range(20)]
            assert len(place.kept) == 20

    run(story())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_a_chunked_body_passes_with_extensions_and_trailers_however_it_is_cut(
    run: Run, listen: Listen, opened: Open, size: int
) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    message = head + CHUNKED + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
    came: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readexactly(len(head) + len(CHUNKED)))
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED)
        came.append(await read_request(reader))
        writer.write(b"HTTP/1.1 204 No\r\n\r\n")

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            for start in range(0, len(message), size):
                writer.write(message[start : start + size])
                await asyncio.sleep(0)
            answer = await asyncio.wait_for(reader.readuntil(b"204 No\r\n\r\n"), PATIENCE)
            writer.close()
            assert (
                answer
                == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + b"HTTP/1.1 204 No\r\n\r\n"
            )
            assert (came[0], came[1][:9]) == (head + CHUNKED, b"GET /next")
            assert [(kept.body, kept.answer) for kept in place.kept] == [(b"abc\r\n\r\n", b"abc\r\n\r\n"), (b"", b"")]

    run(story())


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n"),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        (b"BREW", b"HTTP/1.1 418\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_an_answer_ends_where_it_ends_and_the_next_one_follows(
    run: Run, listen: Listen, opened: Open, method: bytes, answer: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader):
            writer.write(answer)

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            assert await place.ask((method + b" /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n") * 3) == answer * 3
            assert [kept.missing for kept in place.kept] == [""] * 3

    run(story())


def test_a_body_without_length_ends_with_the_connection(run: Run, listen: Listen, opened: Open) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\none")
        await asyncio.sleep(0.002)
        writer.write(b"two")
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            assert await place.ask(b"GET / HTTP/1.0\r\n\r\n") == b"HTTP/1.0 200 OK\r\n\r\nonetwo"
            assert (await place.outcome()).answer == b"onetwo"

    run(story())


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_by_the_upstream(
    run: Run, listen: Listen, opened: Open
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(3)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body)

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"abc")
            assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            assert [(kept.missing, kept.body) for kept in place.kept] == [("", b"abc")]

    run(story())


def test_a_body_that_nobody_asked_for_is_not_waited_for(run: Run, listen: Listen, opened: Open) -> None:
    refusal = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refusal)
        await reader.read()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert await asyncio.wait_for(reader.read(), PATIENCE) == refusal
            writer.close()
            assert place.kept[0].missing == "answered before the request was whole"

    run(story())


def test_an_upgraded_connection_is_passed_on_as_it_is_and_not_kept(run: Run, listen: Listen, opened: Open) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(switch + b"\x81\x02hi")
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.write(b"bye")
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nab")
            assert await reader.readexactly(len(switch) + 6) == switch + b"\x81\x02hiAB"
            writer.write(b"\r\n\r\ncd")
            assert await reader.readexactly(6) == b"\r\n\r\nCD"
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b"bye"
            writer.close()
            assert [kept.missing for kept in place.kept] == ["upgraded to another protocol"]

    run(story())


def test_an_upgrade_that_is_not_taken_up_is_a_request_like_any_other(run: Run, listen: Listen, opened: Open) -> None:
    async def story() -> None:
        async with listen(echo) as port, opened(port) as place:
            request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
            answer = await place.ask(request + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (answer.count(b"200 Fine"), [kept.missing for kept in place.kept]) == (2, ["", ""])

    run(story())


def test_a_body_is_passed_on_while_it_comes(run: Run, listen: Listen, opened: Open) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        for _ in range(4):
            writer.write(await reader.readexactly(1))

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            reader, writer = await place.client()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            for byte in (b"a", b"b", b"c", b"d"):
                writer.write(byte)
                assert await asyncio.wait_for(reader.readexactly(1), PATIENCE) == byte
            kept = await place.outcome()
            writer.close()
            assert (kept.missing, kept.body, kept.answer) == ("", b"abcd", b"abcd")

    run(story())


def test_an_upstream_may_speak_tls(run: Run, opened: Open, certificate: Path) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate.parent / "certificate.pem"))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=serving)
        port = server.sockets[0].getsockname()[1]
        async with opened(port, tls=trusting) as place:
            assert b"200 Fine" in await place.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with opened(port, tls=ssl.create_default_context()) as place:
            answer = await place.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 502 Bad Gateway")
            assert b"certificate verify failed" in answer
        server.close()

    run(story())


def test_without_an_upstream_every_request_is_answered_at_once(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None) as place:
            head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            answer = await place.ask(head + b"abc" + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert answer.count(b"204 No Content") == 2
            assert [(kept.method, kept.body, kept.missing) for kept in place.kept] == [
                ("POST", b"abc", ""),
                ("GET", b"", ""),
            ]

    run(story())
