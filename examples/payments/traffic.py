"""A day of payments: 20,000 cards that are charged once each, drawn from a seed, so that it is the same day every time.

python traffic.py captures/day.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PAYMENTS: Final = 20_000
TODAY: Final = "2026-06"
_SMALLEST: Final = 400_000
_HOLIDAY: Final = 0.0086
"""How many are made with cards of one bank: those behind the airline's. It sells them with a journey."""
_UNKNOWN: Final = 0.01
_EXPIRED: Final = 0.03
_POOR: Final = 0.08


def payments(count: int = PAYMENTS) -> Iterator[dict[str, Any]]:
    """Yield so many records of a capture."""
    luck = random.Random(20_260_601)  # noqa: S311 - an example's traffic, no secret
    for number in range(count):
        amount = round(luck.lognormvariate(3.4, 0.9), 2)
        available = amount * (luck.uniform(0.2, 0.95) if luck.random() < _POOR else luck.uniform(1.0, 40.0))
        expires = "2026-05" if luck.random() < _EXPIRED else f"20{luck.randint(27, 31)}-{luck.randint(1, 12):02}"
        card = f"{_issued(luck)}{luck.randrange(10**10):010}"
        given = {"card": card, "amount": f"{amount:.2f}", "available": f"{available:.2f}", "expires": expires}
        request = {"method": "POST", "path": "/authorize", "json": {**given, "today": TODAY}}
        yield {"id": f"payment-{number:05}", "request": request}


def _issued(luck: random.Random) -> int:
    drawn = luck.random()
    if drawn < _UNKNOWN:
        return 300_000 + luck.randrange(90_000)
    if drawn < _UNKNOWN + _HOLIDAY:
        return _SMALLEST + 100 * luck.randrange(50, 2_700, 100) + luck.randrange(15, 100)
    number = luck.randrange(270_000)
    # Few other customers have such a card: nearly all of them are sold with a journey.
    return _SMALLEST + (number if number // 100 % 100 != 50 else number - 100)


def write(path: Path, count: int = PAYMENTS) -> None:
    """Write the capture; the same bytes every time."""
    lines = [{"replay_capture": 1}, *payments(count)]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "captures/day.jsonl.gz"))
