"""A side is never sent more than its settings allow, and what waits for that waits in order and is no latency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any, Final

import pytest

from replay.models import Observation, Request
from replay.wire import Origin, WireClient

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SLACK: Final = 0.02
"""Seconds by which a late timer may bring one departure nearer to the next."""


class Clock:
    """A far side that notes when each request came, and takes its time to answer."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.at: list[float] = []
        self._seconds = seconds

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        """Note the time, and answer later."""
        self.at.append(time.monotonic())
        await asyncio.sleep(self._seconds)
        writer.write(OK)


def client_for(port: int, rate: float, connections: int = 8, timeout: float = 1.0) -> WireClient:
    origin = Origin.parse(f"http://127.0.0.1:{port}")
    return WireClient(origin, timeout=timeout, max_body=2**20, connections=connections, rate=rate)


def test_requests_that_come_at_once_leave_evenly_spaced(run: Run, serve: Serve) -> None:
    clock = Clock()

    async def scenario() -> list[Observation]:
        async with serve({"/": clock}, []) as port:
            client = client_for(port, 50)
            seen = await asyncio.gather(*[client.exchange(Request()) for _ in range(11)])
            await client.close()
            return seen

    departures = [each.timing.queued_ms / 1e3 for each in run(scenario()) if each.timing]
    # On a busy machine two go at one moment, and the second one was asked for some microseconds after the first.
    assert all(later > earlier - 0.001 for earlier, later in pairwise(departures))
    assert departures[0] < SLACK
    # Each deadline is counted from the first one: a timer that was late does not push the others back.
    assert all(at >= index / 50 - SLACK for index, at in enumerate(departures))
    assert departures[-1] < 10 / 50 + 0.15
    assert len(clock.at) == 11


def test_waiting_for_a_turn_is_no_part_of_the_deadline(run: Run, serve: Serve) -> None:
    clock = Clock()

    async def scenario() -> list[Observation]:
        async with serve({"/": clock}, []) as port:
            client = client_for(port, 20, timeout=0.15)
            seen = await asyncio.gather(*[client.exchange(Request()) for _ in range(7)])
            await client.close()
            return seen

    assert [seen.error for seen in run(scenario())] == [None] * 7


def test_rest_earns_no_burst(run: Run, serve: Serve) -> None:
    async def scenario() -> list[Observation]:
        async with serve({}, []) as port:
            client = client_for(port, 20)
            await client.exchange(Request())
            await asyncio.sleep(0.3)
            seen = await asyncio.gather(*[client.exchange(Request()) for _ in range(3)])
            await client.close()
            return list(seen)

    departures = [each.timing.queued_ms / 1e3 for each in run(scenario()) if each.timing]
    assert all(later - earlier >= 0.05 - SLACK for earlier, later in pairwise(departures))


def test_a_slow_answer_is_not_followed_by_all_that_waited_for_it(run: Run, serve: Serve) -> None:
    async def scenario() -> list[Observation]:
        async with serve({"/slow": Clock(0.3)}, []) as port:
            client = client_for(port, 20, connections=1)
            first = client.exchange(Request(path="/slow"))
            seen = await asyncio.gather(first, *[client.exchange(Request()) for _ in "123"])
            await client.close()
            return list(seen)

    departures = [each.timing.queued_ms / 1e3 for each in run(scenario()) if each.timing]
    assert departures[1] >= 0.29
    assert all(later - earlier >= 0.05 - SLACK for earlier, later in pairwise(departures))


def test_a_loop_that_stood_still_does_not_catch_up_in_a_burst(run: Run, serve: Serve) -> None:
    async def scenario() -> list[Observation]:
        async with serve({}, []) as port:
            client = client_for(port, 20)
            tasks = [asyncio.create_task(client.exchange(Request())) for _ in range(8)]
            await asyncio.sleep(0.01)
            time.sleep(0.25)  # noqa: ASYNC251 - that is the fault
            seen = await asyncio.gather(*tasks)
            await client.close()
            return seen

    departures = [each.timing.queued_ms / 1e3 for each in run(scenario()) if each.timing]
    assert all(later - earlier >= 0.05 - SLACK for earlier, later in pairwise(departures))


def test_closing_ends_those_that_wait_for_their_turn(run: Run, serve: Serve) -> None:
    async def scenario() -> list[Observation]:
        async with serve({}, []) as port:
            client = client_for(port, 1, connections=2)
            tasks = [asyncio.create_task(client.exchange(Request())) for _ in range(4)]
            await asyncio.sleep(0.05)
            await client.close()
            return await asyncio.wait_for(asyncio.gather(*tasks), 0.2)

    first, *others = run(scenario())
    assert first.status == 200
    assert [seen.error.kind for seen in others if seen.error] == ["closed"] * 3


def test_a_cancelled_exchange_leaves_its_turn_to_the_next(run: Run, serve: Serve) -> None:
    clock = Clock()

    async def scenario() -> list[Observation]:
        async with serve({"/": clock}, []) as port:
            client = client_for(port, 10, connections=2)
            first, second, *others = [asyncio.create_task(client.exchange(Request())) for _ in range(4)]
            await asyncio.sleep(0.05)
            second.cancel()
            seen = await asyncio.gather(first, *others)
            await client.close()
            return list(seen)

    assert [seen.status for seen in run(scenario())] == [200] * 3
    assert len(clock.at) == 3
    assert clock.at[-1] - clock.at[0] < 0.29  # two turns, and not three


@pytest.mark.parametrize("rate", [0.5, 2000.0])
def test_the_first_request_never_waits(rate: float, run: Run, serve: Serve) -> None:
    async def scenario() -> Observation:
        async with serve({}, []) as port:
            client = client_for(port, rate)
            seen = await client.exchange(Request())
            await client.close()
            return seen

    seen = run(scenario())
    assert seen.timing.queued_ms < 20
