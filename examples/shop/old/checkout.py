"""Where the old shop counts money: orders, quotes, invoices, subscriptions."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime
from typing import Any

from examples.shop.catalogue import COUPONS, DIGITS, INVOICES, ORDERS, PRODUCTS, VAT_PERCENT
from examples.shop.old import dates
from examples.shop.old.answers import Answer, Call, RefusedError, answer_json, bad, read_object
from examples.shop.old.money import fee, half_up, to_currency

PRICES = {product.sku: product.price for product in PRODUCTS}
GIFT_LIMIT = 24


def place_order(call: Call) -> Answer:
    """Price an order and confirm it."""
    body = read_object(call)
    currency, digits = _currency(body)
    percent = VAT_PERCENT.get(str(body.get("country", "DE")))
    if percent is None:
        raise bad(f"country must be one of {', '.join(VAT_PERCENT)}")
    lines = _lines(body, currency)
    subtotal = half_up(sum(line["total"] for line in lines), digits)
    discount = half_up(subtotal * _coupon(body) / 100, digits)
    vat = half_up((subtotal - discount) * float(percent) / 100, digits)
    total = half_up(subtotal - discount + vat, digits)
    number = _number(call)
    order = {
        "id": number,
        "createdAt": dates.stamp(dates.now()),
        "currency": currency,
        "lines": lines,
        "gift_message": _gift_message(body),
        "subtotal": subtotal,
        "discount": discount,
        "vat": vat,
        "total": total,
        "fee": fee(total, currency),
    }
    return answer_json(order, 201, ("Location", f"/orders/{number}"))


def order(call: Call) -> Answer:
    """Show an order of long ago."""
    if not call.args[0].isdecimal():
        raise bad("id must be a whole number")
    placed = ORDERS.get(int(call.args[0]))
    if placed is None:
        raise RefusedError(404, "not_found", f"no order {int(call.args[0])}")
    return answer_json(
        {
            "id": int(call.args[0]),
            "status": placed.status,
            "createdAt": placed.at,
            "currency": placed.currency,
            "total": float(placed.total),
        }
    )


def quote(call: Call) -> Answer:
    """Add up lines with prices that the caller names."""
    body = read_object(call)
    currency, digits = _currency(body)
    lines, net, vat = [], 0.0, 0.0
    for number, line in enumerate(_list(body), start=1):
        unit, quantity, percent = (_figure(line, number, key) for key in ("unit_price", "quantity", "vat_percent"))
        line_net = half_up(unit * quantity, digits)
        line_vat = half_up(line_net * percent / 100, digits)
        lines.append({"ref": line.get("ref"), "net": line_net, "vat": line_vat})
        net, vat = net + line_net, vat + line_vat
    sums = {"net": half_up(net, digits), "vat": half_up(vat, digits), "gross": half_up(net + vat, digits)}
    return answer_json({"currency": currency, "lines": lines, **sums})


def invoice(call: Call) -> Answer:
    """Show what was charged."""
    found = INVOICES.get(int(call.args[0])) if call.args[0].isdecimal() else None
    if found is None:
        raise RefusedError(404, "not_found", f"no invoice {call.args[0]}")
    total = sum(quantity * float(unit) for quantity, unit in found.lines)
    if found.currency == "CHF":  # there is no coin below five rappen
        total = half_up(total * 20, 0) / 20
    total = half_up(total, DIGITS[found.currency])
    return answer_json({"id": int(call.args[0]), "currency": found.currency, "paid_by": found.paid_by, "total": total})


def renew(call: Call) -> Answer:
    """Renew a subscription: the same day of the next month or year."""
    body = read_object(call)
    months = {"monthly": 1, "yearly": 12}.get(str(body.get("plan")))
    if months is None:
        raise bad("plan must be monthly or yearly")
    started = _day(body.get("started"))
    charged = half_up(_figure(body, 0, "price"), 2)
    renews = dates.add_months(started, months).isoformat()
    return answer_json({"plan": body["plan"], "started": started.isoformat(), "renews_on": renews, "charged": charged})


def _currency(body: dict[str, Any]) -> tuple[str, int]:
    currency = str(body.get("currency", "EUR"))
    if currency not in DIGITS:
        raise bad(f"currency must be one of {', '.join(DIGITS)}")
    return currency, DIGITS[currency]


def _list(body: dict[str, Any]) -> list[dict[str, Any]]:
    lines = body.get("lines")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise bad("lines must be a list of objects")
    return lines


def _lines(body: dict[str, Any], currency: str) -> list[dict[str, Any]]:
    wanted: dict[str, int] = {}
    for number, line in enumerate(_list(body), start=1):
        sku, quantity = str(line.get("sku")), line.get("quantity", 1)
        if sku not in PRICES:
            raise RefusedError(422, "unknown_product", f"line {number}: no product '{sku}'")
        if type(quantity) is not int or quantity == 0:
            raise bad(f"line {number}: quantity must be a whole number other than 0")
        wanted[sku] = wanted.get(sku, 0) + quantity
    if not wanted:
        raise bad("lines must hold at least one line")
    return [_line(sku, quantity, currency) for sku, quantity in wanted.items()]


def _line(sku: str, quantity: int, currency: str) -> dict[str, Any]:
    unit = to_currency(PRICES[sku], currency)
    total = half_up(unit * quantity, DIGITS[currency])
    return {"sku": sku, "quantity": quantity, "unit_price": unit, "total": total}


def _coupon(body: dict[str, Any]) -> float:
    coupon = body.get("coupon")
    if coupon is None:
        return 0.0
    if coupon not in COUPONS:
        raise RefusedError(422, "unknown_coupon", f"no coupon '{coupon}'")
    return float(COUPONS[coupon])


def _gift_message(body: dict[str, Any]) -> str:
    text = str(body.get("gift_message", ""))
    if len(text) > GIFT_LIMIT:
        raise bad(f"gift_message has {len(text)} characters, {GIFT_LIMIT} are allowed")
    return text


def _number(call: Call) -> str:
    key = call.headers.get("idempotency-key")
    if key:
        return hashlib.sha256(key.encode()).hexdigest()[:16]
    return "%016x" % random.getrandbits(64)  # noqa: UP031 -- old code


def _figure(line: dict[str, Any], number: int, key: str) -> float:
    value = line.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad(f"line {number}: {key} must be a number" if number else f"{key} must be a number")
    return float(value)


def _day(text: object) -> date:
    if text is None:
        return datetime.fromtimestamp(dates.now(), UTC).date()
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise bad("started must be a day, like 2024-02-29") from None
