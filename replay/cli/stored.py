"""Finding the store that the other commands read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from replay.config import find_settings
from replay.errors import InputError
from replay.store.sqlite import SqliteStore

FOLDER: Final = ".replay"
NAME: Final = "runs.sqlite"


def opened_store(given: Path | None) -> SqliteStore:
    """Open the store that runs in this folder write to. Raise InputError where there is none yet."""
    path = given or default_store()
    if not path.exists():
        raise InputError("there is no store yet", place=str(path), hint="`replay run` makes one")
    return SqliteStore.open(path, create=False)


def default_store() -> Path:
    """Return where results are kept for this folder: .replay/ beside the settings."""
    settings = find_settings(Path.cwd())
    folder = settings.parent if settings else Path.cwd()
    path = folder / FOLDER / NAME
    return Path(os.path.relpath(path)) if path.is_relative_to(Path.cwd()) else path
