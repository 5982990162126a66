"""The plain record of a capture, read at once; its model, which is many times slower, is for all others.

What is read here, the model reads alike. Whatever is unusual, bad records above all, is left to the model, whose errors
people see.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from replay.cases.correlation import stated_correlation
from replay.cases.fields import content_type, is_token, read_base64, read_headers
from replay.cases.request import BODY_TYPES, RAW_PATH
from replay.documents import parse_plain, plain_json
from replay.models import Case, Headers, Observation, Request, Timing, parse_instant

_BODY: Final = frozenset({"json", "text", "base64"})
_RECORD: Final = frozenset({"id", "request", "response", "at", "session", "correlation_id", "latency_ms"})
_REQUEST: Final = frozenset({"method", "path", "headers"}) | _BODY
_RESPONSE: Final = frozenset({"status", "headers"}) | _BODY
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_EXACT: Final = 2**53
_LARGE_HEADERS: Final = 8192


class UnusualError(Exception):
    """Leaves the quick way: the record is one for the model."""


class _Fields(NamedTuple):
    """Header fields that may be sent, and what they say."""

    pairs: Headers
    content_type: str | None
    correlation: str | None


def plain_case(line: bytes, place: str, identity: str) -> Case | None:
    """Return the case of a plain record, or None for any other line."""
    try:
        return _case(parse_plain(line.decode()), place, identity)
    except (UnusualError, ValueError):
        return None


def _case(record: Any, place: str, identity: str) -> Case:
    _require(type(record) is dict and record.keys() <= _RECORD)
    get = record.get
    request, correlation = _request(get("request"))
    name = _name(get("id")) or place
    recorded = _response(get("response"), get("latency_ms"))
    correlation_id = _name(get("correlation_id")) or correlation or name
    return Case(
        name, "traffic", identity, request, place, correlation_id, _instant(get("at")), None, _name(get("session")),
        recorded=recorded,
    )  # fmt: skip


def _require(holds: bool) -> None:  # noqa: FBT001 - an assertion in the middle of reading
    if not holds:
        raise UnusualError


def _request(spec: Any) -> tuple[Request, str | None]:
    _require(type(spec) is dict and spec.keys() <= _REQUEST)
    method, path = spec.get("method", "GET"), spec.get("path", "/")
    _require(type(method) is str and (method in _METHODS or is_token(method)))
    _require(type(path) is str and path.startswith("/") and RAW_PATH.fullmatch(path) is not None)
    pairs, length = _pairs(spec.get("headers", ()))
    fields = _known_fields(pairs) if length < _LARGE_HEADERS else _read_fields(pairs)
    stated, body = _body(spec)
    headers = fields.pairs
    if stated in BODY_TYPES and fields.content_type is None:
        headers = (*headers, ("Content-Type", BODY_TYPES[stated]))
    return Request(method, path, headers, body), fields.correlation


def _response(spec: Any, latency_ms: Any) -> Observation | None:
    timing = _timing(latency_ms)
    if spec is None:
        return None
    _require(type(spec) is dict and spec.keys() <= _RESPONSE)
    status = spec.get("status")
    _require(type(status) is int and status >= 0)
    _, body = _body(spec)
    headers, _ = _pairs(spec.get("headers", ()))
    return Observation(status, headers, body or b"", timing=timing)


def _timing(latency_ms: Any) -> Timing | None:
    if latency_ms is None:
        return None
    _require(type(latency_ms) in (float, int) and 0 <= latency_ms < _EXACT)
    return Timing(float(latency_ms))


def _pairs(headers: Any) -> tuple[Headers, int]:
    """Return header fields, and how long they are together."""
    if type(headers) is dict:
        pairs = tuple(headers.items())
    else:
        _require(type(headers) in (list, tuple))
        _require(all(type(pair) is list and len(pair) == 2 for pair in headers))  # noqa: PLR2004 - a pair has two ends
        pairs = tuple(map(tuple, headers))
    try:
        # Nothing but text can be joined: numbers and lists are for the model.
        return pairs, len("".join(chain.from_iterable(pairs)))
    except TypeError:
        raise UnusualError from None


def _read_fields(pairs: Headers) -> _Fields:
    return _Fields(read_headers(pairs), content_type(pairs), stated_correlation(pairs))


_known_fields = lru_cache(maxsize=256)(_read_fields)
"""Captured requests share many of their headers, and these are kept: not of a megabyte each."""


def _body(spec: dict[str, Any]) -> tuple[str | None, bytes | None]:
    """Return the name of the field that gives the body, and the body."""
    if not spec.keys() & _BODY:
        return None, None
    given = [name for name in ("text", "base64") if spec.get(name) is not None]
    given += ["json_"] if "json" in spec else []
    if not given:
        return None, None
    _require(len(given) == 1)
    name = given[0]
    if name == "json_":
        return name, plain_json(spec["json"]).encode()
    text = spec[name]
    _require(type(text) is str)
    return name, text.encode() if name == "text" else read_base64(text)


def _name(value: Any) -> str | None:
    _require(value is None or type(value) is str)
    return value  # type: ignore[no-any-return]


def _instant(text: Any) -> datetime | None:
    if text is None:
        return None
    _require(type(text) is str)
    return parse_instant(text)
