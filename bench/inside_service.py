"""A small web service with an experiment inside, run by uvicorn: `uvicorn bench.inside_service:app`.

BENCH_MODE is `none` (old is called as it is), `inline` or `after`; BENCH_SAMPLE is the share of calls that is compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, cast

from replay.experiment import Experiment, Log, report_to

Message = dict[str, Any]
Prices = dict[str, Any]
Mode = Literal["inline", "after"]
_RATES: Final = {"DE": 19, "FR": 20, "HU": 27, "TR": 20}


def priced(lines: list[dict[str, int]], country: str) -> Prices:
    """Return what an order comes to, in cents: some 20 microseconds of what a service does for a request."""
    net = sum(line["cents"] * line["number"] for line in lines)
    tax = net * _RATES[country] // 100
    return {"country": country, "net": net, "tax": tax, "total": net + tax, "lines": [dict(line) for line in lines]}


def priced_anew(lines: list[dict[str, int]], country: str) -> Prices:
    """Return the same by another way."""
    taken = [{"cents": line["cents"], "number": line["number"]} for line in lines]
    net = 0
    for line in taken:
        net += line["cents"] * line["number"]
    tax = net * _RATES.get(country, 0) // 100
    return {"country": country, "net": net, "tax": tax, "total": net + tax, "lines": taken}


def _price() -> Callable[[list[dict[str, int]], str], Prices]:
    mode = os.environ.get("BENCH_MODE", "none")
    if mode == "none":
        return priced
    report_to(Log())
    sample = float(os.environ.get("BENCH_SAMPLE", "0"))
    return Experiment("priced", old=priced, new=priced_anew, sample=sample, mode=cast("Mode", mode))


price = _price()
_LINES: Final = [{"cents": 100 + number, "number": number % 4 + 1} for number in range(12)]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer every request with the price of one order."""
    if scope["type"] != "http":
        return
    await receive()
    body = json.dumps(price(_LINES, "HU")).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
