"""A file becomes a clean one: at once and whole, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from replay.cases.content import CUT, first_bytes, opened, unreadable
from replay.cases.writing.appearing import make_folder_of, unwritable
from replay.cases.writing.packing import packer, repacking
from replay.cleaning import CLEANERS, Eye, form_of
from replay.errors import DocumentError, InputError, Place

_HEAD: Final = 1 << 16
_PIECE: Final = 1 << 20
_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


def check_file(path: Path, eye: Eye) -> None:
    """Have the eye see what is secret or personal in a file; nothing is written. Raise DocumentError for bad input."""
    for _ in _kept(path, eye):
        pass


def clean_file(path: Path, target: Path, eye: Eye, changed: Callable[[], bool]) -> None:
    """Write what is kept of a file to its place, or another one. In its place, what needs no mask is left alone.

    In place it is packed as before and as readable, elsewhere as its suffix says and for its owner alone. It takes its
    place in one step. Raise DocumentError for bad
    input, and InputError where nothing can be written.
    """
    in_place = target.exists() and target.resolve() == path.resolve()
    place = path.resolve() if in_place else target  # what a link points to is cleaned, and the link stays
    if not in_place and os.path.lexists(target):
        raise InputError("there is a file here already", place=str(target), hint="name another one with --out")
    make_folder_of(place)
    try:
        with TemporaryDirectory(prefix=".replay-", dir=place.parent) as folder:
            partial = Path(folder) / place.name
            pack = repacking(first_bytes(path, str(path))) if in_place else packer(target)
            _write(path, partial, eye, pack)
            if not in_place or changed():
                partial.chmod(stat.S_IMODE(path.stat().st_mode) if in_place else 0o600)
                partial.replace(place)
    except OSError as error:
        raise unwritable(place, error) from None


def _write(path: Path, partial: Path, eye: Eye, pack: Callable[[bytes], bytes]) -> None:
    """Write what is kept to a new file that only its owner may read."""
    waiting = bytearray()
    with os.fdopen(os.open(partial, _NEW, 0o600), "wb") as out:
        for piece in _kept(path, eye):
            waiting += piece
            if len(waiting) >= _PIECE:
                out.write(pack(bytes(waiting)))
                waiting = bytearray()
        out.write(pack(bytes(waiting)))
        out.flush()
        os.fsync(out.fileno())


def _kept(path: Path, eye: Eye) -> Iterator[bytes]:
    name = str(path)
    try:
        with opened(path, name) as stream:
            form = form_of(path, stream.read(_HEAD))
        with opened(path, name) as stream:
            yield from CLEANERS[form].clean(stream, eye)
    except CUT as error:
        raise DocumentError(f"the compressed stream is cut or corrupt: {error}", place=name) from None
    except DocumentError as error:
        raise DocumentError(error.fact, place=_placed(error.place, name), hint=error.hint) from None
    except OSError as error:
        raise unreadable(error, name) from None


def _placed(place: Place | str | None, name: str) -> Place | str:
    return Place(name, place.line, place.column) if isinstance(place, Place) else name
