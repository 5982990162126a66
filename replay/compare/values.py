"""Equality of JSON values: type-strict, and exact for numbers however they are written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from replay.documents import Numeral, json_type, spelling
from replay.models import Json

_GLANCED: Final = frozenset({str, int, bool, type(None)})


def same_scalar(old: Json, new: Json) -> bool:
    """Tell whether two scalars are one value: 1 is 1.0 and not true, and NaN, where allowed, is NaN."""
    if type(old) is type(new):
        return bool(old == new) or bool(old != old and new != new)  # noqa: PLR0124  (only NaN differs from itself)
    return json_type(old) == json_type(new) and bool(old == new)


def settled(old: object, new: object) -> bool:
    """Tell whether two nodes are equal at a glance, however strictly: it spares most leaves the walk."""
    kind = type(old)
    return kind is type(new) and kind in _GLANCED and bool(old == new)


def glance(old: Any, new: Any, *, spelled: bool) -> bool:
    """Tell whether two nodes are equal, types and all, as quickly as can be: even if not, their values may be equal."""
    return bool(old == new) and same_types([old], [new], spelled=spelled)


def same_spelling(old: Json, new: Json) -> bool:
    """Tell whether two scalars are also written alike: 1 is not 1.0, nor is 1.0 1.00."""
    return json_type(old) == json_type(new) and spelling(old) == spelling(new)


def same(old: Json, new: Json) -> bool:
    """Tell whether two JSON values are equal, all the way down."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return same_scalar(old, new)


def same_types(old: Any, new: Any, *, spelled: bool) -> bool:  # noqa: C901 - two loops that are one
    """Tell whether no boolean stands where the other side has a number, in objects or arrays that Python calls equal.

    Python takes true for 1. But it finds two documents equal ten times as quickly as they can be walked, and only this
    is left to ask. With `spelled`, tell whether numbers are also written alike.
    """
    # Written out for both, as most of the time that a comparison takes is spent here.
    if type(old) is dict:
        for name, mine in old.items():
            kind = type(mine)
            if kind is str:
                continue
            theirs = new[name]
            if kind is dict or kind is list:
                if not same_types(mine, theirs, spelled=spelled):
                    return False
            elif (kind is not type(theirs) or kind is Numeral) and not _same_type(mine, theirs, spelled=spelled):
                return False
    else:
        for mine, theirs in zip(old, new, strict=True):
            kind = type(mine)
            if kind is dict or kind is list:
                if not same_types(mine, theirs, spelled=spelled):
                    return False
            elif (kind is not type(theirs) or kind is Numeral) and not _same_type(mine, theirs, spelled=spelled):
                return False
    return True


def _same_type(old: Any, new: Any, *, spelled: bool) -> bool:
    return same_spelling(old, new) if spelled else bool not in (type(old), type(new))


def exact(value: Any) -> Json:
    """Return what users wrote with doubles, which TOML and Python have, as the decimals that they stand for."""
    if isinstance(value, Mapping):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def canonical_text(value: Json) -> str:
    """Return a text to sort by: equal values have the same, however they are written."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{canonical_text(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_text, value)) + "]"
    if json_type(value) == "number" and Decimal(value).is_finite():
        sign, digits, exponent = Decimal(value).as_tuple()
        text = "".join(map(str, digits))
        short = text.rstrip("0")
        return f"{'-' * sign}{short}e{int(exponent) + len(text) - len(short)}" if short else "0"
    return f"{json_type(value)} {value}"


def identity_of(value: Json, *, spelled: bool = False) -> tuple[str, object]:
    """Return a hashable stand-in for a value: equal values, and only those, have equal ones."""
    kind = type(value)
    if kind is str:
        return ("string", value)
    if kind is dict:
        return ("object", frozenset([(key, identity_of(item, spelled=spelled)) for key, item in value.items()]))
    if kind is list:
        return ("array", tuple([identity_of(item, spelled=spelled) for item in value]))
    if spelled or value != value:  # noqa: PLR0124  (only NaN differs from itself; it has no hash that says so)
        return (json_type(value), spelling(value))
    return (json_type(value), value)
