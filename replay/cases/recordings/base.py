"""What every reader of recorded traffic in another tool's format is made of: pieces of a file, and what each says."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from replay.cases.base import accounted, part_of
from replay.cases.content import CUT, LARGEST_RECORD, MOST_BLANK, ByteStream, changed, opened, unreadable
from replay.cases.correlation import correlation_of
from replay.errors import DocumentError, Place
from replay.models import Case, Intake, Observation, Request
from replay.sampling import Portion

Piece = TypeVar("Piece")
"""What a format holds one record in: bytes, a parsed object, a command."""


class UnusableError(Exception):
    """A sound record that cannot be replayed; the reason, to count by."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FlawError(Exception):
    """A record that is not what its format says: the reason to count by, and a sentence to mend it by."""

    def __init__(self, reason: str, fact: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(fact)
        self.reason = reason
        self.fact = fact
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and, where its body was kept, the answer."""

    request: Request
    recorded: Observation | None = None
    at: datetime | None = None
    session: str | None = None
    correlation_id: str | None = None


class RecordedFile(ABC, Generic[Piece]):
    """One file of recorded traffic. Iterating streams it; loaded + skipped = records read.

    Recorded hosts are dropped: they are never called. A reader tells how its file falls into pieces, and what exchange
    a piece is.
    """

    form: ClassVar[str]
    """What the format is called in errors."""

    def __init__(self, path: str | Path, *, skip_bad: bool = False) -> None:
        """Take a file as the user named it; `skip_bad` counts bad records in the intake instead of raising."""
        self._path = Path(path)
        self.file = str(path)
        self.skip_bad = skip_bad
        self._digest: str | None = None
        self._intake = Intake(self.file, 0)

    @classmethod
    @abstractmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell whether a file that begins like this is in this format."""

    @abstractmethod
    def pieces(self, stream: ByteStream) -> Iterator[Piece]:
        """Yield the records, in order. Raise FlawError for what makes the rest of the file unreadable."""

    @abstractmethod
    def exchange(self, piece: Piece) -> Exchange:
        """Return what one record holds. Raise UnusableError or FlawError for what cannot be replayed."""

    def __iter__(self) -> Iterator[Case]:
        """Yield each usable record as a case, in order; raise DocumentError at the first bad one."""
        return self._cases(self.digest[:16])

    def without_identity(self) -> Iterator[Case]:
        """Yield each usable record as a case whose identity is empty; once it ends, digest and intake are known."""
        return self._cases(None)

    def to_check(self, spares: Callable[[Request], bool]) -> Iterator[Case | None]:  # noqa: ARG002 - as Source has it
        """Yield every case, as `without_identity` does."""
        return self._cases(None)

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield the cases of one part."""
        yield from part_of(self, portion)
        self._intake = accounted(self._intake, portion)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, decompressed."""
        if self._digest is None:
            with opened(self._path, self.file) as stream:
                hashed = _Hashed(stream)
                self._at_end(hashed)
            self._digest = hashed.digest.hexdigest()
        return self._digest

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete iteration."""
        return self._intake

    def _cases(self, source: str | None) -> Iterator[Case]:
        skipped: Counter[str] = Counter()
        loaded = 0
        with opened(self._path, self.file) as stream:
            hashed = _Hashed(stream)
            for number, piece in enumerate(self._whole_pieces(hashed, skipped), start=1):
                try:
                    exchange = self.exchange(piece)
                except UnusableError as error:
                    skipped[error.reason] += 1
                except FlawError as error:
                    self._skip(error, skipped, f"record {number}: ")
                else:
                    loaded += 1
                    yield self._case(exchange, number, source)
            self._at_end(hashed)
        digest = hashed.digest.hexdigest()
        if self._digest not in (None, digest):
            raise changed(self.file)
        self._digest = digest
        self._intake = Intake(self.file, loaded, dict(skipped))

    def _whole_pieces(self, stream: _Hashed, skipped: Counter[str]) -> Iterator[Piece]:
        """Yield pieces for as long as the file can be read; what ends it early is one bad record."""
        try:
            yield from self.pieces(stream)
        except FlawError as error:
            self._skip(error, skipped)
        except CUT as error:
            self._skip(FlawError("cut", f"the compressed stream is cut or corrupt: {error}"), skipped)
        except OSError as error:
            raise unreadable(error, self.file) from None

    def _skip(self, error: FlawError, skipped: Counter[str], which: str = "") -> None:
        if not self.skip_bad:
            fact = error.fact if error.line is not None else f"{which}{error.fact}"
            raise DocumentError(fact, place=Place(self.file, error.line), hint=error.hint) from None
        skipped[error.reason] += 1

    def _case(self, exchange: Exchange, number: int, source: str | None) -> Case:
        name = f"{self.file}:{number}"
        session = exchange.session
        return Case(
            id=name,
            kind="traffic",
            identity="" if source is None else f"{source}:{number}",
            request=exchange.request,
            place=self.file,
            correlation_id=exchange.correlation_id or correlation_of(exchange.request) or name,
            freeze=exchange.at,
            session=f"{self.file}#{session}" if session else None,
            recorded=exchange.recorded,
        )

    def _at_end(self, stream: _Hashed) -> None:
        """Read what the pieces left, for the digest; what cannot be read is told by whoever reads the pieces."""
        try:
            while stream.read(1 << 16):
                pass
        except CUT:
            return
        except OSError as error:
            raise unreadable(error, self.file) from None


class _Hashed:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.digest: Any = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data

    def readline(self, size: int, /) -> bytes:
        line = self._stream.readline(size)
        self.digest.update(line)
        return line


def lines(stream: ByteStream) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank, without its end, and its number from 1. Raise FlawError if there is no end."""
    number = blank = 0
    while line := stream.readline(LARGEST_RECORD + 1):
        number += 1
        if len(line) > LARGEST_RECORD:
            raise FlawError("too_long", f"a line of more than {LARGEST_RECORD >> 20} MB", line=number)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if stripped := line.strip(b" \t\r\n"):
            blank = 0
            yield number, stripped
        elif (blank := blank + 1) > MOST_BLANK:
            raise FlawError("blank", f"more than {MOST_BLANK:,} blank lines one after another", line=number)


def whole(stream: ByteStream) -> bytes:
    """Return all that a stream holds. Raise FlawError beyond 200 MB: such a document has to be read as a whole."""
    data = stream.read(2 * LARGEST_RECORD + 1)
    if len(data) > 2 * LARGEST_RECORD:
        raise FlawError("too_large", f"more than {2 * LARGEST_RECORD >> 20} MB in one document")
    return data
