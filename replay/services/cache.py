"""Where this tool keeps what can be made again: work trees of commits, and which processes it has started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replay.errors import SettingsError

VARIABLE: Final = "REPLAY_CACHE"


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed: how many things, how many bytes; and how many stay since a run holds them."""

    count: int = 0
    size: int = 0
    held: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.count + other.count, self.size + other.size, self.held + other.held)


def cache_folder(*parts: str) -> Path:
    """Return a folder in the cache, readable for its owner alone. Raise SettingsError where none can be made.

    The cache is $REPLAY_CACHE, else `replay` in $XDG_CACHE_HOME or in ~/.cache.
    """
    folder = cache_root().joinpath(*parts)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fact = f"the cache cannot be made: {error.strerror}"
        raise SettingsError(fact, place=str(folder), hint=f"name another folder in {VARIABLE}") from None
    return folder


def unwritable(place: Path, error: OSError) -> SettingsError:
    """Return how to tell that nothing can be written in the cache."""
    hint = f"make room, or name another folder in {VARIABLE}"
    return SettingsError(f"the cache cannot be written: {error.strerror}", place=str(place), hint=hint)


def cache_root() -> Path:
    """Return where the cache is, whether or not it is there."""
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base else Path(os.path.expanduser("~/.cache"))  # noqa: PTH111 - never raises
    return folder.absolute() / "replay"
