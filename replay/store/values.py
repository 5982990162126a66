"""JSON values as they stand in the store: plain JSON, and a tag for what JSON would lose.

{"$d": "9.90"}         a decimal, every digit
{"$n": "1e5"}          a number that remembers its spelling
{"$i": "0x1f…"}        an integer beyond 64 bits (hex: Python caps decimal conversions at 4,300 digits)
{"$s": "base64…"}      text with surrogates in it, as UTF-8 that lets them pass
{"$b": "base64…"}      bytes
{"$m": 1}              MISSING
{"$o": {…}}            an object with a key that begins with `$`
{"$deep": [tokens…]}   a value nested too deeply for recursion
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from replay.documents import Numeral
from replay.models import MISSING, Json, Missing

_SMALL: Final = 2**63
_DEEPEST: Final = 40
_OPEN, _CLOSE = "open", "close"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def encode_value(value: Json | Missing) -> Any:
    """Return what stands for the value in JSON. Raise TypeError for what is no JSON value, bytes or MISSING."""
    return _encode(value, _DEEPEST)


def _encode(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list | tuple):
        return _encode_leaf(value)
    if depth == 0:
        return {"$deep": list(_flatten(value))}
    if isinstance(value, dict):
        return _wrapped({_text_key(key): _encode(item, depth - 1) for key, item in value.items()})
    return [_encode(item, depth - 1) for item in value]


def _wrapped(members: dict[str, Any]) -> dict[str, Any]:
    return {"$o": members} if any(key.startswith("$") for key in members) else members


def _encode_leaf(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return _plain(value) if _storable(value) else {"$s": _pack(value.encode("utf-8", "surrogatepass"))}
    if isinstance(value, int | Decimal):
        return _encode_number(value)
    if value is MISSING:
        return {"$m": 1}
    if isinstance(value, bytes):
        return {"$b": _pack(value)}
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def _encode_number(value: int | Decimal) -> Any:
    if isinstance(value, int):
        return int(value) if -_SMALL <= value < _SMALL else {"$i": hex(value)}
    return {"$n": value.spelling} if isinstance(value, Numeral) else {"$d": str(value)}


def _plain(text: str) -> str:
    return text if type(text) is str else str.__str__(text)


def _storable(text: str) -> bool:
    # Two lone surrogates in a row would come back from JSON as the one character that they spell.
    return text.isascii() or not _SURROGATE.search(text)


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a {type(key).__name__} is no key of a JSON object")
    # A key cannot carry a tag, so it is marked in place: `$s` and base64, or a second `$` before its own.
    if not _storable(key):
        return "$s" + _pack(key.encode("utf-8", "surrogatepass"))
    return "$" + key if key.startswith("$") else _plain(key)


def decode_value(value: Any) -> Json | Missing:
    """Return what `encode_value` was given; tuples come back as lists, subclasses as their base."""
    if isinstance(value, list):
        return [decode_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        tag, content = next(iter(value.items()))
        if tag in _DECODERS:
            return _DECODERS[tag](content)
    return {key: decode_value(item) for key, item in value.items()}


def _decode_object(members: Mapping[str, Any]) -> dict[str, Any]:
    return {_key(key): decode_value(item) for key, item in members.items()}


def _key(key: str) -> str:
    if not key.startswith("$"):
        return key
    return _unpack(key[2:]).decode("utf-8", "surrogatepass") if key.startswith("$s") else key[1:]


def _flatten(value: Any) -> Iterator[Any]:
    stack: list[Iterator[Any]] = [iter((value,))]
    while stack:
        for item in stack[-1]:
            if isinstance(item, _Token):
                yield item.pair
            elif isinstance(item, dict | list | tuple):
                yield [_OPEN, "o" if isinstance(item, dict) else "a"]
                stack.append(_members(item))
                break
            else:
                yield ["leaf", _encode_leaf(item)]
        else:
            stack.pop()


class _Token:
    """A ready-made entry of the flat form: a key or a closing mark."""

    __slots__ = ("pair",)

    def __init__(self, *pair: Any) -> None:
        self.pair = list(pair)


def _members(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        item = chain.from_iterable((_Token("key", _encode_leaf(key)), value) for key, value in item.items())
    return chain(item, (_Token(_CLOSE, None),))


def _unflatten(tokens: list[list[Any]]) -> Any:
    root: list[Any] = []
    stack: list[list[Any] | dict[str, Any]] = [root]
    keys: list[str] = []
    for name, content in tokens:
        if name == "key":
            keys.append(str(decode_value(content)))
        elif name == _CLOSE:
            stack.pop()
        else:
            item: Any = decode_value(content) if name == "leaf" else {} if content == "o" else []
            parent = stack[-1]
            if isinstance(parent, dict):
                parent[keys.pop()] = item
            else:
                parent.append(item)
            if name == _OPEN:
                stack.append(item)
    return root[0]


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unpack(text: str) -> bytes:
    return base64.b64decode(text)


_DECODERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "$d": Decimal,
    "$n": Numeral,
    "$i": lambda text: int(text, 16),
    "$s": lambda text: _unpack(text).decode("utf-8", "surrogatepass"),
    "$b": _unpack,
    "$m": lambda _: MISSING,
    "$o": _decode_object,
    "$deep": _unflatten,
}
