"""Sending alone: CPU of the client per request, this tool's beside its peers', against the same server in turn."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.meter import Spread, cost_of
from bench.sender import CONNECTIONS

FOLDERS: Final = {"": "equal", ", no head like another": "distinct"}
OURS: Final = ("callbacks", "coroutines")
_PATIENCE_S: Final = 20.0


class NotMeasuredError(Exception):
    """A sender that did not do its work; the text says why."""


@dataclass(frozen=True)
class Sent:
    """One measurement of one sender."""

    requests: int
    cpu_us: float
    per_second: float | None
    """None where the sender's start and end are part of its time."""
    peak_bytes: int | None


Sender = Callable[[str, str, float], Sent]


def by_python(way: str) -> Sender:
    """Return what sends by one of the ways of `bench.sender`."""

    def send(url: str, path: str, seconds: float) -> Sent:
        command = [sys.executable, "-m", "bench.sender", way, url, path, str(seconds)]
        cost = cost_of(command, limit_s=seconds + _PATIENCE_S)
        if cost.exit_code or not cost.output.strip():
            raise NotMeasuredError(f"it ended with {cost.exit_code}: {cost.output.strip()[-200:]}")
        figures = json.loads(cost.output.strip().splitlines()[-1])
        if figures["failed"] or not figures["requests"]:
            raise NotMeasuredError(f"{figures['failed']} of its requests failed, {figures['requests']} were answered")
        cpu_us = figures["cpu_s"] / figures["requests"] * 1e6
        return Sent(figures["requests"], cpu_us, figures["requests"] / figures["seconds"], cost.peak_bytes)

    return send


def by_command(*command: str, count: Callable[[str], int]) -> Sender:
    """Return what sends by a command; `count` reads from its output how often it was answered."""

    def send(url: str, path: str, seconds: float) -> Sent:
        values = {"url": url + path, "ms": int(seconds * 1000), "whole": max(1, round(seconds)), "n": CONNECTIONS}
        cost = cost_of([part.format(**values) for part in command], limit_s=seconds + _PATIENCE_S)
        requests = count(cost.output)
        if cost.exit_code or not requests:
            raise NotMeasuredError(f"it ended with {cost.exit_code} after {requests} requests")
        return Sent(requests, cost.cpu_s / requests * 1e6, None, cost.peak_bytes)

    return send


def _wrk(output: str) -> int:
    if "Non-2xx" in output or "Socket errors" in output:
        raise NotMeasuredError("some of its requests failed")
    found = re.search(r"(\d+) requests in", output)
    return int(found[1]) if found else 0


def _hey(output: str) -> int:
    if "Error distribution" in output:
        raise NotMeasuredError("some of its requests failed")
    return sum(int(number) for number in re.findall(r"\[200\]\s+(\d+) responses", output))


COMMANDS: Final[Mapping[str, Sender]] = {
    "wrk": by_command("wrk", "-t1", "-c{n}", "-d{whole}s", "{url}", count=_wrk),
    "hey": by_command("hey", "-c", "{n}", "-z", "{ms}ms", "{url}", count=_hey),
}


def senders() -> tuple[dict[str, Sender], dict[str, str]]:
    """Return the senders that this machine has, and for each other one why it cannot be measured."""
    found: dict[str, Sender] = {way: by_python(way) for way in OURS}
    missing: dict[str, str] = {}
    for name, sender in COMMANDS.items():
        if shutil.which(name):
            found[name] = sender
        else:
            missing[name] = f"{name} is not on the path (apt-get install {name})"
    missing["goreplay"] = "it is on the path, and the bench cannot drive it yet" if _goreplay() else "not on the path"
    for name in ("httpx", "aiohttp"):
        if importlib.util.find_spec(name):
            found[name] = by_python(name)
        else:
            missing[name] = f"{name} is not installed"
    return found, missing


def _goreplay() -> bool:
    return any(shutil.which(name) for name in ("goreplay", "gor"))


def measure(
    url: str, *, seconds: float, repeats: int, sizes_kb: Sequence[int], only: Sequence[str] | None = None
) -> dict[str, Any]:
    """Measure each sender `repeats` times, in turn, so that what else the machine does meets all of them alike.

    Answers whose heads all differ stand apart: a client that remembers heads has an easier time with others.
    """
    found, missing = senders()
    for name in [name for name in found if only is not None and name not in only]:
        missing[name] = "it was not asked for"
        del found[name]
    taken: dict[tuple[str, str], list[Sent]] = {}
    paths = {f"{size} KB{note}": f"/{folder}/{size}.json" for size in sizes_kb for note, folder in FOLDERS.items()}
    for _ in range(repeats):
        for what, path in paths.items():
            for name in [name for name in found if f"{name}, {what}" not in missing]:
                try:
                    taken.setdefault((what, name), []).append(found[name](url, path, seconds))
                except NotMeasuredError as error:
                    missing[f"{name}, {what}"] = str(error)
    rows = [_row(what, name, sent) for (what, name), sent in taken.items() if sent]
    return {"rows": [row | _ratios(row, rows) for row in rows], "missing": missing}


def _row(what: str, name: str, sent: list[Sent]) -> dict[str, Any]:
    return {
        "answer": what,
        "sender": name,
        "cpu_us": vars(Spread.of(each.cpu_us for each in sent)),
        "per_second": _spread([each.per_second for each in sent if each.per_second is not None]),
        "requests": sum(each.requests for each in sent),
        "peak_bytes": max((each.peak_bytes or 0 for each in sent), default=0) or None,
    }


def _spread(values: list[float]) -> dict[str, Any] | None:
    return vars(Spread.of(values)) if values else None


def _ratios(row: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return how many times the CPU of wrk and of hey, for the same answer, this is; None where they are missing."""
    cpu = {each["sender"]: each["cpu_us"]["median"] for each in rows if each["answer"] == row["answer"]}
    mine = row["cpu_us"]["median"]
    return {f"times_{peer}": mine / cpu[peer] if peer in cpu else None for peer in COMMANDS}
