"""Where the new shop counts money: orders, quotes, invoices, subscriptions."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from examples.shop.catalogue import COUPONS, DIGITS, INVOICES, ORDERS, PRODUCTS, VAT_PERCENT
from examples.shop.new.messages import (
    ProblemError,
    Request,
    Response,
    json_object,
    json_response,
    malformed,
    missing,
    rfc3339,
)
from examples.shop.new.money import Till
from examples.shop.new.routing import Router, Shop

router = Router()

PRICES = {product.sku: product.price for product in PRODUCTS}
GIFT_LIMIT = 24


@router.on("POST", "/orders")
def place_order(shop: Shop, request: Request) -> Response:
    """Price an order and confirm it; its lines are sorted by sku."""
    wanted = json_object(request)
    till = _till(shop, wanted)
    percent = VAT_PERCENT.get(str(wanted.get("country", "DE")))
    if percent is None:
        raise malformed(f"country must be one of {', '.join(VAT_PERCENT)}")
    lines = [_priced(till, sku, quantity) for sku, quantity in sorted(_quantities(wanted).items())]
    sums = _sums(till, [line["total"] for line in lines], _coupon(wanted), Decimal(percent))
    number = _number(request)
    order = {
        "id": number,
        "created_at": rfc3339(datetime.now(UTC)),
        "currency": till.currency,
        "lines": lines,
        "gift_message": _gift_message(wanted),
        **sums,
    }
    return json_response(order, 201, (("location", f"/orders/{number}"),))


@router.on("GET", "/orders/{id}")
def order(shop: Shop, request: Request) -> Response:
    """Show an order of long ago."""
    if not request.path_args["id"].isdecimal():
        raise malformed("id must be a whole number")
    number = shop.policies.read_id(request.path_args["id"])
    if number not in ORDERS:
        raise missing(f"no order {number}")
    placed = ORDERS[number]
    return json_response(
        {
            "id": number,
            "status": placed.status,
            "created_at": placed.at,
            "currency": placed.currency,
            "total": Decimal(placed.total),
        }
    )


@router.on("POST", "/quotes")
def quote(shop: Shop, request: Request) -> Response:
    """Add up lines with prices that the caller names."""
    wanted = json_object(request)
    till = _till(shop, wanted)
    lines = [_quoted(till, number, line) for number, line in enumerate(_lines(wanted), start=1)]
    net, vat = (till.sum(line[key] for line in lines) for key in ("net", "vat"))
    return json_response({"currency": till.currency, "lines": lines, "net": net, "vat": vat, "gross": net + vat})


@router.on("GET", "/invoices/{id}")
def invoice(shop: Shop, request: Request) -> Response:
    """Show what was charged."""
    number = request.path_args["id"]
    found = INVOICES.get(int(number)) if number.isdecimal() else None
    if found is None:
        raise missing(f"no invoice {number}")
    till = Till(found.currency, shop.policies.rounding)
    total = till.sum(quantity * Decimal(unit) for quantity, unit in found.lines)
    if (found.currency, found.paid_by) == ("CHF", "cash"):  # BUG-12: a card needs no coins
        total = till.in_coins(total)
    return json_response({"id": int(number), "currency": found.currency, "paid_by": found.paid_by, "total": total})


@router.on("POST", "/subscriptions/renew")
def renew(shop: Shop, request: Request) -> Response:
    """Renew a subscription: the same day of the next month or year."""
    wanted = json_object(request)
    months = {"monthly": 1, "yearly": 12}.get(str(wanted.get("plan")))
    if months is None:
        raise malformed("plan must be monthly or yearly")
    started = _day(wanted.get("started"))
    charged = Till("EUR", shop.policies.rounding).round(_figure(wanted, "price", ""))
    renews = shop.policies.months_later(started, months)
    return json_response(
        {"plan": wanted["plan"], "started": f"{started}", "renews_on": f"{renews}", "charged": charged}
    )


def _sums(till: Till, totals: list[Decimal], coupon: Decimal, vat_percent: Decimal) -> dict[str, Decimal]:
    subtotal = till.sum(totals)
    discount = till.percent(subtotal, coupon)
    vat = till.percent(subtotal - discount, vat_percent)
    total = subtotal - discount + vat
    return {"subtotal": subtotal, "discount": discount, "vat": vat, "total": total, "fee": till.fee(total)}


def _till(shop: Shop, wanted: dict[str, Any]) -> Till:
    currency = str(wanted.get("currency", "EUR"))
    if currency not in DIGITS:
        raise malformed(f"currency must be one of {', '.join(DIGITS)}")
    return Till(currency, shop.policies.rounding)


def _lines(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    lines = wanted.get("lines")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise malformed("lines must be a list of objects")
    return lines


def _quantities(wanted: dict[str, Any]) -> Counter[str]:
    quantities: Counter[str] = Counter()
    for number, line in enumerate(_lines(wanted), start=1):
        sku, quantity = str(line.get("sku")), line.get("quantity", 1)
        if sku not in PRICES:
            raise ProblemError(422, "unknown_product", f"line {number}: no product '{sku}'")
        if type(quantity) is not int or quantity == 0:
            raise malformed(f"line {number}: quantity must be a whole number other than 0")
        quantities[sku] += quantity
    if not quantities:
        raise malformed("lines must hold at least one line")
    return quantities


def _priced(till: Till, sku: str, quantity: int) -> dict[str, Any]:
    unit = till.from_euros(PRICES[sku])
    return {"sku": sku, "quantity": quantity, "unit_price": unit, "total": unit * quantity}


def _quoted(till: Till, number: int, line: dict[str, Any]) -> dict[str, Any]:
    place = f"line {number}: "
    unit, quantity, percent = (_figure(line, key, place) for key in ("unit_price", "quantity", "vat_percent"))
    net = till.round(unit * quantity)
    return {"ref": line.get("ref"), "net": net, "vat": till.percent(net, percent)}


def _coupon(wanted: dict[str, Any]) -> Decimal:
    coupon = wanted.get("coupon")
    if coupon is None:
        return Decimal()
    if coupon not in COUPONS:
        raise ProblemError(422, "unknown_coupon", f"no coupon '{coupon}'")
    return Decimal(COUPONS[coupon])


def _gift_message(wanted: dict[str, Any]) -> str:
    text = str(wanted.get("gift_message", ""))
    if len(text) > GIFT_LIMIT:
        raise malformed(f"gift_message has {len(text)} characters, {GIFT_LIMIT} are allowed")
    return text


def _number(request: Request) -> str:
    key = request.headers.get("idempotency-key")
    if key:
        return hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{random.getrandbits(64):016x}"  # the same seed gives the same number


def _figure(line: dict[str, Any], key: str, place: str) -> Decimal:
    value = line.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise malformed(f"{place}{key} must be a number")
    return Decimal(value)


def _day(text: object) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise malformed("started must be a day, like 2024-02-29") from None
