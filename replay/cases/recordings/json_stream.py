"""A JSON document as it comes: walked member by member, and only the values that are asked for are held."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from replay.cases.content import LARGEST_RECORD, ByteStream
from replay.cases.recordings.base import FlawError

_STEP: Final = 1 << 16
_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^,:\[\]{}\"\s]++")
# Not (?:...)*+: before Python 3.11.5, that goes on behind a string without its end.
_TO_BRACKET: Final = re.compile(rb'(?>(?:[^\[\]{}"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*)', re.DOTALL)
"""Up to the next bracket that stands in no text; up to a text, where its end is not there yet."""
_DEEPEST: Final = 10_000
"""No document is nested so deeply; and counting levels one by one is slow."""
_OPENING: Final = b"{["
_CLOSING: Final = b"}]"
_BOM: Final = b"\xef\xbb\xbf"


class JsonReader:
    """Reads one document from a stream. It finds where values end; whether they are sound is for who takes them.

    Every method raises FlawError where the document is cut, or no JSON as far as it is walked.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        while len(self._buffer) < len(_BOM) and self._fill():
            pass
        self._at = len(_BOM) if self._buffer.startswith(_BOM) else 0
        self._gone = 0
        """Line ends in what was passed and is not held any more."""

    @property
    def line(self) -> int:
        """Return the line of what comes next, counted from 1."""
        return self._gone + self._buffer.count(b"\n", 0, self._at) + 1

    def peek(self) -> bytes:
        """Return the first character of what comes next; empty at the end of the document."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = blank.end() if blank is not None else self._at
            if self._at < len(self._buffer) or not self._fill():
                return bytes(self._buffer[self._at : self._at + 1])

    def members(self) -> Iterator[str]:
        """Walk an object: yield each key, after which its value is to be taken, walked or passed."""
        self._expect(b"{")
        while self.peek() != b"}":
            key = self._key()
            self._expect(b":")
            yield key
            if not self._goes_on(b"}"):
                break
        self._expect(b"}")

    def items(self) -> Iterator[tuple[int, bytes]]:
        """Walk an array: yield each item as its bytes, and the line it begins on."""
        self._expect(b"[")
        while self.peek() != b"]":
            yield self.line, self.value()
            if not self._goes_on(b"]"):
                break
        self._expect(b"]")

    def value(self) -> bytes:
        """Take the next value, as its bytes."""
        self.peek()
        self._forget()
        self._pass(holding=True)
        return bytes(self._buffer[: self._at])

    def skip(self) -> None:
        """Pass the next value, however much it holds."""
        self._pass(holding=False)

    def _key(self) -> str:
        if self.peek() != b'"':
            raise self._broken("a key is no text")
        try:
            return str(json.loads(self.value()))
        except ValueError:
            raise self._broken("a key is no sound text") from None

    def _goes_on(self, end: bytes) -> bool:
        """Pass a comma, if there is one; what follows it is no end."""
        if self.peek() != b",":
            return False
        self._at += 1
        if self.peek() == end:
            raise self._broken("a comma with nothing behind it")
        return True

    def _expect(self, mark: bytes) -> None:
        found = self.peek()
        if found != mark:
            raise self._broken(f"{mark.decode()} is expected here") if found else self._cut()
        self._at += 1

    def _pass(self, *, holding: bool) -> None:
        """Move behind the next value; with `holding`, all of it stays in the buffer."""
        mark = self.peek()
        if mark and mark in _OPENING:
            self._pass_container(holding=holding)
        elif mark == b'"':
            while (found := _TEXT.match(self._buffer, self._at)) is None:
                self._more(holding=holding)
            self._at = found.end()
        else:
            self._pass_scalar(holding=holding)

    def _pass_scalar(self, *, holding: bool) -> None:
        found = _SCALAR.match(self._buffer, self._at)
        if found is None:
            raise self._broken("a value is expected here") if self.peek() else self._cut()
        while found.end() == len(self._buffer):
            self._more(holding=holding)
            found = _SCALAR.match(self._buffer, self._at) or found
        self._at = found.end()

    def _pass_container(self, *, holding: bool) -> None:
        depth = 0
        while True:
            found = _TO_BRACKET.match(self._buffer, self._at)
            self._at = found.end() if found is not None else self._at
            mark = self._buffer[self._at : self._at + 1]
            if not mark or mark == b'"':
                self._more(holding=holding)
                continue
            self._at += 1
            depth += 1 if mark in _OPENING else -1
            if depth == 0:
                return
            if depth > _DEEPEST:
                raise FlawError("too_deep", f"more than {_DEEPEST:,} levels of nesting", line=self.line)

    def _more(self, *, holding: bool) -> None:
        """Read on within a value."""
        if not holding:
            self._forget()
        if len(self._buffer) > LARGEST_RECORD:
            raise FlawError("too_long", f"a value of more than {LARGEST_RECORD >> 20} MB", line=self._gone + 1)
        if not self._fill():
            raise self._cut()

    def _fill(self) -> bool:
        """Read on; as much again as is held, so that what is searched anew stays in proportion to what is read."""
        data = self._stream.read(max(_STEP, len(self._buffer)))
        self._buffer += data
        return bool(data)

    def _forget(self) -> None:
        self._gone += self._buffer.count(b"\n", 0, self._at)
        del self._buffer[: self._at]
        self._at = 0

    def _cut(self) -> FlawError:
        return FlawError("truncated", "the document ends before it is whole", line=self._gone + 1)

    def _broken(self, fact: str) -> FlawError:
        return FlawError("malformed", f"the document is no sound JSON: {fact}", line=self.line)
