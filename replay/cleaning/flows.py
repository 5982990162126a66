"""mitmproxy's flows: what is masked is replaced in its netstring, and every other value stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import FlawError
from replay.cases.recordings.mitmproxy import FlowFile
from replay.cases.recordings.tnetstrings import elements, raw_values, values_of
from replay.cleaning.base import Eye
from replay.errors import DocumentError
from replay.models import Case, Headers, Observation, Request

_CONTAINERS: Final = (b"}", b"]")
_TEXTS: Final = (b",", b";")
_MESSAGES: Final = ("request", "response")

Path = tuple[str | int, ...]
Leaf = Callable[[Path, bytes], bytes]

recognises = FlowFile.recognises


def clean(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield each flow. Raise DocumentError for what is no flow file, or cut."""
    try:
        for number, (data, tag) in enumerate(raw_values(stream), start=1):
            yield _flow(data, tag, number, eye)
    except FlawError as error:
        raise DocumentError(error.fact, hint=error.hint) from None


def _flow(data: bytes, tag: bytes, number: int, eye: Eye) -> bytes:
    flow = values_of(data, tag)
    kept = _kept(flow, eye) if isinstance(flow, Mapping) else {}
    mask = eye.redactor.mask

    def leaf(path: Path, raw: bytes) -> bytes:
        if path in kept:
            return kept[path]
        return raw if path[:1] and path[0] in _MESSAGES and len(path) > 1 and path[1] == "headers" else mask.body(raw)

    fresh = _edited(data, tag, (), leaf)
    return fresh if eye.at(f"record {number}") else _written(data, tag)


def _kept(flow: Mapping[str, Any], eye: Eye) -> dict[Path, bytes]:
    """Return what is kept of the request and the answer, by where it stands in the flow."""
    asked, answered = (_mapping(flow.get(name)) for name in _MESSAGES)
    request = Request(_text(asked.get("method")), _text(asked.get("path")), _headers(asked), _body(asked))
    recorded = Observation(200, _headers(answered), _body(answered))
    case = eye.redactor.case(Case("", "traffic", "", request, recorded=recorded))
    kept: dict[Path, bytes] = {("request", "path"): case.request.path.encode("utf-8", "surrogateescape")}
    for name, message in (("request", case.request), ("response", case.recorded)):
        if message is not None:
            kept[name, "content"] = message.body or b""
            for index, (_, value) in enumerate(message.headers):
                kept[name, "headers", index, 1] = value.encode("utf-8", "surrogateescape")
    return kept


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _headers(message: Mapping[str, Any]) -> Headers:
    fields = message.get("headers")
    pairs = fields if isinstance(fields, list) else []
    return tuple((_text(pair[0]), _text(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == 2)  # noqa: PLR2004 - name, value


def _body(message: Mapping[str, Any]) -> bytes:
    content = message.get("content")
    return content if isinstance(content, bytes) else b""


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value or "")


def _edited(data: bytes, tag: bytes, path: Path, leaf: Leaf) -> bytes:
    """Return a value as a netstring, with its texts as `leaf` has them."""
    if tag in _TEXTS:
        return _written(leaf(path, data), tag)
    if tag not in _CONTAINERS:
        return _written(data, tag)
    parts = list(elements(data))
    if tag == b"]":
        return _written(b"".join(_edited(*part, (*path, index), leaf) for index, part in enumerate(parts)), tag)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return _written(
        b"".join(_written(*key) + _edited(*value, (*path, _text(key[0])), leaf) for key, value in pairs), tag
    )


def _written(data: bytes, tag: bytes) -> bytes:
    return b"%d:%b%b" % (len(data), data, tag)
