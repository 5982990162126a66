"""From settings and flags to the two sides: borrowed, located, resolved and checked, nothing started."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from replay.config import Project, check_target
from replay.documents import canonical_json
from replay.engine.plan import Stage
from replay.errors import InputError, SettingsError
from replay.models import SIDES, Side, TargetSpec
from replay.services.commands import shown_command, words_of
from replay.services.copies import installed_copy
from replay.services.git import Commit, is_tracked, label_of, resolve
from replay.targets import TARGETS, borrowed, build_target, parse_target
from replay.targets.reshaping import Shape
from replay.wire import Address, Origin

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of a plan, and of which commit the files of each are, where they are those of one."""

    specs: Mapping[Side, TargetSpec]
    commits: Mapping[Side, Commit] = field(default_factory=dict)
    places: Mapping[Side, str] = field(default_factory=dict)
    """Where the code of each is, as it was written."""

    def showing(self, clean: Callable[[str], str]) -> dict[Side, TargetSpec]:
        """Return the sides with what is started for them as reports print it."""
        return {side: _showing(spec, self.places.get(side, ""), clean) for side, spec in self.specs.items()}

    def stage(self, redact: Callable[[str], str], instant: datetime) -> Stage:
        """Return what has to be known to start them; `redact` takes secrets out of a line of output."""
        return Stage(self.commits, redact, instant)


def given_side(side: Side, old: str | None, new: str | None, project: Project) -> TargetSpec | None:
    """Return what stands behind a side: a flag beats the settings. `git:REF` alone takes the rest from a side.

    That is this side as the settings have it, or else the other one. Raise SettingsError where neither can be started.
    """
    flags: dict[Side, str | None] = {"old": old, "new": new}
    settings: dict[Side, TargetSpec | None] = {"old": project.settings.old, "new": project.settings.new}
    given = {each: settings[each] if (flag := flags[each]) is None else parse_target(flag) for each in SIDES}
    spec, (other,) = given[side], [each for each in SIDES if each != side]
    try:
        return None if spec is None else borrowed(spec, settings[side], given[other], settings[other])
    except SettingsError as error:
        raise SettingsError(f"{side}: {error.fact}", hint=error.hint) from None


def planned_sides(project: Project, old: str | None, new: str | None, writable: str | None) -> Sides:
    """Decide what stands behind both sides. Raise InputError, naming the side, for what makes no sense."""
    given = {side: given_side(side, old, new, project) for side in SIDES}
    if given["new"] is None:
        raise SettingsError("there is no new side", hint="write new: in replay.yaml, or give --new URL")
    specs = {side: spec for side, spec in given.items() if spec is not None}
    if all(side in specs and specs[side].recorded for side in SIDES):
        raise SettingsError("both sides are recorded, so nothing would be put to the test", hint="give --new URL")
    ports = [spec.port for spec in specs.values() if spec.port is not None]
    if len(set(ports)) < len(ports):
        # Two servers may share a port, and each request would go to either of them.
        raise SettingsError(f"both sides listen on port {ports[0]}", hint="give each its own, or leave `port` out")
    located: dict[Side, TargetSpec] = {}
    commits: dict[Side, Commit] = {}
    for side, spec in specs.items():
        with_flag = spec.model_copy(update={"writable": True}) if writable in (side, "both") else spec
        try:
            located[side], commit = _located(with_flag, project.root)
            check_target(located[side], project.root)
            build_target(located[side], concurrency=1)
            _require_own(located[side], commit)
        except InputError as error:
            raise type(error)(f"{side}: {error.fact}", place=error.place, hint=error.hint) from None
        if commit is not None:
            commits[side] = commit
    places = {side: at for side, spec in specs.items() if (at := spec.at) is not None and at != "path:."}
    return Sides(located, commits, places)


def _located(spec: TargetSpec, root: Path) -> tuple[TargetSpec, Commit | None]:
    """Make paths absolute, and a ref its commit: both are as seen from the settings, wherever the command was typed."""
    kind, _, name = (spec.at or "").partition(":")
    if _has_its_own_way(spec, kind, root / name):
        # It is the same folder, whatever version of the code `at` names: both sides would be of one.
        raise SettingsError(f"cwd {spec.cwd} is not in {spec.at}", hint="write it relative to the settings")
    if kind == "git":
        commit = resolve(root, name)
        return _with_files(spec, root, {"at": f"git:{commit.id}", "version": spec.version or commit.short}), commit
    home = root / name if kind == "path" and spec.run is not None else root
    located: dict[str, object] = {"cwd": str(home / spec.cwd) if spec.cwd else str(home)}
    if name and kind in {"path", "venv"}:
        located["at"] = f"{kind}:{root / name}"
    if spec.run is not None and spec.version is None:
        located["version"] = label_of(home) or None if kind != "venv" and home.is_dir() else None
    return _with_files(spec, root, located), None


def _require_own(spec: TargetSpec, commit: Commit | None) -> None:
    """Refuse a command of a commit that would import an installed copy of what the commit holds: both sides would."""
    copy = None if commit is None else installed_copy(commit, spec)
    if commit is not None and copy is not None:
        fact = f"{copy.name} would be imported from an installed copy, and not from {commit.name}, which holds it"
        hint = (
            f"env: {{PYTHONPATH: {copy.folder}}} has the commit's own come first; or have `setup` make an environment"
        )
        raise SettingsError(fact, place=copy.place, hint=hint)


def _has_its_own_way(spec: TargetSpec, kind: str, home: Path) -> bool:
    """Tell whether a side is to run in a folder that has nothing to do with where its code is."""
    if not spec.cwd or not Path(spec.cwd).is_absolute():
        return False
    return kind == "git" or (kind == "path" and spec.run is not None and not Path(spec.cwd).is_relative_to(home))


def _with_files(spec: TargetSpec, root: Path, located: dict[str, object]) -> TargetSpec:
    if spec.unix:
        located["unix"] = str(root / spec.unix)
    if spec.tls is not None:
        files = {name: str(root / path) for name in ("ca", "cert", "key") if (path := getattr(spec.tls, name))}
        located["tls"] = spec.tls.model_copy(update=files)
    return spec.model_copy(update=located)


def _showing(spec: TargetSpec, place: str, clean: Callable[[str], str]) -> TargetSpec:
    """Return a side with what is started as reports print it, and where its code is; its version stands beside that."""
    started = shown_command(words_of(spec.run)) if spec.run is not None else spec.app or spec.function
    if started is None or (spec.run is None and not place.startswith("git:")):
        return spec
    return spec.showing(clean(started) + (f" at {place}" if place else ""))


def one_commit(sides: Sides) -> str:
    """Return the commit that both sides run, where one is a ref and the other the working tree; else an empty text."""
    old, new = sides.specs["old"], sides.specs["new"]
    ways = {without_place(spec) for spec in (old, new)}
    homes = {_home(spec, sides.commits.get(side)).resolve() for side, spec in sides.specs.items()}
    versions = {_version(spec) for spec in (old, new)}
    alike = bool(sides.commits) and len(versions) == len(ways) == len(homes) == 1
    return versions.pop() if alike else ""


def _version(spec: TargetSpec) -> str:
    """Return what a side is a version of; one that is imported from the working tree does not say it by itself."""
    if spec.version is not None or spec.run is not None or (spec.at or "").startswith("venv:"):
        return spec.version or ""
    return label_of(Path(spec.cwd or "."))


def without_place(spec: TargetSpec) -> str:
    """Return what stands behind a side, wherever its files lie."""
    return behind(spec.model_copy(update={"at": None, "cwd": None}))


def _home(spec: TargetSpec, commit: Commit | None) -> Path:
    """Return where in the repository a side is at home, also where it is in a work tree of its own."""
    return (commit.repository / commit.below if commit else Path()) / (spec.cwd or "")


def from_working_tree(spec: TargetSpec, commit: Commit) -> str:
    """Return a file of the working tree that a side names, though its own files are those of a commit; else nothing."""
    values = [part for value in spec.env.values() for part in value.split(os.pathsep)]
    named = [*(words_of(spec.run) if spec.run is not None else ()), *values]
    return next((path for path in named if Path(path).is_absolute() and is_tracked(commit.repository, Path(path))), "")


def behind(spec: TargetSpec) -> str:
    """Return a text that identifies what stands behind a side: the same for two spellings of one service."""
    if spec.url is not None:
        origin = Origin.parse(spec.url)
        to = Address.parse(spec.connect) if spec.connect else Address(origin.host, origin.port)
        # Behind one address there may be several services, told apart by the names under which they are asked.
        name, at = (f"{'127.0.0.1' if it.host in _LOCAL else it.host}:{it.port}" for it in (origin, to))
        parted = spec.model_dump_json(include={"routes", "via"})
        return f"{origin.scheme}://{name}{origin.base} at {spec.unix or at} {parted}"
    return canonical_json(spec.model_dump(mode="json", include={*TARGETS, "at", "cwd", "env", "routes", "via"}))


def shapes_of(sides: Mapping[Side, TargetSpec]) -> dict[Side, Shape]:
    """Return what reshapes the requests of each side that has a `via`."""
    return {side: Shape(spec.via) for side, spec in sides.items() if spec.via is not None}
