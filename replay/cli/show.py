"""`replay show`: one stored case in full."""

from __future__ import annotations

import typer

from replay.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", epilog="Example: replay show checkout/leap-day")(show)


def show(id: options.CaseId, run: options.FromRun = None, store: options.Store = None) -> None:  # noqa: A002 - the glossary's word
    """Print one case in full: what was sent, what came back, and where the sides part."""
    from replay.cli.output import printing
    from replay.cli.stored import cases_called, cause_of, opened_store
    from replay.reports.case import write_case

    with opened_store(store) as kept, printing() as out:
        record, found = cases_called(kept, id, run)
        count = f"1 of {len(found)} with this id" if len(found) > 1 else ""
        write_case(out, found[0], notes=filter(None, (count, cause_of(kept, record, found[0]))))
