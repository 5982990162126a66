"""`replay show`: one stored case in full."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", epilog="Example: replay show checkout/leap-day")(show)


def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="A case's id, or its correlation id.")],  # noqa: A002
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Look in RUN only; the newest wins otherwise.")] = None,
    store: Annotated[Path | None, typer.Option(metavar="FILE", envvar="REPLAY_STORE", help="Read from FILE.")] = None,
) -> None:
    """Print one case in full: what was sent, what came back, and where the sides part."""
    from replay.cli.output import stdout
    from replay.cli.stored import opened_store
    from replay.errors import InputError
    from replay.reports.case import write_case

    with opened_store(store) as results:
        found = results.find(id, run)
        if not found:
            raise InputError(f"no stored case is called '{id}'", hint="`replay report` lists the cases that deviate")
        write_case(stdout(), found[0])
