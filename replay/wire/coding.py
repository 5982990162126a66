"""Undoing content codings under a cap, piece by piece: a bomb costs no more memory than the cap.

`gzip` (also `x-gzip`; every member, zero bytes between and after members are padding), `deflate` (with zlib's frame or
raw), `br`, `zstd` (every frame), `identity`, and lists of them, undone from the last to the first.

What cannot be undone to the last byte is a `decode` failure, and what came out until then is kept: a cut or corrupt
stream, bytes after its end, a coding that is not known (the body then stays as it came). Browsers overlook some of
that. A comparison must not: bytes that are not compared would count as equal.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]

from replay.models import Failure, Headers

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_SLICE: Final = 16 * 2**10
_STEP: Final = 64 * 2**10
_MAX_CODINGS: Final = 8
_MAX_MEMBERS: Final = 2**16  # far above what block-compressed files have; a body of empty members would take minutes


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body with its coding undone, or as much of it as could be had and the reason why that is not all."""

    body: bytes
    failure: Failure | None = None


class _CodingError(Exception):
    """The bytes are not what the coding says."""


class _TooLargeError(Exception):
    """More came out than the cap allows."""


class _Stream(Protocol):
    """One compressed stream, as Python's zstd has it: hand in bytes when it needs input, else take out what is left."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def decode(body: bytes, headers: Headers, *, limit: int) -> Decoded:
    """Undo what `Content-Encoding` names. Failures: `decode`, and `too_large` for more than `limit` bytes."""
    codings = _codings(headers)
    if not body or not codings:
        return Decoded(body)
    if len(codings) > _MAX_CODINGS:
        return Decoded(body, Failure("decode", f"{len(codings)} content codings on top of each other"))
    if unknown := [coding for coding in codings if coding not in _CODECS]:
        return Decoded(body, Failure("decode", f"the content coding {unknown[0][:40]!a} is not known"))
    return _collect(_chain(body, codings, limit))


def _codings(headers: Headers) -> list[str]:
    """Return the codings in the order in which they were applied; identity is none."""
    values = [value for name, value in headers if name.lower() == "content-encoding"]
    tokens = (token.strip().lower() for value in values for token in value.split(","))
    return [token for token in tokens if token not in ("", "identity")]


def _chain(body: bytes, codings: list[str], limit: int) -> Iterator[bytes]:
    pieces: Iterator[bytes] = (body[start : start + _SLICE] for start in range(0, len(body), _SLICE))
    for coding in reversed(codings):
        pieces = _bounded(_CODECS[coding](pieces), limit)
    return pieces


def _collect(pieces: Iterator[bytes]) -> Decoded:
    body = bytearray()
    try:
        for piece in pieces:
            body += piece
    except _CodingError as error:
        return Decoded(bytes(body), Failure("decode", str(error)))
    except _TooLargeError as error:
        return Decoded(bytes(body), Failure("too_large", str(error)))
    return Decoded(bytes(body))


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Pass on at most `limit` bytes, then raise. Between two codings too: there a bomb would cost time."""
    room = limit
    for piece in pieces:
        yield piece[:room]
        room -= len(piece)
        if room < 0:
            raise _TooLargeError(f"the body is larger than {limit} bytes once its coding is undone")


def _expand(
    pieces: Iterator[bytes], coding: str, new: Callable[[], _Stream], *, many: bool, padded: bool
) -> Iterator[bytes]:
    """Yield what one stream holds, or `many` in a row. Raises _CodingError unless stream and bytes end together."""
    stream: _Stream | None = None
    members = 0
    for piece in pieces:
        rest = piece
        while rest or not (stream is None or stream.needs_input):
            if stream is None:
                rest = rest.lstrip(b"\0") if padded and members else rest
                if not rest:
                    break
                members += 1
                _check_members(members, coding, many=many)
                stream = new()
            yield _step(stream, coding, rest)
            rest = stream.unused_data if stream.eof else b""
            stream = None if stream.eof else stream
    if stream is not None or not members:
        raise _CodingError(f"the {coding} body is cut")


def _check_members(members: int, coding: str, *, many: bool) -> None:
    if members > 1 and not many:
        raise _CodingError(f"bytes follow the end of the {coding} body")
    if members > _MAX_MEMBERS:
        raise _CodingError(f"the {coding} body has more than {_MAX_MEMBERS} members")


def _step(stream: _Stream, coding: str, data: bytes) -> bytes:
    try:
        return stream.decompress(data, _STEP)
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise _CodingError(f"the {coding} body is corrupt: {ascii(str(error))[1:-1][:80]}") from None


class _Zlib:
    """zlib's decompressor with the manners of zstd's."""

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # A full buffer may hide more: input that waits, or output that zlib still holds.
        self._full = bool(self._inner.unconsumed_tail) or len(out) == max_length
        return out


class _Deflate(_Zlib):
    """`deflate`, which is zlib by the book and raw deflate from some servers; the first byte tells."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._started = False

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if not self._started:
            self._started = True
            # zlib's frame has method 8 in the low bits. Raw, that is a stored block with padding that is not zero.
            if data[0] & 0x0F != zlib.DEFLATED:
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        return super().decompress(data, max_length)


class _Brotli:
    """Brotli's decompressor with the manners of zstd's."""

    unused_data = b""  # what follows the end makes it raise

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._full = False

    @property
    def eof(self) -> bool:
        return bool(self._inner.is_finished())

    @property
    def needs_input(self) -> bool:
        # It says that it accepts more although output is left: a full buffer is the better sign.
        return not self._full and bool(self._inner.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = bytes(self._inner.process(data, output_buffer_limit=max_length))
        self._full = len(out) >= max_length
        return out


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return _expand(pieces, "gzip", lambda: _Zlib(16 + zlib.MAX_WBITS), many=True, padded=True)


def _deflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return _expand(pieces, "deflate", _Deflate, many=False, padded=False)


def _br(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return _expand(pieces, "br", _Brotli, many=False, padded=False)


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return _expand(pieces, "zstd", zstd.ZstdDecompressor, many=True, padded=False)


_CODECS: Final[Mapping[str, Callable[[Iterator[bytes]], Iterator[bytes]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
