"""The key and the rules by which this folder's settings take secrets out of all that is written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from replay.cli.stored import FOLDER
from replay.config import Project
from replay.privacy import MaskKey, Redactor, key_from_environment


def redactor_for(project: Project, known: Collection[str] = ()) -> Redactor:
    """Return what makes tokens by the settings; `known` are secrets that no case shows, beside those of the settings.

    Raise SettingsError for a file of the key that cannot be read or is no secret.
    """
    return Redactor(key_for(project), project.masks, project.secrets | frozenset(known))


def key_for(project: Project) -> MaskKey:
    """Return the key that the environment or the settings name, else one of its own."""
    named = project.settings.mask_key_file
    file = None if named is None else project.root / Path(named).expanduser()
    return key_from_environment(os.environ, file=file, shared=_shared(project))


def _shared(project: Project) -> Iterator[Path]:
    """Yield the folders below the settings that are handed around: what is kept in them must not lie beside its key."""
    settings = project.settings
    folders = [settings.goldens or "goldens", *map(_folder, settings.traffic), FOLDER]
    for folder in (project.root / name for name in folders):
        # A pattern such as *.jsonl names the whole project, in which a key may well lie.
        if not project.root.resolve().is_relative_to(folder.resolve()):
            yield folder


def _folder(pattern: str) -> str:
    plain = [part for part in Path(pattern).parts[:-1] if not set(part) & set("*?[")]
    return str(Path(*plain)) if plain else "."
