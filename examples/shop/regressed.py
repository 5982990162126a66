"""The new shop with six slips. Each is one line that a review could miss; each has a golden that does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN
from typing import Any, Final

from examples.shop.new.asgi import build
from examples.shop.new.policies import Policies, Scored, months_later

SOUND = Policies()


def _still_valid(age: timedelta, life: timedelta) -> bool:
    return age < life  # the last second is lost


def _fold(text: str, _: str) -> str:
    return SOUND.fold(text, "")  # Turkish has two letters i, whatever the locale


def _read_id(text: str) -> int:
    return int(float(text))  # a float holds 53 bits


def _months_later(day: date, months: int) -> date:
    later = months_later(day, months)
    return later if later.day == day.day else later + timedelta(days=1)  # 28 February becomes 1 March


def _best_first(scored: Iterable[Scored]) -> list[str]:
    return [sku for _, sku in sorted(scored, key=lambda pair: -pair[0])]  # equal ones in any order


SLIPS: Final[dict[str, dict[str, Any]]] = {
    "rounding": {"rounding": ROUND_HALF_EVEN},  # the banker's way, which is what decimals do when nobody says
    "expiry": {"still_valid": _still_valid},
    "turkish-i": {"fold": _fold},
    "large-ids": {"read_id": _read_id},
    "leap-day": {"months_later": _months_later},
    "ties": {"best_first": _best_first},
}
"""Each slip by its name, as what it changes in the policies."""

app = build(replace(SOUND, **{name: slip for change in SLIPS.values() for name, slip in change.items()}))
