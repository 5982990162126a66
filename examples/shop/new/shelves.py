"""What the new shop shows: articles, search, prices, the feed, the export."""

from __future__ import annotations

import csv
import html
import io
import time
import unicodedata
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from examples.shop.catalogue import PRICE_CHANGES, PRODUCTS, Product
from examples.shop.new.messages import (
    Fields,
    ProblemError,
    Request,
    Response,
    json_response,
    malformed,
    missing,
    rfc3339,
    text_response,
)
from examples.shop.new.routing import Router, Shop

router = Router()

BY_SKU = {product.sku: product for product in PRODUCTS}
PAGE = 10
PRICE_HOLDS = timedelta(minutes=15) - timedelta(seconds=1)  # a second early, for those whose clock runs late
CACHED = ("cache-control", "public, max-age=60")
KINDS = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/html": "html",
    "text/*": "html",
}


@router.on("GET", "/")
def home(_: Shop, __: Request) -> Response:
    """Show the front page."""
    items = "".join(f"<li>{html.escape(product.name)}</li>" for product in PRODUCTS[:5])
    return text_response(f"<!doctype html><title>Shop</title><h1>Shop</h1><ul>{items}</ul>", "text/html")


@router.on("GET", "/products")
def products(shop: Shop, request: Request) -> Response:
    """List articles by category and tags; several tags must all be there."""
    category, tags = request.param("category"), set(request.params("tag"))
    found = [item for item in PRODUCTS if category in {"", item.category} and tags <= set(item.tags)]
    found = _sorted(shop, found, request.param("sort"))
    limit = _count(request.param("limit", "20"), "limit", 50)
    return json_response({"items": [_summary(item) for item in found[:limit]], "total": len(found)})


@router.on("GET", "/products/{sku}")
def product(_: Shop, request: Request) -> Response:
    """Show one article, as JSON or as a page."""
    found = _product(request.path_args["sku"])
    kind = _negotiate(request.headers.get("accept", "*/*"))
    etag = f'"{quote(found.sku)}-r{found.revision}"'
    headers: Fields = (("etag", etag), CACHED, ("vary", "accept"))
    if etag in (each.strip() for each in request.headers.get("if-none-match", "").split(",")):
        return Response(304, headers)
    if kind == "html":
        return text_response(f"<!doctype html><h1>{html.escape(found.name)}</h1>", "text/html", headers)
    return json_response(_summary(found) | {"text": found.text, "revision": found.revision}, headers=headers)


@router.on("GET", "/p/{sku}")
def moved(_: Shop, request: Request) -> Response:
    """Send readers of old links to where the article is now."""
    return Response(301, (("location", f"/products/{quote(_product(request.path_args['sku']).sku)}"),))


@router.on("GET", "/search")
def search(shop: Shop, request: Request) -> Response:
    """Answer one page of a search."""
    began = time.perf_counter()
    query = unicodedata.normalize("NFC", request.param("q").strip())
    if not query:
        raise malformed("q is missing")
    page = _count(request.param("page", "1"), "page", None)
    hits = shop.index.find(query, request.param("locale", "en"))
    shown = [
        {"sku": sku, "name": BY_SKU[sku].name, "score": score} for sku, score in hits[(page - 1) * PAGE : page * PAGE]
    ]
    took = (time.perf_counter() - began) * 1000
    return json_response({"query": query, "hits": shown, "total": len(hits), "took_ms": took})


@router.on("GET", "/prices")
def price(_: Shop, request: Request) -> Response:
    """Tell what an article cost, costs or will cost."""
    sku, now = request.param("sku"), datetime.now(UTC)
    if sku not in PRICE_CHANGES:
        raise missing(f"no price for '{sku}'")
    at = _instant(request.param("at")) if request.param("at") else now
    changes = [datetime.fromisoformat(since) for since, _ in PRICE_CHANGES[sku]]
    place = bisect_right(changes, at) - 1
    if place < 0:
        raise missing(f"no price for '{sku}' at that time")
    return json_response(
        {
            "sku": sku,
            "price": Decimal(PRICE_CHANGES[sku][place][1]),
            "valid_from": int(changes[place].timestamp()),
            "expires_at": rfc3339(now + PRICE_HOLDS),
        }
    )


@router.on("GET", "/feed")
def feed(_: Shop, __: Request) -> Response:
    """Answer the feed that every page asks for."""
    as_of = rfc3339(datetime.now(UTC).replace(second=0))
    return json_response({"as_of": as_of, "items": [_summary(item) for item in PRODUCTS[:8]]}, headers=(CACHED,))


@router.on("GET", "/export.csv")
def export(_: Shop, __: Request) -> Response:
    """Write the price list for spreadsheets."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["sku", "name", "price"])
    writer.writerows([item.sku, item.name, item.price] for item in PRODUCTS)
    return text_response(out.getvalue(), "text/csv")


def _sorted(shop: Shop, found: list[Product], sort: str) -> list[Product]:
    signs = {"": 0, "-price": 1, "price": -1}
    if sort not in signs:
        raise malformed("sort must be price or -price")
    if not sort:
        return found
    return [
        BY_SKU[sku] for sku in shop.policies.best_first((signs[sort] * Decimal(item.price), item.sku) for item in found)
    ]


def _count(text: str, name: str, most: int | None) -> int:
    if not text.isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
        raise malformed(f"{name} must be a whole number from 1" + (f" to {most}" if most else ""))
    return int(text)


def _summary(item: Product) -> dict[str, object]:
    price, tags = Decimal(item.price), sorted(item.tags)
    return {"sku": item.sku, "name": item.name, "price": price, "currency": "EUR", "tags": tags}


def _product(sku: str) -> Product:
    sku = unicodedata.normalize("NFC", sku)
    if sku not in BY_SKU:
        raise missing(f"no product '{sku}'")
    return BY_SKU[sku]


def _negotiate(accept: str) -> str:
    offers = [part.strip().partition(";q=") for part in accept.split(",")]
    known = [(float(quality or 1), KINDS[kind]) for kind, _, quality in offers if kind in KINDS]
    best = max(known, key=lambda pair: pair[0], default=(0.0, ""))
    if not best[0]:
        raise ProblemError(406, "not_acceptable", "application/json or text/html")
    return best[1]


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise malformed("at must be an instant with its offset") from None
    if instant.tzinfo is None:
        raise malformed("at must be an instant with its offset")
    return instant
