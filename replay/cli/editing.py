"""Changes to settings and goldens, made as text and read back before anybody is asked whether to write them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from replay.cases import read_goldens
from replay.cli.checking import check_rules
from replay.config import Project, load_project, overlay_path
from replay.curation.changes import Change, held
from replay.curation.patching import with_rules
from replay.curation.remedies import Remedy
from replay.documents import read_yaml
from replay.errors import DocumentError, InputError, SettingsError

_BY_HAND: Final = "put the rule in by hand"


def rules_file(project: Project, env: str | None) -> Path:
    """Return the file whose `compare` counts: the environment's own where it has one.

    Raise SettingsError where there is none that could be edited.
    """
    if project.file is None:
        raise SettingsError("there is no replay.yaml that a rule could be written into", hint="`replay init` makes one")
    if env is not None:
        overlay = overlay_path(project.file, env)
        if "compare" in read_yaml(overlay.read_bytes(), overlay.name).mapping():
            return overlay
    if project.file.suffix == ".toml":
        raise SettingsError("rules in pyproject.toml are not edited", hint=f"move them to replay.yaml, or {_BY_HAND}")
    return project.file


def settings_change(project: Project, env: str | None, remedy: Remedy) -> tuple[Change, Project]:
    """Return the change that puts rules behind those of the settings, and the settings as they are then.

    Raise InputError where the file is written so that it could not be changed safely, or the rules make no sense.
    """
    path = rules_file(project, env)
    before = held(path) or b""
    after = _text(path, before, remedy.texts)
    with _safely(path):
        tried = partial(load_project, project.root, environment=os.environ, file=project.file, env=env)
        changed = tried(read=lambda file: after if file == path else file.read_bytes())
    wanted = project.settings.model_copy(update={"compare": (*project.settings.compare, *remedy.rules)})
    if changed.settings != wanted:
        raise _unsafe(path)
    return Change(path, before, after), changed


def golden_change(project: Project, folder: Path, remedy: Remedy) -> Change:
    """Return the change that puts rules behind a golden's own. Raise InputError as `settings_change` does."""
    path = golden_file(folder, str(remedy.golden))
    before = held(path) or b""
    after = _text(path, before, remedy.texts)
    with _safely(path):
        ones, others = (read_goldens(data, str(remedy.golden), path) for data in (before, after))
    if tuple(replace(one, rules=(*one.rules, *remedy.rules)) for one in ones) != others:
        raise _unsafe(path)
    check_rules(project, others[0], others[0].rules, "compare")
    return Change(path, before, after)


def golden_file(folder: Path, name: str) -> Path:
    """Return where a golden lies. Raise InputError where it is not there any more."""
    for suffix in (".yaml", ".yml"):
        if (path := folder / f"{name.partition('#')[0]}{suffix}").is_file():
            return path
    raise InputError(f"there is no golden '{name}' any more", place=str(folder))


def _text(path: Path, before: bytes, rules: Sequence[str]) -> bytes:
    try:
        return with_rules(before.decode("utf-8"), rules).encode()
    except UnicodeDecodeError:
        raise _unsafe(path) from None


@contextmanager
def _safely(path: Path) -> Iterator[None]:
    try:
        yield
    except DocumentError as error:
        raise _unsafe(path) from error


def _unsafe(path: Path) -> InputError:
    return InputError("is written in a way that cannot be changed safely", place=str(path), hint=_BY_HAND)
