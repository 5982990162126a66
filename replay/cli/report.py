"""`replay report`: a stored run, rendered again."""

from __future__ import annotations

import typer

from replay.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog="Example: replay report --report junit:replay.xml")(report)


def report(run: options.RunId = None, report: options.Reports = None, store: options.Store = None) -> None:
    """Print a stored run again, or write it in another form."""
    from dataclasses import replace

    from replay.cli.reporting import parse_reports, print_report, write_reports
    from replay.cli.since import changed_since
    from replay.cli.stored import closed_run, opened_store

    reports = parse_reports(report or ())
    with opened_store(store) as kept:
        record = closed_run(kept, run)
        if record.summary is None:
            return
        summary = replace(record.summary, warnings=(*record.summary.warnings, *changed_since(record)))
        results = kept.in_order(record.id)
        write_reports(reports, summary, results, record.verdict)
        if not reports:
            print_report(summary, results, record.verdict)
