"""Equality of JSON values: type-strict, and exact for numbers however they are written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from replay.documents import json_type, spelling
from replay.models import Json

__all__ = ["exact", "identity_of", "json_type", "same", "same_scalar", "same_spelling", "spelling"]


def same_scalar(old: Json, new: Json) -> bool:
    """Tell whether two scalars are one value: 1 is 1.0 and not true, and NaN, where allowed, is NaN."""
    if type(old) is type(new):
        return bool(old == new) or bool(old != old and new != new)  # noqa: PLR0124  (only NaN differs from itself)
    return json_type(old) == json_type(new) and bool(old == new)


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


def exact(value: Any) -> Json:
    """Return what users wrote with doubles, which TOML and Python have, as the decimals that they stand for."""
    if isinstance(value, Mapping):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def identity_of(value: Json, *, spelled: bool = False) -> tuple[str, object]:
    """Return a hashable stand-in for a value: equal values, and only those, have equal ones."""
    if isinstance(value, dict):
        return ("object", frozenset((key, identity_of(item, spelled=spelled)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(identity_of(item, spelled=spelled) for item in value))
    if spelled or value != value:  # noqa: PLR0124  (only NaN differs from itself; it has no hash that says so)
        return (json_type(value), spelling(value))
    return (json_type(value), value)
