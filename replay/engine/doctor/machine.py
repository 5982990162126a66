"""What is known of this machine: versions, the store, the disk, the key of the masks."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from replay import __version__
from replay.engine.doctor.findings import Finding
from replay.errors import StoreError
from replay.privacy import MaskKey
from replay.store.sqlite import SqliteStore

_LEAST: Final = 2**30
"""Bytes that have to be free: a run of a million cases takes about as much."""
_PARTS: Final = ("freezegun", "httptools", "uvloop")


def machine(store: Path, key: MaskKey) -> Iterator[Finding]:
    """Yield what was found; nothing is written but a file that is taken away at once."""
    yield _versions()
    yield _masks(key)
    yield _store(store)
    yield _disk(store)


def _versions() -> Finding:
    parts = [f"{name} {_version(name)}" for name in _PARTS]
    known = f"replay {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return Finding("versions", "well", ", ".join([known, *parts, f"{platform.system()} {platform.machine()}"]))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _masks(key: MaskKey) -> Finding:
    always = "secrets become tokens before anything is written"
    if key.made:
        own = "under a key of each run's own; with REPLAY_MASK_KEY or a file, those of two runs can be compared"
        return Finding("masks", "well", f"{always}, {own}")
    return Finding("masks", "well", f"{always}, under the key {key.fingerprint}")


def _store(path: Path) -> Finding:
    if not path.exists():
        folder = _nearest(path)
        if os.access(folder, os.W_OK | os.X_OK):
            return Finding("store", "well", f"{path} will be made by the first run")
        return Finding("store", "mend", f"{path} cannot be made: {folder} is read-only", "give --store FILE")
    try:
        with SqliteStore.open(path, create=False) as store:
            count = sum(1 for _ in store.runs())
    except StoreError as error:
        return Finding("store", "mend", str(error.place or path) + f": {error.fact}", error.hint or "give --store FILE")
    # SQLite keeps a journal beside it, so that the folder has to be writable too.
    if not all(os.access(it, os.W_OK) for it in (path, path.resolve().parent)):
        return Finding("store", "mend", f"{path} cannot be written to", "mend its permissions, or give --store FILE")
    return Finding("store", "well", f"{path}, {count} {'run' if count == 1 else 'runs'}")


def _nearest(path: Path) -> Path:
    """Return the folder in which something would have to be made first."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _disk(path: Path) -> Finding:
    free = shutil.disk_usage(_nearest(path)).free
    fact = f"{free / 2**30:,.1f} GiB free for the store"
    if free < _LEAST:
        return Finding("disk", "mend", fact, "make room, or give --store FILE on another disk")
    return Finding("disk", "well", fact)
