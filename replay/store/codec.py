"""Results and runs as JSON documents and back, without loss.

The plan for each class is read off its fields and their types once, so a field that `models.py` gains is stored without
a change here. Defaults are left out; a document of an older version therefore reads as one with the defaults.
Bodies do not stand in the document: it holds their positions in a list that goes beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from replay.models import Headers, Result
from replay.store.base import RunRecord
from replay.store.values import decode_value, encode_value

Encode = Callable[[Any, list[bytes]], Any]
Decode = Callable[[Any, Sequence[bytes]], Any]

_Noun = TypeVar("_Noun", Result, RunRecord)
_EMPTY_BODY: Final = -1


class _Plan(NamedTuple):
    encode: Encode
    decode: Decode


class _Slot(NamedTuple):
    name: str
    default: Any
    plan: _Plan


def encode_result(result: Result) -> tuple[str, list[bytes]]:
    """Return the result as JSON text and the bodies that the text refers to by position."""
    return _encode(result)


def decode_result(text: str | bytes, bodies: Sequence[bytes]) -> Result:
    """Return the result that `encode_result` was given."""
    return _decode(Result, text, bodies)


def encode_run(record: RunRecord) -> str:
    """Return the record as JSON text."""
    text, _ = _encode(record)
    return text


def decode_run(text: str | bytes) -> RunRecord:
    """Return the record that `encode_run` was given."""
    return _decode(RunRecord, text, ())


def _encode(noun: Result | RunRecord) -> tuple[str, list[bytes]]:
    bodies: list[bytes] = []
    kind: Any = type(noun)
    document = _plan(kind).encode(noun, bodies)
    return json.dumps(document, separators=(",", ":"), check_circular=False), bodies


def _decode(kind: type[_Noun], text: str | bytes, bodies: Sequence[bytes]) -> _Noun:
    hint: Any = kind
    noun = _plan(hint).decode(json.loads(text), bodies)
    if not isinstance(noun, kind):
        raise TypeError(f"the document holds no {kind.__name__}")
    return noun


@cache
def _plan(hint: Any) -> _Plan:
    origin = get_origin(hint)
    if hint == Headers:
        return _headers_plan()
    if origin in (Union, UnionType):
        return _union_plan(get_args(hint))
    if origin is tuple:
        return _tuple_plan(get_args(hint))
    if origin is not None and origin is not Literal:
        return _mapping_plan(get_args(hint)[1])
    if is_dataclass(hint):
        return _dataclass_plan(hint)
    return _leaf_plan(hint)


def _leaf_plan(hint: Any) -> _Plan:
    if hint is Any:
        return _Plan(lambda value, _: encode_value(value), lambda value, _: decode_value(value))
    if hint is bytes:
        return _Plan(_keep_body, lambda index, bodies: b"" if index == _EMPTY_BODY else bodies[index])
    if hint is datetime:
        return _Plan(lambda value, _: value.isoformat(), lambda text, _: datetime.fromisoformat(text))
    if hint in (int, str):
        return _Plan(_keep_scalar, lambda value, _: decode_value(value) if type(value) is dict else value)
    if hint in (bool, float) or get_origin(hint) is Literal:
        return _Plan(lambda value, _: value, lambda value, _: value)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _spec_plan(hint)
    raise TypeError(f"the store has no way to keep a {hint}")


def _keep_scalar(value: int | str, _: list[bytes]) -> Any:
    # Almost all are plain; ids and messages may hold lone surrogates, and seeds any number of digits.
    return value if type(value) is str and value.isascii() else encode_value(value)


def _keep_body(body: bytes, bodies: list[bytes]) -> int:
    if not body:
        return _EMPTY_BODY
    bodies.append(body)
    return len(bodies) - 1


def _spec_plan(spec: type[BaseModel]) -> _Plan:
    return _Plan(
        lambda value, _: encode_value(value.model_dump(by_alias=True, exclude_unset=True)),
        lambda value, _: spec.model_validate(decode_value(value)),
    )


def _union_plan(hints: tuple[Any, ...]) -> _Plan:
    if Any in hints:
        return _plan(Any)
    present = [hint for hint in hints if hint is not NoneType]
    if len(present) != 1:
        raise TypeError(f"the store has no way to tell apart {present}")
    plan = _plan(present[0])
    return _Plan(
        lambda value, bodies: None if value is None else plan.encode(value, bodies),
        lambda value, bodies: None if value is None else plan.decode(value, bodies),
    )


def _tuple_plan(hints: tuple[Any, ...]) -> _Plan:
    if hints[-1] is Ellipsis:
        plan = _plan(hints[0])
        return _Plan(
            lambda items, bodies: [plan.encode(item, bodies) for item in items],
            lambda items, bodies: tuple(plan.decode(item, bodies) for item in items),
        )
    plans = tuple(_plan(hint) for hint in hints)
    return _Plan(
        lambda items, bodies: [plan.encode(item, bodies) for plan, item in zip(plans, items, strict=True)],
        lambda items, bodies: tuple(plan.decode(item, bodies) for plan, item in zip(plans, items, strict=True)),
    )


def _headers_plan() -> _Plan:
    """Return what `_tuple_plan` would, but for speed: most of what is stored of a case is headers."""
    plan = _tuple_plan((tuple[str, str], ...))

    def encode(headers: Headers, bodies: list[bytes]) -> Any:
        return headers if "".join(chain.from_iterable(headers)).isascii() else plan.encode(headers, bodies)

    def decode(pairs: list[list[Any]], bodies: Sequence[bytes]) -> Headers:
        headers = tuple(map(tuple, pairs))
        whole = all(type(text) is str for text in chain.from_iterable(headers))
        return headers if whole else tuple(plan.decode(pairs, bodies))

    return _Plan(encode, decode)


def _mapping_plan(hint: Any) -> _Plan:
    plan = _plan(hint)
    return _Plan(
        # Pairs, because a key may be any text: a tag of the value language, or one with surrogates.
        lambda items, bodies: [[encode_value(key), plan.encode(item, bodies)] for key, item in items.items()],
        lambda pairs, bodies: {decode_value(key): plan.decode(item, bodies) for key, item in pairs},
    )


def _dataclass_plan(kind: Any) -> _Plan:
    hints = get_type_hints(kind)
    slots = tuple(_Slot(each.name, _default(each), _plan(hints[each.name])) for each in fields(kind))

    def encode(noun: Any, bodies: list[bytes]) -> dict[str, Any]:
        document = {}
        for name, default, plan in slots:
            value = getattr(noun, name)
            if value is not default and (type(value) is not type(default) or value != default):
                document[name] = plan.encode(value, bodies)
        return document

    def decode(document: Mapping[str, Any], bodies: Sequence[bytes]) -> Any:
        present = {name: plan.decode(document[name], bodies) for name, _, plan in slots if name in document}
        return kind(**present)

    return _Plan(encode, decode)


def _default(each: Field[Any]) -> Any:
    if each.default_factory is not NO_DEFAULT:
        return each.default_factory()
    return each.default
