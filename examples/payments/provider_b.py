"""Provider B: it finds the issuer by bisection, cuts off what is less than a cent, and gives reasons names.

Its table of issuers is sorted by where ranges begin, and it looks at the last one that begins no later than the card.
Where a co-branded range lies inside of a bank's, the bank's cards behind it are found in the small range, which has
ended: nobody is known to have issued them, and they are declined.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_DOWN, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
RATE: Final = Decimal("0.014")
FIXED: Final = Decimal("0.25")
SMALLEST: Final = 400_000


def ranges() -> list[tuple[int, int]]:
    """Return where ranges of cards begin and end, in order: banks', and co-branded ones inside of every hundredth."""
    banks = [(SMALLEST + 100 * number, SMALLEST + 100 * number + 99) for number in range(2_700)]
    brands = [(first + 10, first + 14) for first, _ in banks[50::100]]
    return sorted(banks + brands)


RANGES: Final = ranges()
STARTS: Final = [first for first, _ in RANGES]


def is_issued(number: int) -> bool:
    """Tell whether somebody issued a card."""
    place = bisect_right(STARTS, number) - 1
    return place >= 0 and number <= RANGES[place][1]


def authorize(card: str, amount: str, available: str, expires: str, today: str) -> dict[str, object]:
    """Decide whether a card may be charged."""
    reason = _reason(card, Decimal(amount), Decimal(available), expired=expires < today)
    if reason != "approved":
        return {"outcome": "declined", "reason": reason, "fee": 0.0}
    fee = (Decimal(amount) * RATE + FIXED).quantize(CENT, ROUND_DOWN)
    return {"outcome": "approved", "reason": "approved", "fee": float(fee)}


def _reason(card: str, amount: Decimal, available: Decimal, *, expired: bool) -> str:
    if not is_issued(int(card[:6])):
        return "no_such_issuer"
    if expired:
        return "expired_card"
    return "insufficient_funds" if amount > available else "approved"
