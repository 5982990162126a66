"""`replay import` of many records: what one costs, and whether memory stays that of a few."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

from bench.dual import FailedRunError
from bench.meter import Cost, cost_of

FEW: Final = 10_000
"""What the memory of many records is held against."""
_REPLAY: Final = (sys.executable, "-c", "from replay.cli import main; main()", "import")
_LIMIT_S: Final = 3_600.0
_SEPARATOR: Final = "\n🐵🙈🙉\n"
_BEGUN: Final = datetime(2024, 2, 29, tzinfo=UTC)


def measure(folder: Path, *, many: int) -> dict[str, Any]:
    """Import a few records of each format and then so many, each with a body or a mail address of its own to mask."""
    rows, failed = [], dict[str, str]()
    few = min(FEW, max(1, many // 10))
    for form, write in FORMATS.items():
        try:
            rows.append(_row(form, few, many, *(_imported(folder, form, write, count) for count in (few, many))))
        except FailedRunError as error:
            failed[form] = str(error)
    return {"few": few, "many": many, "rows": rows, "failed": failed}


def _row(form: str, few: int, many: int, one: tuple[Cost, int], other: tuple[Cost, int]) -> dict[str, Any]:
    (less, _), (more, size) = one, other
    spent_s, wall_s = more.cpu_s - less.cpu_s, more.wall_s - less.wall_s
    return {
        "form": form,
        "bytes_per_record": size / many,
        "cpu_us_per_record": spent_s / (many - few) * 1e6,
        "records_per_s": (many - few) / wall_s if wall_s > 0 else None,
        "few_peak_bytes": less.peak_bytes,
        "peak_bytes": more.peak_bytes,
    }


def _imported(folder: Path, form: str, write: Callable[[int], Iterator[str]], count: int) -> tuple[Cost, int]:
    """Import so many records, and return what that cost and how large the file was."""
    source, capture = folder / f"recorded.{form}", folder / "capture.jsonl.zst"
    with source.open("w", encoding="utf-8", newline="") as file:
        file.writelines(write(count))
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "REPLAY_MASK_KEY": "a key of the bench"}
    try:
        command = [*_REPLAY, str(source), "--out", str(capture), "--force"]
        cost = cost_of(command, limit_s=_LIMIT_S, cwd=folder, env=environment)
        if f"{count:,} loaded + 0 skipped" not in cost.output or cost.exit_code != 0:
            raise FailedRunError(f"`replay import` ended with {cost.exit_code}: {cost.output.strip()[-300:]}")
        return cost, source.stat().st_size
    finally:
        source.unlink(missing_ok=True)
        capture.unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------- what was recorded


def _log(count: int) -> Iterator[str]:
    for number in range(count):
        at = f"{_moment(number):%d/%b/%Y:%H:%M:%S} +0000"
        yield (
            f'10.0.{number % 250}.7 - - [{at}] "GET /orders/{number}?mail=u{number}%40shop.example HTTP/1.1" 200 1024 '
            f'"https://shop.example/orders" "Mozilla/5.0 (X11; Linux x86_64) Firefox/{100 + number % 20}.0"\n'
        )


def _gor(count: int) -> Iterator[str]:
    for number in range(count):
        key, moment, body = f"{number:024x}", int(_moment(number).timestamp() * 1e9), _body(number)
        asked = f"GET /orders/{number} HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n"
        yield f"1 {key} {moment}\n{asked}{_SEPARATOR}"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        yield f"2 {key} {moment + 5_000_000} 5000000\n{head}{body}{_SEPARATOR}"


def _har(count: int) -> Iterator[str]:
    entries = (f"{',' if number else ''}\n{json.dumps(_entry(number))}" for number in range(count))
    return chain(['{"log": {"version": "1.2", "entries": ['], entries, ["\n]}}\n"])


def _entry(number: int) -> dict[str, Any]:
    headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "Server", "value": "shop"}]
    url = f"https://shop.example/orders/{number}"
    return {
        "startedDateTime": _moment(number).isoformat(),
        "time": 12.5,
        "request": {"method": "GET", "url": url, "headers": [{"name": "Accept", "value": "*/*"}], "queryString": []},
        "response": {"status": 200, "headers": headers, "content": {"size": 1000, "text": _body(number)}},
    }


def _body(number: int) -> str:
    """Return some 1 KB of JSON that no other record has, with a mail address in it."""
    lines = [{"sku": f"A-{row:05}", "name": "one of the things", "price": row * 1.25} for row in range(17)]
    return json.dumps({"id": number, "mail": f"u{number}@shop.example", "lines": lines})


def _moment(number: int) -> datetime:
    return _BEGUN + timedelta(seconds=number / 100)


FORMATS: Final[Mapping[str, Callable[[int], Iterator[str]]]] = {"log": _log, "gor": _gor, "har": _har}
