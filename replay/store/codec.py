"""Results and runs as JSON documents and back, without loss.

The plan for each class is read off its fields and their types once, so a field that the models gain is stored without
a change here. A noun is a list of its fields in their order: names would cost more than what they name. What JSON
keeps as it is has no plan at all, since a run stores millions of such fields.
Headers, bodies and floats do not stand in a result's document: it holds their positions in lists that go beside it.
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from replay.models import Headers, Result
from replay.store.base import RunRecord
from replay.store.values import decode_value, encode_value

_Noun = TypeVar("_Noun", Result, RunRecord)
_EMPTY_BODY: Final = -1
_PLAIN: Final = 0
_ODD: Final = 1
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder()


@dataclass(slots=True)
class Collected:
    """What the documents refer to by position, each once."""

    headers: dict[Headers, int] = field(default_factory=dict)
    heads: dict[int, tuple[Headers, int]] = field(default_factory=dict)
    """The same by identity: like heads are mostly one object, and to hash one takes longer than all else about it."""
    bodies: dict[bytes, int] = field(default_factory=dict)
    floats: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Beside:
    """What was collected, to be read again."""

    headers: Sequence[Headers]
    body: Callable[[int], bytes]
    floats: Sequence[float]


Encode = Callable[[Any, Collected], Any]
Decode = Callable[[Any, Beside], Any]


class _Plan(NamedTuple):
    """How a value becomes JSON, and is made of it. It is never asked for None, which stands for itself."""

    encode: Encode
    decode: Decode


def encode_result(result: Result, collected: Collected) -> Any:
    """Return the result as a value for `dumped`; its headers and bodies are added to what was collected before."""
    return _planned(Result).encode(result, collected)


def decode_result(document: Any, beside: Beside) -> Result:
    """Return the result that `encode_result` was given. Raise ValueError for a document that holds none."""
    return _decoded(Result, document, beside)


def encode_run(record: RunRecord) -> bytes:
    """Return the record as JSON."""
    collected = Collected()
    document = _planned(RunRecord).encode(record, collected)
    return dumped((floats_text(collected.floats), document))


def decode_run(data: bytes) -> RunRecord:
    """Return the record that `encode_run` was given. Raise ValueError for a document that holds none."""
    try:
        text, document = loaded(data)
        beside = Beside((), lambda _index: b"", floats_of(text))
    except TypeError as error:
        raise ValueError(f"a stored run does not fit its parts: {error}") from error
    return _decoded(RunRecord, document, beside)


def dumped(value: Any) -> bytes:
    """Return what a plan made as UTF-8. Raise TypeError for what no plan makes."""
    try:
        return _ENCODER.encode([_PLAIN, value]).encode()
    except ValueError:
        # Lone surrogates have no UTF-8, and integers of thousands of digits no decimals: seldom, so all at once.
        return _ENCODER.encode([_ODD, encode_value(value)]).encode()


def loaded(data: bytes) -> Any:
    """Return what `dumped` was given, with lists for tuples. Raise ValueError for anything else."""
    form, value = _DECODER.decode(data.decode())
    return value if form == _PLAIN else decode_value(value)


def floats_text(floats: Sequence[float]) -> str:
    """Return the floats exactly, in base64: to spell a float in decimals costs as much as to encode thirty texts."""
    return b64encode(struct.pack(f"<{len(floats)}d", *floats)).decode()


def floats_of(text: str) -> Sequence[float]:
    """Return what `floats_text` was given. Raise ValueError for anything else."""
    data = b64decode(text, validate=True)
    try:
        return struct.unpack(f"<{len(data) // 8}d", data)
    except struct.error as error:
        raise ValueError(f"stored floats cannot be read: {error}") from error


def _decoded(kind: type[_Noun], document: Any, beside: Beside) -> _Noun:
    try:
        noun = _planned(kind).decode(document, beside)
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"a stored {kind.__name__} does not fit its fields: {error}") from error
    if not isinstance(noun, kind):
        raise ValueError(f"the document holds no {kind.__name__}")  # noqa: TRY004 - the file's fault, not the caller's
    return noun


def _planned(hint: Any) -> _Plan:
    plan = _plan(hint)
    if plan is None:
        raise TypeError(f"a {hint} stands for itself")
    return plan


@cache
def _plan(hint: Any) -> _Plan | None:
    origin = get_origin(hint)
    if hint == Headers:
        return _Plan(_keep_headers, lambda index, beside: beside.headers[index])
    if origin in (Union, UnionType):
        return _union_plan(get_args(hint))
    if origin is tuple:
        return _tuple_plan(get_args(hint))
    if origin is not None and origin is not Literal:
        return _mapping_plan(get_args(hint)[1])
    if is_dataclass(hint):
        kind: Any = hint
        return _holding_itself(kind) if kind in _PLANNING else _dataclass_plan(kind)
    return _leaf_plan(hint)


def _leaf_plan(hint: Any) -> _Plan | None:
    if hint in (str, int, bool) or get_origin(hint) is Literal:
        return None
    if hint is float:
        return _Plan(_keep_float, lambda kept, beside: beside.floats[kept] if type(kept) is int else kept[0])
    if hint is Any:
        return _Plan(lambda value, _: encode_value(value), lambda value, _: decode_value(value))
    if hint is bytes:
        return _Plan(_keep_body, lambda index, beside: b"" if index == _EMPTY_BODY else beside.body(index))
    if hint is datetime:
        return _Plan(lambda value, _: value.isoformat(), lambda text, _: datetime.fromisoformat(text))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _spec_plan(hint)
    raise TypeError(f"the store has no way to keep a {hint}")


def _keep_float(value: float, collected: Collected) -> Any:
    if type(value) is not float:  # an int, which counts as a float and may be one that no float can hold
        return [value]
    collected.floats.append(value)
    return len(collected.floats) - 1


def _keep_headers(headers: Headers, collected: Collected) -> int:
    known = collected.heads.get(id(headers))
    if known is None:
        # It is kept as long as its number is: so no other head can come to have that.
        place = collected.headers.setdefault(headers, len(collected.headers))
        known = collected.heads[id(headers)] = headers, place
    return known[1]


def _keep_body(body: bytes, collected: Collected) -> int:
    return collected.bodies.setdefault(body, len(collected.bodies)) if body else _EMPTY_BODY


def _spec_plan(spec: type[BaseModel]) -> _Plan:
    return _Plan(
        lambda value, _: encode_value(value.model_dump(by_alias=True, exclude_unset=True)),
        lambda value, _: spec.model_validate(decode_value(value)),
    )


def _union_plan(hints: tuple[Any, ...]) -> _Plan | None:
    if Any in hints:
        return _plan(Any)
    present = [hint for hint in hints if hint is not NoneType]
    if len(present) != 1:
        raise TypeError(f"the store has no way to tell apart {present}")
    return _plan(present[0])


def _tuple_plan(hints: tuple[Any, ...]) -> _Plan:
    if hints[-1] is not Ellipsis:
        return _slots_plan(tuple, tuple(map(_plan, hints)))
    plan = _plan(hints[0])
    if plan is None:
        return _Plan(lambda items, _: items, lambda items, _: tuple(items))
    encode, decode = plan
    return _Plan(
        lambda items, collected: [encode(item, collected) for item in items] if items else (),
        lambda items, beside: tuple([decode(item, beside) for item in items]) if items else (),
    )


def _mapping_plan(hint: Any) -> _Plan:
    encode, decode = _plan(hint) or _Plan(lambda value, _: value, lambda value, _: value)
    return _Plan(
        # Pairs, because a key may be any text: a tag of the value language, or one with surrogates.
        lambda items, collected: [[encode_value(key), encode(item, collected)] for key, item in items.items()],
        lambda pairs, beside: {decode_value(key): decode(item, beside) for key, item in pairs},
    )


_PLANNING: Final[set[Any]] = set()
"""The nouns whose plans are being made."""


def _holding_itself(kind: Any) -> _Plan:
    """Return the plan of a noun within itself, which is there by the time it is asked for."""
    return _Plan(
        lambda value, collected: _dataclass_plan(kind).encode(value, collected),
        lambda kept, beside: _dataclass_plan(kind).decode(kept, beside),
    )


@cache
def _dataclass_plan(kind: Any) -> _Plan:
    """Return the plan of a noun as two functions written for it: a loop over its fields would cost twice as much."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    _PLANNING.add(kind)
    plans = [_plan(hints[name]) for name in names]
    _PLANNING.discard(kind)
    known: dict[str, Any] = {"kind": kind, "fits": len(names).__eq__, "new": object.__new__}
    known["filled"] = partial(_filled, [each.default for each in fields(kind)])
    encoded, decoded = [], []
    for index, (name, plan) in enumerate(zip(names, plans, strict=True)):
        encoded.append(_applied(f"encode{index}", f"noun.{name}", "collected", planned=plan is not None))
        value = _applied(f"decode{index}", f"kept[{index}]", "beside", planned=plan is not None)
        decoded.append(f"set{index}(noun, {value})")
        # A frozen noun sets its fields by name, in its constructor; by their slots it takes two thirds of the time.
        known[f"set{index}"] = getattr(kind, name).__set__
        if plan is not None:
            known |= {f"encode{index}": plan.encode, f"decode{index}": plan.decode}
    source = f"""
def encode(noun, collected):
    return [{", ".join(encoded)}]

def decode(kept, beside):
    if not fits(len(kept)):
        kept = filled(kept)
    noun = new(kind)
    {"; ".join(decoded)}
    return noun
"""
    exec(source, known)  # noqa: S102 - of names that this program gives its own fields, as dataclasses do
    return _Plan(known["encode"], known["decode"])


def _filled(defaults: Sequence[Any], kept: Sequence[Any]) -> Sequence[Any]:
    """Return what was kept before a noun gained its last fields, which are None then. Raise TypeError otherwise."""
    missing = defaults[len(kept) :]
    if not missing or any(default is not None for default in missing):
        raise TypeError("so many fields it does not have")
    return [*kept, *missing]


def _applied(function: str, value: str, second: str, *, planned: bool) -> str:
    return f"(None if {value} is None else {function}({value}, {second}))" if planned else value


def _slots_plan(made: Callable[[Sequence[Any]], Any], plans: Sequence[_Plan | None]) -> _Plan:
    """Return the plan of values side by side, each with its own. Most have none, and most that have one are None."""
    encodes = [(index, plan.encode) for index, plan in enumerate(plans) if plan]
    decodes = [(index, plan.decode) for index, plan in enumerate(plans) if plan]

    def encode(values: Sequence[Any], collected: Collected) -> Sequence[Any]:
        kept = list(values)
        for index, encode_one in encodes:
            if (value := kept[index]) is not None:
                kept[index] = encode_one(value, collected)
        return kept

    def decode(kept: Sequence[Any], beside: Beside) -> Any:
        values = list(kept)
        for index, decode_one in decodes:
            if (value := values[index]) is not None:
                values[index] = decode_one(value, beside)
        return made(values)

    return _Plan(encode, decode)
