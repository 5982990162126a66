"""The same seeded cases under the same clock, run again: what the report says of them is the same to the byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

SIDES = """
import datetime
import random


def _answer(n, slip):
    order = random.sample(range(9), 9)
    return {
        "n": n + (slip if n % 7 == 0 else 0),
        "now": datetime.datetime.now().isoformat(),
        "draw": random.random(),
        "order": order,
        "hash": hash("x"),
        "tags": list({"a", "b", "c", "d"}),
    }


def old(n=0):
    return _answer(n, 0)


def new(n=0):
    return _answer(n, 1)
"""


def told(path: str) -> str:
    """Return what a report says of its results, timing aside."""
    results = json.loads(Path(path).read_text("utf-8"))["results"]
    return json.dumps([{key: value for key, value in each.items() if key != "latency_ms"} for each in results])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")
def test_the_same_cases_come_to_the_same_results_whoever_sends_them(desk: Desk) -> None:
    desk.write("sides.py", SIDES)
    desk.write(
        "replay.yaml", "old: sides:old\nnew: sides:new\nfreeze: 2024-02-29T23:59:59Z\nseed: 7\ntraffic: c.jsonl\n"
    )
    records = [
        {"id": f"c-{n}", "request": {"method": "POST", "headers": {"Content-Type": "application/json"},
                                     "text": json.dumps({"n": n})}}
        | ({"session": f"s{n % 5}"} if n % 3 == 0 else {})
        | ({"at": f"2024-02-{1 + n % 28:02}T00:00:00Z"} if n % 4 == 0 else {})
        for n in range(50)
    ]  # fmt: skip
    desk.capture("c.jsonl", records)
    desk.write("goldens/n/1.yaml", "request: {json: {n: 7}}\n")
    for name, workers in (("a", "1"), ("b", "2"), ("c", "1")):
        desk.cli("run", "--workers", workers, "--concurrency", "3", "--report", f"json:{name}.json")
    assert told("a.json") == told("b.json") == told("c.json")
    ids = [each["id"] for each in json.loads(Path("a.json").read_text("utf-8"))["results"]]
    assert ids == ["n/1", *(f"c-{n}" for n in range(50))]
    assert "deviation" in told("a.json")


def test_a_stored_run_is_told_in_the_same_order_again(desk: Desk) -> None:
    desk.project(goldens=3)
    desk.cli("run", "--concurrency", "3", "--report", "json:a.json")
    desk.cli("report", "--report", "json:b.json")
    assert told("a.json") == told("b.json")
