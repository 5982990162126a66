"""Work trees of commits, made once and kept: what a run needs it holds, and the oldest of the others make room."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from replay.errors import SettingsError
from replay.services.cache import Removed, cache_folder, cache_root, unwritable
from replay.services.git import Commit, check_out, put_back

TREES_KEPT: Final = 10
"""How many work trees are kept that no run holds."""
FOLDER: Final = "trees"


@contextmanager
def work_tree(commit: Commit) -> Iterator[Path]:
    """Give the folder with a commit's files, and hold it. Raise SettingsError where it cannot be checked out.

    Files that are not the commit's, such as what a setup has built, are there again the next time.
    """
    folder = tree_of(commit)
    with _held(_lock_of(folder)) as lock:
        # Nobody else holds it: whatever changed its files meanwhile, they are those of the commit again.
        if folder.is_dir() and _hold(lock, alone=True, wait=False) and not put_back(commit, folder):
            _discard(folder)
        _hold(lock, alone=False)
        if not folder.is_dir():
            _hold(lock, alone=True)
            if not folder.is_dir():
                _make(commit, folder)
            _hold(lock, alone=False)
        os.utime(lock.fileno())
        _make_room(folder)
        yield folder


@contextmanager
def _held(path: Path) -> Iterator[IO[str]]:
    """Open a lock that nobody has removed meanwhile; it is held once this is entered."""
    while True:
        with _opened(path) as lock:
            _hold(lock, alone=False)
            with suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                    yield lock
                    return


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a")
    except OSError as error:
        raise unwritable(path, error) from None


def tree_of(commit: Commit) -> Path:
    """Return where the files of a commit are kept; its repository is part of that, for its objects are borrowed."""
    owner = hashlib.sha256(os.fsencode(commit.repository)).hexdigest()[:8]
    return cache_folder(FOLDER) / f"{commit.repository.name[:40]}-{owner}-{commit.id}"


def _make(commit: Commit, folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        check_out(commit, partial)
        partial.rename(folder)
    except OSError as error:
        raise unwritable(partial, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _discard(folder: Path) -> None:
    """Remove a tree that is damaged: what is left of it must not pass for the commit."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        fact = f"what is kept of this commit is damaged, and cannot be removed: {error.strerror}"
        raise SettingsError(fact, place=str(folder), hint="remove it") from None


def _make_room(mine: Path) -> None:
    others = [lock for lock in _locks() if lock != _lock_of(mine)]
    for lock in others[: max(0, len(others) - TREES_KEPT + 1)]:
        _remove(lock)


def remove_trees() -> Removed:
    """Remove every work tree that no run holds."""
    return sum((_remove(lock) for lock in _locks()), Removed())


def _locks() -> list[Path]:
    """Return the locks of all work trees, the one that was used longest ago first."""
    found = (cache_root() / FOLDER).glob("*.lock")
    return sorted(found, key=lambda path: path.stat().st_mtime if path.exists() else 0.0)


def _remove(lock: Path) -> Removed:
    folder = lock.with_name(lock.name.removesuffix(".lock"))
    with suppress(OSError), lock.open("a") as held:
        if not _hold(held, alone=True, wait=False):
            return Removed(held=1)
        size = size_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.with_name(f"{folder.name}.partial"), ignore_errors=True)
        if folder.exists():
            return Removed(held=1)
        lock.unlink(missing_ok=True)
        return Removed(1, size)
    return Removed()


def size_of(folder: Path) -> int:
    """Return how many bytes the files in a folder take; links are not followed."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += (Path(root) / name).lstat().st_size
    return total


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _hold(lock: IO[str], *, alone: bool, wait: bool = True) -> bool:
    """Hold a work tree, alone or with others; return whether it could be had. It ends with the process."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
