"""Where the cases of a run come from: what was named on the command line, else what the settings name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from replay.cases import load_goldens, open_traffic
from replay.cases.base import Source
from replay.config import Project, load_project
from replay.errors import InputError


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the cases come from."""

    goldens: Path | None
    traffic: tuple[Path, ...]

    def sources(self, *, skip_bad: bool) -> list[Source]:
        """Return what reads them, goldens first."""
        goldens: list[Source] = [load_goldens(self.goldens)] if self.goldens is not None else []
        return goldens + [open_traffic(path, skip_bad=skip_bad) for path in self.traffic]


def inputs_of(project: Project, traffic: Sequence[str] = (), goldens: str | None = None) -> Inputs:
    """Return the inputs: flags beat the file, so once some are named on the command line, only those are taken.

    Raise InputError for what is not there.
    """
    if traffic or goldens is not None:
        return Inputs(_folder(Path(goldens) if goldens is not None else None), traffic_files(traffic, Path()))
    default = project.root / "goldens"
    named = project.settings.goldens
    folder = project.root / named if named is not None else default if default.is_dir() else None
    return Inputs(_folder(folder), traffic_files(project.settings.traffic, project.root))


def goldens_folder(given: Path | None = None) -> Path:
    """Return the folder that `replay run` reads goldens from, unless another one is given."""
    if given is not None:
        return given
    project = project_of_folders()
    return project.root / (project.settings.goldens or "goldens")


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise InputError("this is no folder with goldens", place=str(path), hint="`replay init` makes a first one")
    return from_here(path) if path is not None else None


def traffic_files(patterns: Sequence[str], root: Path) -> tuple[Path, ...]:
    """Return the files that paths and patterns name, each once. Raise InputError for what names none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = root / pattern
        paths = [path] if os.path.lexists(path) else sorted(map(Path, glob(str(path), recursive=True)))  # noqa: PTH207 - absolute patterns too
        if not paths:
            raise InputError(
                "there is no such traffic", place=pattern, hint="name a file, or a pattern that matches one"
            )
        found.update(dict.fromkeys(map(from_here, paths)))
    return tuple(found)


def from_here(path: Path) -> Path:
    """Return a path as people would type it from here, where it is below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def project_of_folders(env: str | None = None) -> Project:
    """Return the settings of this folder for whoever only asks them where goldens and traffic are."""
    return load_project(Path.cwd(), environment=Lenient(os.environ, ""), env=env)


class Lenient(dict[str, str]):
    """The environment, for reading settings without sending anything: a variable that is not set is no error."""

    def __init__(self, variables: Mapping[str, str], unset: str) -> None:
        """Take the variables there are, and what every other one is taken for."""
        super().__init__(variables)
        self._unset = unset

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return self._unset
