"""Writing captures."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from replay.cases.capture import HEADER, VERSION
from replay.cases.record import record_of
from replay.documents import dump_json
from replay.models import Case

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def write_capture(path: Path, cases: Iterable[Case]) -> int:
    """Write cases as a native capture, streamed, compressed as the suffix says (.gz, .zst); return how many.

    The file is new, or replaced; OSError is the caller's to tell.
    """
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            # No name and no time in it: the same cases make the same file.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                return _write(packed, cases)
        if path.suffix == ".zst":
            with zstd.ZstdFile(raw, mode="wb") as stream:
                return _write(stream, cases)
        return _write(raw, cases)


def _write(out: BinaryIO | gzip.GzipFile | zstd.ZstdFile, cases: Iterable[Case]) -> int:
    out.write(_line({HEADER: VERSION}))
    count = 0
    for case in cases:
        out.write(_line(record_of(case)))
        count += 1
    return count


def _line(record: object) -> bytes:
    return dump_json(record).encode() + b"\n"
