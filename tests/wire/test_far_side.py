"""Whatever the far side does gets its name, within the deadline, and does not reach the next case."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest

from replay.models import ErrorKind, Observation, Request
from replay.wire import Origin, WireClient

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[
    [Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]], AbstractAsyncContextManager[int]
]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Reset = Callable[[asyncio.StreamWriter], None]
Ending = Literal["hold", "close", "reset"]

TIMEOUT: Final = 0.25
PATIENT: Final = 5.0
"""The deadline where something else than the deadline has to end the exchange, however slow the machine."""
MAX_BODY: Final = 2**20
OK: Final = b"HTTP/1.1 200 OK\r\n"
TWO: Final = OK + b"Content-Length: 2\r\n\r\nhi"
INTERIM: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Fault:
    """What the far side sends and how it goes on, and what must be observed."""

    sent: bytes
    ending: Ending = "hold"
    kind: ErrorKind | None = None
    status: int | None = None
    body: bytes = b""
    method: str = "GET"
    part: str = ""
    kept: bool = False
    """Whether the connection stands at the end of the answer and may carry the next case."""


def coded(coding: bytes, body: bytes) -> bytes:
    return OK + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)) + body


FAULTS: Final[dict[str, Fault]] = {
    # no answer, or a part of one
    "never answers": Fault(b"", "hold", "timeout", part="not a byte"),
    "closes before the first byte": Fault(b"", "close", "closed"),
    "resets before the first byte": Fault(b"", "reset", "reset"),
    "closes within the head": Fault(OK + b"X-A", "close", "closed", part="within the head"),
    "resets within the head": Fault(OK + b"X-A", "reset", "reset"),
    "stops within the head": Fault(OK + b"X-A", "hold", "timeout", part="head"),
    "closes at the body": Fault(OK + b"Content-Length: 9\r\n\r\n", "close", "incomplete_body", 200),
    "resets at the body": Fault(OK + b"Content-Length: 9\r\n\r\n", "reset", "reset", 200),
    "closes within the body": Fault(OK + b"Content-Length: 9\r\n\r\nhi", "close", "incomplete_body", 200, b"hi"),
    "resets within the body": Fault(OK + b"Content-Length: 9\r\n\r\nhi", "reset", "reset", 200, b"hi"),
    "stops within the body": Fault(OK + b"Content-Length: 9\r\n\r\nhi", "hold", "timeout", 200, b"hi", part="body"),
    # lengths
    "a length that is too short": Fault(TWO + b"more", "hold", "protocol", 200, b"hi", part="after the end"),
    "a length that is too long": Fault(OK + b"Content-Length: 3\r\n\r\nhi", "hold", "timeout", 200, b"hi"),
    "a negative length": Fault(OK + b"Content-Length: -2\r\n\r\nhi", "hold", "protocol"),
    "an empty length": Fault(OK + b"Content-Length:\r\n\r\nhi", "hold", "protocol"),
    "two equal lengths": Fault(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "hold", "protocol"),
    "two different lengths": Fault(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "hold", "protocol"),
    "a length beyond 64 bits": Fault(OK + b"Content-Length: 99999999999999999999\r\n\r\nhi", "hold", "protocol"),
    "a huge length": Fault(OK + b"Content-Length: 99999999999999\r\n\r\nhi", "close", "incomplete_body", 200, b"hi"),
    "length and chunks": Fault(
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hold", "protocol"
    ),
    "chunks and length": Fault(
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hold", "protocol"
    ),
    "an end without length": Fault(OK + b"\r\nhi", "close", None, 200, b"hi"),
    "a reset without length": Fault(OK + b"\r\nhi", "reset", "reset", 200, b"hi"),
    "no end and no length": Fault(OK + b"Content-Type: text/event-stream\r\n\r\ndata: 1\n\n", "hold", "timeout", 200,
                                  b"data: 1\n\n"),
    # chunks
    "a chunk size that is text": Fault(CHUNKED + b"2\r\nhi\r\nzz\r\n", "hold", "protocol", 200, b"hi"),
    "a negative chunk size": Fault(CHUNKED + b"-2\r\nhi\r\n", "hold", "protocol", 200),
    "a chunk size beyond 64 bits": Fault(CHUNKED + b"fffffffffffffffff\r\nhi", "hold", "protocol", 200),
    "a chunk that is longer than its size": Fault(CHUNKED + b"2\r\nhi!!!\r\n", "hold", "protocol", 200, b"hi"),
    "no last chunk": Fault(CHUNKED + b"2\r\nhi\r\n", "close", "incomplete_body", 200, b"hi"),
    "endless chunks": Fault(CHUNKED + b"10000\r\n%b\r\n" % (b"x" * 2**16) * 20, "hold", "too_large", 200,
                            b"x" * MAX_BODY),
    "endless empty lines": Fault(b"\r\n" * 2**21, "hold", "too_large"),
    "an endless chunk extension": Fault(CHUNKED + b"2;" + b"x" * 3 * 2**20, "hold", "too_large", 200),
    "endless trailers": Fault(CHUNKED + b"0\r\n" + b"A: b\r\n" * 2**19, "hold", "too_large", 200),
    "chunks with trailers": Fault(CHUNKED + b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n", "hold", None, 200, b"hi", kept=True),
    "a gzip transfer coding": Fault(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hold",
                                    "protocol", 200),
    "chunked twice": Fault(OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "hold",
                           "protocol", 200),
    # answers that are too many
    "two answers": Fault(TWO + TWO.replace(b"hi", b"no"), "hold", "protocol", 200, b"hi", part="after the end"),
    "two answers in chunks": Fault(
        (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n") * 2, "hold", "protocol", 200, b"hi", part="after the end"
    ),
    "an answer and garbage": Fault(TWO + b"\0\0garbage", "hold", "protocol", 200, b"hi", part="after the end"),
    "an answer and a line end": Fault(CHUNKED + b"0\r\n\r\n\r\n", "hold", None, 200, b"", kept=True),
    "a thousand interim answers": Fault(INTERIM * 1000 + TWO, "hold", None, 200, b"hi", kept=True),
    "early hints": Fault(b"HTTP/1.1 103 Hints\r\nLink: </a.css>\r\n\r\n" + TWO, "hold", None, 200, b"hi", kept=True),
    "an interim answer with a body": Fault(
        b"HTTP/1.1 150 Odd\r\nContent-Length: 3\r\n\r\nodd" + TWO, "hold", None, 200, b"hi"
    ),
    "endless interim answers": Fault(INTERIM * 130_000, "hold", "too_large"),
    "only an interim answer": Fault(INTERIM, "close", "closed"),
    "an unasked 101": Fault(
        b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi", "hold", "protocol"
    ),
    "a bare 101": Fault(b"HTTP/1.1 101 Switching Protocols\r\n\r\nhi", "hold", "protocol"),
    "an offer to upgrade": Fault(
        OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + TWO[len(OK) :], "hold", None, 200, b"hi", kept=True
    ),
    # no HTTP/1.1
    "HTTP/0.9": Fault(b"<html>hello</html>", "close", "protocol"),
    "HTTP/0.9 by name": Fault(TWO.replace(b"1.1", b"0.9"), "hold", "protocol"),
    "HTTP/2 by name": Fault(TWO.replace(b"1.1", b"2.0"), "hold", "protocol"),
    "an HTTP/2 preface": Fault(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "hold", "protocol", part="HTTP/2"),
    "HTTP/2 settings": Fault(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64", "hold", "protocol", part="HTTP/2"),
    "a TLS alert": Fault(b"\x15\x03\x01\x00\x02\x02\x46", "close", "protocol", part="TLS"),
    "RTSP": Fault(TWO.replace(b"HTTP/1.1", b"RTSP/1.0"), "hold", "protocol"),
    "garbage": Fault(bytes(range(255, 0, -1)), "hold", "protocol"),
    "NULs": Fault(b"\0" * 100, "hold", "protocol"),
    "bare line feeds": Fault(TWO.replace(b"\r\n", b"\n"), "hold", "protocol"),
    # statuses
    "status 99": Fault(TWO.replace(b"200", b"99"), "hold", "protocol"),
    "status 099": Fault(TWO.replace(b"200", b"099"), "hold", "protocol"),
    "status 1000": Fault(TWO.replace(b"200", b"1000"), "hold", "protocol"),
    "a status in words": Fault(TWO.replace(b"200", b"fine"), "hold", "protocol"),
    "status 999": Fault(TWO.replace(b"200", b"999"), "hold", None, 999, b"hi", kept=True),
    "no reason": Fault(TWO.replace(b" OK", b""), "hold", None, 200, b"hi", kept=True),
    "a redirect": Fault(
        b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "hold", None, 302, kept=True
    ),
    # bodies where none may be
    "a body on 204": Fault(TWO.replace(b"200", b"204"), "hold", "protocol", 204),
    "a length on 204": Fault(TWO.replace(b"200", b"204")[:-2], "hold", None, 204),
    "chunks on 204": Fault(CHUNKED.replace(b"200", b"204") + b"2\r\nhi\r\n0\r\n\r\n", "hold", "protocol", 204),
    "a body on 304": Fault(TWO.replace(b"200", b"304"), "hold", "protocol", 304),
    "a length on 304": Fault(TWO.replace(b"200", b"304")[:-2], "hold", None, 304),
    "a body on 205": Fault(TWO.replace(b"200", b"205"), "hold", None, 205, b"hi", kept=True),
    "a body on HEAD": Fault(TWO, "hold", "protocol", 200, b"", "HEAD"),
    "a length on HEAD": Fault(TWO[:-2], "hold", None, 200, b"", "HEAD"),
    "chunks on HEAD": Fault(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", "hold", "protocol", 200, b"", "HEAD"),
    "a coding on HEAD": Fault(OK + b"Content-Encoding: gzip\r\n\r\n", "hold", None, 200, b"", "HEAD"),
    # headers
    "ten thousand headers": Fault(OK + b"X-A: b\r\n" * 10_000 + TWO[len(OK) :], "hold", None, 200, b"hi", kept=True),
    "a header of 1 MB": Fault(
        OK + b"X-A: " + b"b" * 10**6 + b"\r\nContent-Length: 2\r\n\r\nhi", "hold", None, 200, b"hi", kept=True
    ),
    "a header of 3 MB": Fault(OK + b"X-A: " + b"b" * 3 * 10**6, "hold", "too_large"),
    "a NUL in a header": Fault(OK + b"X-A: b\0c\r\nContent-Length: 2\r\n\r\nhi", "hold", "protocol"),
    "a folded header": Fault(OK + b"X-A: b\r\n  c\r\nContent-Length: 2\r\n\r\nhi", "hold", "protocol"),
    "an empty header": Fault(OK + b"X-A:\r\nContent-Length: 2\r\n\r\nhi", "hold", None, 200, b"hi", kept=True),
    # sizes and codings
    "a body over the cap": Fault(
        OK + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, "hold", "too_large", 200, b"x" * MAX_BODY
    ),
    "an endless stream": Fault(OK + b"\r\n" + b"x" * 2_000_000, "hold", "too_large", 200, b"x" * MAX_BODY),
    "gzip": Fault(coded(b"gzip", gzip.compress(b"hi")), "hold", None, 200, b"hi", kept=True),
    "a cut gzip": Fault(coded(b"gzip", gzip.compress(b"hi")[:-4]), "hold", "decode", 200, b"hi", kept=True),
    "gzip that is none": Fault(coded(b"gzip", b"hi"), "hold", "decode", 200, kept=True),
    "raw deflate": Fault(coded(b"deflate", zlib.compress(b"hi", wbits=-15)), "hold", None, 200, b"hi", kept=True),
    "a corrupt gzip": Fault(coded(b"gzip", gzip.compress(b"hi")[:-8] + b"\0" * 8), "hold", "decode", 200, b"",
                            kept=True),
    "two gzip members": Fault(coded(b"gzip", gzip.compress(b"hi") + gzip.compress(b"ho")), "hold", None, 200, b"hiho",
                              kept=True),
    "gzip twice": Fault(coded(b"gzip, gzip", gzip.compress(gzip.compress(b"hi"))), "hold", None, 200, b"hi", kept=True),
    "a gzip bomb": Fault(coded(b"gzip", gzip.compress(bytes(2**23))), "hold", "too_large", 200, bytes(MAX_BODY),
                         kept=True),
    "an unknown coding": Fault(coded(b"lzma", b"hi"), "hold", "decode", 200, b"hi", kept=True),
    "a close within gzip": Fault(coded(b"gzip", gzip.compress(b"hi"))[:-4], "close", "incomplete_body", 200, b"hi"),
}  # fmt: skip


def client_for(port: int, seconds: float = TIMEOUT) -> WireClient:
    return WireClient(Origin.parse(f"http://127.0.0.1:{port}"), timeout=seconds, max_body=MAX_BODY)


@pytest.fixture
def seen() -> list[tuple[int, bytes]]:
    """Return what will hold the number of the connection and the request, for each that the far side got."""
    return []


@pytest.fixture
def meet(run: Run, serve: Serve, reset: Reset, seen: list[tuple[int, bytes]]) -> Callable[[Fault], list[Observation]]:
    """Return what meets one fault, and then asks the same client for three good answers."""

    def behave(fault: Fault) -> Behaviour:
        async def behaviour(writer: asyncio.StreamWriter) -> None:
            writer.write(fault.sent)
            if fault.ending == "close":
                writer.close()
            elif fault.ending == "reset":
                await asyncio.sleep(0.02)  # so that what was sent is read before the reset overtakes it
                reset(writer)

        return behaviour

    async def scenario(fault: Fault) -> list[Observation]:
        async with serve({"/fault": behave(fault)}, seen) as port:
            client = client_for(port, TIMEOUT if fault.kind == "timeout" else PATIENT)
            requests = [Request(fault.method, "/fault"), Request(path="/1"), Request("POST", "/2"), Request(path="/3")]
            observations = [await client.exchange(request) for request in requests]
            await client.close()
            return observations

    return lambda fault: list(run(scenario(fault)))


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS.items()])
def test_a_fault_has_a_name_and_does_not_reach_the_next_case(
    fault: Fault, meet: Callable[[Fault], list[Observation]], seen: list[tuple[int, bytes]]
) -> None:
    start = time.monotonic()
    first, *rest = meet(fault)
    elapsed = time.monotonic() - start

    kind = first.error.kind if first.error else None
    assert (kind, first.status, first.body) == (fault.kind, fault.status, fault.body), first.error
    assert fault.part in (first.error.message if first.error else "")
    assert [(other.status, other.body, other.error) for other in rest] == [(200, b"ok", None)] * 3
    assert [number for number, _ in seen] == ([1] * 4 if fault.kept else [1, 2, 2, 2])
    assert elapsed < (TIMEOUT if fault.kind == "timeout" else PATIENT) + 2


@pytest.mark.parametrize("name", ["head", "body", "chunks"])
def test_a_drip_does_not_stretch_the_deadline(name: str, run: Run, serve: Serve) -> None:
    drips = {"head": b"X: 1\r\n", "body": b"x", "chunks": b"1\r\nx\r\n"}
    starts = {"head": OK, "body": OK + b"Content-Length: 900\r\n\r\n", "chunks": CHUNKED}

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(starts[name])
        while not writer.is_closing():
            writer.write(drips[name])
            await asyncio.sleep(0.02)

    async def scenario() -> tuple[Observation, float]:
        async with serve({"/drip": drip}, []) as port:
            client = client_for(port)
            start = time.monotonic()
            observation = await client.exchange(Request(path="/drip"))
            elapsed = time.monotonic() - start
            await client.close()
            return observation, elapsed

    observation, elapsed = run(scenario())
    assert observation.error is not None
    assert observation.error.kind == "timeout"
    assert TIMEOUT - 0.01 < elapsed < TIMEOUT + 0.5  # uvloop counts in milliseconds


@pytest.mark.parametrize("cut", range(1, len(CHUNKED) + 17, 9))
def test_an_answer_is_the_same_however_it_is_cut_into_packets(cut: int, run: Run, serve: Serve) -> None:
    whole = CHUNKED + b"2\r\nhi\r\n2\r\nho\r\n0\r\n\r\n"

    async def two_packets(writer: asyncio.StreamWriter) -> None:
        writer.write(whole[:cut])
        await asyncio.sleep(0.005)
        writer.write(whole[cut:])

    async def scenario() -> Observation:
        async with serve({"/cut": two_packets}, []) as port:
            client = client_for(port)
            observation = await client.exchange(Request(path="/cut"))
            await client.close()
            return observation

    observation = run(scenario())
    assert (observation.status, observation.body, observation.error) == (200, b"hiho", None)
    assert observation.headers == (("Transfer-Encoding", "chunked"),)


def test_headers_keep_order_case_and_repetition_and_are_utf8_or_latin1(
    meet: Callable[[Fault], list[Observation]],
) -> None:
    head = OK + b"Set-Cookie: a\r\nX-UTF: \xc3\xa9\r\nset-cookie: b \r\nX-Latin: \xe9\r\nContent-Length: 0\r\n\r\n"
    observation = meet(Fault(head))[0]
    assert observation.headers == (
        ("Set-Cookie", "a"),
        ("X-UTF", "é"),
        ("set-cookie", "b"),
        ("X-Latin", "é"),
        ("Content-Length", "0"),
    )


def test_trailers_are_no_headers(meet: Callable[[Fault], list[Observation]]) -> None:
    observation = meet(Fault(CHUNKED + b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"))[0]
    assert observation.header("x-sum") is None


def test_a_message_holds_no_byte_of_the_far_side(meet: Callable[[Fault], list[Observation]]) -> None:
    observation = meet(Fault(b"\x1b[31mpassword=hunter2\r\n\r\n"))[0]
    assert observation.error is not None
    assert "hunter2" not in observation.error.message
    assert observation.error.message.isprintable()


def test_an_answer_that_comes_before_the_request_was_read_is_kept_and_the_connection_dropped(
    run: Run, listen: Listen
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"POST" not in await reader.readuntil(b"\r\n\r\n"):
            writer.write(TWO)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await asyncio.sleep(1)  # the body stays unread, and the connection open

    async def scenario() -> list[Observation]:
        async with listen(refuse) as port:
            client = client_for(port)
            requests = (Request("POST", "/", body=b"x" * 16 * 2**20), Request(), Request())
            observations = [await client.exchange(request) for request in requests]
            await client.close()
            return observations

    early, *rest = run(scenario())
    assert (early.status, early.body, early.error) == (413, b"no", None)
    assert [(other.status, other.body, other.error) for other in rest] == [(200, b"hi", None)] * 2


def test_a_server_that_speaks_first_has_answered_the_first_request(run: Run, listen: Listen) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await reader.read()

    async def scenario() -> list[Observation]:
        async with listen(speak) as port:
            client = client_for(port)
            observations = [await client.exchange(Request()) for _ in range(3)]
            await client.close()
            return observations

    assert [(seen.status, seen.error) for seen in run(scenario())] == [(503, None)] * 3
