"""Changes to settings and goldens, made as text and read back before anybody is asked whether to write them."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from replay.curation.spelling import toml_rule
from replay.documents import read_yaml
from replay.errors import DocumentError, InputError, SettingsError

_BY_HAND: Final = "put the rule in by hand"


def rules_file(project: Project, env: str | None, remedy: Remedy) -> Path:
    """Return the file whose `compare` counts: the environment's own where it has one.

    Raise SettingsError, with the rules to put in, where there is none that could be edited.
    """
    if project.file is None:
        raise SettingsError("there is no replay.yaml that a rule could be written into", hint="`replay init` makes one")
    if env is not None:
        overlay = overlay_path(project.file, env)
        if "compare" in read_yaml(overlay.read_bytes(), overlay.name).mapping():
            return overlay
    if project.file.suffix == ".toml":
        raise SettingsError("rules in pyproject.toml are not edited", hint=_in_toml(remedy))
    return project.file


def settings_change(project: Project, env: str | None, remedy: Remedy) -> tuple[Change, Project]:
    """Return the change that puts rules behind those of the settings, and the settings as they are then.

    Raise InputError where the file is written so that it could not be changed safely, or the rules make no sense.
    """
    path = rules_file(project, env, remedy)
    before = held(path) or b""
    after = _text(path, before, remedy)
    with _safely(path, remedy):
        tried = partial(load_project, project.root, environment=os.environ, file=project.file, env=env)
        changed = tried(read=lambda file: after if file == path else file.read_bytes())
    wanted = project.settings.model_copy(update={"compare": (*project.settings.compare, *remedy.rules)})
    if changed.settings != wanted:
        raise _unsafe(path, remedy)
    return Change(path, before, after), changed


def golden_change(project: Project, folder: Path, remedy: Remedy) -> Change:
    """Return the change that puts rules behind a golden's own. Raise InputError as `settings_change` does."""
    path = golden_file(folder, str(remedy.golden))
    before = held(path) or b""
    after = _text(path, before, remedy)
    with _safely(path, remedy):
        ones, others = (read_goldens(data, str(remedy.golden), path) for data in (before, after))
    if tuple(replace(one, rules=(*one.rules, *remedy.rules)) for one in ones) != others:
        raise _unsafe(path, remedy)
    check_rules(project, others[0], others[0].rules, "compare")
    return Change(path, before, after)


def golden_file(folder: Path, name: str) -> Path:
    """Return where a golden lies. Raise InputError where it is not there any more."""
    for suffix in (".yaml", ".yml"):
        if (path := folder / f"{name.partition('#')[0]}{suffix}").is_file():
            return path
    raise InputError(f"there is no golden '{name}' any more", place=str(folder))


def _text(path: Path, before: bytes, remedy: Remedy) -> bytes:
    try:
        return with_rules(before.decode("utf-8"), remedy.texts).encode()
    except (UnicodeDecodeError, LookupError):
        raise _unsafe(path, remedy) from None


@contextmanager
def _safely(path: Path, remedy: Remedy) -> Iterator[None]:
    try:
        yield
    except DocumentError as error:
        raise _unsafe(path, remedy) from error


def _unsafe(path: Path, remedy: Remedy) -> InputError:
    hint = "\n".join([f"{_BY_HAND}, under compare:", *(f"  - {text}" for text in remedy.texts)])
    return InputError("is written in a way that cannot be changed safely", place=str(path), hint=hint)


def _in_toml(remedy: Remedy) -> str:
    """Return what to put into pyproject.toml by hand."""
    given = (rule.model_dump(by_alias=True, exclude_unset=True) for rule in remedy.rules)
    try:
        lines = [f"  {toml_rule(rule)}," for rule in given]
    except ValueError:
        return "move them to replay.yaml: TOML cannot say null, which the rule needs"
    head = f"{_BY_HAND}, under [tool.replay], or move them to replay.yaml:"
    return "\n".join([head, "  compare = [", *(f"  {line}" for line in lines), "  ]"])
