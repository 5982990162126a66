"""Provider A: it reads the whole table of issuers for every card, and rounds every fee up to the next cent."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Final, TypedDict

CENT: Final = Decimal("0.01")
RATE: Final = Decimal("0.014")
FIXED: Final = Decimal("0.25")
SMALLEST: Final = 400_000


class Issuer(TypedDict):
    """Who issued the cards whose first six digits lie in a range, both ends included."""

    first: int
    last: int
    name: str


def issuers() -> list[Issuer]:
    """Return 2,700 ranges of a hundred numbers each, and among them a co-branded range inside of every hundredth."""
    table: list[Issuer] = []
    for number in range(2_700):
        first = SMALLEST + 100 * number
        table.append({"first": first, "last": first + 99, "name": f"bank-{number}"})
        if number % 100 == 50:
            table.append({"first": first + 10, "last": first + 14, "name": f"airline-{number}"})
    return table


ISSUERS: Final = issuers()


def issuer_of(number: int) -> str | None:
    """Return who issued a card: the smallest range that holds its number."""
    found = [it for it in ISSUERS if it["first"] <= number <= it["last"]]
    return min(found, key=lambda it: it["last"] - it["first"])["name"] if found else None


def authorize(card: str, amount: str, available: str, expires: str, today: str) -> dict[str, object]:
    """Decide whether a card may be charged; the reason is what ISO 8583 calls it."""
    reason = _reason(card, Decimal(amount), Decimal(available), expired=expires < today)
    fee = (Decimal(amount) * RATE + FIXED).quantize(CENT, ROUND_UP) if reason == "00" else Decimal(0)
    return {"outcome": "approved" if reason == "00" else "declined", "reason": reason, "fee": float(fee)}


def _reason(card: str, amount: Decimal, available: Decimal, *, expired: bool) -> str:
    if issuer_of(int(card[:6])) is None:
        return "15"
    if expired:
        return "54"
    return "51" if amount > available else "00"
