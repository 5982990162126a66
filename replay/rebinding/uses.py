"""Where a request says a value that an earlier answer handed out, and the request with another one in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from replay.documents import dump_json
from replay.documents.numbers import number_text
from replay.identifiers import is_telling
from replay.models import Json, Request
from replay.rebinding.handing import Handing

_WORDS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~+/=:-]{5,}")
_CONDITIONS: Final = frozenset({"if-match", "if-none-match", "if-range"})
_LARGEST: Final = 1 << 20
_MOST_WORDS: Final = 5_000
Put = tuple[Request, tuple[str, ...]]
"""A request, and where in it a value was put."""


def words_of(request: Request) -> Iterator[str]:
    """Yield what a request says that may have been handed out: segments, query values, cookies, words."""
    path, _, query = request.path.partition("?")
    yield from map(unquote, path.split("/"))
    for pair in query.split("&"):
        yield from _said(unquote_plus(pair.partition("=")[2]))
    for name, value in request.headers:
        yield from _header_words(name.lower(), value)
    if request.body is not None and len(request.body) <= _LARGEST:
        text = request.body.decode("utf-8", "replace").replace("\\/", "/")
        yield from _said(text)
        if "form" in (request.header("content-type") or ""):
            yield from (unquote_plus(pair.partition("=")[2]) for pair in text.split("&")[:_MOST_WORDS])
        else:
            yield from re.findall(r"-?\d{1,30}", text)[:_MOST_WORDS]


def _header_words(name: str, value: str) -> Iterator[str]:
    yield value
    if name == "cookie":
        yield from (pair.partition("=")[2].strip() for pair in value.split(";"))
    elif name in _CONDITIONS:
        yield from (tag.strip() for tag in value.split(","))
    yield from _said(value)


def _said(text: str) -> Iterator[str]:
    yield text if len(text) < _LARGEST else ""
    for count, found in enumerate(_WORDS.finditer(text)):
        if count >= _MOST_WORDS:
            return
        yield found[0]
        yield from re.split("[/=]", found[0])


def put(request: Request, handing: Handing, value: Json) -> Put:
    """Return the request with a value in the place of the one that was recorded, and where that was used."""
    said = _spelled(handing.value)
    if handing.spot.kind == "cookie":
        return _in_headers(request, frozenset({"cookie"}), _cookie(str(handing.spot.way[0]), said), _spelled(value))
    if handing.spot.kind == "etag":
        return _in_headers(request, _CONDITIONS, re.escape(said), _spelled(value))
    if is_telling(handing.value):
        return _everywhere(request, said, _spelled(value))
    return _placed(request, handing, value)


def _spelled(value: Json) -> str:
    return value if isinstance(value, str) else number_text(value)


def _cookie(name: str, value: str) -> str:
    return rf"(?<![^;\s]){re.escape(name)}={re.escape(value)}(?=\s*(?:;|\Z))"


def _in_headers(request: Request, names: frozenset[str], pattern: str, put: str) -> Put:
    used, headers = [], []
    for name, text in request.headers:
        changed = text
        if name.lower() in names:
            changed = re.sub(pattern, lambda found: _kept(found[0], put), text)
            if re.search(pattern, text):
                used.append(f"headers.{name.lower()}")
        headers.append((name, changed))
    return replace(request, headers=tuple(headers)), tuple(used)


def _kept(found: str, put: str) -> str:
    """Return what takes the place of a match: of a cookie, its name stays."""
    name, equals, _ = found.partition("=")
    return f"{name}{equals}{put}" if equals and not found.startswith(('"', "W/")) else put


def _everywhere(request: Request, said: str, put: str) -> Put:
    """Put a value wherever the recorded one stands as a word of its own, in whichever spelling."""
    used = []
    path = _words_put(request.path, said, put, raw=False)
    if path != request.path or _holds(request.path, said):
        used.append("path")
    headers = tuple((name, _words_put(text, said, put, raw=True)) for name, text in request.headers)
    used += [f"headers.{name.lower()}" for name, text in request.headers if _holds(text, said)]
    body = request.body
    if body is not None:
        text = body.decode("utf-8", "surrogateescape")
        if _holds(text, said):
            used.append("body")
            body = _words_put(text, said, put, raw=True).encode("utf-8", "surrogateescape")
    return replace(request, path=path, headers=headers, body=body), tuple(used)


def _spellings(said: str, put: str, *, raw: bool) -> dict[str, str]:
    """Return how a value may be written, and the other in the same writing. A path holds nothing unencoded."""
    coded = {quote(said, safe=""): quote(put, safe=""), quote_plus(said): quote_plus(put)}
    if not raw:
        return {**coded, said: put if quote(put, safe="") == put else quote(put, safe="")}
    escaped = {json.dumps(said)[1:-1].replace("/", "\\/"): json.dumps(put)[1:-1].replace("/", "\\/")}
    return {**coded, **escaped, said: put}


def _words_put(text: str, said: str, put: str, *, raw: bool) -> str:
    spellings = _spellings(said, put, raw=raw)
    if not any(word in text for word in spellings):
        return text
    words = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
    return re.sub(_alone(f"(?:{words})"), lambda found: spellings[found[0]], text)


def _holds(text: str, said: str) -> bool:
    spellings = _spellings(said, said, raw=True)
    return any(word in text and re.search(_alone(re.escape(word)), text) for word in spellings)


def _alone(pattern: str) -> str:
    return rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"


def _placed(request: Request, handing: Handing, value: Json) -> Put:
    """Put a short value where it is all of a segment, of a query value, or of a member that is named like its own."""
    said, put, used = quote(_spelled(handing.value), safe=""), quote(_spelled(value), safe=""), []
    path = re.sub(rf"(?<=[/=]){re.escape(said)}(?=[/?&#]|\Z)", lambda _: put, request.path)
    if re.search(rf"(?<=[/=]){re.escape(said)}(?=[/?&#]|\Z)", request.path):
        used.append("path")
    member = next((it for it in reversed(handing.spot.way) if isinstance(it, str)), "")
    body = request.body
    if body is not None and member:
        pattern = rf'("[^"\\]*{re.escape(member)}"\s*:\s*){re.escape(dump_json(handing.value))}(?=\s*[,}}\]])'
        text = body.decode("utf-8", "surrogateescape")
        if re.search(pattern, text, re.IGNORECASE):
            used.append("body")
            text = re.sub(pattern, lambda found: found[1] + dump_json(value), text, flags=re.IGNORECASE)
            body = text.encode("utf-8", "surrogateescape")
    return replace(request, path=path, body=body), tuple(used)
