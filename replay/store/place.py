"""Where results are kept unless somebody names another file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from replay.finding import find_settings

FOLDER: Final = ".replay"
NAME: Final = "runs.sqlite"


def default_store() -> Path:
    """Return where results are kept for this folder: .replay/ beside the settings."""
    settings = find_settings(Path.cwd())
    folder = settings.parent if settings else Path.cwd()
    path = folder / FOLDER / NAME
    return Path(os.path.relpath(path)) if path.is_relative_to(Path.cwd()) else path
