"""GoReplay's files, payload by payload: heads and separators stay, and lengths are those of what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import FlawError
from replay.cases.recordings.gor import HEAD, SEPARATOR, GorFile, payloads
from replay.cleaning.base import Eye
from replay.cleaning.texts import cleaned_text
from replay.errors import DocumentError
from replay.models import Case, Headers, Observation, Request

_END: Final = re.compile(rb"\r?\n\r?\n")
_LINE: Final = re.compile(r"\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r?\n")
_LENGTH, _CODING = "content-length", "transfer-encoding"

recognises = GorFile.recognises


def clean(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield each payload with its separator. Raise DocumentError where one is too large."""
    try:
        for number, payload in enumerate(payloads(stream), start=1):
            yield _payload(payload, number, eye) + SEPARATOR
    except FlawError as error:
        raise DocumentError(error.fact, hint=error.hint) from None


def _payload(payload: bytes, number: int, eye: Eye) -> bytes:
    head = HEAD.match(payload)
    begin = head.end() if head else 0
    kept = _message(payload[begin:], eye)
    return payload[:begin] + kept if eye.at(f"record {number}") else payload


def _message(content: bytes, eye: Eye) -> bytes:
    """Return a message without what is secret or personal."""
    end = _END.search(content)
    if end is None:
        text = content.decode("utf-8", "surrogateescape")
        return cleaned_text(text, eye.redactor).encode("utf-8", "surrogateescape")
    first, *lines = _LINE.split(content[: end.start()].decode("latin-1"))
    headers = tuple(_field(line) for line in lines)
    body = _unchunked(content[end.end() :]) if _is_chunked(headers) else content[end.end() :]
    first, kept, fresh = _redacted(first, headers, body, eye)
    if fresh != body or _is_chunked(headers):
        kept = _measured(kept, len(fresh))
    return "\r\n".join([first, *map("".join, kept), "", ""]).encode("latin-1") + fresh


def _redacted(first: str, headers: Headers, body: bytes, eye: Eye) -> tuple[str, Headers, bytes]:
    method, _, rest = first.partition(" ")
    path, _, version = rest.rpartition(" ")
    named = tuple((name.removesuffix(":").rstrip(), value.lstrip()) for name, value in headers)
    if method.startswith("HTTP/"):
        case = Case("", "traffic", "", Request("GET", "/"), recorded=Observation(200, named, body))
        kept = eye.redactor.case(case).recorded or Observation()
        return first, _with_colons(headers, named, kept.headers), kept.body
    case = Case("", "traffic", "", Request(method, path, named, body))
    request = eye.redactor.case(case).request
    return f"{method} {request.path} {version}", _with_colons(headers, named, request.headers), request.body or b""


def _with_colons(lines: Headers, before: Headers, after: Headers) -> Headers:
    """Return the fields as they were written, with the values that are kept."""
    pairs = zip(lines, before, after, strict=True)
    return tuple(line if old == new else (f"{new[0]}: ", new[1]) for line, old, new in pairs)


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    return name + colon, value


def _is_chunked(headers: Headers) -> bool:
    return any(name[:-1].lower() == _CODING and "chunked" in value.lower() for name, value in headers)


def _measured(headers: Headers, length: int) -> Headers:
    """Return the fields for a body of this length, which is sent in one piece."""
    stated = {f"{_LENGTH}:", f"{_CODING}:"}
    kept = tuple((name, value) for name, value in headers if name.strip().lower() not in stated)
    return (*kept, ("Content-Length: ", str(length)))


def _unchunked(body: bytes) -> bytes:
    """Return what chunks hold. What is none is all of the body: it is searched as it is."""
    pieces, at = [], 0
    while found := _CHUNK.match(body, at):
        size = int(found[1], 16)
        pieces.append(body[found.end() : found.end() + size])
        at = found.end() + size + 2
        if not size:
            return b"".join(pieces)
    return body
