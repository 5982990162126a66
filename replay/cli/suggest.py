"""`replay suggest`: the fewest captured cases that show most of what the goldens lack."""

from __future__ import annotations

from typing import Annotated

import typer

from replay.cli import options

Cases = Annotated[int, typer.Option("--n", metavar="N", min=1, help="Suggest so many cases.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("suggest", epilog="Example: replay suggest --n 30 --traffic captures/monday.jsonl.zst")(suggest)


def suggest(
    n: Cases = 10,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    skip_bad: options.SkipBad = False,
    whole: options.InFull = False,
    json: options.AsJson = False,
    store: options.Store = None,
) -> None:
    """Name the captured cases that, as goldens, would show most of what the goldens lack; send nothing.

    What is rare counts more, and what is used much counts more.
    """
    from replay.cli.choosing import gathered
    from replay.cli.output import printing
    from replay.curation.choosing import suggested
    from replay.reports.coverage import write_json_suggested, write_suggested

    read = gathered(traffic or (), goldens, store, skip_bad=skip_bad)
    found = suggested(read.found, n)
    with printing() as out:
        if json:
            write_json_suggested(out, found)
        else:
            write_suggested(out, found, whole=whole)
