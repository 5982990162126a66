"""The heads of messages that pass through. httptools reads them; what two servers could read in two ways is refused.

Both the bytes and what was read of them are looked at: every line ends with CR LF, no line is folded, no space stands
before a colon, no control byte anywhere. A message has one Content-Length, or one Transfer-Encoding that is `chunked`,
and never both. So whoever reads the same bytes further on finds the same end of the same message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httptools

from replay.wire.tee.bodies import Body, Chunked, Counted, Endless, Listener

END: Final = b"\r\n\r\n"
LONGEST: Final = 256 * 2**10
"""The longest head that is read, of either side."""

_VALUE: Final = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
_FIELDS: Final = rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:" + _VALUE + rb"\r\n)*\r\n"
_REQUEST: Final = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/(\d\.\d)\r\n(?:" + _FIELDS + rb")?"
)
_ANSWER: Final = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)(?: " + _VALUE + rb")?\r\n" + _FIELDS)
_BARE: Final = re.compile(rb"(?<!\r)\n")
_DIGITS: Final = re.compile(rb"\d{1,18}")
_BODILESS: Final = (204, 304)
_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200

Fields = list[tuple[bytes, bytes]]


class BadMessageError(Exception):
    """A message that is not passed on: the status that a client is told, and why."""

    def __init__(self, status: int, fact: str) -> None:
        super().__init__(fact)
        self.status = status
        self.fact = fact


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request up to its body. `raw` is the whole head as it came."""

    raw: bytes
    method: str
    target: bytes
    fields: Fields
    body: Body
    lasting: bool
    """Whether the client leaves the connection open."""
    upgrades: bool
    waits: bool
    """Whether the client waits for 100 Continue before it sends its body."""

    def first(self, name: bytes) -> bytes | None:
        """Return the first value of a field, its name given in small letters."""
        return next((value for key, value in self.fields if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer up to its body. An interim one (1xx) has none, and another answer follows it."""

    raw: bytes
    status: int
    fields: Fields
    body: Body
    lasting: bool

    @property
    def interim(self) -> bool:
        """Tell whether the answer proper is still to come."""
        return self.status < _FIRST_FINAL and not self.switches

    @property
    def switches(self) -> bool:
        """Tell whether both sides speak another protocol from here on."""
        return self.status == _SWITCHING


def hopeless(start: bytes | bytearray) -> BadMessageError | None:
    """Return why bytes without the end of a head will never make one, or None where they still may."""
    if len(start) > LONGEST:
        return BadMessageError(431, f"the head is longer than {LONGEST >> 10} KB")
    return BadMessageError(400, "a line ends without CR") if _BARE.search(start) else None


def read_request_head(raw: bytes) -> RequestHead:
    """Return what a head says that ends with its empty line. Raise BadMessageError for what is not passed on."""
    line = _REQUEST.fullmatch(raw)
    if line is None:
        raise BadMessageError(400, "malformed head")
    method, target, version = line.groups()
    if version not in (b"1.0", b"1.1"):
        raise BadMessageError(505, "neither HTTP/1.0 nor HTTP/1.1")
    if method == b"CONNECT" or target[:1] not in (b"/", b"*"):
        raise BadMessageError(400, "this is no forward proxy")
    listener, parser, upgrades = _request_read(raw)
    fields = listener.fields
    _require_one_host(fields, version)
    chunked, length = _framing(fields, version)
    if chunked and upgrades:
        raise BadMessageError(400, "an upgrade with a chunked body")
    body = Chunked(parser, listener) if chunked else Counted(length or 0)
    waits = any(name.lower() == b"expect" for name, _ in fields) and not body.done
    lasting = parser.should_keep_alive() if not upgrades else True
    return RequestHead(raw, method.decode("ascii"), target, fields, body, lasting, upgrades, waits)


def _request_read(raw: bytes) -> tuple[Listener, httptools.HttpRequestParser, bool]:
    try:
        return _read(raw)
    except (httptools.HttpParserInvalidMethodError, httptools.HttpParserInvalidURLError):
        # It knows a list of methods, and no bytes beyond ASCII in targets; services may. All but that line is read.
        line, _, rest = raw.partition(b"\r\n")
        try:
            return _read(b"POST / " + line[-8:] + b"\r\n" + rest)
        except httptools.HttpParserError as error:
            raise BadMessageError(400, f"malformed request: {error}") from None
    except httptools.HttpParserError as error:
        raise BadMessageError(400, f"malformed request: {error}") from None


def _read(raw: bytes) -> tuple[Listener, httptools.HttpRequestParser, bool]:
    listener = Listener()
    parser = httptools.HttpRequestParser(listener)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        return listener, parser, True
    return listener, parser, False


def read_answer_head(raw: bytes, request: RequestHead) -> AnswerHead:
    """Return what the head of an answer to a request says. Raise BadMessageError for what is not passed on."""
    line = _ANSWER.fullmatch(raw)
    if line is None:
        raise BadMessageError(502, "malformed answer")
    listener = Listener()
    parser = httptools.HttpResponseParser(listener)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise BadMessageError(502, f"malformed answer: {error}") from None
    status = int(line[1])
    if status == _SWITCHING and not request.upgrades:
        raise BadMessageError(502, "the upstream switched protocols unasked")
    version = raw[5:8]
    chunked, length = _framing(listener.fields, version, status=502)
    bodiless = status < _FIRST_FINAL or status in _BODILESS or request.method == "HEAD"
    if bodiless:
        body: Body = Counted(0)
    elif chunked:
        body = Chunked(parser, listener)
    else:
        body = Endless() if length is None else Counted(length)
    lasting = not isinstance(body, Endless) and _lasts(listener.fields, version)
    return AnswerHead(raw, status, listener.fields, body, lasting)


def _lasts(fields: Fields, version: bytes) -> bool:
    """Tell whether the connection stays: of an answer without a body, the parser would not know."""
    tokens = {token.strip().lower() for value in _all(fields, b"connection") for token in value.split(b",")}
    return b"close" not in tokens and (version == b"1.1" or b"keep-alive" in tokens)


def _all(fields: Fields, name: bytes) -> Iterable[bytes]:
    return (value for key, value in fields if len(key) == len(name) and key.lower() == name)


def _require_one_host(fields: Fields, version: bytes) -> None:
    hosts = list(_all(fields, b"host"))
    if len(hosts) > 1 or (not hosts and version == b"1.1"):
        raise BadMessageError(400, "more than one Host" if hosts else "no Host")


def _framing(fields: Fields, version: bytes, status: int = 400) -> tuple[bool, int | None]:
    """Return whether the body is chunked, and how long it says it is. Raise BadMessageError for what is ambiguous."""
    lengths = list(_all(fields, b"content-length"))
    codings = list(_all(fields, b"transfer-encoding"))
    if len(lengths) > 1:
        raise BadMessageError(status, "more than one Content-Length")
    if codings and lengths:
        raise BadMessageError(status, "Content-Length beside Transfer-Encoding")
    if codings and (len(codings) > 1 or codings[0].strip(b" \t").lower() != b"chunked" or version == b"1.0"):
        raise BadMessageError(status, "a Transfer-Encoding other than chunked")
    if lengths and not _DIGITS.fullmatch(lengths[0].strip(b" \t")):
        raise BadMessageError(status, "a Content-Length that is no number")
    return bool(codings), int(lengths[0]) if lengths else None
