"""What two servers could read in two ways is refused, and never passed on in another shape."""

from __future__ import annotations

import asyncio

import pytest

from tests.wire.conftest import Listen, Run, read_request
from tests.wire.tee.conftest import PATIENCE, Open

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

BAD_REQUESTS = {
    "Content-Length with Transfer-Encoding": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with Content-Length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "doubled length": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "differing lengths": POST + b"Content-Length: 3\r\ncontent-length: 30\r\n\r\nabc",
    "lengths in a list": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "huge length": POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "empty length": POST + b"Content-Length:\r\n\r\nabc",
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF after a field": GET + b"X: 1\nY: 2\r\n\r\n",
    "bare LF throughout": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare CR in a value": GET + b"X: 1\rY: 2\r\n\r\n",
    "folded value": GET + b"X: 1\r\n 2\r\n\r\n",
    "folded first field": b"GET / HTTP/1.1\r\n Host: a\r\nX: 1\r\n\r\n",
    "space before the colon": GET + b"X : 1\r\n\r\n",
    "space before the colon of a length": POST + b"Content-Length : 3\r\n\r\nabc",
    "no colon": GET + b"X\r\n\r\n",
    "no name": GET + b": 1\r\n\r\n",
    "NUL in a value": GET + b"X: a\x00b\r\n\r\n",
    "escape in a value": GET + b"X: a\x1bb\r\n\r\n",
    "NUL in a name": GET + b"X\x00: a\r\n\r\n",
    "control byte in the target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab for a space": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "lower-case protocol": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nX: 1\r\n\r\n",
    "two Hosts": GET + b"Host: b\r\n\r\n",
    "another host's target": b"GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n",
    "unknown transfer coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "further transfer coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, then identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "vertical tab before chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked upgrade": POST + b"Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TLS where none is spoken": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}

BAD_CHUNKS = {
    "no hexadecimal size": b"z\r\nabc\r\n0\r\n\r\n",
    "0x before the size": b"0x3\r\nabc\r\n0\r\n\r\n",
    "negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "endless size": b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n",
    "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "bare LF after the chunk": b"3\r\nabc\n0\r\n\r\n",
    "chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "Content-Length among the trailers": b"0\r\nContent-Length: 3\r\n\r\n",
    "space before a trailer's colon": b"0\r\nA : 3\r\n\r\n",
}

BAD_ANSWERS = {
    "Content-Length with Transfer-Encoding": b"HTTP/1.1 200\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "differing lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 1\n\na",
    "folded value": b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 1\r\n\r\na",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
    "another transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "status of two digits": b"HTTP/1.1 99 Low\r\n\r\n",
    "status of four digits": b"HTTP/1.1 1000 High\r\n\r\n",
    "status in words": b"HTTP/1.1 Good OK\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/2": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "unasked switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
}


@pytest.mark.parametrize("message", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_malformed_request_is_refused_and_nothing_reaches_the_upstream(
    run: Run, listen: Listen, opened: Open, message: bytes
) -> None:
    came = bytearray()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            came.extend(data)

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            answer = await place.ask(message + SMUGGLED)
            assert (answer[:12], answer.count(b"HTTP/1.1 "), bytes(came)) == (b"HTTP/1.1 400", 1, b"")
            assert [kept.missing[:9] for kept in place.kept] == ["refused: "]

    run(story())


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS.keys())
def test_a_malformed_chunk_ends_the_connection_to_the_upstream(
    run: Run, listen: Listen, opened: Open, chunks: bytes
) -> None:
    came = bytearray()
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                came.extend(data)
        finally:
            ended.set()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            answer = await place.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + SMUGGLED)
            await asyncio.wait_for(ended.wait(), PATIENCE)
            assert (answer[:12], answer.count(b"HTTP/1.1 "), b"smuggled" in came) == (b"HTTP/1.1 400", 1, False)
            assert [kept.missing[:9] for kept in place.kept] == ["refused: "]

    run(story())


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_a_malformed_answer_is_a_bad_gateway(run: Run, listen: Listen, opened: Open, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            assert (await place.ask(GET + b"\r\n"))[:12] == b"HTTP/1.1 502"
            assert [kept.missing[:10] for kept in place.kept] == ["no answer:"]

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nz\r\n",
    ],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_client(
    run: Run, listen: Listen, opened: Open, answer: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer[:-3])
        await asyncio.sleep(0.01)
        writer.write(answer[-3:])
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            assert await place.ask(GET + b"\r\n") in (answer, answer.removesuffix(b"z\r\n"))
            assert (await place.outcome()).missing.startswith("broken off: ")

    run(story())


def test_a_second_answer_to_one_request_reaches_nobody(run: Run, listen: Listen, opened: Open) -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader):
            writer.write(one + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo")

    async def story() -> None:
        async with listen(talk) as port, opened(port) as place:
            assert await place.ask(GET + b"\r\n" + GET + b"\r\n") == one

    run(story())


def test_what_is_neither_http_1_0_nor_1_1_is_told_so(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None) as place:
            assert (await place.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))[:12] == b"HTTP/1.1 505"

    run(story())


def test_a_head_that_never_ends_is_refused(run: Run, opened: Open) -> None:
    async def story() -> None:
        async with opened(None) as place:
            assert (await place.ask(GET + b"X: " + b"a" * 300_000))[:12] == b"HTTP/1.1 431"

    run(story())
