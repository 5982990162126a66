"""`replay approve`: what a side answered becomes what goldens expect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from replay.cli.approving import Approved

_Patterns = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CASE]...", help="Ids, folders or patterns; otherwise all goldens that expect something."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("approve", epilog="Example: replay approve checkout/leap-day --from new")(approve)


def approve(
    cases: _Patterns = None,
    source: Annotated[
        str, typer.Option("--from", metavar="SIDE", help="Approve what new or old answered, or both where they agree.")
    ] = "both",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 where an expectation is stale.")
    ] = False,
    goldens: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="REPLAY_GOLDENS", help="Approve the goldens in DIR.")
    ] = None,
    run: options.FromRun = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Write what was answered in a stored run into `expect:` of goldens; nothing is sent.

    Exit code 1 where one was refused: the sides disagree, one failed, or the golden has changed since it was sent; 2
    where a file could not be changed, which is named. All others are written.
    """
    from replay.cli.approved_files import written
    from replay.cli.approving import Approving, source_called
    from replay.cli.inputs import goldens_folder
    from replay.cli.stored import opened_store
    from replay.curation.changes import Desk

    side = source_called(source)
    with opened_store(store) as kept:
        found = Approving(kept, run, env, goldens_folder(goldens)).approved(tuple(cases or ()), side)
    found = found if check else written(found, Desk())
    code = _told(found, check=check)
    raise typer.Exit(_complained(found) or code)


def _complained(found: Sequence[Approved]) -> int:
    """Name each file that could not be written, and return the exit code of that; 0 where there is none."""
    from replay.cli.output import complain

    errors = {str(each.error): each.error for each in found if each.error is not None}
    for error in errors.values():
        complain(error)
    return 2 if errors else 0


def _told(found: Sequence[Approved], *, check: bool) -> int:
    """Print what became of each golden that did not stay as it was, and return the exit code."""
    from replay.cli.output import printing
    from replay.reports.page import columns, wrapped, write_lines

    word = "stale" if check else "approved"
    lines: list[tuple[str, str]] = []
    width = columns(None)
    for each in found:
        if each.error is not None:
            lines += wrapped(f"unchanged {each.case.id}", width, style="red", hang=10)
        elif each.refused:
            lines += wrapped(f"refused   {each.case.id}: {each.refused}", width, style="red", hang=10)
        elif each.approval.expect and not (check and not each.expects):
            where = f": {', '.join(each.approval.departs[:5])}" if each.approval.departs else ": expected nothing yet"
            lines += wrapped(f"{word:<9} {each.case.id}{where}", width, style="yellow" if check else "green", hang=10)
    with printing() as out:
        write_lines(out, [*lines, *wrapped(_sum(found, check=check), width, style="bold")], width)
    refused = any(each.refused for each in found)
    return int(refused or (check and any(_is_stale(each) for each in found)))


def _is_stale(each: Approved) -> bool:
    return bool(not each.refused and each.approval.expect and each.expects)


def _sum(found: Sequence[Approved], *, check: bool) -> str:
    refused = sum(bool(each.refused) for each in found)
    changed = sum(_is_stale(each) if check else bool(each.approval.expect) and each.error is None for each in found)
    kept = len(found) - refused - changed
    done = "stale" if check else "approved"
    return f"{len(found):,} looked at: {changed:,} {done}, {kept:,} as they were, {refused:,} refused"
