"""What a Python has as an installed copy of what a commit holds: a side that imports it is of no version of its own.

It is looked for before anything starts: which modules the commit has, where the Python of the command finds those of
their names, and whether the command looks into the commit's files before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from replay.models import TargetSpec
from replay.services.commands import words_of
from replay.services.git import Commit, files_of
from replay.services.imports import (
    INSTALLED,
    Environment,
    environment_of,
    is_python,
    python_of,
    taken_from,
    told_by,
)

_NEVER_SHIPPED: Final = frozenset(
    {"bench", "benchmarks", "conftest", "docs", "examples", "noxfile", "scripts", "setup", "test", "tests", "tools"}
)
"""What stands at the top of many a repository, and of many an environment by some package's mistake."""
_LOOK_HERE: Final = frozenset({"uvicorn", "gunicorn", "hypercorn", "flask", "waitress-serve", "celery"})
"""Programs that look for modules in the folder that they are started in, and in the one that a flag names."""
_PROBE: Final = """
import json, sys
from importlib.machinery import PathFinder
found = {}
for name in json.loads(sys.argv[1]):
    try:
        spec = PathFinder.find_spec(name, [place for place in sys.path if place])
    except Exception:
        continue
    if spec is not None:
        found[name] = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A module that would be imported from where it is installed, and the commit's own folder with one of that name."""

    name: str
    place: str
    folder: str
    """As the command would name it: relative to where it runs."""


def installed_copy(commit: Commit, spec: TargetSpec) -> Copy | None:
    """Return what a command would import from an installed copy although the commit holds it; None where nothing is.

    Apps and functions are none of its business: their workers watch what they import.
    """
    python = None if spec.run is None else python_of(spec)
    if spec.run is None or python is None:
        return None
    own = _modules(commit)
    here = _normal(commit.below, spec.cwd or "")
    first = {*_looked_into(words_of(spec.run), spec, here), *taken_from(commit.repository, spec).folders}
    found = _found(python, tuple(own), environment_of(spec)) if own else {}
    for name, place in found.items():
        if INSTALLED.intersection(Path(place).parts) and first.isdisjoint(own[name]):
            return Copy(name, place, os.path.relpath(own[name][0], here))
    return None


def _modules(commit: Commit) -> Mapping[str, tuple[str, ...]]:
    """Return the modules and packages of a commit by the folders that hold them: top, settings, `src` below."""
    roots = {_normal(home, folder) for home in ("", commit.below) for folder in ("", "src")}
    held: dict[str, list[str]] = {}
    for path in files_of(commit):
        for folder, name in _read(path):
            if folder in roots and not (name in _NEVER_SHIPPED and not folder.endswith("src")):
                held.setdefault(name, []).append(folder)
    return {name: tuple(dict.fromkeys(folders)) for name, folders in held.items()}


def _read(path: str) -> Iterator[tuple[str, str]]:
    """Yield in which folder a file would make a module, or be of a package, of which name."""
    if path.endswith(".py"):
        *above, holder, name = ["", *path.split("/")]
        if name != "__init__.py" and name[:-3].isidentifier():
            yield _normal(*above, holder), name[:-3]
        if holder.isidentifier():
            yield _normal(*above), holder


def _normal(*parts: str) -> str:
    return os.path.normpath(os.path.join(*parts)) if any(parts) else "."  # noqa: PTH118 - no path of a disk


def _looked_into(words: tuple[str, ...], spec: TargetSpec, here: str) -> Iterator[str]:
    """Yield the folders of the commit in which a command looks for modules before it looks among the installed ones."""
    name, *rest = words
    options = _options(rest) if is_python(name) else ""
    if not {"I", "E"}.intersection(options):
        paths = spec.env.get("PYTHONPATH", "").split(os.pathsep)
        yield from (_normal(here, path) for path in paths if path and not Path(path).is_absolute())
    if Path(name).name in _LOOK_HERE:
        yield here
        yield from (_normal(here, word.rpartition("=")[2]) for word in rest if not word.startswith("/"))
    elif is_python(name) and not {"I", "P"}.intersection(options) and "PYTHONSAFEPATH" not in spec.env:
        yield from _beside(rest, here)


def _options(words: list[str]) -> str:
    """Return the letters of a Python's own options, up to what it runs."""
    letters = ""
    for word in words:
        if not word.startswith("-") or word == "-":
            break
        letters += word[1:]
        if {"m", "c"}.intersection(word[1:]):
            break
    return letters


def _beside(words: list[str], here: str) -> Iterator[str]:
    """Yield where a Python looks first: where it runs, or where the script lies that it runs."""
    takes = False
    for word in words:
        if takes or word in {"-W", "-X"}:
            takes = not takes
        elif word.startswith("-"):
            if {"m", "c"}.intersection(word[1:]) and not word.startswith(("--", "-X", "-W")):
                yield here
                return
        else:
            script = Path(word)
            if not script.is_absolute():
                yield _normal(here, str(script if not script.suffix else script.parent))
            return


@lru_cache(maxsize=16)
def _found(python: str, names: tuple[str, ...], env: Environment) -> Mapping[str, str]:
    """Ask an interpreter where it finds modules, by their names."""
    told = told_by(python, _PROBE, json.dumps(names), env=env) or {}
    return {str(name): str(place) for name, place in told.items()}
