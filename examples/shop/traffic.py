"""A week of made-up traffic, answered by the old shop: `python -m examples.shop.traffic captures/week.jsonl.zst`.

The same seed gives the same records. Visitors come in sessions of one to three requests.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from freezegun import freeze_time

from examples.shop import old
from examples.shop.calling import Received, Sent, call_wsgi
from examples.shop.catalogue import COUPONS, INVOICES, ORDERS, PRICE_CHANGES, PRODUCTS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SESSIONS: Final = 900
BEGINNING: Final = datetime(2024, 2, 26, tzinfo=UTC)
DAYS: Final = 7
SEED: Final = 20240226

QUERIES = (
    "tea",
    "mug",
    "tea pot",
    "coffee",
    "café",
    "cafe\u0301",
    "glasses",
    "rose water",
    "pot",
    "milk",
    "TEA",
    "кофе",
)
TURKISH = ("istanbul", "ISPARTA", "çay", "gül suyu")

Record = dict[str, Any]
Wish = Callable[[random.Random, datetime], Record]


def _get(path: str, **headers: str) -> Record:
    return {"path": path} | ({"headers": headers} if headers else {})


def _post(path: str, body: object, **headers: str) -> Record:
    return {"method": "POST", "path": path, "headers": {"content-type": "application/json", **headers}, "json": body}


def _feed(_: random.Random, __: datetime) -> Record:
    return _get("/feed")


def _product(dice: random.Random, _: datetime) -> Record:
    product = dice.choice(PRODUCTS)
    path = f"/products/{quote(product.sku)}"
    revision = dice.choice([None, None, product.revision, product.revision - 1])
    return _get(path) if revision is None else _get(path, **{"if-none-match": f'"{quote(product.sku)}-r{revision}"'})


def _listing(dice: random.Random, _: datetime) -> Record:
    query = dice.choice(["", "?category=pantry", "?category=kitchen&limit=5", "?tag=gift&tag=coffee", "?sort=price"])
    return _get(f"/products{query}")


def _search(dice: random.Random, _: datetime) -> Record:
    if dice.random() < 0.1:
        return _get(f"/search?q={quote(dice.choice(TURKISH))}&locale=tr")
    return _get(f"/search?q={quote(dice.choice(QUERIES))}&locale={dice.choice(['en', 'de', 'fr'])}")


def _price(dice: random.Random, _: datetime) -> Record:
    return _get(f"/prices?sku={dice.choice([*PRICE_CHANGES, 'MUG-Z'])}")


def _order(dice: random.Random, _: datetime) -> Record:
    articles = dice.sample(PRODUCTS, dice.choice([1, 1, 2, 3, 5]))
    body: Record = {
        "lines": [{"sku": article.sku, "quantity": dice.choice([1, 1, 1, 2, 3, 6])} for article in articles],
        **dice.choice(
            [{}, {}, {"country": "FR"}, {"currency": "CHF", "country": "CH"}, {"currency": "JPY", "country": "JP"}]
        ),
        **dice.choice([{}, {}, {}, {"coupon": dice.choice([*COUPONS])}]),
    }
    return _post("/orders", body, **{"idempotency-key": f"{dice.getrandbits(48):012x}"})


def _quote(dice: random.Random, _: datetime) -> Record:
    lines = [
        {
            "ref": f"r{number}",
            "unit_price": dice.randrange(1, 40000) / 1000,
            "quantity": dice.randrange(1, 50),
            "vat_percent": 19,
        }
        for number in range(dice.randrange(1, 6))
    ]
    return _post("/quotes", {"currency": dice.choice(["EUR", "EUR", "CHF", "KWD"]), "lines": lines})


def _account(dice: random.Random, _: datetime) -> Record:
    return _get(f"/accounts/{dice.choice([dice.randrange(1, 10**6), dice.getrandbits(62)])}")


def _me(dice: random.Random, at: datetime) -> Record:
    issued = at - timedelta(seconds=dice.choice([5, 60, 900, 3599, 7200]))
    user = dice.choice(["ada", "grace", "emile"])
    # Recorded behind the gateway, which keeps the tokens: nothing in a capture opens a door.
    return _get("/me", **{"x-user": user, "x-signed-in": str(int(issued.timestamp()))})


def _past(dice: random.Random, _: datetime) -> Record:
    return _get(dice.choice([f"/orders/{dice.choice([*ORDERS, 77])}", f"/invoices/{dice.choice([*INVOICES, 99])}"]))


def _other(dice: random.Random, at: datetime) -> Record:
    wishes = (
        _get("/"),
        _get("/export.csv"),
        _get(f"/slots?date={at.date() + timedelta(days=dice.randrange(40))}"),
        _get(f"/carts/c-{dice.randrange(100, 104)}"),
        _get("/p/COF-3"),
        _get("/products/COF-3", accept="text/html"),
        _get("/wp-login.php"),
        _get("/search?q="),
        _post("/subscriptions/renew", {"plan": dice.choice(["monthly", "yearly"]), "price": 9.9}),
        {"method": "HEAD", "path": "/feed"},
    )
    return dice.choice(wishes)


WISHES: Final[dict[Wish, int]] = {
    _feed: 40, _product: 18, _search: 14, _listing: 6, _price: 5, _order: 5, _other: 5,
    _account: 2, _me: 2, _past: 2, _quote: 1,
}  # fmt: skip
"""What visitors ask for, and how often in a hundred requests."""


def records() -> Iterator[Record]:
    """Yield the week's records in the order of their times."""
    dice = random.Random(SEED)  # noqa: S311 -- the same week every time
    wanted = sorted(_visits(dice), key=lambda visit: visit[0])
    with freeze_time(BEGINNING, real_asyncio=True) as clock:
        for number, (at, session, request) in enumerate(wanted, start=1):
            clock.move_to(at)
            received = call_wsgi(old.app, _sent(request))
            yield {
                "id": f"week-{number:04d}",
                "request": request,
                "response": _response(received, dice),
                "at": at.isoformat().replace("+00:00", "Z"),
                "session": session,
                "correlation_id": f"{dice.getrandbits(64):016x}",
                "latency_ms": round(dice.lognormvariate(2.5, 0.5), 2),
            }


def write(path: Path) -> int:
    """Write a native capture, compressed as its suffix says; return how many records it has."""
    week = list(records())
    lines = [{"replay_capture": 1}, *week]
    data = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines).encode()
    squeeze = {".zst": lambda data: zstd.compress(data, 19), ".gz": lambda data: gzip.compress(data, mtime=0)}
    path.write_bytes(squeeze.get(path.suffix, bytes)(data))
    return len(week)


def _visits(dice: random.Random) -> Iterator[tuple[datetime, str, Record]]:
    for number in range(SESSIONS):
        at = BEGINNING + timedelta(seconds=dice.randrange(DAYS * 24 * 3600))
        for _ in range(dice.choices([1, 2, 3], [50, 30, 20])[0]):
            wish = dice.choices(list(WISHES), list(WISHES.values()))[0]
            yield at, f"visitor-{number:03d}", wish(dice, at)
            at += timedelta(seconds=dice.randrange(2, 90))


def _sent(request: Record) -> Sent:
    body = json.dumps(request["json"]).encode() if "json" in request else b""
    return Sent(request.get("method", "GET"), request["path"], tuple(request.get("headers", {}).items()), body)


def _response(received: Received, dice: random.Random) -> Record:
    answer: Record = {"status": received.status, "headers": dict(received.headers)}
    if "json" not in answer["headers"].get("content-type", ""):
        return answer | {"text": received.body.decode()}
    if not received.body:  # HEAD
        return answer
    body = json.loads(received.body)
    if "error" in body:  # minted outside of the seed; the file is to be the same every time
        body["error"]["request_id"] = f"{dice.getrandbits(128):032x}"
    return answer | {"json": body}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    sys.stdout.write(f"{write(target)} records in {target}, {target.stat().st_size} bytes\n")
