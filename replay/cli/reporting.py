"""Reports on their way out: to files where they were asked for, to the terminal always."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from replay.cli.output import printing, report_file, require_writable
from replay.errors import SettingsError
from replay.models import Result, Summary, Verdict
from replay.reports import REPORTS

Reports = Sequence[tuple[str, Path]]


def parse_reports(texts: Iterable[str]) -> Reports:
    """Read `KIND:FILE`. Raise InputError for an unknown kind, a file named twice, and one that cannot be written."""
    reports = [_report(text) for text in texts]
    files = [path.resolve() for _, path in reports]
    if len(set(files)) < len(files):
        raise SettingsError("two reports would be written to one file", hint="name another file")
    return reports


def _report(text: str) -> tuple[str, Path]:
    kind, colon, file = text.partition(":")
    if kind not in REPORTS or not colon or not file:
        raise SettingsError(
            f"--report {text}: there is no such report", hint=f"write KIND:FILE; kinds: {', '.join(REPORTS)}"
        )
    require_writable(Path(file))
    return kind, Path(file)


def write_reports(reports: Reports, summary: Summary, results: Iterable[Result], verdict: Verdict | None) -> None:
    """Write every report that was asked for."""
    for kind, path in reports:
        with report_file(path) as out:
            REPORTS[kind]().write(out, summary, results, verdict or collected(summary))


def print_report(
    summary: Summary, results: Iterable[Result], verdict: Verdict | None, *, kind: str = "terminal"
) -> None:
    """Print a report on standard output."""
    with printing() as out:
        REPORTS[kind]().write(out, summary, results, verdict or collected(summary))


def write_and_print(reports: Reports, summary: Summary, results: Iterable[Result], verdict: Verdict | None) -> None:
    """Write every report that was asked for, and print one unless standard output has got another."""
    try:
        write_reports(reports, summary, results, verdict)
    finally:
        if not any(str(path) == "/dev/stdout" for _, path in reports):
            print_report(summary, results, verdict)


def collected(summary: Summary) -> Verdict:
    """Return what stands for the verdict of a run that was only collected."""
    return Verdict("INCONCLUSIVE", (), None, 0 if summary.complete else 3)
