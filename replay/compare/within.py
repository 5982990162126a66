"""`within: 0.01`, `0.1%`, `2s` or a list of these: numbers and instants may be that far apart, whichever is wider."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Final

from replay.compare.base import Rule
from replay.compare.values import same_scalar
from replay.compare.walk import Walk
from replay.documents import json_type
from replay.errors import SettingsError
from replay.locations import Path, State
from replay.models import DifferenceKind, parse_duration

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EXACT: Final = Context(prec=80, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Distances of numbers beyond all computing come out as infinite or as no number, and are within nothing."""

Allowance = Callable[[Any, Any], bool]


class Within:
    """Accepts a distance up to and with the tolerance."""

    def __init__(self, rule: Rule) -> None:
        given = rule.spec.within
        tolerances = given if isinstance(given, list | tuple) else [given]
        if not tolerances:
            raise SettingsError(f"rule at '{rule.spec.at}': within names no tolerance", hint="write within: 0.01")
        self._rule = rule
        self._allowances = [_allowance(it, rule.spec.at) for it in tolerances]

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Compare two numbers, instants, or texts that hold one; anything else by value."""
        if isinstance(old, dict | list) or isinstance(new, dict | list):
            walk.default(old, new, at, state)
        elif same_scalar(old, new):
            return
        elif any(allows(old, new) for allows in self._allowances):
            walk.accept(at, self._rule.name)
        else:
            kind: DifferenceKind = "value" if json_type(old) == json_type(new) else "type"
            walk.differ(at, kind, old, new, rule=self._rule.name)


def _allowance(tolerance: object, at: str) -> Allowance:
    text = str(tolerance).strip()
    if _NUMBER.fullmatch(text):
        return _absolute(_not_negative(Decimal(text), at))
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        return _relative(_not_negative(Decimal(text[:-1]), at) / 100)
    try:
        return _in_time(parse_duration(text))
    except ValueError:
        raise SettingsError(
            f"rule at '{at}': '{text}' is no tolerance", hint="write a number (0.01), a share (0.1%) or a duration (2s)"
        ) from None


def _not_negative(value: Decimal, at: str) -> Decimal:
    if value < 0:
        raise SettingsError(f"rule at '{at}': a tolerance cannot be negative")
    return value


def _absolute(limit: Decimal) -> Allowance:
    def allows(old: Any, new: Any) -> bool:
        pair = _numbers(old, new)
        return pair is not None and _distance(*pair) <= limit

    return allows


def _relative(share: Decimal) -> Allowance:
    def allows(old: Any, new: Any) -> bool:
        """Measure the share of old's value, since old is what users know today."""
        pair = _numbers(old, new)
        return pair is not None and _distance(*pair) <= _EXACT.multiply(share, pair[0].copy_abs())

    return allows


def _distance(one: Decimal, other: Decimal) -> Decimal:
    distance = _EXACT.subtract(one, other).copy_abs()
    return distance if distance.is_finite() else Decimal("Infinity")


def _in_time(limit: timedelta) -> Allowance:
    def allows(old: Any, new: Any) -> bool:
        one, other = _instant(old), _instant(new)
        if one is None or other is None or (one.tzinfo is None) != (other.tzinfo is None):
            return False
        return abs(one - other) <= limit and _form(old) == _form(new)

    return allows


def _numbers(old: Any, new: Any) -> tuple[Decimal, Decimal] | None:
    """Return both as exact numbers; a number and a text that holds one are two types, and stay different."""
    if isinstance(old, str) != isinstance(new, str):
        return None
    one, other = _number(old), _number(new)
    return None if one is None or other is None else (one, other)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        return None
    return number if number.is_finite() else None


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    for read in _READERS:
        try:
            return read(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _form(text: str) -> str:
    """Return how an instant is written: a tolerance in time allows no other format. Digits of a second may vary."""
    plain = re.sub(r"(?<=\d)\.\d+|(?:Z|[+-]\d\d:?\d\d)$", "", text.strip())
    return re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "0", plain))


_READERS: Sequence[Callable[[str], datetime]] = (datetime.fromisoformat, parsedate_to_datetime)
