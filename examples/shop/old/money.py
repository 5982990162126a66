"""Money as the old shop counts it: in floats, rounded after every step."""

from __future__ import annotations

import math

from examples.shop.catalogue import DIGITS, RATES


def half_up(value: float, digits: int) -> float:
    """Round half away from zero; the nudge makes up for halves that a float holds a little too small."""
    scaled = math.floor(abs(value) * 10**digits + 0.5 + 1e-6)
    return math.copysign(scaled, value) / 10**digits if scaled else 0.0


def to_currency(price: str, currency: str) -> float:
    """Convert a price in euros."""
    return half_up(float(price) * float(RATES[currency]), DIGITS[currency])


def fee(total: float, currency: str) -> float:
    """Return what the card company takes, in euros: 1.4%, cut off at the cent, and 25 cents."""
    return round(int(total / float(RATES[currency]) * 1.4) / 100 + 0.25, 2)
