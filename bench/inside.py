"""What an experiment costs the service that it is in: requests a second and latencies under wrk, beside none.

One process of uvicorn answers with the price of an order, which old and new compute; nothing of a request waits for
anything else, so that the share of the experiment is as large as it gets. Every setting is measured in turn, anew in
every round, so that whatever else the machine does meets all alike.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Final

from bench.meter import Spread, cost_of
from bench.servers import running

CONNECTIONS: Final = 16
SETTINGS: Final = (
    ("none", 0.0),
    *((mode, sample) for mode in ("inline", "after") for sample in (0.0, 0.05, 1.0)),
)
"""Mode and share of the calls that are compared."""
_WARMING_S: Final = 1.0
_START_S: Final = 10.0
_PATIENCE_S: Final = 30.0
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class NotServedError(Exception):
    """A service or its load that did not do its work; the text says why."""


def measure(*, repeats: int, seconds: float) -> dict[str, Any]:
    """Return a row for each setting; what cannot be measured says why."""
    lacking = [name for name in ("wrk",) if shutil.which(name) is None]
    lacking += [name for name in ("uvicorn",) if importlib.util.find_spec(name) is None]
    if lacking:
        return {"rows": [], "missing": dict.fromkeys(lacking, "not installed")}
    taken: dict[tuple[str, float], list[tuple[float, float]]] = {setting: [] for setting in SETTINGS}
    missing: dict[str, str] = {}
    for _ in range(repeats):
        for setting in SETTINGS:
            try:
                with serving(*setting) as url:
                    _load(url, _WARMING_S)  # what examines calls is imported by the first one that is compared
                    taken[setting].append(_load(url, seconds))
            except NotServedError as error:
                missing[f"{setting[0]}, {setting[1]:.0%}"] = str(error)
    return {"rows": [_row(*setting, taken[setting]) for setting in SETTINGS if taken[setting]], "missing": missing}


def _row(mode: str, sample: float, taken: list[tuple[float, float]]) -> dict[str, Any]:
    rates, p99 = zip(*taken, strict=True)
    return {
        "mode": mode,
        "sample": sample,
        "per_second": asdict(Spread.of(rates)),
        "p99_ms": asdict(Spread.of(p99)),
    }


def _load(url: str, seconds: float) -> tuple[float, float]:
    """Return requests a second, and p99 in milliseconds, over 16 connections."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency", url]
    output = cost_of(command, limit_s=seconds + _PATIENCE_S).output
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    if rate is None or p99 is None or "Non-2xx" in output or "Socket errors" in output:
        raise NotServedError(f"wrk: {' '.join(output.split())[-200:]}")
    return float(rate[1]), float(p99[1]) * _UNITS[p99[2]]


@contextmanager
def serving(mode: str, sample: float) -> Iterator[str]:
    """Run the service for as long as the block lasts, and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "bench.inside_service:app", "--port", str(port), "--log-level", "error"]
    env = os.environ | {"BENCH_MODE": mode, "BENCH_SAMPLE": str(sample)}
    with running([*command, "--no-access-log"], env=env) as process:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}/"


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise NotServedError("the service did not start")
