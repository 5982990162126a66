"""Whether two answers are certainly the same, without any rule.

Strict, by exact types, and bounded. It says yes only where every part is of a kind that it knows: what it does not
know, what equals nothing (NaN), what a comparison would find fault with (infinities, halves of surrogate pairs) and
what raises while it is looked at is left to the examination. No `__eq__` of the program's own classes is asked.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from math import copysign, isfinite
from types import EllipsisType, MemberDescriptorType, NoneType, NotImplementedType
from typing import Any, Final

from replay.experiment.attributes import HEAP, fields_of, held_by
from replay.experiment.outside import contain

MOST_STEPS: Final = 10_000
"""Pairs of parts that are looked at; what is larger is left to the examination."""
MOST_TYPES: Final = 1024

Pair = tuple[Any, Any]
Pairs = list[Pair]


class _DoubtError(Exception):
    """Two values that may be the same, or not: the examination will tell."""


def agree(old: Any, new: Any) -> bool:
    """Tell whether two values are certainly the same. False means only that a further look is needed."""
    kind = type(old)
    if kind is not type(new):
        return False
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        return scalar(old, new)
    try:
        return _walk(old, new)
    except _DoubtError:
        return False
    except BaseException as error:  # noqa: BLE001 - values may be of classes whose attributes raise anything
        contain(error)
        return False


def _walk(old: Any, new: Any) -> bool:
    waiting: Pairs = [(old, new)]
    met: set[tuple[int, int]] = set()
    for _ in range(MOST_STEPS):
        if not waiting:
            return True
        old, new = waiting.pop()
        kind = type(old)
        if kind is not type(new):
            return False
        scalar = _SCALARS.get(kind)
        if scalar is None:
            if isinstance(old, BaseException):
                if (id(old), id(new)) in met:  # they may hold themselves
                    continue
                met.add((id(old), id(new)))
            waiting.extend(_parts(kind, old, new))
        elif not scalar(old, new):
            return False
        if len(waiting) > MOST_STEPS:
            return False
    return not waiting


def _parts(kind: type, old: Any, new: Any) -> Iterator[Pair]:
    unfold = _COLLECTIONS.get(kind) or _UNFOLDS.get(kind)
    if unfold is None:
        unfold = _unfold_of(kind)
        if len(_UNFOLDS) >= MOST_TYPES:
            _UNFOLDS.clear()
        _UNFOLDS[kind] = unfold
    return unfold(old, new)


# -------------------------------------------------------------------------------------------------------------- scalars


def _same(old: Any, new: Any) -> bool:
    return bool(old == new)


def _same_text(old: str, new: str) -> bool:
    return old == new and (old.isascii() or _is_sound(old))


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: a finding even where both have it
        return False
    return True


def _same_float(old: float, new: float) -> bool:
    return old == new and isfinite(old) and (old != 0.0 or copysign(1.0, old) == copysign(1.0, new))


def _same_complex(old: complex, new: complex) -> bool:
    return _same_float(old.real, new.real) and _same_float(old.imag, new.imag)


def _same_decimal(old: decimal.Decimal, new: decimal.Decimal) -> bool:
    return old.is_finite() and old.as_tuple() == new.as_tuple()


def _same_time(old: Any, new: Any) -> bool:
    return bool(old.isoformat() == new.isoformat() and old.fold == new.fold)


_SCALARS: Final[Mapping[type, Callable[[Any, Any], bool]]] = {
    NoneType: _same,
    bool: _same,
    int: _same,
    str: _same_text,
    float: _same_float,
    complex: _same_complex,
    range: _same,
    bytes: _same,
    bytearray: _same,
    decimal.Decimal: _same_decimal,
    fractions.Fraction: _same,
    uuid.UUID: _same,
    dt.date: _same,
    dt.datetime: _same_time,
    dt.time: _same_time,
    dt.timedelta: _same,
    EllipsisType: _same,
    NotImplementedType: _same,
}

# ---------------------------------------------------------------------------------------------------------- collections


def _items(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Pair]:
    _require_as_many(old, new)
    return zip(old, new, strict=False)


def _require_as_many(old: Sized, new: Sized) -> None:
    if len(old) != len(new) or len(old) > MOST_STEPS:
        raise _DoubtError


def _members(old: dict[Any, Any], new: dict[Any, Any]) -> Iterator[Pair]:
    _require_as_many(old, new)
    for key, value in old.items():
        # By exact type: for a dictionary True is 1, and a class of the program's own may say anything of its keys.
        if type(key) is not str:
            yield from _odd_members(old, new)
            return
        if key not in new:
            raise _DoubtError
        yield value, new[key]
    if any(type(key) is not str for key in new):
        raise _DoubtError


def _odd_members(old: dict[Any, Any], new: dict[Any, Any]) -> Iterator[Pair]:
    """Yield the members of dictionaries whose keys are not all texts: in the same order, or left to the examination."""
    for one, other in zip(old.items(), new.items(), strict=False):
        yield from zip(one, other, strict=True)


def _elements(old: set[Any], new: set[Any]) -> Iterator[Pair]:
    _require_as_many(old, new)
    if {type(one) for one in (*old, *new)} - _COUNTED or _typed(old) != _typed(new):
        raise _DoubtError
    if not all(type(one) is not str or one.isascii() or _is_sound(one) for one in old):
        raise _DoubtError
    return iter(())


def _typed(items: set[Any]) -> set[tuple[type, Any]]:
    return {(type(item), item) for item in items}


_COUNTED: Final = frozenset({NoneType, bool, int, str, bytes, dt.date, uuid.UUID})
_COLLECTIONS: Final[Mapping[type, Callable[[Any, Any], Iterator[Pair]]]] = {
    list: _items,
    tuple: _items,
    deque: _items,
    dict: _members,
    OrderedDict: _members,
    defaultdict: _members,
    set: _elements,
    frozenset: _elements,
}

# --------------------------------------------------------------------------------------------- classes of the program's


def _unknown(_old: Any, _new: Any) -> Iterator[Pair]:
    raise _DoubtError


def _identical(old: Any, new: Any) -> Iterator[Pair]:
    if old is not new:
        raise _DoubtError
    return iter(())


def _model(old: Any, new: Any) -> Iterator[Pair]:
    yield vars(old), vars(new)
    for name in ("__pydantic_extra__", "__pydantic_private__"):
        yield getattr(old, name, None), getattr(new, name, None)


def _unfold_of(kind: type) -> Callable[[Any, Any], Iterator[Pair]]:
    """Return how values of a class are taken apart: all that they hold has to be among the parts."""
    if issubclass(kind, enum.Enum):
        return _identical
    if issubclass(kind, BaseException):
        return _exception
    if _is_named_tuple(kind):
        return _items
    if not _holds_attributes_only(kind):
        return _unknown
    if any("__pydantic_extra__" in vars(base) for base in kind.__mro__):
        return _model
    fields = fields_of(kind) if vars(kind).keys() & {"__dataclass_fields__", "__attrs_attrs__"} else None
    return _unknown if fields is None else _dataclass((*fields, *_slots(kind)), with_more=bool(kind.__dictoffset__))


def _slots(kind: type) -> Iterator[str]:
    """Yield the slots of a class and its bases, which need be no fields."""
    return (name for base in kind.__mro__ for name, it in vars(base).items() if type(it) is MemberDescriptorType)


def _exception(old: BaseException, new: BaseException) -> Iterator[Pair]:
    """Yield what two exceptions say, which tells what the interpreter keeps of them, and what they hold."""
    yield str(old), str(new)
    yield held_by(old), held_by(new)


def _dataclass(names: tuple[str, ...], *, with_more: bool) -> Callable[[Any, Any], Iterator[Pair]]:
    """Return what takes a dataclass apart: what it holds beside its fields may differ too."""
    apart = tuple(dict.fromkeys(names))

    def unfold(old: Any, new: Any) -> Iterator[Pair]:
        one, other = (vars(old), vars(new)) if with_more else ({}, {})
        yield one, other
        for name in apart:
            if name not in one or name not in other:
                yield getattr(old, name), getattr(new, name)

    return unfold


def _is_named_tuple(kind: type) -> bool:
    return kind.__bases__ == (tuple,) and isinstance(getattr(kind, "_fields", None), tuple) and not kind.__dictoffset__


def _holds_attributes_only(kind: type) -> bool:
    """Tell whether none of its bases is a type of the interpreter that holds something by itself, such as a list."""
    return all(base is object or base.__flags__ & HEAP for base in kind.__mro__)


_UNFOLDS: Final[dict[type, Callable[[Any, Any], Iterator[Pair]]]] = {}
