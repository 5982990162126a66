"""`replay import`: what other tools recorded becomes one capture, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from replay.cases import Traffic
    from replay.cases.gathering import Gathered, Narrowing
    from replay.models import Case
    from replay.privacy import MaskKey, Redactor
    from replay.reports.imported import Account

_WHICH = "Which cases"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog="Example: replay import day.har --out captures/day.jsonl.zst")(import_)


def import_(
    file: Annotated[list[str], typer.Argument(metavar="FILE", help="What was recorded; see docs/traffic.md.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="CAPTURE", help="Write CAPTURE (.jsonl, .jsonl.gz, .jsonl.zst); in captures/ otherwise."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Read files as NAME; by their content otherwise.")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Read lines of a log that nginx's log_format TEXT wrote.")
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option("--on", metavar="ROUTE", help="Take cases on ROUTE: 'GET /orders/*'; repeatable.",
                     rich_help_panel=_WHICH),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Take what was recorded from then on.", rich_help_panel=_WHICH)
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Take what was recorded before.", rich_help_panel=_WHICH)
    ] = None,
    skip_bad: options.SkipBad = False,
    force: Annotated[bool, typer.Option("--force", help="Replace CAPTURE where it is there already.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the files hold, captures too; write nothing.")
    ] = False,
    env: options.Env = None,
) -> None:  # fmt: skip
    """Make one capture of recorded traffic, with tokens in place of what is secret or personal.

    Every record is loaded, or skipped and counted by reason. A bad record ends it, and nothing is written.
    """
    from replay.cases.gathering import Gathered
    from replay.cli.masking import masking_project, redactor_for

    narrowing = _narrowing(route or (), since, until)
    gathered = Gathered(_sources(file, form, log_format, skip_bad=skip_bad), narrowing)
    redactor = redactor_for(masking_project(env))
    if dry_run:
        _show(gathered, redactor)
    else:
        _write(gathered, redactor, _target(out, gathered), force=force)


# ------------------------------------------------------------------------------------------------------- what was asked


def _sources(files: Sequence[str], form: str | None, log_format: str | None, *, skip_bad: bool) -> list[Traffic]:
    """Return what reads the files; all are opened, so that what is no recording is told before anything is written."""
    from pathlib import Path

    from replay.cases import open_traffic
    from replay.cli.inputs import traffic_files
    from replay.errors import InputError

    if "-" in files:
        # To find the format and to read takes two passes, and no disk may hold in between what was not masked.
        raise InputError("standard input is not read", hint="name a file; gzip and zstd are undone")
    return [
        open_traffic(path, skip_bad=skip_bad, form=form, log_format=log_format) for path in traffic_files(files, Path())
    ]


def _narrowing(routes: Sequence[str], since: str | None, until: str | None) -> Narrowing:
    from replay.cases.gathering import Narrowing
    from replay.cli.flags import instant_of
    from replay.selection import parse_route

    return Narrowing(instant_of(since, "--since"), instant_of(until, "--until"), tuple(map(parse_route, routes)))


def _target(out: str | None, gathered: Gathered) -> Path:
    from pathlib import Path

    from replay.errors import SettingsError

    if out is not None:
        return Path(out)
    if len(gathered.sources) > 1:
        raise SettingsError("several files make one capture: what is it called?", hint="--out captures/day.jsonl.zst")
    name = gathered.intakes[0].file.replace("\\", "/").rpartition("/")[2].removesuffix(".gz").removesuffix(".zst")
    return Path("captures", f"{name.rpartition('.')[0] or name}.jsonl.zst")


# ------------------------------------------------------------------------------------------------------------ the cases


def _show(gathered: Gathered, redactor: Redactor) -> None:
    """Print what the files hold, without secrets."""
    from replay.cli.output import printing
    from replay.reports.imported import Overview, write_account, write_overview

    overview = Overview()
    for case in _watched(gathered):
        overview.add(redactor.case(case))
    with printing() as out:
        write_account(out, _account(gathered, overview.cases), ["Nothing was written."])
        write_overview(out, overview)


def _write(gathered: Gathered, redactor: Redactor, target: Path, *, force: bool) -> None:
    """Write the capture, and print what became of each record."""
    from replay import __version__
    from replay.cases import write_capture
    from replay.cases.masked import masked_by
    from replay.cli.output import printing
    from replay.counting import counted, sized
    from replay.errors import RunError
    from replay.reports.imported import write_account

    facts = {"made_by": f"replay import {__version__}", **masked_by(_key(gathered, redactor.key))}
    try:
        written = write_capture(target, _some(gathered), redactor.case, facts=facts, replacing=force)
    except OSError as error:
        place = str(error.filename or target)
        raise RunError(f"nothing is written: {(error.strerror or str(error)).lower()}", place=place) from None
    said = f"{target} holds {counted(written.kept, 'case')}, in {sized(written.size)}."
    with printing() as out:
        write_account(out, _account(gathered, written.kept, written.lost), [said, *_told_key(redactor.key)])


def _some(gathered: Gathered) -> Iterator[Case]:
    """Yield the cases. Raise InputError where there is none: an empty capture would prove nothing."""
    from replay.errors import InputError

    some = False
    for case in _watched(gathered):
        some = True
        yield case
    if not some:
        held = "; ".join(
            f"{it.file} has {it.loaded:,}, and {sum(it.skipped.values()):,} skipped" for it in gathered.intakes
        )
        hint = f"left out: {', '.join(gathered.left_out)}" if gathered.left_out else "`--dry-run` tells what is skipped"
        raise InputError(f"there is no case to keep: {held}", hint=hint)


def _watched(gathered: Gathered) -> Iterator[Case]:
    from replay.cli.progress import Progress

    with Progress(None, "reading") as progress:
        for case in gathered:
            progress.tick()
            yield case


def _key(gathered: Gathered, key: MaskKey) -> str:
    """Return the fingerprint of the key that all tokens are of: those that a capture brings stay as they are."""
    from replay.cases import CaptureFile
    from replay.cases.masked import SEVERAL, key_of

    brought = {key_of(source.facts) for source in gathered.sources if isinstance(source, CaptureFile)}
    return key.fingerprint if brought <= {None, key.fingerprint} else SEVERAL


def _told_key(key: MaskKey) -> list[str]:
    if not key.made:
        return []
    return ["Its tokens were made by a key that is forgotten now: set REPLAY_MASK_KEY to get the same ones again."]


def _account(gathered: Gathered, kept: int, lost: Mapping[str, int] | None = None) -> Account:
    from replay.reports.imported import Account, Loaded

    files = [Loaded(source.form, source.intake) for source in gathered.sources]
    return Account(files, gathered.left_out, lost or {}, kept)
