"""`replay purge`: runs and captures past their retention are deleted, and nothing of them stays in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from replay.cases.ages import Age
    from replay.reports.purged import PurgedCapture, PurgedRun
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore

_STAYS = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("purge", epilog="Example: replay purge --before 30d")(purge)


def purge(
    before: Annotated[str, typer.Option(metavar="DATE", help="Delete what is older: 2026-10-31, an instant, or 30d.")],
    file: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Captures; those of the settings otherwise.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted; delete nothing.")] = False,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Delete runs that began before DATE, and captures whose records are all older; it asks nothing.

    Exit code 0 where all of it is gone, and 3 where something older stays: a capture with newer records, or without
    times.
    """
    from replay.cli.flags import past_instant
    from replay.cli.output import printing
    from replay.reports.purged import write_purged

    instant = past_instant(before, "--before")
    captures = _captures(file or (), instant, env)
    runs, freed = _purge_runs(store, instant, dry_run=dry_run)
    captures = [_purged(each, dry_run=dry_run) for each in captures]
    with printing() as out:
        write_purged(out, instant, runs, freed, captures, dry_run=dry_run)
    raise typer.Exit(_STAYS if any(each.stays for each in captures) else 0)


# ----------------------------------------------------------------------------------------------------------------- runs


def _purge_runs(given: Path | None, instant: datetime, *, dry_run: bool) -> tuple[list[PurgedRun], int]:
    """Delete the runs that began before an instant; return what they were, and how much smaller the store is."""
    from replay.store.claim import alone
    from replay.store.place import default_store
    from replay.store.purging import purge_runs
    from replay.store.sqlite import SqliteStore

    path = given or default_store()
    if given is None and not path.exists():
        return [], 0
    with alone(path), SqliteStore.open(path, create=False) as kept:
        old = [record for record in kept.runs() if record.started < instant]
        told = [_told(kept, record) for record in reversed(old)]
        if dry_run:
            return told, 0
        _remove_beside(kept.path, [record.id for record in old])
        return told, purge_runs(kept, [record.id for record in old])


def _told(kept: SqliteStore, record: RunRecord) -> PurgedRun:
    from replay.reports.purged import PurgedRun

    spans = record.verdict is not None and bool(record.verdict.standings)
    return PurgedRun(record.id, record.started, record.state, kept.count(record.id), spans)


def _remove_beside(store: Path, runs: Sequence[str]) -> None:
    """Remove what lies beside the store for these runs: journals of processes, and logs of commands."""
    from replay.errors import StoreError

    for path in sorted(store.parent.glob("*")):
        if any(path.name.startswith(f"{store.name}-{run}.") for run in runs) and path.is_file():
            try:
                path.unlink()
            except OSError as error:
                raise StoreError(f"cannot be removed: {error.strerror}", place=str(path)) from None


# ------------------------------------------------------------------------------------------------------------- captures


def _captures(named: Sequence[str], instant: datetime, env: str | None) -> list[PurgedCapture]:
    """Return the captures that are looked at, and how old each is; nothing is deleted yet."""
    from pathlib import Path

    from replay.cli.inputs import traffic_files

    files = traffic_files(named, Path()) if named else _of_settings(env)
    found: dict[Path, PurgedCapture] = {}
    for path in files:
        found.setdefault(path.resolve(), _looked_at(path, instant, named=bool(named)))
    return list(found.values())


def _of_settings(env: str | None) -> list[Path]:
    """Return the traffic of the settings that lies below their folder: what is elsewhere belongs to somebody else."""
    from replay.cli.inputs import project_of_folders, traffic_files
    from replay.errors import InputError

    project = project_of_folders(env)
    files: list[Path] = []
    for pattern in project.settings.traffic:
        try:
            files += traffic_files([pattern], project.root)
        except InputError:
            continue  # what is not there, needs no purging
    root = project.root.resolve()
    return [path for path in files if path.resolve().is_relative_to(root)]


def _looked_at(path: Path, instant: datetime, *, named: bool) -> PurgedCapture:
    """Return how old a capture is. Raise InputError for a named file that is none, or only a link to one."""
    from replay.cases import open_traffic
    from replay.cases.ages import age_of
    from replay.errors import InputError
    from replay.reports.purged import PurgedCapture

    source = open_traffic(path, skip_bad=True)
    kind = (
        "is a link" if path.is_symlink() else "" if source.form == "capture" else f"is of another kind ({source.form})"
    )
    if kind and named:
        raise InputError(f"the file {kind}, and no capture", place=str(path), hint="only captures are deleted")
    age = age_of(source, instant)
    past = age.past and not kind
    stays = "" if past or not (age.older or age.undated) else _why_it_stays(age, kind)
    return PurgedCapture(str(path), age.records, path.stat().st_size, age.newest, past, stays)


def _why_it_stays(age: Age, kind: str) -> str:
    if not age.older:
        return f"tells no time of {age.undated} records of {age.records}"
    if kind:
        return f"{kind}, and holds {age.older} older records of {age.records}: delete it yourself"
    rest = ", ".join(f"{count} {what}" for count, what in _rest(age))
    return f"holds {age.older} older records beside {rest}: `replay import FILE --since DATE` makes one of the rest"


def _rest(age: Age) -> list[tuple[int, str]]:
    return [(count, what) for count, what in ((age.younger, "newer"), (age.undated, "without a time")) if count]


def _purged(capture: PurgedCapture, *, dry_run: bool) -> PurgedCapture:
    """Delete a capture that is past its time; return what became of it."""
    from dataclasses import replace
    from pathlib import Path

    if dry_run or not capture.past:
        return capture
    try:
        Path(capture.file).unlink()
    except OSError as error:
        return replace(capture, past=False, stays=f"cannot be deleted: {error.strerror}")
    return capture
