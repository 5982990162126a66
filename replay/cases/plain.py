"""The plain record of a capture, read at once; its model, which is many times slower, is for all others.

What is read here, the model reads alike. Whatever is unusual, bad records above all, is left to the model, whose errors
people see. To look whether a record is plain is one thing, to make a case of it another: what is known to be plain need
not be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from replay.cases.alike import Alike
from replay.cases.correlation import stated_correlation
from replay.cases.fields import is_one_line, is_token, read_base64
from replay.cases.header_names import told_by
from replay.cases.request import BODY_TYPES, RAW_PATH
from replay.documents import is_rewritten_alike, parse_known, parse_plain, plain_json
from replay.models import Case, Headers, Observation, Request, Timing, parse_instant

Record = Mapping[str, Any]
"""A record of a capture as its JSON has it, and known to be plain."""

_BODY: Final = frozenset({"json", "text", "base64"})
_RECORD: Final = frozenset({"id", "request", "response", "at", "session", "correlation_id", "latency_ms"})
_REQUEST: Final = frozenset({"method", "path", "headers"}) | _BODY
_RESPONSE: Final = frozenset({"status", "headers"}) | _BODY
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_TEXT: Final = frozenset({str, type(None)})
_NUMBERS: Final = frozenset({int, float})
_EXACT: Final = 2**53
_PAIR: Final = 2
_HEADS: Final = Alike()


def plain_record(line: bytes) -> Record | None:
    """Return what a line holds if it is a plain record, of which nothing that could be wrong is; None for any other."""
    try:
        text = line.decode()
        record = parse_plain(text)
        return record if _is_plain(record) and (not _holds_json(record) or is_rewritten_alike(text)) else None
    except (ValueError, TypeError):  # a text that is none of its kind, or something else where there has to be text
        return None


def known_record(line: bytes) -> Record | None:
    """Return the same of a line of which it is known that it holds a plain record: nothing is looked at again."""
    try:
        return parse_known(line)  # type: ignore[no-any-return] # it was found to be one
    except ValueError:  # so deeply nested that only the other reader takes it
        return plain_record(line)


def plain_case(record: Record, place: str, identity: str) -> Case:
    """Return the case of a plain record."""
    get = record.get
    request, response, at = plain_request(record), get("response"), get("at")
    name = get("id") or place
    correlation_id = get("correlation_id") or _correlation(record["request"].get("headers")) or name
    return Case(
        name, "traffic", identity, request, place, correlation_id,
        None if at is None else parse_instant(at), None, get("session"),
        recorded=None if response is None else _observation(response, get("latency_ms")),
    )  # fmt: skip


def plain_request(record: Record) -> Request:
    """Return the request of a plain record: one that can be sent."""
    spec = record["request"]
    fields = spec.get("headers")
    stated, body = _body(spec)
    headers = _pairs(fields)
    if stated in BODY_TYPES and not told_by(_names(fields)).content_type:
        headers = (*headers, ("Content-Type", BODY_TYPES[stated]))
    return Request(spec.get("method", "GET"), spec.get("path", "/"), _HEADS.one(headers), body)


# -------------------------------------------------------------------------------------------------------- what is plain


def _is_plain(record: Any) -> bool:
    """Tell whether a record is plain. May raise ValueError or TypeError where it is not."""
    if type(record) is not dict or not record.keys() <= _RECORD:
        return False
    get = record.get
    at = get("at")
    return (
        _is_plain_request(get("request"))
        and ("response" not in record or _is_plain_response(record["response"]))
        and type(get("id")) in _TEXT
        and type(get("session")) in _TEXT
        and type(get("correlation_id")) in _TEXT
        and (at is None or (type(at) is str and parse_instant(at) is not None))
        and ("latency_ms" not in record or _is_plain_number(record["latency_ms"]))
    )


def _is_plain_request(spec: Any) -> bool:
    if type(spec) is not dict or not spec.keys() <= _REQUEST:
        return False
    method, path = spec.get("method", "GET"), spec.get("path", "/")
    return (
        type(method) is str
        and (method in _METHODS or is_token(method))
        and type(path) is str
        and path[:1] == "/"
        and RAW_PATH.fullmatch(path) is not None
        and ("headers" not in spec or _are_sendable(spec["headers"]))
        and (_BODY.isdisjoint(spec) or _is_plain_body(spec))
    )


def _is_plain_response(spec: Any) -> bool:
    if spec is None:
        return True
    return (
        type(spec) is dict
        and spec.keys() <= _RESPONSE
        and type(spec.get("status")) is int
        and spec["status"] > 0
        and ("headers" not in spec or _are_texts(spec["headers"]))
        and (_BODY.isdisjoint(spec) or _is_plain_body(spec))
    )


def _is_plain_number(value: Any) -> bool:
    return value is None or (type(value) in _NUMBERS and 0 < value < _EXACT)


def _is_plain_body(spec: dict[str, Any]) -> bool:
    """Tell whether at most one field gives a body, and that holds what it should."""
    text, base64 = spec.get("text"), spec.get("base64")
    if ("json" in spec) + (text is not None) + (base64 is not None) > 1:
        return False
    return type(text) in _TEXT and (base64 is None or (type(base64) is str and read_base64(base64) is not None))


def _holds_json(record: Record) -> bool:
    return "json" in record["request"] or "json" in (record.get("response") or ())


def _are_sendable(headers: Any) -> bool:
    names, values = _columns(headers)
    return told_by(names).sendable and is_one_line("".join(values))


def _are_texts(headers: Any) -> bool:
    """Tell that header fields hold nothing but text; raise TypeError where they do not: nothing else can be joined."""
    return "".join(chain(*_columns(headers))) is not None


def _columns(headers: Any) -> tuple[tuple[str, ...], Iterable[str]]:
    """Return the names of header fields, and their values. Raise TypeError for what is neither mapping nor pairs."""
    if type(headers) is dict:
        return tuple(headers), headers.values()
    if type(headers) is not list or not all(map(_is_pair, headers)):
        raise TypeError
    return _names(headers), [value for _, value in headers]


def _is_pair(item: Any) -> bool:
    return type(item) is list and len(item) == _PAIR and type(item[0]) is str


# -------------------------------------------------------------------------------------------------------- what it makes


def _observation(spec: Mapping[str, Any], latency_ms: float | None) -> Observation:
    _, body = _body(spec)
    timing = None if latency_ms is None else Timing(float(latency_ms))
    return Observation(spec["status"], _pairs(spec.get("headers")), body or b"", timing=timing)


def _names(headers: Any) -> tuple[str, ...]:
    if not headers:
        return ()
    return tuple(headers) if type(headers) is dict else tuple([name for name, _ in headers])


def _pairs(headers: Any) -> Headers:
    if not headers:
        return ()
    return tuple(headers.items()) if type(headers) is dict else tuple(map(tuple, headers))


def _body(spec: Mapping[str, Any]) -> tuple[str | None, bytes | None]:
    """Return the name of the field that gives the body, as a model has it, and the body."""
    if (text := spec.get("text")) is not None:
        return "text", text.encode()
    if "json" in spec:
        return "json_", plain_json(spec["json"]).encode()
    if (base64 := spec.get("base64")) is not None:
        return "base64", read_base64(base64)
    return None, None


def _correlation(headers: Any) -> str | None:
    correlating = told_by(_names(headers)).correlating
    if not correlating:
        return None
    pairs = _pairs(headers)
    return stated_correlation(tuple([pairs[at] for at in correlating]))
