"""Cases become captures: masked before anything else, in frames, in numbered files, within a budget."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from replay.cases.capture import HEADER, VERSION
from replay.cases.content import LARGEST_RECORD
from replay.cases.record import record_of
from replay.cases.writing.account import Account, CaptureLimits
from replay.cases.writing.appearing import appearing, make_folder_of, unwritable
from replay.cases.writing.frames import FrameFile
from replay.cases.writing.packing import numbered, packer
from replay.documents import plain_json
from replay.errors import InputError
from replay.models import Case, Json

Mask = Callable[[Case], Case]
"""Returns a case without what is personal or secret; what it cannot mask it drops."""

FRAME_BYTES: Final = 1 << 20
FRAME_CASES: Final = 1_000
FRAME_SECONDS: Final = 1.0
"""What waits in memory at most, before it is packed: so much is lost where the process is killed."""

_NO_FACTS: Final[Mapping[str, Json]] = MappingProxyType({})
_UNLIMITED: Final = CaptureLimits()


class CaptureWriter:
    """One capture that grows, or several in a row. One thread owns it: nothing in it is locked.

    Cases are masked as they come in, so that neither memory that is swapped nor a disk has anything in the clear for
    long. Files hold whole frames, each written at once: after a crash they can be read up to the last one. What goes
    wrong once the first file is there is no error but counted in the account, and later cases are tried again.
    """

    def __init__(
        self,
        path: Path,
        mask: Mask,
        *,
        facts: Mapping[str, Json] = _NO_FACTS,
        limits: CaptureLimits = _UNLIMITED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a new capture, compressed as the suffix says (.gz, .zst), with these further facts in its header.

        With limits for files they are numbered, from the first number on that is free. Raise InputError where no file
        can be made; an existing one is never touched.
        """
        self._path, self._mask, self._limits, self._clock = path, mask, limits, clock
        self._pack = packer(path)
        self._header = self._pack(_line({HEADER: VERSION, **facts}))
        self._files: list[Path] = []
        self._lost: Counter[str] = Counter()
        self._lines, self._waiting, self._since = bytearray(), 0, 0.0
        self._kept, self._in_file, self._size, self._spent = 0, 0, 0, False
        self.fault: OSError | None = None
        """What the disk said last, where not everything could be written."""
        make_folder_of(path)
        try:
            self._file, self._begun = self._new_file(), clock()
        except FileExistsError:
            raise InputError("there is a file here already", place=str(path), hint="name another one") from None
        except OSError as error:
            raise unwritable(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def account(self) -> Account:
        """Return what became so far of what was given."""
        return Account(self._kept, self._waiting, self._size, tuple(self._files), dict(self._lost))

    def add(self, case: Case) -> None:
        """Take a case in, without its secrets. It is written with those around it, at the latest by the next flush."""
        if self._spent:
            self._lost["over the budget"] += 1
            return
        line = self._masked(case)
        if line is None:
            self._lost["no sound record"] += 1
            return
        if not self._waiting:
            self._since = self._clock()
        self._lines += line
        self._waiting += 1
        if self._is_due():
            self.flush()

    def flush(self) -> None:
        """Write what waits as one frame. Where no further case may come for a while, it is the owner's to call."""
        if not self._waiting:
            return
        number, frame = self._waiting, self._pack(bytes(self._lines))
        self._lines, self._waiting = bytearray(), 0
        try:
            self._write(frame, number)
        except OSError as error:
            self._lose(error, number)

    def close(self) -> None:
        """Write what waits, and end the last file."""
        self.flush()
        self._end(self._file)

    def _masked(self, case: Case) -> bytes | None:
        """Return the record without secrets, or None where the reader would refuse it, and with it the whole file."""
        try:
            line = _line(record_of(self._mask(case)))
        except (RecursionError, ValueError):  # halves of characters have no bytes either
            return None
        return line if len(line) <= LARGEST_RECORD else None

    def _lose(self, error: OSError, number: int) -> None:
        self.fault = error
        self._lost[f"cannot be written: {(error.strerror or str(error)).lower()}"] += number

    def _is_due(self) -> bool:
        return (
            len(self._lines) >= FRAME_BYTES
            or self._waiting >= FRAME_CASES
            or self._clock() - self._since >= FRAME_SECONDS
        )

    def _write(self, frame: bytes, number: int) -> None:
        following = self._is_full(len(frame))
        budget = self._limits.budget
        if budget is not None and self._size + len(frame) + following * len(self._header) > budget:
            self._spent = True
            self._lost["over the budget"] += number
            return
        if following:
            self._rotate()
        self._file.append(frame)
        self._size += len(frame)
        self._kept += number
        self._in_file += number

    def _is_full(self, further: int) -> bool:
        """Tell whether so many further bytes belong into the next file; no file stays without a case."""
        size, limits = self._file.size, self._limits
        if size <= len(self._header):
            return False
        too_large = limits.file_bytes is not None and size + further > limits.file_bytes
        return too_large or (limits.file_seconds is not None and self._clock() - self._begun >= limits.file_seconds)

    def _rotate(self) -> None:
        further = self._new_file()
        full, self._file, self._begun = self._file, further, self._clock()
        self._end(full)

    def _end(self, file: FrameFile) -> None:
        """Close a file. Where the disk says only now that it cannot, none of its cases counts as kept."""
        in_file, self._in_file = self._in_file, 0
        try:
            file.close()
        except OSError as error:
            self._kept -= in_file
            self._lose(error, in_file)

    def _new_file(self) -> FrameFile:
        file = _numbered_file(self._path, len(self._files) + 1) if self._limits.rotating else FrameFile(self._path)
        try:
            file.append(self._header)
        except OSError:
            with suppress(OSError):
                file.close()
            file.path.unlink(missing_ok=True)
            raise
        self._files.append(file.path)
        self._size += file.size
        return file


def write_capture(
    path: Path, cases: Iterable[Case], mask: Mask, *, facts: Mapping[str, Json] = _NO_FACTS, replacing: bool = False
) -> Account:
    """Write cases as one whole capture, streamed: it stands at its place once it is complete, and else not at all.

    Raise InputError where something is there, unless it is to be replaced, and OSError where the disk takes no more.
    """
    with appearing(path, replacing=replacing) as partial:
        with CaptureWriter(partial, mask, facts=facts) as writer:
            for case in cases:
                writer.add(case)
                _require_well(writer)
        _require_well(writer)
    return replace(writer.account, files=(path,))


def _require_well(writer: CaptureWriter) -> None:
    if writer.fault is not None:
        raise writer.fault


def _numbered_file(path: Path, first: int) -> FrameFile:
    for number in count(first):
        with suppress(FileExistsError):
            return FrameFile(numbered(path, number))
    raise AssertionError  # the numbers do not end


def _line(record: object) -> bytes:
    return plain_json(record).encode() + b"\n"
