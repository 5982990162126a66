"""The six decisions that are easy to get wrong, each in one place."""

from __future__ import annotations

import calendar
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

Scored = tuple[Decimal, str]
"""A figure to sort by, the greatest first, and the sku that it belongs to."""

_TURKISH = str.maketrans({"I": "ı", "İ": "i"})  # noqa: RUF001 -- Turkish


def still_valid(age: timedelta, life: timedelta) -> bool:
    """Return whether something lives at that age; the last second counts."""
    return age <= life


def fold(text: str, locale: str) -> str:
    """Return composed text without its case; Turkish has two letters i."""
    composed = unicodedata.normalize("NFC", text)
    return (composed.translate(_TURKISH) if locale == "tr" else composed).casefold()


def read_id(text: str) -> int:
    """Return an id with every digit."""
    return int(text)


def months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a month that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def best_first(scored: Iterable[Scored]) -> list[str]:
    """Return the skus by their figure, the greatest first, equal ones by sku."""
    return [sku for _, sku in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]


@dataclass(frozen=True, slots=True)
class Policies:
    """How the shop decides; the defaults are the right ones."""

    rounding: str = ROUND_HALF_UP
    still_valid: Callable[[timedelta, timedelta], bool] = still_valid
    fold: Callable[[str, str], str] = fold
    read_id: Callable[[str], int] = read_id
    months_later: Callable[[date, int], date] = months_later
    best_first: Callable[[Iterable[Scored]], list[str]] = best_first
