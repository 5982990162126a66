"""What a purge deleted, or would delete, and what stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from replay.counting import counted, sized
from replay.inert import printable

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class PurgedRun:
    """A run that is past its time."""

    id: str
    started: datetime
    state: str
    results: int
    spans: bool
    """It stood for days of criteria such as `for 7 days`."""


@dataclass(frozen=True, slots=True)
class PurgedCapture:
    """A capture that was looked at: how many records of which age it holds, and why it stays, if it should not."""

    file: str
    records: int = 0
    size: int = 0
    newest: datetime | None = None
    past: bool = False
    stays: str = ""


def write_purged(
    out: TextIO,
    instant: datetime,
    runs: Sequence[PurgedRun],
    freed: int,
    captures: Sequence[PurgedCapture],
    *,
    dry_run: bool,
) -> None:
    """Print every run and capture that is older, what stays, and the sums."""
    done = "would be deleted" if dry_run else "deleted"
    out.write(f"Older than {_moment(instant)}\n")
    out.writelines(f"  run {printable(run.id)}, {run.state}, {counted(run.results, 'result')}\n" for run in runs)
    gone = [each for each in captures if each.past]
    for each in gone:
        newest = f", the newest of {_moment(each.newest)}" if each.newest is not None else ""
        out.write(f"  {printable(each.file, _LONGEST)}, {counted(each.records, 'record')}{newest}\n")
    results, records = sum(run.results for run in runs), sum(each.records for each in gone)
    smaller = f"; the store is {sized(freed)} smaller" if runs and not dry_run else ""
    out.write(f"{counted(len(runs), 'run')} with {counted(results, 'result')} {done}{smaller}\n")
    size = f", {sized(sum(each.size for each in gone))}" if gone else ""
    out.write(f"{counted(len(gone), 'capture')} with {counted(records, 'record')} {done}{size}\n")
    for each in captures:
        if each.stays:
            out.write(f"stays: {printable(each.file, _LONGEST)} {each.stays}\n")
    if spanning := sum(run.spans for run in runs):
        fact = "stood for days of criteria that span some (`for 7 days`), which no run shows" + (
            "" if dry_run else " any more"
        )
        out.write(f"note: {counted(spanning, 'run')} of these {fact}\n")


def _moment(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
