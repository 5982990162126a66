"""Opening what users name: regular files only, gzip and zstd undone, told by content and not by suffix."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final, Protocol

from replay.errors import CHANGED, DocumentError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CUT: Final = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)
"""What a compressed stream raises that is cut or corrupt."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_POINTERS: Final = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_LONGEST_POINTER: Final = 1024
"""What the specification of Git LFS allows a file that stands for another one."""
LARGEST_RECORD: Final = 100 << 20
"""100 MB: the largest body, 64 MB, in base64, and some. A line without end must not fill the memory."""
MOST_BLANK: Final = 100_000
"""How many blank lines may follow one another: a few hundred kilobytes unpack to hundreds of millions of them."""

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class ByteStream(Protocol):
    """What can be read from, whole or by line."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""

    def readline(self, size: int, /) -> bytes:
        """Return the rest of the line with its line end, at most `size` bytes of it."""


class OpenedStream(ByteStream, Protocol):
    """A file that can also be read step by step."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes, by one step: where a later step fails, nothing of this one is lost."""


@contextmanager
def opened(path: Path, file: str) -> Iterator[OpenedStream]:
    """Open a regular file for reading, decompressed. Raise DocumentError for anything else; never block on a pipe."""
    with ExitStack() as stack:
        yield _decompressed(stack.enter_context(_open_regular(path, file)), stack)


def read_file(path: Path, file: str) -> bytes:
    """Return what a regular file holds, as it is; raise DocumentError where it cannot be read."""
    with _open_regular(path, file) as raw:
        try:
            return raw.read()
        except OSError as error:
            raise unreadable(error, file) from None


def first_bytes(path: Path, file: str) -> bytes:
    """Return how a regular file begins, as it is; raise DocumentError where it cannot be read."""
    with _open_regular(path, file) as raw:
        return raw.read(4)


def unreadable(error: Exception, file: str) -> DocumentError:
    """Return what the operating system said, as an error of ours."""
    fact = getattr(error, "strerror", None) or str(error)
    return DocumentError(f"cannot be read: {fact.lower()}", place=file)


def changed(file: str) -> DocumentError:
    """Return that a file is not what it was when it was read before: cases would have the identities of others."""
    return DocumentError(CHANGED, place=file, hint="replay a copy of it")


def _open_regular(path: Path, file: str) -> BufferedReader:
    try:
        # Opening a pipe waits for its other end, unless told not to; and Windows would translate line ends.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise unreadable(error, file) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise DocumentError(f"is {kind}, not a file", place=file)
    raw = os.fdopen(handle, "rb")
    if _is_pointer(raw.peek(_LONGEST_POINTER)):
        raw.close()
        # Its text would be sent, or compared, in place of what it stands for, and alike on both sides.
        raise DocumentError("is a pointer of Git LFS: what it stands for is not here", place=file, hint="git lfs pull")
    return raw


def _is_pointer(head: bytes) -> bool:
    return head.startswith(_POINTERS) and b"\noid sha256:" in head[:_LONGEST_POINTER]


def _decompressed(raw: BufferedReader, stack: ExitStack) -> OpenedStream:
    head = raw.peek(4)
    if head.startswith(_GZIP):
        return stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
    if head.startswith(_ZSTD):
        return stack.enter_context(zstd.ZstdFile(raw, mode="rb"))
    return raw
