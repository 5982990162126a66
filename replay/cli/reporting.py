"""Reports on their way out: to files where they were asked for, to the terminal always."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

from replay.cli.output import printing
from replay.errors import InputError, RunError, SettingsError
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


# ---------------------------------------------------------------------------------------------------------------- files


@contextmanager
def report_file(path: Path) -> Iterator[TextIO]:
    """Open a report's file, which appears only when it is whole. Raise RunError where it cannot be written."""
    whole = path.resolve()
    # A device or a pipe (/dev/stdout) takes what it is given; to put a file in its place would destroy it.
    partial = whole.with_name(whole.name + ".partial") if _is_replaceable(whole) else whole
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as out:
            yield out
        if partial != whole:
            partial.replace(whole)
    except OSError as error:
        raise RunError(f"the report cannot be written: {error.strerror}", place=str(path)) from None


def require_writable(path: Path) -> None:
    """Raise InputError, before anything is sent, where a report could not be written later."""
    if path.is_dir():
        raise InputError("a report cannot be written over a folder", place=str(path), hint="name a file")
    if not path.parent.is_dir():
        raise InputError("the folder for this report is not there", place=str(path), hint=f"mkdir -p {path.parent}")
    if _is_replaceable(path):
        try:
            with NamedTemporaryFile(dir=path.resolve().parent, prefix=".replay-"):
                pass
        except OSError as error:
            raise InputError(f"a report cannot be written here: {error.strerror}", place=str(path)) from None


def _is_replaceable(path: Path) -> bool:
    return path.is_file() or not path.exists()
