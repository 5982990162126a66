"""What several runs found, one after the other: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TextIO

from replay.documents.json_text import json_text
from replay.inert import printable
from replay.models import DayFigures, Quantiles, Side, SideInfo, Summary
from replay.reports.facts import LONGEST, share
from replay.reports.page import Line, columns, wrapped, write_lines

VERSION: Final = 1
"""The version of what `--json` prints."""

_WIDE: Final = 74
"""Columns that a row takes, with the longest verdict."""
_STYLES: Final = {"GO": "green", "NO-GO": "red", "INCONCLUSIVE": "yellow"}


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the store. `verdict` is its verdict's state or, where it has none, how far it came."""

    id: str
    started: datetime
    verdict: str
    narrowed: str
    summary: Summary | None

    @property
    def days(self) -> tuple[DayFigures, ...]:
        """Return what it found by day."""
        return () if self.summary is None else self.summary.days

    @property
    def figures(self) -> DayFigures | None:
        """Return what it found over all days; None where it was never closed."""
        if self.summary is None:
            return None
        n, deviating, unproven = (sum(getattr(day, name) for day in self.days) for name in _COUNTS)
        return DayFigures("", n, deviating, unproven, self.summary.latency)


_COUNTS: Final = ("n", "deviating", "unproven")


def write_history(out: TextIO, runs: Iterable[PastRun], width: int | None = None) -> None:
    """Write the table: a line for each run and, below it, one for each of its days; versions where they change."""
    room = columns(width)
    write_lines(out, _lines(runs, room), room)


def _lines(runs: Iterable[PastRun], width: int) -> Iterator[Line]:
    yield from ((line, "bold") for line in _laid_out(_HEADINGS, width))
    versions = ""
    for run in runs:
        told = _versions(run.summary)
        if told != versions and run.summary is not None:
            yield from wrapped(told, width, style="dim", hang=2)
            versions = told
        row = _Row(printable(run.id, LONGEST), *_figures(run.figures), run.verdict)
        yield from ((line, _STYLES.get(run.verdict, "")) for line in _laid_out(row, width))
        if run.narrowed:
            yield from wrapped(f"only a part: {printable(run.narrowed, LONGEST)}", width, "  ")
        for day in run.days:
            row = _Row(f"  {date.fromisoformat(day.day):%a %Y-%m-%d}", *_figures(day))
            yield from ((line, "") for line in _laid_out(row, width))


def _versions(summary: Summary | None) -> str:
    if summary is None:
        return ""
    return f"{_named('old', summary.old)}, {_named('new', summary.new)}"


def _named(side: Side, info: SideInfo) -> str:
    return f"{side} {printable(info.version or info.target, LONGEST)}"


def _figures(figures: DayFigures | None) -> tuple[str, str, str]:
    """Return the number of cases, the deviation and the latency beside old's, a dash for each that is not known."""
    if figures is None:
        return "-", "-", "-"
    rate, ratio = _deviation(figures), _ratio(figures.latency)
    return f"{figures.n:,}", "-" if rate is None else share(rate), "-" if ratio is None else f"{ratio:.3g}"


class _Row(NamedTuple):
    """What a run or a day is called, its figures, and how it ended."""

    name: str
    n: str
    deviation: str
    ratio: str
    verdict: str = ""


_HEADINGS: Final = _Row("run and day", "n", "deviation", "p95 new/old", "verdict")


def _laid_out(row: _Row, width: int) -> tuple[str, ...]:
    """Return a row on one line, or on two where the terminal is narrow: the figures below the name."""
    figures = f"{row.n:>10}{row.deviation:>12}{row.ratio:>14}"
    if width >= _WIDE:
        return (f"{row.name:<22}{figures}  {row.verdict}".rstrip(),)
    return f"{row.name:<22}  {row.verdict}".rstrip(), f"  {figures}"


def _deviation(figures: DayFigures) -> float | None:
    return figures.deviating / figures.n if figures.n else None


def _ratio(latency: Mapping[Side, Quantiles]) -> float | None:
    """Return new's 95th percentile as a multiple of old's; None where one of them has none."""
    old, new = latency.get("old"), latency.get("new")
    return new.p95 / old.p95 if old is not None and new is not None and old.p95 else None


def write_json_history(out: TextIO, runs: Sequence[PastRun]) -> None:
    """Write one JSON object; a figure that is not known is null."""
    out.write(json_text({"version": VERSION, "runs": [_run(run) for run in runs]}) + "\n")


def _run(run: PastRun) -> dict[str, Any]:
    summary = run.summary
    sides = {} if summary is None else {"old": summary.old, "new": summary.new}
    return {
        "run": run.id,
        "started": run.started.isoformat(),
        "verdict": run.verdict,
        "narrowed": run.narrowed or None,
        "sides": {name: {"target": side.target, "version": side.version or None} for name, side in sides.items()},
        **_json_figures(run.figures),
        "days": [{"day": day.day, **_json_figures(day)} for day in run.days],
    }


def _json_figures(figures: DayFigures | None) -> dict[str, Any]:
    if figures is None:
        return dict.fromkeys(("n", "deviating", "unproven", "deviation", "p95", "p95_ratio"))
    return {
        **{name: getattr(figures, name) for name in _COUNTS},
        "deviation": _deviation(figures),
        "p95": {side: quantiles.p95 for side, quantiles in figures.latency.items()},
        "p95_ratio": _ratio(figures.latency),
    }
