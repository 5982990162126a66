"""The key and the rules by which this folder's settings take secrets out of all that is written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from replay.cases import CaptureFile, Source
from replay.cases.masked import key_of
from replay.cli.inputs import Lenient
from replay.config import Project, load_project
from replay.engine.masked import MaskedSides
from replay.models import Side, TargetSpec
from replay.privacy import MaskKey, Redactor, key_from_environment
from replay.store.place import FOLDER


def masking_project(env: str | None = None) -> Project:
    """Read the settings of this folder for what they say of masking: variables that sides need may be unset."""
    # Mostly they are URLs and credentials.
    return load_project(Path.cwd(), environment=Lenient(os.environ, "http://unset.invalid"), env=env)


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


def masked_sides(redactor: Redactor, sides: Mapping[Side, TargetSpec], sources: Iterable[Source]) -> MaskedSides:
    """Return what is known of recorded answers that are masked already: by which keys, as far as captures tell."""
    captures = [source for source in sources if isinstance(source, CaptureFile)]
    told = {source.file: key for source in captures if (key := key_of(source.facts)) is not None}
    own = None if redactor.key.made else redactor.key.fingerprint
    return MaskedSides(redactor.result, own, recorded="old" in sides and bool(sides["old"].recorded), keys=told)


def key_warnings(masks: MaskedSides) -> Iterator[str]:
    """Yield each capture whose recorded answers are masked with another key than the run's."""
    for file, key in masks.keys.items():
        if masks.recorded and key != masks.key:
            own = f"with {masks.key}" if masks.key is not None else "without a key: set REPLAY_MASK_KEY"
            fact = f"{file} is masked with the key {key}, and this run works {own}"
            yield f"{fact}; where answers hold tokens nothing can be compared, and old counts as failed"


def parting_words(redactor: Redactor, *, forked: bool) -> str:
    """Return the note on a key that was made for this run and has made tokens; empty where there is nothing to note.

    Where processes were `forked`, nobody knows whether it made any, and the note is given.
    """
    if not redactor.key.made or not (redactor.tokeniser.used or forked):
        return ""
    return "secrets are stored as tokens of a key that is forgotten now: REPLAY_MASK_KEY gives all runs the same tokens"


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
