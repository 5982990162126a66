"""`replay report`: a stored run, rendered again."""

from __future__ import annotations

import typer

from replay.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog="Example: replay report --report junit:replay.xml")(report)


def report(run: options.RunId = None, report: options.Reports = None, store: options.Store = None) -> None:
    """Print a stored run again, or write it in another form."""
    from replay.cli.reporting import parse_reports, print_report, write_reports
    from replay.cli.stored import opened_store
    from replay.errors import InputError

    reports = parse_reports(report or ())
    with opened_store(store) as kept:
        record = kept.run(run)
        if record.summary is None:
            raise InputError(f"run {record.id} was never closed", hint="`replay run --resume` goes on with it")
        results = kept.results(record.id, bodies=False)
        write_reports(reports, record.summary, results, record.verdict)
        if not reports:
            print_report(record.summary, results, record.verdict)
