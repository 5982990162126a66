"""One answer as it arrives: httptools reads it, this keeps what was read, and names what is wrong with it.

Decisions where HTTP leaves one:

- Two Content-Length fields are `protocol`, even where they agree; so is Content-Length beside Transfer-Encoding.
- Bytes after the end of an answer (a body on 204, 304 or HEAD, a second answer, a Content-Length that is too short) are
  `protocol`; what the answer held is kept. Line ends are not: some servers send one more. All this is known of bytes
  that came together with the last ones of the answer. Nobody waits for those that come later: they cost the connection.
- An answer with neither length nor chunks ends where the connection ends in good order.
- Interim answers (100, 102, 103, ...) are passed over. 101 was never asked for and is `protocol`.
- Trailers are read and not kept: they are no part of the head that both sides are compared by.
- A transfer coding other than `chunked` was never asked for either (`TE` is not sent) and is `protocol`.
"""

from __future__ import annotations

from typing import Final

import httptools

from replay.models import ErrorKind, Failure, Headers
from replay.wire.failure import broken
from replay.wire.heads import Heads
from replay.wire.shapes import END, Head
from replay.wire.strangers import LONGEST, stranger

MAX_OVERHEAD: Final = 2 * 2**20
"""The most bytes that may arrive in a row without one of the body among them: heads, chunk extensions, trailers."""

_LONGEST_NUMBER: Final = 20
_FRAMING_LENGTHS: Final = frozenset(map(len, ("content-length", "content-encoding", "transfer-encoding")))
_VERSIONS: Final = ("1.0", "1.1")
_TOO_MUCH: Final = Failure("protocol", "more bytes came after the end of the answer")


class Answer:
    """Collects one answer. Feed it until `done`; then `failure` is None, or says why the rest is to be distrusted.

    `heads` are those that the origin is known to send; a connection has one Answer, which is renewed for each exchange.
    """

    def __init__(self, *, method: str, max_body: int, heads: Heads | None = None) -> None:
        self._heads = heads
        self._known_field = heads.find_field if heads is not None else _unknown
        self._max_body = max_body
        self._parser: httptools.HttpResponseParser | None = None
        self._head_only = method == "HEAD"
        self.status: int | None = None
        self.headers: Headers = ()
        self.failure: Failure | None = None
        self.coded = False
        self.done = False
        self.begun = False
        self._reusable = False
        self._spoiled = False
        self._start = b""
        self._whole: bytes | None = None
        self._body = bytearray()
        self._missing = 0
        self._fields: list[tuple[str, str]] = []
        self._until_close = False
        self._overhead = 0
        self._length: int | None = None
        self._first = b""
        self._fed = 0
        self._touched = False

    def renew(self, method: str) -> None:
        """Await the next answer on the same connection; only where the last one left it `reusable`.

        The parser then stands where a new one would: at the start of an answer.
        """
        self._head_only = method == "HEAD"
        self.begun = self.done = self.coded = self._reusable = False
        self.status = self._whole = None
        self.headers = ()
        if self._touched:
            self._reset()

    def _reset(self) -> None:
        """Forget what a known head that came with its whole body does not touch."""
        self._touched = False
        self.failure = None
        self._spoiled = False
        self._start = b""
        self._body = bytearray()
        self._missing = 0
        self._fields = []
        self._until_close = False
        self._overhead = 0
        self._length = None
        self._first = b""
        self._fed = 0

    @property
    def body(self) -> bytes:
        """Return the body as it came, its content coding not undone."""
        return bytes(self._body) if self._whole is None else self._whole

    @property
    def reusable(self) -> bool:
        """Return whether the connection stands exactly at the end of this answer and both sides keep it open."""
        return self.done and self._reusable and not self._spoiled

    def feed(self, data: bytes) -> None:
        """Take in what arrived; after the end of the answer, only note that something did."""
        if not self.begun:
            self.begun = True
            if self._recognise(data):
                return
            self._touched = True
            self._first = data
        if self._missing:
            self._go_on(data)
        elif self.done:
            self._exceed(data)
        elif self._head_only:
            self._read_lines(data)
        else:
            self._read(data)

    def _recognise(self, data: bytes) -> bool:
        """Tell whether the answer begins with a head that was read before, and take it in if so."""
        if self._heads is None or self._head_only:
            return False
        end = data.find(END) + 4
        raw = data[:end]
        head = self._heads.find(raw) or self._heads.find_like(raw)
        if head is None or head.length > self._max_body:
            return False
        self.status = head.status
        self.headers = head.headers
        self.coded = head.coded
        if len(data) - end == head.length:
            self._whole = data[end:]
            self.done = self._reusable = True
        else:
            self._touched = True
            self._missing = head.length
            self._go_on(data[end:])
        return True

    def _go_on(self, data: bytes) -> None:
        """Take in the body of a known head, which is as long as that head says; what comes after it is too much."""
        self._body += data[: self._missing]
        if len(data) < self._missing:
            self._missing -= len(data)
            return
        rest = data[self._missing :]
        self._missing = 0
        self.done = self._reusable = True
        if rest.strip(b"\r\n"):  # line ends before the next answer are passed over, here and by the parser
            self._exceed(rest)

    def _exceed(self, data: bytes) -> None:
        """Take in what came after the end of the answer."""
        self._spoiled = True
        if self.failure is None and data.strip(b"\r\n"):
            self.failure = _TOO_MUCH

    def _read_lines(self, data: bytes) -> None:
        """Read an answer that ends with its head. The parser awaits a body there, so it must see no byte beyond."""
        for line in data.splitlines(keepends=True):
            if self.done:
                self._exceed(line)
            else:
                self._read(line)

    def _read(self, data: bytes) -> None:
        if self.status is None and len(self._start) < LONGEST:
            self._guess(data)
            if self.done:
                self._spoiled = True
                return
        before = len(self._body)
        self._fed += len(data)
        self._parse(data)
        self._overhead = self._overhead + len(data) if len(self._body) == before else 0
        if self._overhead > MAX_OVERHEAD and not self.done:
            self._fail("too_large", f"over {MAX_OVERHEAD} bytes of head, chunk extensions or trailers")
        elif self._heads is not None and self.reusable and self._heads.learning():
            self._learn(self._heads)

    def _learn(self, heads: Heads) -> None:
        """Remember the head of an answer that was exactly one head and the body that it announced."""
        raw = self._first[: self._first.find(END) + len(END)]
        whole = self._length == len(self._body) and self._fed == len(raw) + len(self._body)
        if whole and self.status is not None:
            heads.learn(raw, Head(self.status, self.headers, len(self._body), self.coded))

    def end(self, error: OSError | None = None) -> None:
        """Say that the connection ended; `error` is what the system said unless it ended in good order."""
        self._touched = True
        if self.done:
            self._spoiled = True
        elif self.status is None:
            self._finish(broken(error, "within the head of the answer" if self.begun else "before the answer began"))
        elif error is not None:
            self._finish(broken(error, f"within the body, after {len(self._body)} bytes"))
        elif self._until_close:
            self._finish(None)
        else:
            self._fail("incomplete_body", f"the connection was closed within the body, after {len(self._body)} bytes")

    def expire(self, timeout: float) -> None:
        """Say that the deadline has passed."""
        if self.status is not None:
            missing = f"the body was not complete, {len(self._body)} bytes had come"
        else:
            missing = "the head of the answer was not complete" if self.begun else "not a byte of the answer had come"
        self._fail("timeout", f"after {timeout:g} s {missing}")

    # ------------------------------------------------------------------------------------------- what httptools calls

    def on_message_begin(self) -> None:
        """Note a second answer to one request."""
        if self.done:
            self._exceed(b"H")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head."""
        if self.status is None and not self.done:
            self._fields.append(self._known_field((name, value)) or self._field(name, value))

    def on_headers_complete(self) -> None:
        """Judge the head: is it final, and where will the body end."""
        if self.done:
            return
        status, version = self._reader.get_status_code(), self._reader.get_http_version()
        if version not in _VERSIONS:
            self._fail("protocol", f"the answer speaks HTTP/{version}")
        elif status == 101:  # noqa: PLR2004 (Switching Protocols)
            self._fail("protocol", "status 101: the other side switched protocols unasked")
        elif status < 100:  # noqa: PLR2004 (the first status there is)
            self._fail("protocol", f"{status:03} is no status")
        elif status < 200:  # noqa: PLR2004 (interim: the answer is still to come)
            self._fields.clear()
        else:
            self._open(status)

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body, up to the cap."""
        if self.done:
            self._exceed(data)
            return
        if self.status is None:
            self._spoiled = True
            return
        room = self._max_body - len(self._body)
        self._body += data[:room]
        if len(data) > room:
            self._fail("too_large", f"the body is larger than {self._max_body} bytes")

    def on_message_complete(self) -> None:
        """End the answer, unless it was an interim one."""
        if self.status is not None and not self.done:
            self._reusable = self._reader.should_keep_alive()
            self._finish(None)

    # ---------------------------------------------------------------------------------------------------------- parts

    def _guess(self, data: bytes) -> None:
        """Recognise what is not HTTP/1.1 at all by how it starts."""
        self._start += data[: LONGEST - len(self._start)]
        guess = stranger(self._start)
        if guess is not None:
            self._fail("protocol", guess)

    @property
    def _reader(self) -> httptools.HttpResponseParser:
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        return self._parser

    def _parse(self, data: bytes) -> None:
        try:
            self._reader.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None  # our own mistake, not the far side's
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.done:
                self._exceed(b"?")
            else:
                self._fail("protocol", f"no valid HTTP/1.1 answer: {error}")

    def _open(self, status: int) -> None:
        self.status = status
        self.headers = tuple(self._fields)
        coding, length = self._framing()
        self._until_close = not coding and length is None
        if self._head_only:
            # The parser would wait for a body. Whether one follows is not known: the connection is not used again.
            self._finish(None)
        elif coding not in ("", "chunked"):
            self._fail("protocol", "the answer has a transfer coding other than chunked")
        elif status in _BODILESS and (coding or length not in (None, "0")):
            self._spoiled = True  # a body that must not be may still be on its way

    def _framing(self) -> tuple[str, str | None]:
        """Return the transfer coding, and the length as it was written; note a content coding on the way."""
        codings, length = [], None
        for name, value in self._fields:
            if len(name) not in _FRAMING_LENGTHS:
                continue
            field = name.lower()
            if field == "content-length":
                length = value if length is None else length
            elif field == "transfer-encoding":
                codings.append(value.lower())
            elif field == "content-encoding":
                self.coded = True
        # The parser has refused what is no number by now; zeros before it may still be thousands.
        plain = length is not None and len(length) < _LONGEST_NUMBER and not codings
        self._length = int(length) if plain and length else None
        return ", ".join(codings), length

    def _field(self, name: bytes, value: bytes) -> tuple[str, str]:
        field = (name.decode("latin-1"), _text(value.strip(b" \t")))
        if self._heads is not None:
            self._heads.learn_field((name, value), field)
        return field

    def _fail(self, kind: ErrorKind, message: str) -> None:
        self._finish(Failure(kind, message))

    def _finish(self, failure: Failure | None) -> None:
        if not self.done:
            self.done = True
            self.failure = failure


_BODILESS: Final = (204, 304)


def _unknown(_: tuple[bytes, bytes]) -> None:
    return None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
