"""Journals: results that a process keeps in a file of its own, frame by frame, until the store takes them in.

A frame is its length and its CRC-32, and then a page as it will lie in the store: a head in JSON, which says how long
each of the pieces after it is. A process that is killed leaves whole frames and at most one that is torn, which the
checksum tells; its cases count as not sent. In the journal of a process that ended in order, nothing may be torn.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from replay.errors import RunError, StoreError
from replay.store.pages import Draft, Packed, Page, Row

_FRAME: Final = struct.Struct("<II")
_HEAD: Final = struct.Struct("<I")
_LARGEST: Final = 1 << 30
"""No frame is longer: a length that is torn must not fill the memory."""


def journal_path(store: Path, run: str, index: int) -> Path:
    """Return where process `index` of a run keeps its results until the store has them."""
    return store.with_name(f"{store.name}-{run}.{index}.journal")


def journals(store: Path, run: str) -> list[Path]:
    """Return the journals of a run that lie beside its store."""
    return sorted(path for path in store.parent.glob("*.journal") if path.name.startswith(f"{store.name}-{run}."))


class Journal:
    """Takes drafts as the store does. Belongs to one process."""

    def __init__(self, path: Path) -> None:
        """Begin a journal at `path`, readable for its owner alone. Raise StoreError where none can be."""
        self._path = path
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError as error:
            raise self._fault(error) from error
        self._file = os.fdopen(descriptor, "wb")

    def write(self, run: str, draft: Draft) -> None:  # noqa: ARG002 - a journal belongs to one run
        """Keep all that is drafted.

        Raise StoreError where the disk takes no more, or for a result that no frame can hold; what was written before
        stays.
        """
        try:
            self._file.writelines(map(frame, draft.pages()))
            self._file.flush()
        except OSError as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Let go of the file."""
        with suppress(OSError):  # What it could not hold was told by `write`.
            self._file.close()

    def _fault(self, error: OSError) -> StoreError:
        hint = "is there room on the disk, and may you write there?"
        return _fault(f"the journal cannot be written: {error.strerror}", self._path, hint)


def incomplete(path: Path, unread: int | None) -> StoreError:
    """Return the error for the journal of a process that had written everything: it is gone, or cannot be read on."""
    fact = "the journal is gone" if unread is None else f"the last {unread:,} bytes of the journal cannot be read"
    hint = "`replay run --resume` sends those cases again"
    return _fault(f"{fact}, and results are missing that were written there", path, hint)


def _fault(fact: str, place: Path | str, hint: str) -> StoreError:
    fault = StoreError(fact, place=str(place), hint=hint)
    fault.exit_code = RunError.exit_code  # Whoever has a journal has sent cases.
    return fault


def frame(page: Page) -> bytes:
    """Return a page as one frame. Raise StoreError where `frames` would not read it: its one result is too large."""
    outside = [(address.hex(), len(body)) for address, body in page.outside.items()]
    lengths = [(len(it.data), it.size) for it in (page.documents, page.bodies)]
    head = json.dumps([page.rows, lengths, outside], separators=(",", ":")).encode()
    pieces = (_HEAD.pack(len(head)), head, page.documents.data, page.bodies.data, *page.outside.values())
    length = sum(map(len, pieces))
    if length > _LARGEST:
        fact = f"the result has {length >> 20:,} MB, and several processes can keep {_LARGEST >> 20:,} MB at most"
        raise _fault(fact, page.rows[0].id, "lower max_body of the sides, or leave --workers out")
    body = b"".join(pieces)
    return _FRAME.pack(length, zlib.crc32(body)) + body


def frames(path: Path, start: int) -> Iterator[tuple[Page, int]]:
    """Yield each whole page from a position on, and the position behind it; end where the file does, or is torn."""
    with path.open("rb") as file:
        file.seek(start)
        while len(prefix := file.read(_FRAME.size)) == _FRAME.size:
            length, checksum = _FRAME.unpack(prefix)
            body = file.read(length) if length <= _LARGEST else b""
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            yield _page(body), file.tell()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise StoreError for what the system says of a journal that is read or removed."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"the journal cannot be read: {error.strerror}", place=str(path)) from error


def _page(body: bytes) -> Page:
    (length,) = _HEAD.unpack_from(body)
    at = _HEAD.size + length
    rows, lengths, outside = json.loads(body[_HEAD.size : at])
    pieces: list[bytes] = []
    for size in (*(stored for stored, _ in lengths), *(stored for _, stored in outside)):
        pieces.append(body[at : at + size])
        at += size
    documents, bodies = (Packed(data, size) for data, (_, size) in zip(pieces, lengths, strict=False))
    found = {bytes.fromhex(address): data for (address, _), data in zip(outside, pieces[2:], strict=True)}
    return Page([Row(*row) for row in rows], documents, bodies, found)
