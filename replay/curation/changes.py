"""Changes to files that people wrote: shown before they are made, made whole or not at all, and taken back."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replay.errors import InputError

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
"""A line as `patch` knows it: a form feed within one ends none."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a file holds, and what it is to hold; `before` is None where there is no file yet."""

    path: Path
    before: bytes | None
    after: bytes

    @property
    def name(self) -> str:
        """Return the path as people would type it from here."""
        return os.path.relpath(self.path).replace(os.sep, "/")

    def diff(self) -> str:
        """Return the change as a unified diff that `patch -p0` and `git apply -p0` take."""
        before = self.before if self.before is not None else b""
        return unified(self.name, before.decode("utf-8"), self.after.decode("utf-8"), new=self.before is None)


@dataclass(slots=True)
class Desk:
    """Makes changes, and takes them back, the last one first."""

    made: list[Change] = field(default_factory=list)
    _folders: dict[Path, list[Path]] = field(default_factory=dict)

    def make(self, *changes: Change) -> None:
        """Write files, all of them or none.

        Raise InputError where one is not what it was when the change was shown, or cannot be written.
        """
        for change in changes:
            _require(change.path, change.before)
        before = len(self.made)
        for change in changes:
            if change.before is None:
                self._folders[change.path] = list(_missing(change.path.parent))
            try:
                write_whole(change.path, change.after)
            except InputError:
                while len(self.made) > before:
                    self.take_back()
                raise
            self.made.append(change)

    def take_back(self) -> Change:
        """Give the file of the last change what it held before. Raise InputError where somebody changed it since."""
        change = self.made[-1]
        _require(change.path, change.after)
        if change.before is None:
            change.path.unlink()
            for folder in self._folders.pop(change.path, ()):
                with suppress(OSError):  # somebody put something into it meanwhile
                    folder.rmdir()
        else:
            write_whole(change.path, change.before)
        return self.made.pop()


def held(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none. Raise InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it holds what it held or all of this, whatever happens. Raise InputError where it cannot.

    A link stays one, and the file keeps its permissions. What is read-only is meant to stay as it is.
    """
    target = path.resolve()
    if target.exists() and not os.access(target, os.W_OK):
        raise InputError("cannot be written: it is read-only", place=str(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-", suffix=".partial")
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.chmod(_permissions(target))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=str(path)) from None


def _permissions(path: Path) -> int:
    """Return those of a file, else those that a new one gets."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _require(path: Path, data: bytes | None) -> None:
    if held(path) != data:
        fact = "somebody has changed this file meanwhile" if data is not None else "there is a file here already"
        raise InputError(f"{fact}: nothing was written", place=str(path), hint="look at it, and try again")


def _missing(folder: Path) -> Iterator[Path]:
    """Yield the folders that are not there, the innermost first."""
    while not folder.exists():
        yield folder
        folder = folder.parent


def unified(name: str, before: str, after: str, *, new: bool = False) -> str:
    """Return the change as a unified diff that `patch -p0` and `git apply -p0` take."""
    first = "/dev/null" if new else name
    lines = difflib.unified_diff(_LINE.findall(before), _LINE.findall(after), first, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
