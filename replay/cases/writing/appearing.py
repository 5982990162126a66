"""Files that appear only once they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from replay.errors import InputError


@contextmanager
def appearing(path: Path, *, replacing: bool = False) -> Iterator[Path]:
    """Give a place for a file of this name, which takes its own once the block has ended well, and else vanishes.

    Raise InputError where there is something already, unless it is a file and to be replaced; a link is never
    followed, but replaced itself.
    """
    _require_free(path, replacing=replacing)
    make_folder_of(path)
    try:
        folder = TemporaryDirectory(prefix=".replay-", dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from None
    with folder as beside:
        yield (partial := Path(beside) / path.name)
        _require_free(path, replacing=replacing)  # again: it may have taken hours
        partial.replace(path)


def make_folder_of(path: Path) -> None:
    """Make the folder that a file belongs into; raise InputError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> InputError:
    """Return what the operating system said, as an error of ours."""
    return InputError(f"cannot be written: {(error.strerror or str(error)).lower()}", place=str(path))


def _require_free(path: Path, *, replacing: bool) -> None:
    if path.is_dir() or (os.path.lexists(path) and not (path.is_file() or path.is_symlink())):
        raise InputError("this is no file that could be replaced", place=str(path), hint="name a file")
    if os.path.lexists(path) and not replacing:
        raise InputError("there is a file here already", place=str(path), hint="name another one, or add --force")
