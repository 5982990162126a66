"""From what users write to the words of a command and the variables it gets. No shell has a part in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from replay.errors import SettingsError
from replay.models import TargetSpec
from replay.services.processes import MARK

PORT: Final = "{port}"
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "env"})
_OPERATOR: Final = re.compile(r"&&|\|\|?|;|&|[0-9]?>{1,2}(&[0-9])?|<")
_EXPANSION: Final = re.compile(r"\$[A-Za-z_(]|`")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_OURS: Final = re.compile(r"REPLAY_(?!DETERMINISM)")
"""Variables of this tool, such as the key of its tokens, are none of a service's business."""


def words_of(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return a command as words. Raise SettingsError for one that has none, or that only a shell could carry out."""
    words = _split(command) if isinstance(command, str) else command
    if not words or not words[0]:
        raise SettingsError("this command has no words", hint="write run: shop-server --port {port}")
    if any("\0" in word for word in words):
        raise SettingsError("a command holds no NUL", hint="take it out")
    return words


def _split(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise SettingsError(f"this command cannot be split into words: {str(error).lower()}", hint="close it") from None
    if words and Path(words[0]).name not in _SHELLS:
        _require_no_shell(words)
    return words


def _require_no_shell(words: tuple[str, ...]) -> None:
    """Refuse what would silently become an argument: whoever writes it expects a shell."""
    hint = "write sh -c '...' where you want one, or the words as a list"
    if _ASSIGNMENT.fullmatch(words[0]):
        raise SettingsError(f"'{words[0].partition('=')[0]}=' is for a shell, and none runs this", hint="use env:")
    for word in words:
        if _OPERATOR.fullmatch(word) or _EXPANSION.search(word):
            raise SettingsError(f"'{word}' is for a shell, and none runs this", hint=hint)


def is_shell(program: str) -> bool:
    """Tell whether a program starts others by what it is told, so that its own name says little."""
    return Path(program).name in _SHELLS


def filled(words: tuple[str, ...], port: int) -> tuple[str, ...]:
    """Return the words with the port in the place of `{port}`; nothing else is replaced."""
    return tuple(word.replace(PORT, str(port)) for word in words)


def inherited() -> dict[str, str]:
    """Return the variables of this process, but for this tool's own."""
    return {name: value for name, value in os.environ.items() if not _OURS.match(name)}


def environment(spec: TargetSpec, port: int, token: str) -> dict[str, str]:
    """Return the variables of a command: those of this process, what keeps it determinate, and the side's own."""
    kept = {name: value for name, value in inherited().items() if name not in {"PYTHONHOME", "VIRTUAL_ENV"}}
    fixed = {"PORT": str(port), "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", "TZ": "UTC"}
    own = {name: value.replace(PORT, str(port)) for name, value in spec.env.items()}
    variables = {**kept, **fixed, **_of_venv(spec.at, kept), **own, MARK: token}
    return {**variables, **_importing(spec, variables)}


def _importing(spec: TargetSpec, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what has a Python look into the files of a commit, before it looks into the working tree."""
    if spec.home is None or not spec.home.folders:
        return {}
    folders = map(str, spec.home.folders)
    return {"PYTHONPATH": os.pathsep.join((*folders, *filter(None, [variables.get("PYTHONPATH")])))}


def require_place(spec: TargetSpec) -> None:
    """Raise SettingsError where a command has no folder to run in, or no virtual environment that it is to have.

    The files of a commit are there once they are checked out.
    """
    kind, _, name = (spec.at or "").partition(":")
    if kind == "git" and name:
        return
    if spec.at is not None and (kind not in {"path", "venv"} or not name):
        raise SettingsError(
            f"'{spec.at}' is no place that code is had from", hint="write git:REF, path:DIR or venv:DIR"
        )
    _of_venv(spec.at, {})
    if spec.cwd is not None and not Path(spec.cwd).is_dir():
        raise SettingsError(f"the working directory {spec.cwd} is not there", hint="correct `cwd`, or `at: path:DIR`")


def _of_venv(at: str | None, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return what activating a virtual environment would set."""
    kind, _, folder = (at or "").partition(":")
    if kind != "venv":
        return {}
    programs = _programs(folder)
    if not programs.is_dir():
        raise SettingsError(f"no virtual environment in {folder}", hint=f"make it with: python -m venv {folder}")
    if shutil.which("python", path=str(programs)) is None:
        # The one of the system would take its place, with other packages, and nobody would see it.
        fact = f"the virtual environment in {folder} has no Python that can be started"
        raise SettingsError(fact, hint=f"make it again with: python -m venv --clear {folder}")
    return {"VIRTUAL_ENV": folder, "PATH": os.pathsep.join(filter(None, (str(programs), inherited.get("PATH"))))}


def _programs(folder: str) -> Path:
    return Path(folder) / ("Scripts" if os.name == "nt" else "bin")


def from_elsewhere(spec: TargetSpec) -> str:
    """Return the program that a command starts for want of one in its virtual environment; empty where it has it."""
    kind, _, folder = (spec.at or "").partition(":")
    if kind != "venv" or spec.run is None:
        return ""
    name = words_of(spec.run)[0]
    if os.sep in name or name in _SHELLS or shutil.which(name, path=str(_programs(folder))):
        return ""
    return shutil.which(name, path=spec.env.get("PATH")) or ""


def shown_command(words: tuple[str, ...]) -> str:
    """Return a command as one would type it."""
    return " ".join(word if PORT in word and " " not in word else shlex.quote(word) for word in words)
