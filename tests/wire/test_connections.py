"""Connections are kept alive, bounded, checked before they are used again, and let go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import pytest

from replay.errors import RunError
from replay.models import Observation, Request
from replay.wire import Origin, WireClient

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Listen = Callable[
    [Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]], AbstractAsyncContextManager[int]
]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Seen = list[tuple[int, bytes]]

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def client_for(port: int, connections: int = 4, seconds: float = 1.0) -> WireClient:
    return WireClient(
        Origin.parse(f"http://127.0.0.1:{port}"), timeout=seconds, max_body=2**20, connections=connections
    )


def numbers(seen: Seen) -> list[int]:
    return [number for number, _ in seen]


async def exchange_all(client: WireClient, *requests: Request) -> list[Observation]:
    observations = [await client.exchange(request) for request in requests]
    await client.close()
    return observations


def test_one_connection_serves_one_case_after_the_other(run: Run, serve: Serve) -> None:
    seen: Seen = []

    async def scenario() -> None:
        async with serve({}, seen) as port:
            await exchange_all(client_for(port), *[Request(path=f"/{index}") for index in range(5)])

    run(scenario())
    assert numbers(seen) == [1] * 5


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"surplus",
        OK + OK,
        OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length"),
        OK.replace(b"1.1", b"1.0"),
        OK.replace(b"200", b"304"),
        b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_a_connection_that_is_not_exactly_at_the_end_of_an_answer_is_not_used_again(
    answer: bytes, run: Run, serve: Serve
) -> None:
    seen: Seen = []

    async def odd(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async def scenario() -> None:
        async with serve({"/odd": odd}, seen) as port:
            await exchange_all(client_for(port), Request(path="/odd"), Request())

    run(scenario())
    assert numbers(seen) == [1, 2]


def test_bytes_that_come_late_are_not_the_answer_to_the_next_case(run: Run, serve: Serve) -> None:
    seen: Seen = []

    async def late(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await asyncio.sleep(0.01)
        writer.write(OK.replace(b"ok", b"no"))

    async def scenario() -> Observation:
        async with serve({"/late": late}, seen) as port:
            client = client_for(port)
            await client.exchange(Request(path="/late"))
            await asyncio.sleep(0.04)
            return (await exchange_all(client, Request()))[0]

    assert run(scenario()).body == b"ok"
    assert numbers(seen) == [1, 2]


@pytest.mark.parametrize("rest", [b"", OK.replace(b"ok", b"no")], ids=["an end", "a second answer"])
def test_what_the_loop_has_not_seen_yet_is_seen_before_a_post_is_sent(rest: bytes, run: Run) -> None:
    served: list[bytes] = []

    def one_after_the_other(server: socket.socket) -> None:
        for _ in range(3):
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                served.append(connection.recv(10_000).split(b" ")[0])
                connection.sendall(OK)
                time.sleep(0.01)
                connection.sendall(rest)

    async def scenario(port: int) -> list[Observation]:
        client = client_for(port)
        observations = []
        for _ in range(3):
            observations.append(await client.exchange(Request("POST", "/")))
            time.sleep(0.04)  # noqa: ASYNC251 (so that the loop is blind to what comes meanwhile)
        await client.close()
        return observations

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        thread = threading.Thread(target=one_after_the_other, args=(server,))
        thread.start()
        observations = run(scenario(server.getsockname()[1]))
        thread.join()
    assert [(seen.body, seen.error) for seen in observations] == [(b"ok", None)] * 3
    assert served == [b"POST"] * 3


def test_an_answer_that_comes_after_the_deadline_is_not_the_answer_to_the_next_case(run: Run, serve: Serve) -> None:
    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.08)
        writer.write(OK.replace(b"ok", b"no"))

    async def scenario() -> list[Observation]:
        async with serve({"/late": late}, []) as port:
            client = client_for(port, seconds=0.06)
            return await exchange_all(client, Request(path="/late"), Request(), Request())

    first, *rest = run(scenario())
    assert first.error is not None
    assert first.error.kind == "timeout"
    assert [seen.body for seen in rest] == [b"ok", b"ok"]


def close_on_second(requests: list[bytes]) -> Callable[..., Awaitable[None]]:
    """Answer the first request of each connection, and close at the second without a byte."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])
        writer.write(OK.removesuffix(b"ok") if requests[-1] == b"HEAD" else OK)
        requests.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])

    return talk


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_request_that_met_a_stale_connection_is_sent_once_more(method: str, run: Run, listen: Listen) -> None:
    requests: list[bytes] = []

    async def scenario() -> list[Observation]:
        async with listen(close_on_second(requests)) as port:
            return await exchange_all(client_for(port), Request(), Request(method))

    assert [(seen.status, seen.error) for seen in run(scenario())] == [(200, None)] * 2
    assert requests == [b"GET", method.encode(), method.encode()]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_an_unsafe_request_is_never_sent_twice(method: str, run: Run, listen: Listen) -> None:
    requests: list[bytes] = []

    async def scenario() -> list[Observation]:
        async with listen(close_on_second(requests)) as port:
            return await exchange_all(client_for(port), Request(), Request(method))

    observation = run(scenario())[1]
    assert observation.error is not None
    assert observation.error.kind == "closed"
    assert requests == [b"GET", method.encode()]


def test_a_server_that_never_answers_is_asked_twice_at_most(run: Run, listen: Listen) -> None:
    requests: list[bytes] = []

    async def first_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        if len(requests) == 1:
            writer.write(OK)
            requests.append(await reader.readuntil(b"\r\n\r\n"))

    async def scenario() -> list[Observation]:
        async with listen(first_only) as port:
            return await exchange_all(client_for(port), Request(), Request())

    last = run(scenario())[1]
    assert last.error is not None
    assert last.error.kind == "closed"
    assert len(requests) == 3


def test_no_more_connections_are_open_than_allowed_and_the_others_wait_in_order(run: Run, serve: Serve) -> None:
    seen: Seen = []

    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(OK)

    async def scenario() -> list[Observation]:
        paths = [f"/{index}" for index in range(8)]
        async with serve(dict.fromkeys(paths, slow), seen) as port:
            client = client_for(port, connections=2)
            observations = await asyncio.gather(*[client.exchange(Request(path=path)) for path in paths])
            await client.close()
            return observations

    observations = run(scenario())
    assert set(numbers(seen)) == {1, 2}
    order = [int(request.split(b" ")[1][1:]) for _, request in seen]
    assert [sorted(pair) for pair in zip(order[::2], order[1::2], strict=True)] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    queued = [seen.timing.queued_ms for seen in observations]
    assert max(queued[:2]) < min(queued[6:])
    assert min(queued[6:]) > 50


def test_the_connection_that_was_used_last_is_used_next(run: Run, serve: Serve) -> None:
    seen: Seen = []

    async def scenario() -> None:
        async with serve({}, seen) as port:
            client = client_for(port)
            await asyncio.gather(client.exchange(Request()), client.exchange(Request()))
            await exchange_all(client, *[Request(path="/after")] * 4)

    run(scenario())
    assert len(set(numbers(seen[:2]))) == 2
    assert len(set(numbers(seen[2:]))) == 1


def test_waiting_for_a_connection_is_no_part_of_the_deadline_nor_of_the_latency(run: Run, serve: Serve) -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(OK)

    async def scenario() -> list[Observation]:
        async with serve({"/slow": slow}, []) as port:
            client = client_for(port, connections=1, seconds=1.0)
            observations = await asyncio.gather(*[client.exchange(Request(path="/slow")) for _ in range(12)])
            await client.close()
            return observations

    observations = run(scenario())
    assert [seen.error for seen in observations] == [None] * 12
    last = observations[-1].timing
    assert 95 < last.latency_ms < 1000
    assert last.queued_ms > 1050


def test_the_first_byte_comes_before_the_last_and_connecting_is_counted_once(run: Run, serve: Serve) -> None:
    async def two_halves(writer: asyncio.StreamWriter) -> None:
        writer.write(OK[:-1])
        await asyncio.sleep(0.05)
        writer.write(OK[-1:])

    async def scenario() -> list[Observation]:
        async with serve({"/halves": two_halves}, []) as port:
            return await exchange_all(client_for(port), *[Request(path="/halves")] * 2)

    first, second = (seen.timing for seen in run(scenario()))
    assert 0 < first.first_byte_ms < first.latency_ms - 20
    assert first.connect_ms > 0
    assert second.connect_ms is None


def test_a_cancelled_exchange_gives_its_slot_back_and_drops_its_connection(run: Run, serve: Serve) -> None:
    seen: Seen = []

    async def never(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(5)

    async def scenario() -> Observation:
        async with serve({"/never": never}, seen) as port:
            client = client_for(port, connections=1)
            task = asyncio.create_task(client.exchange(Request(path="/never")))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return (await exchange_all(client, Request()))[0]

    assert run(scenario()).body == b"ok"
    assert numbers(seen) == [1, 2]


def test_closing_ends_what_is_under_way_and_may_be_done_twice(run: Run, serve: Serve) -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(5)

    async def scenario() -> Observation:
        async with serve({"/never": never}, []) as port:
            client = client_for(port)
            task = asyncio.create_task(client.exchange(Request(path="/never")))
            await asyncio.sleep(0.05)
            await client.close()
            await client.close()
            return await task

    observation = run(scenario())
    assert observation.error is not None
    assert observation.error.kind == "closed"


def test_a_connection_opened_before_an_unsafe_request_is_too_old_after_a_second_of_rest(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.wire.client._MAX_IDLE_UNSAFE_NS", 10_000_000)
    seen: Seen = []

    async def scenario() -> None:
        async with serve({}, seen) as port:
            client = client_for(port)
            await client.exchange(Request())
            await client.exchange(Request("POST", "/"))
            await asyncio.sleep(0.02)
            await exchange_all(client, Request("POST", "/"), Request())

    run(scenario())
    assert numbers(seen) == [1, 1, 2, 2]


def test_having_no_file_handle_left_is_not_blamed_on_the_far_side(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve({}, []) as port:
            client = client_for(port)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            lowest_free = os.dup(0)
            os.close(lowest_free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
            try:
                with pytest.raises(RunError, match="file handle"):
                    await client.exchange(Request())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert (await exchange_all(client, Request()))[0].status == 200

    asyncio.run(scenario())
