"""JSON values in words: their types as JSON names them, and scalars as they are spelled."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from replay.documents.numbers import Numeral
from replay.models import Json

_TYPES: Final = {
    type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


def json_type(value: Json) -> str:
    """Return the value's type as JSON names it."""
    return _TYPES.get(type(value)) or ("number" if isinstance(value, Decimal) else "string")


def spelling(value: Json) -> str:
    """Return a scalar as JSON spells it, a text without its quotes; a number as it was written where that is known."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Numeral):
        return value.spelling
    # Python writes no int of more than 4,300 digits; a Decimal of it has no such limit.
    return format(Decimal(value), "f") if isinstance(value, int) else str(value)
