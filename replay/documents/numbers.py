"""Numbers that keep every digit and their spelling, and how they are written back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any, Final, Self

_INT_DIGITS: Final = 4000
"""Python converts no more than 4,300 digits by default, and a library has no business changing that for its program."""

_EXACT_DIGITS: Final = 50_000
"""Making an int of more digits takes time that grows with the square of them; a Decimal holds them just as exactly."""


class Numeral(Decimal):
    """A number that remembers how it was written: `9.90`, `1e5`, `-0`. It counts and compares as the Decimal it is."""

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> Self:
        """Read a number in JSON's spelling; raise ValueError where its exponent is beyond what Decimal holds."""
        try:
            number = super().__new__(cls, spelling)
        except InvalidOperation:
            raise ValueError("the exponent is too large") from None
        number.spelling = spelling
        return number

    def __reduce__(self) -> tuple[type[Numeral], tuple[str]]:
        return (Numeral, (self.spelling,))


def integer(spelling: str) -> int | Decimal:
    """Return an integer in JSON's spelling with every digit: an int, or a Decimal beyond 50,000 digits."""
    if len(spelling) < _INT_DIGITS:
        return int(spelling)
    exact = Decimal(spelling)
    return int(exact) if len(spelling) <= _EXACT_DIGITS else exact


def spelled_integer(spelling: str) -> int | Decimal:
    """Return an integer so that its spelling can be written back: `-0` has no int."""
    return Numeral(spelling) if spelling == "-0" or len(spelling) > _EXACT_DIGITS else integer(spelling)


def number_text(value: float | Decimal) -> str:
    """Return a number as JSON spells it; a Numeral as it was written. Raise ValueError for NaN and infinities."""
    if isinstance(value, Numeral):
        return value.spelling
    if isinstance(value, int):
        return str(value) if abs(value).bit_length() < 3 * _INT_DIGITS else format(Decimal(value), "f")
    if not math.isfinite(value) if isinstance(value, float) else not value.is_finite():
        raise ValueError("NaN and infinities are no JSON")
    return repr(value) if isinstance(value, float) else str(value)


def dump_json(value: Any) -> str:
    """Return compact JSON with numbers as they were written and text as it is, in the order of the value.

    Raise TypeError for anything that JSON does not have (bytes), ValueError for NaN and infinities.
    """
    parts: list[str] = []
    write(value, parts, in_order=list)
    return "".join(parts)


def write(value: Any, parts: list[str], *, in_order: Any) -> None:
    """Append the pieces of compact JSON; `in_order` arranges an object. One frame a level: documents are deep."""
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        parts.append("null" if value is None else str(value).lower())
    elif isinstance(value, int | float | Decimal):
        parts.append(number_text(value))
    elif isinstance(value, Mapping):
        mark = "{"
        for key, item in in_order(value.items()):
            parts += (mark, encode_basestring(key), ":")
            write(item, parts, in_order=in_order)
            mark = ","
        parts.append("}" if value else "{}")
    elif isinstance(value, list | tuple):
        mark = "["
        for item in value:
            parts.append(mark)
            write(item, parts, in_order=in_order)
            mark = ","
        parts.append("]" if value else "[]")
    else:
        raise TypeError(f"{type(value).__name__} is no JSON")


def overflows(value: Any) -> bool:
    """Return whether a number is finite as written, and infinite in the doubles that most services compute with."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    return math.isinf(float(value))
