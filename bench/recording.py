"""What recording costs the traffic: requests a second and latencies through the proxy, beside straight ones.

wrk asks nginx straight and through `replay record`. At a fixed rate, latencies are taken in turn straight and
through the proxy, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.dual import Bench
from bench.loop import run
from bench.meter import Spread, cost_of
from replay.models import Request
from replay.wire import Origin, WireClient

CONNECTIONS: Final = 16
PATH: Final = "/distinct/1.json"
RATE: Final = 2000.0
"""Requests a second at which latencies are taken: half of what the proxy has to carry."""
STATES: Final = {"": "keeping everything", "stop": "what keeps is stopped", "full": "the disk is full"}
_SUMS: Final = re.compile(r"seen ([\d,]+) = kept ([\d,]+) \+ not kept ([\d,]+)")
_PATIENCE_S: Final = 30.0
_ENDING_S: Final = 120.0
"""How long a recording may take to keep what waits, on a machine that has much else to do."""
_QUICK_S: Final = 0.1
_LITTLE_DISK: Final = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))"
)
"""As good as a full disk: files take no more after so many bytes."""


class NotRecordedError(Exception):
    """A recording or its load that did not do its work; the text says why."""


def measure(fast: Bench, *, repeats: int, quick: bool, seconds: float = 2.0) -> dict[str, Any]:
    """Return rates and added latencies for each state of what keeps; what cannot be measured says why."""
    if shutil.which("wrk") is None:
        return {"rows": [], "missing": {"record": "wrk is not on the path (apt-get install wrk)"}}
    rows, missing = [], {}
    if quick:
        seconds, states = _QUICK_S, {"": STATES[""]}
    else:
        states = dict(STATES)
    straight = [_rate(fast.old, seconds) for _ in range(repeats)]
    for state, name in states.items():
        try:
            rows.append({"state": name} | _through(fast, state, seconds=seconds, repeats=repeats))
        except NotRecordedError as error:
            missing[f"recording, {name}"] = str(error)
    try:
        added = _added(fast, seconds=seconds, repeats=repeats)
    except NotRecordedError as error:
        added, missing["latencies through the proxy"] = [], str(error)
    return {"straight": asdict(Spread.of(straight)), "rows": rows, "added": added, "rate": RATE, "missing": missing}


def _through(fast: Bench, state: str, *, seconds: float, repeats: int) -> dict[str, Any]:
    with recording(fast.old, state) as proxy:
        rates = [_rate(proxy.url, seconds) for _ in range(repeats)]
    seen, kept = proxy.sums
    return {"per_second": asdict(Spread.of(rates)), "seen": seen, "kept": kept, "peak_bytes": proxy.peak_bytes}


def _added(fast: Bench, *, seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Return p50 and p99 straight and through the proxy, at a rate at which neither has to queue."""
    taken: dict[str, list[tuple[float, float]]] = {"straight": [], "through the proxy": []}
    with recording(fast.old, "") as proxy:
        for _ in range(repeats):
            for way, url in zip(taken, (fast.old, proxy.url), strict=True):
                taken[way].append(_quantiles(url, seconds))
    return [
        {"way": way, "p50_ms": asdict(Spread.of(p50)), "p99_ms": asdict(Spread.of(p99))}
        for way, (p50, p99) in ((way, zip(*pairs, strict=True)) for way, pairs in taken.items())
    ]


def _quantiles(url: str, seconds: float) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds, from a request's first byte to its answer's last."""
    latencies: list[float] = []
    run(_asked(url, max(100, int(RATE * seconds)), latencies))
    return statistics.median(latencies), statistics.quantiles(latencies, n=100)[98]


async def _asked(url: str, count: int, latencies: list[float]) -> None:
    client = WireClient(Origin.parse(url), timeout=10, max_body=10**6, connections=CONNECTIONS, rate=RATE)
    request = Request("GET", PATH)
    for seen in await asyncio.gather(*(client.exchange(request) for _ in range(count))):
        if seen.error is not None or seen.timing is None:
            raise NotRecordedError(f"a request on a timetable failed: {seen.error}")
        latencies.append(seen.timing.latency_ms)
    await client.close()


def _rate(url: str, seconds: float) -> float:
    """Return how many requests wrk had answered in a second, over 16 connections."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", url + PATH]
    cost = cost_of(command, limit_s=seconds + _PATIENCE_S)
    found = re.search(r"Requests/sec:\s+([\d.]+)", cost.output)
    if found is None or "Non-2xx" in cost.output or "Socket errors" in cost.output:
        raise NotRecordedError(f"wrk: {' '.join(cost.output.split())[-200:]}")
    return float(found[1])


class Proxy:
    """A recording that runs, and its sums once it has ended."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.sums = (0, 0)
        self.peak_bytes = 0

    def children(self) -> list[int]:
        """Return the processes that it has started."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return [int(pid) for pid in found.stdout.split()]

    def end(self) -> None:
        """End it, and read its sums."""
        self.peak_bytes = _peak(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        printed, _ = self.process.communicate(timeout=_ENDING_S)
        found = _SUMS.search(printed)
        if found is None:
            raise NotRecordedError(f"it ended with {self.process.returncode}: {printed[-200:]}")
        seen, kept, lost = (int(number.replace(",", "")) for number in found.groups())
        if seen != kept + lost:
            raise NotRecordedError(f"{seen} seen are not {kept} kept and {lost} not kept")
        self.sums = seen, kept


def _peak(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


@contextmanager
def recording(upstream: str, state: str) -> Iterator[Proxy]:
    """Run `replay record`; what keeps is stopped, or its disk as good as full, where the state says so."""
    program = "from replay.cli import main; main()"
    if state == "full":
        program = f"{_LITTLE_DISK}; {program}"
    with TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-c", program, "record", "--upstream", upstream, "--listen", "127.0.0.1:0"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        with subprocess.Popen(command, cwd=folder, **pipes) as process:  # noqa: S603 - ours
            try:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                proxy = Proxy(process, process.stdout.readline().partition(" ")[0])
                _rate(proxy.url, 1)  # it is there, and warm
                if state == "stop":
                    for child in proxy.children():
                        os.kill(child, signal.SIGSTOP)
                yield proxy
                proxy.end()
            finally:
                if process.poll() is None:
                    process.kill()
