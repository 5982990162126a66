"""How captures are compressed: as the suffix says, in frames that can be read one by one."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def packer(path: Path) -> Callable[[bytes], bytes]:
    """Return what makes a frame of bytes. Frames one after another read as their contents one after another."""
    return _PACKERS.get(path.suffix, bytes)


def numbered(path: Path, number: int) -> Path:
    """Return a path with a number: `day-0001.jsonl.zst` for `day.jsonl.zst`."""
    packed = path.suffix if path.suffix in _PACKERS else ""
    name = Path(path.name.removesuffix(packed))
    return path.with_name(f"{name.stem}-{number:04}{name.suffix}{packed}")


def _gzip(data: bytes) -> bytes:
    # No time in it: the same cases make the same file.
    return gzip.compress(data, mtime=0)


_PACKERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {".gz": _gzip, ".zst": zstd.compress}


def repacking(head: bytes) -> Callable[[bytes], bytes]:
    """Return what makes frames as those are that a file begins with."""
    found = next((suffix for suffix, magic in _MAGIC.items() if head.startswith(magic)), "")
    return _PACKERS.get(found, bytes)


_MAGIC: Final[Mapping[str, bytes]] = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
