"""Choosing among many captured cases, and shrinking one: what it costs, and how many cases it sends."""

from __future__ import annotations

import json
import os
import random
import re
import sys
from pathlib import Path
from typing import Any, Final

from bench.dual import FailedRunError
from bench.meter import Cost, cost_of

_REPLAY: Final = (sys.executable, "-c", "from replay.cli import main; main()")
_LIMIT_S: Final = 600.0
_ROUTES: Final = ("orders", "items", "users", "carts")
_SIDES: Final = """
def old(lines=(), **more):
    return {"total": sum(line["n"] for line in lines)}


def new(lines=(), **more):
    return {"total": sum(line["n"] + (line["n"] > 3 and line["gift"]) for line in lines)}
"""
_LINES: Final = 110
"""Lines of the order that is shrunk: 10 KB of JSON."""
_SENT: Final = re.compile(r"by ([\d,]+) cases sent")


def measure(folder: Path, *, cases: int) -> dict[str, Any]:
    """Have so many captured cases looked at twice, and a case of 10 KB shrunk; what fails is told with its reason."""
    (folder / "replay.yaml").write_text("old: sides:old\nnew: sides:new\n", encoding="utf-8")
    (folder / "sides.py").write_text(_SIDES, encoding="utf-8")
    _captured(folder / "many.jsonl", cases)
    _order(folder / "one.jsonl")
    rows, failed = [], dict[str, str]()
    for step, arguments, said in (
        ("coverage", ("coverage", "--traffic", "many.jsonl"), "facets"),
        ("suggest", ("suggest", "--traffic", "many.jsonl", "--n", "30"), "captured cases show"),
        ("shrink", ("shrink", "big", "--traffic", "one.jsonl"), "gift: true"),
    ):
        try:
            cost = _took(folder, arguments, said)
        except FailedRunError as error:
            failed[step] = str(error)
            continue
        sent = _SENT.search(cost.output)
        rows.append({"step": step, "wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "peak_bytes": cost.peak_bytes,
                     "sends": int(sent[1].replace(",", "")) if sent else None})  # fmt: skip
    return {"cases": cases, "rows": rows, "failed": failed}


def _took(folder: Path, arguments: tuple[str, ...], said: str) -> Cost:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80", "REPLAY_MASK_KEY": "a key of the bench"}
    cost = cost_of([*_REPLAY, *arguments], limit_s=_LIMIT_S, cwd=folder, env=environment)
    if cost.exit_code != 0 or said not in cost.output:
        raise FailedRunError(f"`replay {arguments[0]}` ended with {cost.exit_code}: {cost.output.strip()[-300:]}")
    return cost


def _captured(path: Path, count: int) -> None:
    """Write so many cases of four routes, no body like another, every sixth member missing here and there."""
    draw = random.Random(7)  # noqa: S311 - test data
    with path.open("w", encoding="utf-8") as out:
        out.write('{"replay_capture": 1}\n')
        for number in range(count):
            answer: dict[str, Any] = {name: draw.choice((None, True, 1, "x")) for name in draw.sample("abcdefghij", 5)}
            answer |= {"id": number, "state": draw.choice(("open", "paid", "sent")), "total": draw.random()}
            path_of = f"/{draw.choice(_ROUTES)}/{draw.randrange(100_000)}?page={draw.randrange(9)}"
            response = {"status": draw.choice((200, 200, 200, 404)), "headers": {"content-type": "application/json"},
                        "text": json.dumps(answer)}  # fmt: skip
            out.write(json.dumps({"id": f"c-{number}", "request": {"path": path_of}, "response": response}) + "\n")


def _order(path: Path) -> None:
    """Write one order of 10 KB, of which one line matters."""
    lines = [{"sku": f"A{n:04}", "n": n % 3, "gift": False, "note": "x" * 40} for n in range(_LINES)]
    lines[_LINES // 2] = {"sku": "B", "n": 5, "gift": True, "note": "y" * 40}
    request = {"method": "POST", "path": "/orders?a=1&b=2", "json": {"lines": lines, "customer": {"name": "Bob"}}}
    path.write_text('{"replay_capture": 1}\n' + json.dumps({"id": "big", "request": request}) + "\n", encoding="utf-8")
