"""Native captures: recorded traffic as JSON lines, plain, gzip or zstd, streamed in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import ClassVar, Final

from replay.cases.blocks import TOO_LONG, Blocks, Mark
from replay.cases.content import CUT, LARGEST_RECORD, MOST_BLANK, opened, unreadable
from replay.cases.modelled import BadLineError, modelled_case
from replay.cases.plain import Record, known_record, plain_case, plain_record, plain_request
from replay.documents import parse_json, shown
from replay.errors import DocumentError, Place
from replay.models import Case, Intake, Json, Request
from replay.sampling import Portion

VERSION: Final = 1
"""The version of the format that this program reads and writes."""

HEADER: Final = "replay_capture"

_WHOLE: Final = Portion()
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _Pass:
    """One way through the file: what was read so far, and the part that is to be accounted for."""

    blocks: Blocks
    portion: Portion = _WHOLE
    header: Mapping[str, Json] | None = None
    line: int = 0
    record: int = 0
    loaded: int = 0
    blank: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


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
        self._marks: list[Mark] | None = None
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

    def to_check(self, spares: Callable[[Request], bool]) -> Iterator[Case | None]:
        """Yield each case as `without_identity` does, or None where it is plain, and its request is spared a look."""
        with self._pass() as state:
            for line in self._lines(state):
                record = _plain(line, state.blocks)
                if record is not None and spares(plain_request(record)):
                    state.loaded += 1
                    yield None
                elif (case := self._case(record, line, state, None)) is not None:
                    state.loaded += 1
                    yield case

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, decompressed; hashes the file unless a whole reading already has."""
        if self._digest is None:
            with self._pass() as state:
                for _ in self._lines(state):
                    state.blocks.plain = False  # Whatever is wrong with a record is told by whoever reads it.
        return str(self._digest)

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
            state = _Pass(Blocks(stream, self._file, None))
            for line in chain.from_iterable(self._blocks(state)):
                state.line += 1
                self._is_record(line, state)
                if state.header is not None:
                    return {name: value for name, value in state.header.items() if name != HEADER}
        raise self._headless()

    def _cases(self, source: str | None, portion: Portion = _WHOLE) -> Iterator[Case]:
        with self._pass(portion) as state:
            for line in self._lines(state):
                if portion.count > 1 and not _may_be_in(portion, state.record, line):
                    continue
                case = self._case(_plain(line, state.blocks), line, state, source)
                if case is not None and (portion.count == 1 or portion.has(case.session, state.record)):
                    state.loaded += 1
                    yield case

    @contextmanager
    def _pass(self, portion: Portion = _WHOLE) -> Iterator[_Pass]:
        """Go through the file once more. What was learned on the way is kept if that comes to the end.

        Raise DocumentError where the file is another than before.
        """
        with opened(self._path, self._file) as stream:
            state = _Pass(Blocks(stream, self._file, self._marks), portion)
            yield state
            if state.header is None:
                raise self._headless()
        state.blocks.require_all()
        self._digest = state.blocks.digest.hexdigest()
        self._intake = Intake(self._file, state.loaded, dict(state.skipped))
        if portion.count == 1:
            self._marks = state.blocks.marks

    def _case(self, record: Record | None, line: bytes, state: _Pass, source: str | None) -> Case | None:
        """Return the case of a line, which may be a plain record; None for one that is bad and skipped."""
        place = f"{self._file}:{state.line}"
        identity = "" if source is None else f"{source}:{state.record}"
        if record is not None:
            return plain_case(record, place, identity)
        try:
            return modelled_case(line, place, identity)
        except BadLineError as error:
            self._skip(error, state)
            return None

    def _lines(self, state: _Pass) -> Iterator[bytes]:
        """Yield each record's line, after the header; all that the file holds is hashed."""
        for lines in self._blocks(state):
            for line in lines:
                state.line += 1
                # Nearly every line begins so, and needs no closer look.
                if (line[:1] == b"{" and state.header is not None) or self._is_record(line, state):
                    state.blank = 0
                    state.record += 1
                    yield line

    def _blocks(self, state: _Pass) -> Iterator[list[bytes]]:
        """Yield the lines of each block; where the stream is cut, that is one bad record."""
        try:
            yield from state.blocks
        except CUT as error:
            state.line += 1
            state.record += 1
            fact = f"the compressed stream is cut or corrupt after record {state.record - 1}: {error}"
            self._skip(BadLineError("cut", fact), state)
        except OSError as error:
            raise unreadable(error, self._file) from None

    def _headless(self) -> DocumentError:
        hint = f'a capture begins {{"{HEADER}": {VERSION}}}'
        return DocumentError("the file has no header", place=self._file, hint=hint)

    def _is_record(self, line: bytes, state: _Pass) -> bool:
        """Tell whether a line holds a record. The first line that is not blank is the header, and is kept."""
        line = line.removeprefix(_BOM) if state.line == 1 else line
        state.blank = 0 if line and not line.isspace() else state.blank + 1
        if state.blank > MOST_BLANK:  # not a record, which could be skipped: there may be no end of them
            fact = f"more than {MOST_BLANK:,} blank lines one after another"
            raise DocumentError(fact, place=Place(self._file, state.line), hint="remove them")
        if line is TOO_LONG:
            state.record += 1
            self._skip(BadLineError("too_long", f"a line of more than {LARGEST_RECORD >> 20} MB"), state)
            return False
        if line.strip(_BLANK) and state.header is None:
            state.header = _require_header(line, Place(self._file, state.line))
            return False
        return bool(line.strip(_BLANK))

    def _skip(self, error: BadLineError, state: _Pass) -> None:
        if not self._skip_bad:
            raise DocumentError(error.fact, place=Place(self._file, state.line), hint=error.hint) from None
        # Nobody knows the session of a record that cannot be read: all but one of several processes pass over it.
        if state.portion.has(None, state.record):
            state.skipped[error.reason] += 1


def _plain(line: bytes, blocks: Blocks) -> Record | None:
    """Return the plain record that a line holds; None for any other, and then its block is not all plain."""
    if blocks.known_plain:
        return known_record(line)
    record = plain_record(line)
    if record is None:
        blocks.plain = False
    return record


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
