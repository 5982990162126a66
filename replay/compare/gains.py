"""What an item of a ranking is worth: a field of it, or what a function of the team says."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from replay.compare.loading import loaded, names_code

Gain = Callable[[Any], float]
"""Returns what an item is worth, 0 or more; raises ValueError, telling why, where that cannot be known."""


def gain_of(name: str) -> Gain:
    """Return what tells an item's worth: a field, or a function that was found to be the project's own."""
    return _by_function(loaded(name), name) if names_code(name) else _by_field(name)


def _by_field(name: str) -> Gain:
    return lambda item: _number(item.get(name) if isinstance(item, dict) else None, name)


def _by_function(function: Callable[..., Any], name: str) -> Gain:
    def gain(item: Any) -> float:
        try:
            worth = function(item)
        except Exception as error:  # noqa: BLE001 - a team's own code: what it raises is told, never swallowed
            raise ValueError(f"{name} raised {type(error).__name__}: {error}") from None
        return _number(worth, name)

    return gain


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"an item has no number at {name}")  # noqa: TRY004 - the service's data, not the caller's types
    try:
        number = float(value)
    except (OverflowError, ValueError):  # beyond all doubles, or a signalling NaN
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"the {name} of an item is negative, or beyond all computing")
    return number
