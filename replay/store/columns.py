"""Nouns as columns and back, without loss: what many of a kind have in common is written once.

Of many nouns of a kind each field is a column: its value in each of them, in their order, or one alone where all are
alike. A field that holds nouns is columns in its turn, and of tuples the lengths are one column and all items another.
The plan for each class is read off its fields and their types once, so a field that the models gain is stored without
a change here. Headers and bodies do not stand in the columns: those hold their positions in lists that go beside them.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from itertools import accumulate, chain, repeat
from operator import is_
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from replay.models import Headers
from replay.store.values import decode_value, encode_value

_EMPTY_BODY: Final = -1
_FLOAT: Final = 8
"""Bytes of a float."""


@dataclass(slots=True)
class Collected:
    """What columns refer to by position, each once."""

    headers: dict[Headers, int] = field(default_factory=dict)
    heads: dict[int, tuple[Headers, int]] = field(default_factory=dict)
    """The same by identity: like heads are mostly one object, and to hash one takes longer than all else about it."""
    bodies: dict[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beside:
    """What was collected, to be read again."""

    headers: Sequence[Headers]
    body: Callable[[int], bytes]


Write = Callable[[list[Any], Collected], Any]
"""From the values of a column, one at least, to what JSON keeps of them."""
Read = Callable[[Any, int, Beside], Any]
"""From what was kept, and of how many values, to the column. Raises ValueError, TypeError or LookupError for others."""


class Plan(NamedTuple):
    """How values become a column, and are read from it."""

    write: Write
    read: Read
    made: bool = False
    """Whether the column is a function that makes the value at a place, and not a list of them all."""


@cache
def plan_of(hint: Any) -> Plan:
    """Return the plan for values of a type. Raise TypeError for one that the store has no way to keep."""
    origin = get_origin(hint)
    if hint == Headers:
        return Plan(_write_headers, _read_headers)
    if origin in (Union, UnionType):
        return _union_plan(get_args(hint))
    if origin is tuple:
        return _tuple_plan(get_args(hint))
    if origin is not None and origin is not Literal:
        return _mapping_plan(get_args(hint))
    if is_dataclass(hint):
        kind: Any = hint
        return _holding_itself(kind) if kind in _PLANNING else _noun_plan(kind)
    return _leaf_plan(hint)


def _leaf_plan(hint: Any) -> Plan:
    if hint in (str, int, bool) or get_origin(hint) is Literal:
        return _PLAIN
    if hint is float:
        return Plan(_write_floats, _read_floats)
    if hint is Any:
        return _each_plan(encode_value, decode_value)
    if hint is bytes:
        return Plan(_write_bodies, _read_bodies, made=True)
    if hint is datetime:
        return Plan(_write_instants, lambda kept, count, _: _spread(list(map(datetime.fromisoformat, kept)), count))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _each_plan(
            lambda value: encode_value(value.model_dump(by_alias=True, exclude_unset=True)),
            lambda kept: hint.model_validate(decode_value(kept)),
        )
    raise TypeError(f"the store has no way to keep a {hint}")


def _alike(values: list[Any]) -> list[Any]:
    """Return the values, or one of them where all are equal: those of one column have one type."""
    return values[:1] if values.count(values[0]) == len(values) else values


def _one(values: list[Any]) -> list[Any]:
    """Return the values, or one of them where all are the same object: that is sure, whatever they are."""
    return values[:1] if all(map(is_, values, repeat(values[0]))) else values


def _spread(kept: Any, count: int) -> list[Any]:
    """Return as many values as there were."""
    if not isinstance(kept, list) or len(kept) not in (1, count):
        raise ValueError("a stored column has not as many values as there are results")
    return kept if len(kept) == count else kept * count


_PLAIN: Final = Plan(lambda values, _: _alike(values), lambda kept, count, _: _spread(kept, count))
"""What JSON keeps as it is, and None."""


def _each_plan(encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> Plan:
    return Plan(
        lambda values, _: list(map(encode, _one(values))),
        lambda kept, count, _: _spread(list(map(decode, kept)), count),
    )


def _write_instants(values: list[datetime], _: Collected) -> list[str]:
    # One instant is equal to itself in another zone, in which it has to come back.
    in_one_zone = len(_one([value.tzinfo for value in values])) == 1
    return list(map(datetime.isoformat, _alike(values) if in_one_zone else values))


def _write_headers(values: list[Headers], collected: Collected) -> list[int]:
    return _alike([_place(headers, collected) for headers in _one(values)])


def _place(headers: Headers, collected: Collected) -> int:
    known = collected.heads.get(id(headers))
    if known is None:
        # It is kept as long as its number is: so no other head can come to have that.
        place = collected.headers.setdefault(headers, len(collected.headers))
        known = collected.heads[id(headers)] = headers, place
    return known[1]


def _read_headers(kept: Any, count: int, beside: Beside) -> list[Headers]:
    return _spread([beside.headers[place] for place in kept], count)


def _write_bodies(values: list[bytes], collected: Collected) -> list[int]:
    bodies = collected.bodies
    return _alike([bodies.setdefault(body, len(bodies)) if body else _EMPTY_BODY for body in values])


def _read_bodies(kept: Any, count: int, beside: Beside) -> Callable[[int], bytes]:
    places, body = _spread(kept, count), beside.body
    return lambda at: b"" if places[at] == _EMPTY_BODY else body(places[at])


def _write_floats(values: list[float], _: Collected) -> str | list[float]:
    """Return floats exactly, in base64: to spell one in decimals costs as much as to write thirty texts."""
    if not all(
        map(is_, map(type, values), repeat(float))
    ):  # an int, which counts as a float and may be too large for one
        return values
    data = struct.pack(f"<{len(values)}d", *values)
    return b64encode(data[:_FLOAT] if data == data[:_FLOAT] * len(values) else data).decode()


def _read_floats(kept: Any, count: int, _: Beside) -> list[float]:
    if isinstance(kept, list):
        return _spread(kept, count)
    data = b64decode(kept, validate=True)
    try:
        return _spread(list(struct.unpack(f"<{len(data) // _FLOAT}d", data)), count)
    except struct.error as error:
        raise ValueError(f"stored floats cannot be read: {error}") from error


def _union_plan(hints: tuple[Any, ...]) -> Plan:
    if Any in hints:
        return plan_of(Any)
    present = [hint for hint in hints if hint is not NoneType]
    if len(present) != 1:
        raise TypeError(f"the store has no way to tell apart {present}")
    plan = plan_of(present[0])
    return plan if plan is _PLAIN else _optional_plan(plan)


def _optional_plan(plan: Plan) -> Plan:
    """Return the plan of values that may be None: there is a column of the others, and where not all are, of which."""

    def write(values: list[Any], collected: Collected) -> list[Any] | None:
        present = [value for value in values if value is not None]
        if not present:
            return None
        column = plan.write(present, collected)
        return [column] if len(present) == len(values) else [column, [0 if value is None else 1 for value in values]]

    def read(kept: Any, count: int, beside: Beside) -> Any:
        if kept is None:
            return (lambda _: None) if plan.made else [None] * count
        column, *rest = kept
        if not rest:
            return plan.read(column, count, beside)
        flags = _spread(rest[0], count)
        places = list(accumulate(flags))
        values = plan.read(column, places[-1], beside)
        if plan.made:
            return lambda at: values(places[at] - 1) if flags[at] else None
        return [values[place - 1] if flag else None for flag, place in zip(flags, places, strict=True)]

    return Plan(write, read, plan.made)


def _tuple_plan(hints: tuple[Any, ...]) -> Plan:
    if hints[-1] is not Ellipsis:
        return _slots_plan(tuple(map(plan_of, hints)))
    return _many_plan(plan_of(hints[0]))


def _many_plan(plan: Plan) -> Plan:
    """Return the plan of tuples of any length with items of one type; where all are the same one, it stands alone."""

    def write(values: list[Sequence[Any]], collected: Collected) -> list[Any] | None:
        different = _one(values)
        items = list(chain.from_iterable(different))
        if not items:
            return None
        lengths = list(map(len, different))
        return [_alike(lengths) if len(lengths) == len(values) else lengths[0], plan.write(items, collected)]

    def read(kept: Any, count: int, beside: Beside) -> Callable[[int], tuple[Any, ...]]:
        if kept is None:
            return lambda _: ()
        lengths, column = kept
        if isinstance(lengths, int):
            same = cache(read([[lengths], column], 1, beside))
            return lambda _: same(0)
        lengths = _spread(lengths, count)
        ends = list(accumulate(lengths))
        items = plan.read(column, ends[-1], beside)
        if plan.made:
            return lambda at: tuple([items(place) for place in range(ends[at] - lengths[at], ends[at])])
        return lambda at: tuple(items[ends[at] - lengths[at] : ends[at]])

    return Plan(write, read, made=True)


def _slots_plan(plans: Sequence[Plan]) -> Plan:
    """Return the plan of tuples of so many values, each of its own type."""

    def write(values: list[Sequence[Any]], collected: Collected) -> list[Any]:
        return [plan.write(list(each), collected) for plan, each in zip(plans, zip(*values, strict=True), strict=True)]

    def read(kept: Any, count: int, beside: Beside) -> Callable[[int], tuple[Any, ...]]:
        columns = [_maker(plan, it, count, beside) for plan, it in zip(plans, kept, strict=True)]
        return lambda at: tuple([column(at) for column in columns])

    return Plan(write, read, made=True)


def _maker(plan: Plan, kept: Any, count: int, beside: Beside) -> Callable[[int], Any]:
    column = plan.read(kept, count, beside)
    make: Callable[[int], Any] = column if plan.made else column.__getitem__
    return make


def _mapping_plan(hints: tuple[Any, ...]) -> Plan:
    # Pairs, because a key may be any text: a tag of the value language, or one with surrogates.
    plan = _many_plan(_slots_plan(tuple(map(plan_of, hints))))

    def write(values: list[Any], collected: Collected) -> Any:
        return plan.write([tuple(items.items()) for items in values], collected)

    def read(kept: Any, count: int, beside: Beside) -> Callable[[int], dict[Any, Any]]:
        pairs = plan.read(kept, count, beside)
        return lambda at: dict(pairs(at))

    return Plan(write, read, made=True)


_PLANNING: Final[set[Any]] = set()
"""The nouns whose plans are being made."""


def _holding_itself(kind: Any) -> Plan:
    """Return the plan of a noun within itself, which is there by the time it is asked for."""
    return Plan(
        lambda values, collected: _noun_plan(kind).write(values, collected),
        lambda kept, count, beside: _noun_plan(kind).read(kept, count, beside),
        made=True,
    )


@cache
def _noun_plan(kind: Any) -> Plan:
    """Return the plan of a noun as two functions written for it: a loop over its fields would cost twice as much."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    _PLANNING.add(kind)
    plans = [plan_of(hints[name]) for name in names]
    _PLANNING.discard(kind)
    known: dict[str, Any] = {"kind": kind, "new": object.__new__}
    known["filled"] = partial(_filled, plans, [each.default for each in fields(kind)])
    columns, read, made = [], [], []
    for index, (name, plan) in enumerate(zip(names, plans, strict=True)):
        # A frozen noun sets its fields by name, in its constructor; by their slots it takes two thirds of the time.
        known |= {f"write{index}": plan.write, f"read{index}": plan.read, f"set{index}": getattr(kind, name).__set__}
        columns.append(f"write{index}([noun.{name} for noun in nouns], collected)")
        read.append(f"column{index} = read{index}(kept[{index}], count, beside)")
        made.append(f"set{index}(noun, column{index}{'(at)' if plan.made else '[at]'})")
    source = f"""
def write(nouns, collected):
    return [{", ".join(columns)}]

def read(kept, count, beside):
    kept = filled(kept)
    {"; ".join(read)}
    def make(at):
        noun = new(kind)
        {"; ".join(made)}
        return noun
    return make
"""
    exec(source, known)  # noqa: S102 - of names that this program gives its own fields, as dataclasses do
    return Plan(known["write"], known["read"], made=True)


def _filled(plans: Sequence[Plan], defaults: Sequence[Any], kept: Sequence[Any]) -> Sequence[Any]:
    """Return all columns, also of what was kept before a noun gained its last fields, which are None then."""
    missing = range(len(kept), len(plans))
    if len(kept) > len(plans) or any(defaults[index] is not None for index in missing):
        raise TypeError("so many fields it does not have")
    return [*kept, *(plans[index].write([None], Collected()) for index in missing)] if missing else kept
