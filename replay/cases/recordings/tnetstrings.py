"""Tagged netstrings, in which mitmproxy keeps its flows: LENGTH:DATA and a tag for the type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from replay.cases.content import LARGEST_RECORD, ByteStream
from replay.cases.recordings.base import FlawError

_LONGEST_LENGTH: Final = 12
_LONGEST_NUMBER: Final = 40
_DEEPEST: Final = 50


def values(stream: ByteStream) -> Iterator[Any]:
    """Yield each value of a stream. Raise FlawError where it is cut, too large, or no tagged netstring."""
    for data, tag in raw_values(stream):
        yield values_of(data, tag)


def raw_values(stream: ByteStream) -> Iterator[tuple[bytes, bytes]]:
    """Yield the data and the tag of each value of a stream; raise FlawError where it is cut or too large."""
    while (size := _size(stream)) is not None:
        data = _exactly(stream, size + 1)
        yield bytes(data[:size]), bytes(data[size:])


def values_of(data: bytes, tag: bytes) -> Any:
    """Return what a value is that is written so; raise FlawError for what is none."""
    return _value(memoryview(data), tag, 0)


def elements(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the data and the tag of each value in a list or a mapping, keys as well."""
    return ((bytes(part), tag) for part, tag in _parts(memoryview(data)))


def _size(stream: ByteStream) -> int | None:
    """Read the length of the next value; None at the end."""
    digits = b""
    while (byte := stream.read(1)) != b":":
        if not byte and not digits:
            return None
        digits += byte
        if not byte or not byte.isdigit() or len(digits) > _LONGEST_LENGTH:
            raise FlawError("malformed", "a flow does not begin with its length: the file is cut, or no flow file")
    if not digits or int(digits) > LARGEST_RECORD:
        raise FlawError("too_large", f"a flow states a length of {digits.decode() or 'nothing'}")
    return int(digits)


def _exactly(stream: ByteStream, size: int) -> memoryview:
    data = bytearray()
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    if len(data) < size:
        raise FlawError("cut", f"the last flow is cut: {len(data)} of {size} bytes are there")
    return memoryview(data)


def _value(data: memoryview, tag: bytes, depth: int) -> Any:
    if depth > _DEEPEST:
        raise FlawError("malformed", f"a flow is nested more than {_DEEPEST} levels deep")
    if tag in (b"}", b"]"):
        items = list(_items(data, depth + 1))
        return items if tag == b"]" else _mapping(items)
    try:
        return _SIMPLE[tag](bytes(data))
    except (KeyError, ValueError):
        raise FlawError("malformed", f"a flow holds a value of type {tag!a} that cannot be read") from None


def _items(data: memoryview, depth: int) -> Iterator[Any]:
    return (_value(part, tag, depth) for part, tag in _parts(data))


def _parts(data: memoryview) -> Iterator[tuple[memoryview, bytes]]:
    at = 0
    while at < len(data):
        digits = bytes(data[at : at + _LONGEST_LENGTH]).partition(b":")[0]
        begin = at + len(digits) + 1
        end = begin + int(digits) if digits.isdigit() else len(data)
        if end >= len(data):
            raise FlawError("malformed", "a flow holds a value that ends beyond it")
        yield data[begin:end], bytes(data[end : end + 1])
        at = end + 1


def _mapping(items: list[Any]) -> Mapping[str, Any]:
    if len(items) % 2:
        raise FlawError("malformed", "a flow holds a key without a value")
    return {_name(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _name(key: Any) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _number(data: bytes) -> int:
    if len(data) > _LONGEST_NUMBER:
        raise ValueError("too many digits")
    return int(data)


def _truth(data: bytes) -> bool:
    return {b"true": True, b"false": False}[data]


_SIMPLE: Final[Mapping[bytes, Callable[[bytes], Any]]] = {
    b",": bytes,
    b";": lambda data: data.decode("utf-8", "replace"),
    b"#": _number,
    b"^": lambda data: float(data[:_LONGEST_NUMBER]),
    b"!": _truth,
    b"~": lambda _data: None,
}
