"""`replay report`: a stored run, rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog="Example: replay report --report junit:replay.xml")(report)


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run's id, or its beginning; the newest.")
    ] = None,
    report: Annotated[
        list[str] | None, typer.Option(metavar="KIND:FILE", help="Write a report to FILE instead; repeatable.")
    ] = None,
    store: Annotated[Path | None, typer.Option(metavar="FILE", envvar="REPLAY_STORE", help="Read from FILE.")] = None,
) -> None:
    """Print a stored run again, or write it in another form."""
    from replay.cli.reporting import parse_reports, print_report, write_reports
    from replay.cli.stored import opened_store
    from replay.errors import InputError

    reports = parse_reports(report or ())
    with opened_store(store) as kept:
        record = kept.run(run)
        if record.summary is None:
            raise InputError(f"run {record.id} was never closed", hint="`replay run --resume` goes on with it")
        results = kept.results(record.id)
        write_reports(reports, record.summary, results, record.verdict)
        if not reports:
            print_report(record.summary, results, record.verdict)
