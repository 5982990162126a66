"""How bytes lie in the file: zstd-compressed where that makes them smaller, large bodies under their digest."""

from __future__ import annotations

import hashlib
import sys
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_DIGEST_SIZE: Final = 20
_WORTH_IT: Final = 200
_LEVEL: Final = 3


def digest(body: bytes) -> bytes:
    """Return the address of a body: the first 20 bytes of a BLAKE2b over it."""
    return hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest()


def pack(data: bytes) -> bytes:
    """Return the data compressed, or as it is where compression gains nothing."""
    if len(data) < _WORTH_IT:
        return data
    packed = zstd.compress(data, _LEVEL)
    return packed if len(packed) < len(data) else data


def unpack(packed: bytes, size: int) -> bytes:
    """Return the `size` bytes that `pack` was given. Raise ValueError where they do not come out."""
    if len(packed) == size:
        return packed
    try:
        data = zstd.decompress(packed)
    except zstd.ZstdError as error:
        raise ValueError(f"what is stored cannot be unpacked: {error}") from error
    if len(data) != size:
        raise ValueError(f"what is stored has {len(data)} bytes instead of {size}")
    return data
