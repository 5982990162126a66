"""One entry of a HAR: the request that is sent again, and the answer that was recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote_plus

from replay.cases.fields import content_type, read_headers
from replay.cases.multipart import Part, encode
from replay.cases.recordings.base import UnusableError
from replay.cases.recordings.exchanges import BODILESS, CONNECTION, LONGEST_MS, UNDONE, from_base64, kept, target_of
from replay.models import Headers, Observation, Request, Timing

_MAX_DIGITS: Final = 300
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary=\"?([^\";\s]+)", re.IGNORECASE)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")


def request_of(recorded: Any, response: Any) -> Request:
    """Return what is sent again: path and query, headers without those of the old connection, and the body.

    Raise UnusableError for what is no HTTP exchange, has no answer, or lost its body.
    """
    if not isinstance(recorded, Mapping):
        raise UnusableError("malformed request")
    path = _target(recorded.get("url"))
    if not isinstance(response, Mapping) or _status(response) <= 0:
        raise UnusableError("no response (status 0)")
    method = recorded.get("method")
    try:
        headers = read_headers(kept(_fields(recorded.get("headers")), CONNECTION | UNDONE))
        read_headers([[method, ""]])  # methods and header names are both tokens
    except ValueError:
        raise UnusableError("malformed request") from None
    stated = next((value for name, value in _fields(recorded.get("headers")) if name.lower() == "content-length"), None)
    body = _post(recorded.get("postData"), headers, stated)
    return Request(str(method), path, headers, body or (None if method in ("GET", "HEAD") else body))


def observation_of(response: Any, method: str, time: Any) -> Observation | None:
    """Return the recorded answer, or None where the HAR did not keep its body. Raise UnusableError for false base64."""
    status = _status(response)
    content = response.get("content")
    content = content if isinstance(content, Mapping) else {}
    body = b"" if status in BODILESS or method == "HEAD" else _content(content)
    if body is None:
        return None
    headers = kept(_lines(_fields(response.get("headers"))), UNDONE)
    if status not in BODILESS and method != "HEAD":
        headers = tuple(
            (name, str(len(body)) if name.lower() == "content-length" else value) for name, value in headers
        )
    return Observation(status, headers, body, timing=_timing(time))


def _target(url: Any) -> str:
    if not isinstance(url, str) or url.startswith("/"):
        raise UnusableError("no URL")
    return target_of(url)


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status")
    return int(status) if isinstance(status, int) and not isinstance(status, bool) else 0


def _fields(recorded: Any) -> Headers:
    """Return recorded header fields, as far as they are any."""
    fields = recorded if isinstance(recorded, list) else []
    return tuple(
        (field["name"], field["value"])
        for field in fields
        if isinstance(field, Mapping) and isinstance(field.get("name"), str) and isinstance(field.get("value"), str)
    )


def _lines(headers: Headers) -> Headers:
    """Part what browsers join with a line feed: several fields of one name."""
    return tuple((name, line) for name, value in headers for line in value.split("\n"))


def _timing(time: Any) -> Timing | None:
    milliseconds = _number(time)
    return Timing(milliseconds) if 0 <= milliseconds < LONGEST_MS else None


def _number(value: Any) -> float:
    """Return a number of the document, or -1, by which HAR says that something is not known."""
    known = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return float(value) if known and abs(Decimal(value).adjusted()) < _MAX_DIGITS else -1.0


def _content(content: Mapping[str, Any]) -> bytes | None:
    text = content.get("text")
    if not isinstance(text, str):
        return None if _number(content.get("size")) > 0 else b""
    if content.get("encoding") == "base64":
        return from_base64(text)
    return _encoded(text, _charset(content.get("mimeType")))


def _post(data: Any, headers: Headers, length: str | None) -> bytes | None:
    if not isinstance(data, Mapping):
        return None
    text, params = data.get("text"), data.get("params")
    kind = content_type(headers) or str(data.get("mimeType") or "")
    if isinstance(params, list) and params and not text:
        return _form(params, kind)
    if not isinstance(text, str):
        return None
    if "base64" in (data.get("encoding"), data.get("_encoding")):
        return from_base64(text)
    return _as_sent(text, _charset(kind), length)


def _as_sent(text: str, charset: str, length: str | None) -> bytes:
    """Return text as bytes. Some proxies keep binary as Latin-1 and do not say so: the length or its look tells."""
    body = _encoded(text, charset)
    binary = _BINARY.search(text) is not None or (length == str(len(text)) and length != str(len(body)))
    try:
        return text.encode("latin-1") if binary else body
    except UnicodeEncodeError:
        return body


def _form(params: list[Any], kind: str) -> bytes:
    if not all(isinstance(param, Mapping) and isinstance(param.get("name"), str) for param in params):
        raise UnusableError("malformed request")
    if any(not isinstance(param.get("value"), str) for param in params):
        raise UnusableError("the body was not kept")
    if "multipart/" not in kind.lower():
        return "&".join(f"{_plus(param['name'])}={_plus(param['value'])}" for param in params).encode()
    boundary = _BOUNDARY.search(kind)
    if boundary is None:
        raise UnusableError("the body was not kept")
    return encode([_part(param) for param in params], boundary.group(1))


def _part(param: Mapping[str, Any]) -> Part:
    filename, kind = param.get("fileName"), param.get("contentType")
    content = _encoded(param["value"], "utf-8")
    return Part(
        param["name"], content, filename if isinstance(filename, str) else None, kind if isinstance(kind, str) else None
    )


def _plus(text: str) -> str:
    # HAR exporters disagree whether params are decoded; what is already encoded must not be encoded twice.
    return quote_plus(text, safe="%+")


def _charset(kind: Any) -> str:
    found = _CHARSET.search(kind) if isinstance(kind, str) else None
    return found.group(1) if found else "utf-8"


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except (LookupError, UnicodeError):
        pass
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnusableError("lone surrogate in a body") from None
