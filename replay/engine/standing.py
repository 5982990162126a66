"""Sides that this tool starts: their commits checked out, their commands begun, waited for, and ended with the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from replay.engine.plan import Stage
from replay.engine.signals import caught, cut_off
from replay.errors import CutOffError, InputError, SettingsError, TargetError
from replay.models import Home, Side, Started, TargetSpec
from replay.services.git import Commit
from replay.services.imports import taken_from

if TYPE_CHECKING:
    from replay.services.service import Service


def _exit(number: int) -> None:
    """End this process for a signal."""
    raise SystemExit(128 + number)


@contextmanager
def standing(
    specs: Mapping[Side, TargetSpec],
    stage: Stage,
    store: Path,
    run: str,
    late: Callable[[int], None] = _exit,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Mapping[Side, TargetSpec]]:
    """Give the sides of a run with whatever had to be started for them, and end that afterwards, however the run ends.

    Raise TargetError with the side and its last output where a command does not get ready, and SettingsError where a
    commit cannot be checked out. A signal meanwhile ends what was begun, and CutOffError says what was waited for; one
    while they end, after a block that came to its end, is told to `late` once they are gone.
    What a teardown did not undo is told to `tell`.
    """
    awaited = _Awaited()
    with ExitStack() as stack:
        with caught(awaited.leave):
            sides: dict[Side, TargetSpec] = {}
            for side, spec in specs.items():
                awaited.doing = f"{side} was being made ready"
                sides[side] = _there(stack, side, spec, stage)
            services = _services(sides, stage, store, run)
            stack.push(lambda _kind, error, _trace: _end_all(list(services.values()), error, late, tell))
            started = _started(services, awaited)
        yield {side: spec.standing(started[side]) if side in started else spec for side, spec in sides.items()}


@dataclass(slots=True)
class _Awaited:
    """What is being waited for while sides start."""

    doing: str = ""
    service: Service | None = None

    def leave(self, number: int) -> NoReturn:
        """End the run where it is: nothing was sent yet."""
        if self.service is None:
            raise cut_off(number, self.doing)
        why = f"{self.service.side} was not ready yet, {self.service.lacks}"
        raise cut_off(number, why, f"its output: {self.service.log}")


def _there(stack: ExitStack, side: Side, spec: TargetSpec, stage: Stage) -> TargetSpec:
    """Return a side whose files are there: where they are those of a commit, in its work tree."""
    from replay.services.trees import work_tree  # noqa: PLC0415 - not on every system, and seldom needed

    commit = stage.commits.get(side)
    if commit is None:
        return spec
    try:
        return within(spec, stack.enter_context(work_tree(commit)), commit)
    except InputError as error:
        raise type(error)(f"{side}: {error.fact}", place=error.place, hint=error.hint) from None


def within(spec: TargetSpec, tree: Path, commit: Commit) -> TargetSpec:
    """Return a side that is at home in a work tree: below it, where the settings are below their repository."""
    home = tree / commit.below
    if not home.is_dir():
        raise SettingsError(f"{commit.name} has no folder {commit.below}", hint="take a ref that has it")
    if not (home / (spec.cwd or "")).resolve().is_relative_to(tree.resolve()):
        raise SettingsError(f"cwd {spec.cwd} leads out of the files of {commit.name}", hint="name a folder of them")
    folders = tuple(tree / each for each in taken_from(commit.repository, spec).folders if (tree / each).is_dir())
    files = Home(tree, commit.repository, commit.name, folders)
    return spec.at_home(files, f"path:{home}", str(home / (spec.cwd or "")))


def _services(sides: Mapping[Side, TargetSpec], stage: Stage, store: Path, run: str) -> dict[Side, Service]:
    commands = {side: spec for side, spec in sides.items() if spec.run is not None}
    if not commands:
        return {}
    if not hasattr(os, "fork"):
        raise SettingsError("run needs processes that can be forked", hint="start it yourself, and give its URL")
    from replay.services.log import log_path, make_room  # noqa: PLC0415 - as above
    from replay.services.records import end_leftovers  # noqa: PLC0415
    from replay.services.service import Service, Surroundings  # noqa: PLC0415

    end_leftovers()
    make_room(store)
    return {
        side: Service(side, spec, Surroundings(log_path(store, run, side), stage.redact, stage.instant))
        for side, spec in commands.items()
    }


def _started(services: Mapping[Side, Service], awaited: _Awaited) -> Mapping[Side, Started]:
    """Start all at once, save those that prepare something: what they share must not be prepared twice at a time."""
    started: dict[Side, Started] = {}
    try:
        for side, service in services.items():
            awaited.service = service
            service.begin()
            if service.prepares:
                started[side] = service.wait()
        for side, service in services.items():
            if side not in started:
                awaited.service = service
                started[side] = service.wait()
    except TargetError as error:
        others = [f"\n  the other side's: {each.log}" for each in services.values() if each.log.name not in error.fact]
        fact = error.fact + "".join(others if "its output:" in error.fact else ())
        raise TargetError(fact, place=error.place, hint=error.hint) from None
    return started


def _end_what_nobody_keeps() -> None:
    """End what a keeper has left that was killed itself, as by a system short of memory."""
    from replay.services.records import end_leftovers  # noqa: PLC0415 - not on every system

    with suppress(InputError, OSError):  # Where the cache is gone, the next start cannot know of them either.
        end_leftovers()


def _end_all(
    services: list[Service], error: BaseException | None, late: Callable[[int], None], tell: Callable[[str], None]
) -> None:
    """End every command. A signal meanwhile is heard of once they are all gone; the second one at once.

    Their keepers then end them by themselves. Where a signal is what ends the run, that was the first one.
    """
    heard: list[int] = []

    def again(number: int) -> None:
        if isinstance(error, CutOffError):
            raise error
        heard.append(number)
        if len(heard) > 1:
            raise _EnoughError

    with caught(again), suppress(_EnoughError):
        for service in services:
            service.let_go()
        for service in services:
            service.end()
            if service.not_undone:
                tell(service.not_undone)
        if services:
            _end_what_nobody_keeps()
    if heard:
        (late if error is None else _exit)(heard[-1])


class _EnoughError(Exception):
    """Nobody wants to wait for commands to end any longer."""
