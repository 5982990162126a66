"""Compressed bodies, told by how they begin or by a header alone: unpacked under a cap, and packed again."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from string import printable
from typing import Any, Final

import brotli  # type: ignore[import-untyped]

from replay.models import Headers

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST: Final = 32 * 1024 * 1024
"""What is unpacked at most: what is larger cannot be masked and is dropped."""
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_FEWEST: Final = 16
_LOOKED_AT: Final = 4096
_LEGIBLE: Final = printable.encode()
MAGICS: Final = (GZIP, ZSTD, *_ZLIB)
"""How compressed content begins."""


class UnpackingError(Exception):
    """Compressed content that is corrupt, or too large."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What compressed content holds, what follows it, and how such content is packed again."""

    content: bytes
    rest: bytes
    pack: Callable[[bytes], bytes]


def unpacked(body: bytes) -> Unpacked | None:
    """Return what a body holds that begins as compressed content does; None where it is none after all.

    A cut stream is what there is of it. Raise UnpackingError for what is corrupt or holds more than 32 MB.
    """
    if body.startswith(GZIP):
        return _members(body, GZIP, lambda: zlib.decompressobj(wbits=31), lambda data: gzip.compress(data, mtime=0))
    if body.startswith(ZSTD):
        return _members(body, ZSTD, zstd.ZstdDecompressor, zstd.compress)
    if not body.startswith(_ZLIB):
        return None
    try:
        found = _members(body, body[:2], zlib.decompressobj, zlib.compress, most=1)
    except UnpackingError:
        # `x^2` begins so, too; of a corrupt stream something comes out before the fault, or its bytes are no text.
        if body[1:2] == b"\x5e" and not _begins(body):
            return None
        raise
    return found


def coding_of(headers: Headers) -> str:
    """Return the coding of a body that only its header tells; empty where there is none of that kind."""
    found = next((value for name, value in headers if name.lower() == "content-encoding"), "").strip().lower()
    return found if found in _CODED else ""


def decoded(body: bytes, coding: str) -> Unpacked | None:
    """Return what a body holds under a coding; None where it is not coded so: mostly it was undone already.

    Raise UnpackingError for what begins as text and is cut or corrupt, or holds more than 32 MB.
    """
    if body.startswith(MAGICS):
        return None
    reader, pack = _CODED[coding]
    content, whole = _read(reader(), body)
    if len(content) >= LARGEST or (not whole and _is_legible(content)):
        raise UnpackingError
    return Unpacked(content, b"", pack) if whole else None


def _read(step: Callable[[bytes], tuple[bytes, bool]], body: bytes) -> tuple[bytes, bool]:
    """Return what comes out, and whether that is all; up to a fault where there is one."""
    content = bytearray()
    # First a little at a time: what is corrupt soon says so, and what came before the fault is not lost.
    ends = [*range(16, min(len(body), _LOOKED_AT), 16), len(body)]
    for start, end in pairwise([0, *ends]):
        try:
            out, whole = step(body[start:end])
        except (zlib.error, brotli.error):
            return bytes(content), False
        content += out
        if whole or len(content) >= LARGEST:
            return bytes(content), whole and end == len(body)
    return bytes(content), False


def _is_legible(content: bytes) -> bool:
    return len(content) >= _FEWEST and len(content.translate(None, _LEGIBLE)) * 10 <= len(content)


def _brotli_reader() -> Callable[[bytes], tuple[bytes, bool]]:
    reader = brotli.Decompressor()
    return lambda data: (bytes(reader.process(data, output_buffer_limit=LARGEST)), bool(reader.is_finished()))


def _deflate_reader() -> Callable[[bytes], tuple[bytes, bool]]:
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    return lambda data: (reader.decompress(data, LARGEST), reader.eof)


def _members(
    body: bytes, magic: bytes, reader: Callable[[], Any], pack: Callable[[bytes], bytes], most: int = 1 << 30
) -> Unpacked:
    content, rest, count = bytearray(), body, 0
    while rest.startswith(magic) and count < most:
        stream, count = reader(), count + 1
        try:
            content += stream.decompress(rest, LARGEST - len(content) + 1)
        except (zlib.error, zstd.ZstdError):
            raise UnpackingError from None
        if len(content) > LARGEST:
            raise UnpackingError
        rest = stream.unused_data
    return Unpacked(bytes(content), rest, pack)


def _begins(body: bytes) -> bool:
    """Tell whether a stream yields anything before it turns out to be corrupt."""
    reader = zlib.decompressobj()
    for at in range(0, min(len(body), 4096), 16):
        try:
            if reader.decompress(body[at : at + 16], 1):
                return True
        except zlib.error:
            return False
    return False


def _raw_deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


_Reader = Callable[[], Callable[[bytes], tuple[bytes, bool]]]
_CODED: Final[Mapping[str, tuple[_Reader, Callable[[bytes], bytes]]]] = {
    "br": (_brotli_reader, brotli.compress),
    "deflate": (_deflate_reader, _raw_deflated),
}
