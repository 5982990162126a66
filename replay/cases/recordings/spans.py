"""OpenTelemetry's HTTP server spans in OTLP's JSON, as a collector's file exporter writes them; they hold no bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError, lines, whole
from replay.cases.recordings.exchanges import instant_of, sendable, target_of
from replay.documents import parse_json
from replay.models import Headers

_SPANS = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"(?:resourceSpans|resource_spans)"\s*:')
_SERVER: Final = (2, "SPAN_KIND_SERVER")
_METHODS: Final = ("http.request.method_original", "http.request.method", "http.method")
_TARGETS: Final = ("http.target", "url.full", "http.url")
_HEADER: Final = "http.request.header."
_BODILESS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


Piece = tuple[int, Mapping[str, Any] | None]


class SpanFile(RecordedFile[Piece]):
    """One export: a document, or one a line. Spans that no HTTP server made are passed over and counted."""

    form: ClassVar[str] = "OpenTelemetry spans"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its first key."""
        return _SPANS.match(head) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Piece]:
        """Yield each span with the line of its document; None stands for a line that is no document."""
        rows = lines(stream)
        begun, first = next(rows, (1, b""))
        spans = _spans(first)
        if spans is None:  # one document over many lines
            spans = _spans(first + b"\n" + whole(stream))
        yield from ((begun, span) for span in (spans if spans is not None else [None]))
        for number, row in rows:
            found = _spans(row)
            yield from ((number, span) for span in (found if found is not None else [None]))

    def exchange(self, piece: Piece) -> Exchange:
        """Return the request that one span tells of."""
        number, span = piece
        if span is None:
            raise FlawError("malformed", "this is no sound JSON with resourceSpans", line=number)
        return _exchange(span)


def _exchange(span: Mapping[str, Any]) -> Exchange:
    if span.get("kind") not in _SERVER:
        raise UnusableError("no server's span")
    said = _attributes(span.get("attributes"))
    method = next((said[name] for name in _METHODS if name in said), None)
    if not isinstance(method, str):
        raise UnusableError("no HTTP span")
    if method not in _BODILESS:
        raise UnusableError("the body was not kept")
    trace = span.get("traceId")
    return Exchange(
        sendable(method, target_of(_target(said)), _headers(said), None),
        at=_instant(span.get("startTimeUnixNano")),
        correlation_id=trace if isinstance(trace, str) and trace else None,
    )


def _spans(document: bytes) -> list[Mapping[str, Any]] | None:
    """Return the spans of a document; None where it is not whole."""
    parsed = parse_json(document)
    documents = parsed.value if isinstance(parsed.value, list) else [parsed.value]
    if not parsed.ok or not all(isinstance(each, dict) for each in documents):
        return None
    found = (
        span
        for each in documents
        for resource in _list(each, "resourceSpans", "resource_spans")
        for scope in _list(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
        for span in _list(scope, "spans")
    )
    return [span if isinstance(span, Mapping) else {} for span in found]


def _list(holder: Any, *names: str) -> list[Any]:
    found: Any = next((holder[name] for name in names if name in holder), []) if isinstance(holder, Mapping) else []
    return found if isinstance(found, list) else []


def _attributes(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, Mapping) and isinstance(pair.get("key"), str) and isinstance(pair.get("value"), Mapping):
            found[pair["key"]] = _value(pair["value"])
    return found


def _value(typed: Mapping[str, Any]) -> Any:
    if "arrayValue" in typed:
        return [_value(each) for each in _list(typed["arrayValue"], "values") if isinstance(each, Mapping)]
    return next(iter(typed.values()), None)


def _target(said: Mapping[str, Any]) -> str:
    path, query = said.get("url.path"), said.get("url.query")
    if isinstance(path, str) and path:
        return f"{path}?{query.removeprefix('?')}" if isinstance(query, str) and query else path
    found = next((said[name] for name in _TARGETS if isinstance(said.get(name), str)), None)
    if found is None:
        raise UnusableError("no URL")
    return str(found)


def _headers(said: Mapping[str, Any]) -> Headers:
    # Older conventions wrote `content_type`, newer ones write `content-type`.
    mark = "-" if "http.method" in said else "_"
    named = (
        (name.removeprefix(_HEADER).replace("_", mark), value)
        for name, value in said.items()
        if name.startswith(_HEADER)
    )
    return tuple(
        (name, each)
        for name, value in named
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, str)
    )


def _instant(nanoseconds: Any) -> Any:
    try:
        return instant_of(int(nanoseconds) / 1e9)
    except (TypeError, ValueError, OverflowError):
        return None
