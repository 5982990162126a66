"""Where the settings of a folder stand. Nothing is read of them here: many commands only want to know the folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from replay.errors import SettingsError

FILE: Final = "replay.yaml"


def find_settings(start: Path) -> Path | None:
    """Return the nearest replay.yaml, or pyproject.toml with [tool.replay], up to the root of the repository."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        pyproject = folder / "pyproject.toml"
        if pyproject.is_file() and _has_table(pyproject):
            return pyproject
        if (folder / ".git").exists():
            break
    return None


def _has_table(pyproject: Path) -> bool:
    try:
        text = pyproject.read_text("utf-8-sig")
        return "replay" in tomllib.loads(text)["tool"]
    except (OSError, UnicodeDecodeError, KeyError, TypeError):
        return False
    except tomllib.TOMLDecodeError as error:
        if "[tool.replay" not in text:
            return False  # somebody else's broken file is no reason to refuse
        raise SettingsError(f"the file is no TOML: {error}", place=short_path(pyproject), hint="mend it") from None


def short_path(path: Path) -> str:
    """Return a path as people would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
