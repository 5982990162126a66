"""What the old shop shows: articles, search, prices, the feed, the export."""

from __future__ import annotations

import html
import time
import unicodedata
from datetime import datetime
from urllib.parse import quote

from examples.shop.catalogue import PRICE_CHANGES, PRODUCTS, Product
from examples.shop.old import dates, search
from examples.shop.old.answers import Answer, Call, RefusedError, answer_json, answer_text, bad

PAGE = 10
CACHED = ("Cache-Control", "public, max-age=60")


def home(_: Call) -> Answer:
    """Show the front page."""
    items = "".join(f"<li>{html.escape(product.name)}</li>" for product in PRODUCTS[:5])
    return answer_text(f"<!doctype html><title>Shop</title><h1>Shop</h1><ul>{items}</ul>", "text/html")


def products(call: Call) -> Answer:
    """List articles by category and tags; several tags must all be there."""
    found = [product for product in PRODUCTS if _wanted(product, call)]
    sort = call.first("sort")
    if sort not in {"", "price", "-price"}:
        raise bad("sort must be price or -price")
    if sort:
        sign = -1 if sort == "-price" else 1
        found.sort(key=lambda product: (sign * float(product.price), product.sku))
    limit = _limit(call.first("limit", "20"))
    return answer_json({"items": [_summary(product) for product in found[:limit]], "total": len(found)})


def product(call: Call) -> Answer:
    """Show one article, as JSON or as a page."""
    found = _product(call.args[0])
    kind = _preferred(call.headers.get("accept", "*/*"))
    etag = ("ETag", f'"{quote(found.sku)}-r{found.revision}"')
    if etag[1] in call.headers.get("if-none-match", "").split(", "):
        return 304, [etag, CACHED], b""
    if kind == "text/html":
        status, headers, body = answer_text(f"<!doctype html><h1>{html.escape(found.name)}</h1>", kind)
        return status, [*headers, etag, CACHED], body
    return answer_json({**_summary(found), "text": found.text, "revision": found.revision}, 200, etag, CACHED)


def moved(call: Call) -> Answer:
    """Send readers of old links to where the article is now."""
    found = _product(call.args[0])
    return 301, [("Location", f"/products/{quote(found.sku)}")], b""


def search_page(call: Call) -> Answer:
    """Answer one page of a search."""
    began = time.perf_counter()
    query = call.first("q").strip()
    if not query:
        raise bad("q is missing")
    page = call.first("page", "1")
    if not page.isdecimal() or int(page) < 1:
        raise bad("page must be a whole number from 1")
    hits = search.find(query, call.first("locale", "en"))
    shown = [
        {"sku": product.sku, "name": product.name, "score": score}
        for score, product in hits[(int(page) - 1) * PAGE : int(page) * PAGE]
    ]
    took = (time.perf_counter() - began) * 1000
    query = unicodedata.normalize("NFC", query)
    return answer_json({"query": query, "hits": shown, "total": len(hits), "took_ms": took})


def price(call: Call) -> Answer:
    """Tell what an article cost, costs or will cost."""
    sku, now = call.first("sku"), dates.now()
    if sku not in PRICE_CHANGES:
        raise RefusedError(404, "not_found", f"no price for '{sku}'")
    at = _epoch(call.first("at")) if call.first("at") else now
    known = None
    for since, amount in PRICE_CHANGES[sku]:
        if datetime.fromisoformat(since).timestamp() <= at:
            known = (since, amount)
    if known is None:
        raise RefusedError(404, "not_found", f"no price for '{sku}' at that time")
    valid_from = int(datetime.fromisoformat(known[0]).timestamp())
    return answer_json(
        {"sku": sku, "price": float(known[1]), "valid_from": valid_from, "expires_at": dates.stamp(now + 900)}
    )


def feed(_: Call) -> Answer:
    """Answer the feed that every page asks for."""
    as_of = dates.stamp(dates.now() // 60 * 60)
    return answer_json({"as_of": as_of, "items": [_summary(product) for product in PRODUCTS[:8]]}, 200, CACHED)


def export(_: Call) -> Answer:
    """Write the price list for spreadsheets."""
    rows = ["sku,name,price"]
    for product in PRODUCTS:
        name = f'"{product.name}"' if "," in product.name else product.name
        rows.append(f"{product.sku},{name},{float(product.price):.2f}")
    return answer_text("\r\n".join(rows) + "\r\n", "text/csv")


def _wanted(product: Product, call: Call) -> bool:
    category = call.first("category")
    if category and product.category != category:
        return False
    return all(tag in product.tags for tag in call.query.get("tag", []))


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise bad("limit must be a whole number from 1 to 50")
    return int(text)


def _summary(product: Product) -> dict[str, object]:
    return {
        "sku": product.sku,
        "name": product.name,
        "price": float(product.price),
        "currency": "EUR",
        "tags": list(product.tags),
    }


def _product(sku: str) -> Product:
    sku = unicodedata.normalize("NFC", sku)
    for product in PRODUCTS:
        if product.sku == sku:
            return product
    raise RefusedError(404, "not_found", f"no product '{sku}'")


def _preferred(accept: str) -> str:
    best, chosen = 0.0, ""
    for part in accept.split(","):
        kind, _, quality = part.strip().partition(";q=")
        known = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/html"}.get(kind, kind)
        if known in {"application/json", "text/html"} and float(quality or 1) > best:
            best, chosen = float(quality or 1), known
    if not chosen:
        raise RefusedError(406, "not_acceptable", "application/json or text/html")
    return chosen


def _epoch(text: str) -> float:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise bad("at must be an instant with its offset")
    return instant.timestamp()
