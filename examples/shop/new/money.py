"""Money as the new shop counts it: in decimals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from examples.shop.catalogue import DIGITS, RATES

CARD_SHARE = Decimal("0.014")
CARD_FLAT = Decimal("0.25")
FIVE_RAPPEN = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Till:
    """Counts in one currency, with one way of rounding."""

    currency: str
    rounding: str

    def round(self, amount: Decimal) -> Decimal:
        """Round to the smallest coin of the books."""
        return self._to(amount, Decimal(1).scaleb(-DIGITS[self.currency]))

    def percent(self, amount: Decimal, rate: Decimal) -> Decimal:
        """Return so many percent of an amount."""
        return self.round(amount * rate / 100)

    def sum(self, amounts: Iterable[Decimal]) -> Decimal:
        """Add up."""
        return self.round(sum(amounts, Decimal()))

    def from_euros(self, price: str) -> Decimal:
        """Convert a price in euros."""
        return self.round(Decimal(price) * Decimal(RATES[self.currency]))

    def fee(self, total: Decimal) -> Decimal:
        """Return what the card company takes, in euros: 1.4%, rounded, and 25 cents."""
        share = total / Decimal(RATES[self.currency]) * CARD_SHARE
        return self._to(share, Decimal("0.01")) + CARD_FLAT

    def in_coins(self, amount: Decimal) -> Decimal:
        """Round to what can be paid in Swiss coins."""
        return self._to(amount / FIVE_RAPPEN, Decimal(1)) * FIVE_RAPPEN

    def _to(self, amount: Decimal, step: Decimal) -> Decimal:
        return amount.quantize(step, rounding=self.rounding)
