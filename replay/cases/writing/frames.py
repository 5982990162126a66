"""A file of whole frames: whatever happens to the process or the disk, what was appended before can be read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_NEW: Final = (
    os.O_CREAT | os.O_EXCL | os.O_WRONLY  # exclusively: neither a file nor a link is followed or replaced
    | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip


class FrameFile:
    """A new file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        """Make the file; raise OSError where that cannot be, FileExistsError where something is there."""
        self.path = path
        self.size = 0
        self._handle = os.open(path, _NEW, 0o600)

    def append(self, frame: bytes) -> None:
        """Write a frame; raise OSError where it does not fit, after which the file ends with the frame before it."""
        rest = memoryview(frame)
        try:
            # To its place and not to the end, where a piece of an earlier one may lie that nothing could cut off.
            os.lseek(self._handle, self.size, os.SEEK_SET)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, self.size)
            raise
        self.size += len(frame)

    def close(self) -> None:
        """Bring it all to the disk; raise OSError where the disk says only now that it cannot."""
        try:
            os.fsync(self._handle)
        finally:
            os.close(self._handle)
