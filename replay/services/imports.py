"""What a Python imports from the working tree of a repository, wherever it is started: editable installs, and paths.

A side that is a commit has to have these from its own files, or both sides would be of one version and nobody saw it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from replay.models import TargetSpec
from replay.services.commands import inherited, is_shell, words_of

Environment = frozenset[tuple[str, str]]

_SECONDS: Final = 20.0
INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_PYTHONS: Final = ("python", "pypy")
_PROBE: Final = """
import json, sys
from importlib import metadata
mapped, projects = {}, {}
for name, module in list(sys.modules.items()):
    if name.startswith("__editable___"):
        mapped.update(getattr(module, "MAPPING", {}))
redirector = sys.modules.get("editables.redirector")
if redirector is not None:
    mapped.update(redirector.RedirectingFinder._redirections)
for found in metadata.distributions():
    told = json.loads(found.read_text("direct_url.json") or "{}")
    if told.get("dir_info", {}).get("editable"):
        projects[found.metadata["Name"]] = told["url"]
print(json.dumps([sys.path, mapped, projects]))
"""
"""Asks what is looked through for modules, which modules setuptools and `editables` map, and what is editable."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is imported from a working tree: all folders are relative to its top."""

    folders: tuple[str, ...] = ()
    """Where modules are looked for, in that order."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """What is installed in editable mode, by its name, and where that lies."""

    def astray(self, there: Iterable[str]) -> list[str]:
        """Return the projects that have none of their folders among those that are there, and so are of no commit."""
        kept = [Path(folder) for folder in there]
        return [name for name, home in self.projects.items() if not any(it.is_relative_to(home) for it in kept)]


def taken_from(repository: Path, spec: TargetSpec) -> Taken:
    """Return what the Python of a side imports from a repository. Of a command that is known to be none, nothing."""
    python = python_of(spec)
    return Taken() if python is None else _asked(python, repository.resolve(), environment_of(spec))


def environment_of(spec: TargetSpec) -> Environment:
    """Return the variables with which the Python of a side is asked, as a key."""
    env = {name: value for name, value in inherited().items() if name not in {"PYTHONHOME", "VIRTUAL_ENV"}}
    return frozenset({**env, **spec.env}.items())


def is_python(program: str) -> bool:
    """Tell whether a program is an interpreter, by its name."""
    return Path(program).name.startswith(_PYTHONS)


def python_of(spec: TargetSpec) -> str | None:
    """Return the interpreter that a side is started with, as far as its command tells."""
    if spec.run is None:
        return sys.executable
    path = spec.env.get("PATH")
    name = words_of(spec.run)[0]
    if is_shell(name):
        return shutil.which("python3", path=path) or shutil.which("python", path=path)
    if os.sep in name and not Path(name).is_absolute():
        return None  # It is a file of the commit, or was made by its setup.
    program = shutil.which(name, path=path)
    if program is None or is_python(program):
        return program
    return _named_by(Path(program), path)


def _named_by(script: Path, path: str | None) -> str | None:
    """Return the Python that the first line of a script names."""
    try:
        with script.open("rb") as file:
            words = file.readline(500).decode("utf-8", "replace").removeprefix("#!").split()
    except OSError:
        return None
    named = [word for word in words if is_python(word)]
    return shutil.which(named[0], path=path) if named else None


def told_by(python: str, program: str, *words: str, env: Environment) -> Any:
    """Return what an interpreter tells as JSON in its last line; None of one that cannot, and is no Python, or old."""
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        asked = subprocess.run(  # noqa: S603 - the interpreter that the side is started with
            [python, "-c", program, *words],
            cwd=os.sep,
            env=dict(env),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        return json.loads(asked.stdout.splitlines()[-1])
    return None


@lru_cache(maxsize=16)
def _asked(python: str, repository: Path, env: Environment) -> Taken:
    """Ask an interpreter. One that cannot tell is too old to have anything in editable mode, or no Python."""
    told = told_by(python, _PROBE, env=env)
    if told is None:
        return Taken()
    path, mapped, projects = told
    looked = [*filter(None, path), *filter(None, (_folder_of(name, Path(place)) for name, place in mapped.items()))]
    homes = {name: unquote(urlsplit(url).path) for name, url in projects.items()}
    folders = filter(None, (_below(repository, place) for place in looked))
    return Taken(
        tuple(dict.fromkeys(folders)),
        {name: below for name, home in homes.items() if (below := _below(repository, home))},
    )


def _folder_of(module: str, place: Path) -> str:
    """Return the folder in which a module would be found where it is mapped to; empty where none would do."""
    file = place.parent if place.name == "__init__.py" else place.with_suffix("")
    parts = module.split(".")
    return str(file.parents[len(parts) - 1]) if file.parts[-len(parts) :] == tuple(parts) else ""


def _below(repository: Path, place: str) -> str:
    """Return where a place is below the top of a repository; empty for one elsewhere, or of what is installed there."""
    real = Path(place).resolve()
    if not real.is_relative_to(repository):
        return ""
    below = real.relative_to(repository)
    inside = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    installed = any(
        home != repository and home.is_relative_to(repository) and real.is_relative_to(home) for home in inside
    )
    return "" if installed or INSTALLED.intersection(below.parts) else str(below)
