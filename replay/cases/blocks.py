"""The lines of a file by blocks: hashed as they are read, and known again when the file is read once more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from replay.cases.content import CUT, LARGEST_RECORD, OpenedStream, changed

BLOCK: Final = 1 << 18
"""How many bytes are read and hashed at once: enough that it costs a record next to nothing, and few to hold."""


TOO_LONG: Final = b"\0 a line that is too long"
"""Stands in the place of one; to be told by its identity."""


class Mark(NamedTuple):
    """What is remembered of a file from its beginning to the end of a block."""

    digest: bytes
    plain: bool
    """Every record of the block was found to be plain."""


class Blocks:
    """One way through a stream of lines; `known` are the marks of an earlier one, to which this one is held."""

    def __init__(self, stream: OpenedStream, file: str, known: Sequence[Mark] | None) -> None:
        self._stream = stream
        self._file = file
        self._known = known
        self.digest: Any = hashlib.sha256()
        self.marks: list[Mark] = []
        self.known_plain = False
        """All records of the block at hand are plain: they were found to be, and their bytes are the same."""
        self.plain = True
        """So far, nothing else was found in the block at hand: to be denied by whoever looks at the records."""

    def __iter__(self) -> Iterator[list[bytes]]:
        """Yield the lines of each block, without their ends; TOO_LONG in place of one of LARGEST_RECORD bytes or more.

        Raise DocumentError before a block is handed out that is another than it was, and what is in CUT, or OSError,
        after the last whole line that can be read.
        """
        goes_on = False  # what begins with the rest of a line that was too long
        for block in self._whole_lines():
            self.digest.update(block)
            digest = self.digest.copy().digest()
            self._recognise(digest)
            lines = block.split(b"\n")
            if goes_on:
                del lines[0]
            goes_on = not block.endswith(b"\n")
            if not goes_on:
                del lines[-1]
            if len(block) >= LARGEST_RECORD:
                lines = [line if len(line) < LARGEST_RECORD else TOO_LONG for line in lines]
            del block  # what is refused need not be held
            yield lines
            self.marks.append(Mark(digest, self.plain))

    def require_all(self) -> None:
        """Raise DocumentError where fewer blocks were read than before."""
        if self._known is not None and len(self.marks) < len(self._known):
            raise changed(self._file)

    def _recognise(self, digest: bytes) -> None:
        self.plain = True
        if self._known is None:
            return
        number = len(self.marks)
        if number >= len(self._known) or self._known[number].digest != digest:
            raise changed(self._file)
        self.known_plain = self._known[number].plain

    def _whole_lines(self) -> Iterator[bytes]:
        """Yield blocks that end with a line; but the last as it is, and the beginning of a line that is too long."""
        whole, rest = _Pieces(), _Pieces()
        try:
            while piece := self._stream.read1(BLOCK):
                end = piece.rfind(b"\n") + 1
                if end:
                    whole.add(*rest.taken(), piece[:end])
                rest.add(piece[end:])
                if whole.size >= BLOCK or (whole.size and rest.size > LARGEST_RECORD):
                    yield b"".join(whole.taken())
                if rest.size > LARGEST_RECORD:
                    yield b"".join(rest.taken())
        except (*CUT, OSError):
            if whole.size:
                yield b"".join(whole.taken())
            raise
        if whole.size or rest.size:
            yield b"".join([*whole.taken(), *rest.taken()])


class _Pieces:
    """Pieces of bytes, and how many bytes they are together."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []

    def add(self, *pieces: bytes) -> None:
        self._pieces += pieces
        self.size += sum(map(len, pieces))

    def taken(self) -> list[bytes]:
        pieces, self._pieces, self.size = self._pieces, [], 0
        return pieces
