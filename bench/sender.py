"""Sends one request over and over for a while, and prints what that cost: `python -m bench.sender WAY URL PATH S`.

A process of its own, since only so its CPU is that of sending alone. Ways: `callbacks` and `coroutines` are this tool's
client; `httpx` and `aiohttp` are the peers. Start and warm-up are not counted.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bench.loop import run
from replay.models import Observation, Request
from replay.wire import Origin, WireClient

CONNECTIONS: Final = 64
_WARM_UP_S: Final = 0.2
_OK: Final = 200


class Load:
    """What is asked of a sender, and how often it was answered."""

    def __init__(self, url: str, path: str, seconds: float) -> None:
        self.url = url
        self.path = path
        self.seconds = seconds
        self.answered = 0
        self.failed = 0
        self.over = False

    def count(self, status: int | None) -> None:
        """Count an answer; anything but a 200 spoils the measurement."""
        self.answered += 1
        self.failed += status != _OK

    async def measure(self) -> None:
        """Wait for the warm-up and then for the time that counts, and print the figures."""
        await asyncio.sleep(_WARM_UP_S)
        before, cpu, start = self.answered, _cpu_s(), time.monotonic()
        await asyncio.sleep(self.seconds)
        spent, answered, took = _cpu_s() - cpu, self.answered - before, time.monotonic() - start
        self.over = True
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        figures = {"requests": answered, "failed": self.failed, "cpu_s": spent, "seconds": took, "peak_kb": peak}
        sys.stdout.write(json.dumps(figures) + "\n")


async def by_callbacks(load: Load) -> None:
    """Send by the client's callbacks: no task and no future per request."""
    client = WireClient(Origin.parse(load.url), timeout=5, max_body=2**25, connections=CONNECTIONS)
    request = Request("GET", load.path, (("Host", "bench"), ("Accept", "application/json")))

    def done(seen: Observation) -> None:
        load.count(seen.status)
        if not load.over:
            client.send(request, done, failed)

    def failed(error: BaseException) -> None:
        raise error

    for _ in range(CONNECTIONS):
        client.send(request, done, failed)
    await load.measure()
    await asyncio.sleep(0.05)
    await client.close()


async def by_coroutines(load: Load) -> None:
    """Send as a target does: one coroutine per request, awaited by as many tasks as there are connections."""
    client = WireClient(Origin.parse(load.url), timeout=5, max_body=2**25, connections=CONNECTIONS)
    request = Request("GET", load.path, (("Host", "bench"), ("Accept", "application/json")))

    async def once() -> int | None:
        return (await client.exchange(request)).status

    await _in_tasks(load, once)
    await client.close()


async def by_httpx(load: Load) -> None:
    """Send by httpx, at the settings that serve it best here: 16 connections."""
    import httpx  # noqa: PLC0415 (a peer)

    limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
    async with httpx.AsyncClient(base_url=load.url, limits=limits, trust_env=False, timeout=30) as client:

        async def once() -> int:
            return (await client.get(load.path)).status_code

        await _in_tasks(load, once, tasks=16)


async def by_aiohttp(load: Load) -> None:
    """Send by aiohttp."""
    import aiohttp  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 (a peer that may be missing)

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def once() -> int:
            async with session.get(load.url + load.path) as answer:
                await answer.read()
                return int(answer.status)

        await _in_tasks(load, once)


WAYS: Final[Mapping[str, Callable[[Load], Awaitable[None]]]] = {
    "callbacks": by_callbacks,
    "coroutines": by_coroutines,
    "httpx": by_httpx,
    "aiohttp": by_aiohttp,
}


async def _in_tasks(load: Load, once: Callable[[], Awaitable[int | None]], tasks: int = CONNECTIONS) -> None:
    async def again() -> None:
        while not load.over:
            load.count(await once())

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(again())
        await load.measure()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _main(way: str, url: str, path: str, seconds: str) -> None:
    await WAYS[way](Load(url, path, float(seconds)))


if __name__ == "__main__":
    run(_main(*sys.argv[1:]))
