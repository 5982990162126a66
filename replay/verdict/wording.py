"""Numbers as a verdict prints them."""

from __future__ import annotations

import math
from decimal import Decimal


def percent(share: float, *, beside: float | None = None, unit: str = "%") -> str:
    """Return a share as per cent, in plain digits: three that count, or as many as tell it from `beside`, the limit.

    Close to the whole it is the rest that counts: 99.95% is not 100%.
    """
    rest = math.ceil(-math.log10(1 - share)) if 0.9 < share < 1 else 1  # noqa: PLR2004 - where the first digit is a 9
    for digits in range(min(2 + rest, 14), 15):
        text = _plain(100 * share, digits)
        if beside is None or share == beside or text != _plain(100 * beside, digits):
            break
    return f"{text}{unit}"


def level(confidence: float) -> str:
    """Return a confidence as people write it: 95%, 99.9%, 99.967%."""
    for digits in range(2, 12):
        text = _plain(100 * confidence, digits)
        if abs(float(text) - 100 * confidence) <= (100 - 100 * confidence) / 20:
            break
    return f"{text}%"


def milliseconds(ms: float) -> str:
    """Return a latency with three digits that count."""
    return f"{_plain(ms, 3)} ms" if math.isfinite(ms) else "never"


def signed_ms(ms: float) -> str:
    """Return how much later something is, or earlier."""
    return _signed(ms, " ms")


def relative(ratio: float) -> str:
    """Return a ratio as what it is above 1, or below."""
    return _signed(100 * (ratio - 1), "%")


def _signed(number: float, unit: str) -> str:
    if not math.isfinite(number):
        return "infinity" if number > 0 else "-infinity"
    return f"{'+' if number > 0 else ''}{_plain(number, 3)}{unit}"


def rounded_up(number: float) -> float:
    """Return an estimate with two digits that count, not less than it is."""
    digits = max(0, math.floor(math.log10(number)) - 1)
    return float(math.ceil(number / 10**digits) * 10**digits)


def cases(number: float) -> str:
    """Return `1 case`, `2,400 cases`, or `811.6 cases` where sessions shrink them."""
    text = figure(number)
    return f"{text} case" if text == "1" else f"{text} cases"


def figure(number: float) -> str:
    """Return a count with one decimal where it has one."""
    return f"{number:,.1f}".removesuffix(".0")


def amount(number: Decimal | float, *, beside: float | None = None) -> str:
    """Return a figure in plain digits: a decimal, such as a sum of money, with all of them.

    Of others as many as count, or tell it from `beside`, the limit.
    """
    if isinstance(number, Decimal):
        return f"{number:,f}"
    if isinstance(number, int):
        return f"{number:,}"
    if not math.isfinite(number):
        return "unbounded"
    for digits in range(4, 16):
        text = _grouped(number, digits)
        if beside is None or number == beside or text != _grouped(beside, digits):
            break
    return text


def _grouped(number: float, digits: int) -> str:
    return format(Decimal(f"{number:.{digits}g}").normalize() + 0, ",f")


def listed(names: tuple[str, ...], total: int) -> str:
    """Return the first few names, and how many more there are."""
    return ", ".join(names) + (f" and {total - len(names):,} more" if total > len(names) else "")


def _plain(number: float, digits: int) -> str:
    return format(Decimal(f"{number:.{digits}g}").normalize() + 0, "f")
