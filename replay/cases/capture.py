"""Native captures: recorded traffic as JSON lines, plain, gzip or zstd, streamed in bounded memory."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from replay.cases.content import CUT, LARGEST_RECORD, MOST_BLANK, ByteStream, opened, unreadable
from replay.cases.correlation import correlation_of
from replay.cases.plain import plain_case, plain_record
from replay.cases.record import RecordSpec
from replay.documents import FindingName, explain, overflows, parse_json, shown
from replay.errors import DocumentError, Place
from replay.models import Case, Intake, Json
from replay.sampling import Portion

VERSION: Final = 1
"""The version of the format that this program reads and writes."""

HEADER: Final = "replay_capture"

_STEP: Final = 1 << 20
_WHOLE: Final = Portion()
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_HUGE_EXPONENT = re.compile(rb"[0-9][eE]\+?0*[0-9]{3}")
_FLAWS: Final[tuple[FindingName, ...]] = ("nan", "duplicate_keys", "lone_surrogates")


class BadLineError(Exception):
    """A record that cannot be replayed: why in a word to count by, and in a sentence to mend it by."""

    def __init__(self, reason: str, fact: str, hint: str | None = None) -> None:
        super().__init__(fact)
        self.reason = reason
        self.fact = fact
        self.hint = hint


@dataclass(slots=True)
class _Pass:
    """One way through the file: what was read so far, and the part that is to be accounted for."""

    digest: Any
    portion: Portion = _WHOLE
    line: int = 0
    record: int = 0
    loaded: int = 0
    blank: int = 0


class CaptureFile:
    """One native capture. The first line is its header; each further line that is not blank is one record."""

    form: ClassVar[str] = "capture"
    """What the format is called."""

    def __init__(self, path: str | Path, *, skip_bad: bool = False) -> None:
        """Take a file as the user named it; `skip_bad` counts bad records in the intake instead of raising."""
        self._path = Path(path)
        self._file = str(path)
        self._skip_bad = skip_bad
        self._digest: str | None = None
        self._intake = Intake(self._file, 0)

    def __iter__(self) -> Iterator[Case]:
        """Yield each record as a case, in order; raise DocumentError with FILE:LINE at the first bad one."""
        return self._cases(self.digest[:16])

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield the cases of one part; of the others, those that name no session are not even read as JSON."""
        return self._cases(self.digest[:16], portion)

    def without_identity(self) -> Iterator[Case]:
        """Yield each record as a case whose identity is empty; once it ends, digest and intake are known."""
        return self._cases(None)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, decompressed; hashes the file unless a whole reading already has."""
        if self._digest is None:
            state = _Pass(hashlib.sha256())
            with opened(self._path, self._file) as stream:
                for _ in self._lines(stream, state, Counter()):
                    pass
            self._digest = state.digest.hexdigest()
        return self._digest

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete reading."""
        return self._intake

    @property
    def file(self) -> str:
        """Return the file as the user named it."""
        return self._file

    @property
    def facts(self) -> Mapping[str, Json]:
        """Return what the header says beside the format: how it was masked, what made it. Only it is read."""
        with opened(self._path, self._file) as stream:
            state = _Pass(hashlib.sha256())
            while line := self._next_line(stream, state, Counter()):
                if line.strip(_BLANK):
                    header = _require_header(line, Place(self._file, state.line))
                    return {name: value for name, value in header.items() if name != HEADER}
        raise self._headless()

    def _cases(self, source: str | None, portion: Portion = _WHOLE) -> Iterator[Case]:
        skipped: Counter[str] = Counter()
        state = _Pass(hashlib.sha256(), portion)
        with opened(self._path, self._file) as stream:
            for line in self._lines(stream, state, skipped):
                if portion.count > 1 and not _may_be_in(portion, state.record, line):
                    continue
                identity = "" if source is None else f"{source}:{state.record}"
                try:
                    case = read_case(line, f"{self._file}:{state.line}", identity)
                except BadLineError as error:
                    self._skip(error, state, skipped)
                    continue
                if portion.has(case.session, state.record):
                    state.loaded += 1
                    yield case
        self._digest = state.digest.hexdigest()
        self._intake = Intake(self._file, state.loaded, dict(skipped))

    def _lines(self, stream: ByteStream, state: _Pass, skipped: Counter[str]) -> Iterator[bytes]:
        """Yield each record's line, after the header, and hash all that the file holds."""
        seen_header = False
        while line := self._next_line(stream, state, skipped):
            if len(line) > LARGEST_RECORD:
                line = line[-1:]  # what is refused need not be held
                state.record += 1
                self._skip(BadLineError("too_long", f"a line of more than {LARGEST_RECORD >> 20} MB"), state, skipped)
                while line and not line.endswith(b"\n"):
                    line = self._read(stream, state, skipped, _STEP)
            elif not line.strip(_BLANK):
                continue
            elif seen_header:
                state.record += 1
                yield line
            else:
                _require_header(line, Place(self._file, state.line))
                seen_header = True
        if not seen_header:
            raise self._headless()

    def _headless(self) -> DocumentError:
        hint = f'a capture begins {{"{HEADER}": {VERSION}}}'
        return DocumentError("the file has no header", place=self._file, hint=hint)

    def _next_line(self, stream: ByteStream, state: _Pass, skipped: Counter[str]) -> bytes:
        state.line += 1
        line = self._read(stream, state, skipped, LARGEST_RECORD + 1)
        state.blank = state.blank + 1 if line.isspace() else 0
        if state.blank > MOST_BLANK:  # not a record, which could be skipped: there may be no end of them
            fact = f"more than {MOST_BLANK:,} blank lines one after another"
            raise DocumentError(fact, place=Place(self._file, state.line), hint="remove them")
        return line.removeprefix(_BOM) if state.line == 1 else line

    def _read(self, stream: ByteStream, state: _Pass, skipped: Counter[str], most: int) -> bytes:
        """Return the rest of a line, or so much of it, and hash it; empty at the end, and where the file is cut."""
        try:
            line = stream.readline(most)
        except CUT as error:
            state.record += 1
            fact = f"the compressed stream is cut or corrupt after record {state.record - 1}: {error}"
            self._skip(BadLineError("cut", fact), state, skipped)
            return b""
        except OSError as error:
            raise unreadable(error, self._file) from None
        state.digest.update(line)
        return line

    def _skip(self, error: BadLineError, state: _Pass, skipped: Counter[str]) -> None:
        if not self._skip_bad:
            raise DocumentError(error.fact, place=Place(self._file, state.line), hint=error.hint) from None
        # Nobody knows the session of a record that cannot be read: all but one of several processes pass over it.
        if state.portion.has(None, state.record):
            skipped[error.reason] += 1


def _may_be_in(portion: Portion, record: int, line: bytes) -> bool:
    """Tell whether a record may be in a part; False is certain. A key may be spelled with escapes, too."""
    return portion.has(None, record) or b'"session"' in line or b"\\u" in line


def is_capture(head: bytes) -> bool:
    """Return whether a file that begins like this is a native capture, of whatever version."""
    first = head.removeprefix(_BOM).lstrip(_BLANK).partition(b"\n")[0]
    parsed = parse_json(first)
    return isinstance(parsed.value, dict) and HEADER in parsed.value


def _require_header(line: bytes, place: Place) -> Mapping[str, Json]:
    """Return the header that a line holds. Whatever else it tells is for those who know it."""
    header = parse_json(line).value
    if not isinstance(header, dict) or HEADER not in header:
        raise DocumentError("this is no capture", place=place, hint=f'the first line is {{"{HEADER}": {VERSION}}}')
    version = header[HEADER]
    if isinstance(version, bool) or version != VERSION:
        fact = f"capture format {shown(str(version))}; this program reads {VERSION}"
        raise DocumentError(fact, place=place, hint="read it with the version of replay that wrote it")
    return header


def read_case(line: bytes, place: str, identity: str) -> Case:
    """Return the case of any record, the quick way where it is plain; raise BadLineError as `modelled_case`."""
    record = plain_record(line)
    return modelled_case(line, place, identity) if record is None else plain_case(record, place, identity)


def modelled_case(line: bytes, place: str, identity: str) -> Case:
    """Return the case of any record; raise BadLineError, which tells what is wrong with it."""
    record = _record(line)
    try:
        request = record.request.build()
        recorded = record.response.build(record.latency_ms) if record.response else None
    except DocumentError as error:
        raise BadLineError("invalid_record", error.fact, error.hint) from None
    name = record.id or place
    return Case(
        id=name,
        kind="traffic",
        identity=identity,
        request=request,
        place=place,
        correlation_id=record.correlation_id or correlation_of(request) or name,
        freeze=record.at,
        session=record.session,
        recorded=recorded,
    )


def _record(line: bytes) -> RecordSpec:
    text_of_line = line.rstrip(_BLANK)
    parsed = parse_json(text_of_line, spelled=True)
    for finding in parsed.findings:
        if not parsed.ok or finding.name in _FLAWS:
            torn = text_of_line.startswith(b"\0") or b"\0" in text_of_line[-1:]
            fact = "a run of NULs: the file was torn" if torn else finding.message
            raise BadLineError(finding.name, fact)
    if _may_overflow(line) and _overflowing(parsed.value):
        raise BadLineError("overflow", "a number beyond 1e308 that no service could read")
    try:
        return RecordSpec.model_validate(parsed.value)
    except ValidationError as error:
        raise BadLineError("invalid_record", *explain(error, RecordSpec)) from None


def _may_overflow(line: bytes) -> bool:
    return _HUGE_EXPONENT.search(line) is not None


def _overflowing(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif overflows(item):
            return True
    return False
