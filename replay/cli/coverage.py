"""`replay coverage`: what the traffic has that the goldens lack."""

from __future__ import annotations

from typing import Annotated

import typer

from replay.cli import options

AtLeast = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Exit with 1 where the goldens show less, such as 80%."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("coverage", epilog="Example: replay coverage --traffic captures/monday.jsonl.zst")(coverage)


def coverage(
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    skip_bad: options.SkipBad = False,
    whole: options.InFull = False,
    at_least: AtLeast = None,
    json: options.AsJson = False,
    store: options.Store = None,
) -> None:
    """Tell what traffic shows and goldens lack, by route; send nothing.

    Looked at are routes, statuses, the shape of requests and answers, values that are one of few, locales, media
    types, sizes and hot keys.
    """
    from replay.cli.choosing import gathered
    from replay.cli.flags import share_of
    from replay.cli.output import printing
    from replay.curation.choosing import coverage_of
    from replay.reports.coverage import write_coverage, write_json_coverage

    wanted = 0 if at_least is None else share_of("--at-least", at_least, "the facets", "80%")
    read = gathered(traffic or (), goldens, store, skip_bad=skip_bad)
    found = coverage_of(read.found, read.unanswered)
    with printing() as out:
        if json:
            write_json_coverage(out, found)
        else:
            write_coverage(out, found, whole=whole)
    raise typer.Exit(0 if found.covered >= wanted * found.facets else 1)
