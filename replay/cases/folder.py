"""Which files below a folder are goldens, and what they are called."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from replay.cases.content import unreadable
from replay.documents import shown
from replay.errors import DocumentError

_SUFFIXES: Final = (".yaml", ".yml")

Inode = tuple[int, int]


def golden_files(folder: Path) -> list[tuple[str, Path]]:
    """Return the id and the path of each golden, by id. Raise DocumentError for twins, loops, and unreadable ones."""
    found: dict[str, tuple[str, Path]] = {}
    for path in _files(folder, ()):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if not name.isprintable():
            raise DocumentError("the name holds characters that cannot be printed", place=shown(str(path)))
        twin = found.setdefault(_folded(name), (name, path))
        if twin[1] != path:
            raise DocumentError(
                f"has the same id as {twin[1]}",
                place=str(path),
                hint="ids are paths without their suffix, alike in any case and any Unicode form; rename one",
            )
    return sorted(found.values())


def _folded(name: str) -> str:
    # Folding may undo the normal form, and some file systems know neither: all that they confuse is one id.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _files(folder: Path, above: tuple[Inode, ...]) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        inode = (status.st_dev, status.st_ino)
        if inode in above:
            raise DocumentError("a symbolic link leads back to a folder above", place=str(folder))
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                yield from _files(folder / entry.name, (*above, inode))
            elif Path(entry.name).suffix.lower() in _SUFFIXES:
                yield folder / entry.name
    except (OSError, ValueError) as error:
        raise unreadable(error, str(folder)) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        raise unreadable(error, entry.path) from None
