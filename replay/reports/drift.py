"""How experiments drift, as a chart of text for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, TextIO

from replay.counting import counted
from replay.documents.json_text import json_text
from replay.inert import printable
from replay.models import Bucket, Drift
from replay.reports.facts import LONGEST, share
from replay.reports.page import Line, columns, wrapped, write_lines

VERSION: Final = 1
"""The version of what `--json` prints."""

_WIDTHS: Final = (9, 9, 8, 18, 9)
_HEAD: Final = 14 + sum(_WIDTHS)
"""Columns before the bars."""
_LEAST_BAR: Final = 8
_SHORT_GAP: Final = 3
"""So many hours or days without calls are shown one by one."""
_LARGE: Final = 0.1
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"
_PLAIN: Final = "#"
_STEP: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


def write_drifts(out: TextIO, drifts: Sequence[Drift], width: int | None = None) -> None:
    """Write one chart an experiment; bars are of blocks where the encoding of `out` has some."""
    room = columns(width)
    lines: list[Line] = []
    for place, drift in enumerate(drifts):
        lines += [("", "")] if place else []
        lines += _Chart(drift, room, blocks=_has_blocks(out)).lines()
    write_lines(out, lines, room)


def _has_blocks(out: TextIO) -> bool:
    try:
        (_EIGHTHS + _FULL).encode(getattr(out, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Chart:
    def __init__(self, drift: Drift, width: int, *, blocks: bool) -> None:
        self._drift = drift
        self._width = width
        self._bar = max(_LEAST_BAR, width - _HEAD - 2)
        self._blocks = blocks
        self._most = max((bucket.share or 0.0 for bucket in drift.buckets), default=0.0)

    def lines(self) -> Iterator[Line]:
        """Yield the heading, and a line for each hour or day."""
        drift, whole = self._drift, self._drift.whole
        of = f"{whole.disagreeing:,} of {counted(whole.n, 'compared call')} disagree{_plainly(whole)}"
        yield from wrapped(f"{printable(drift.experiment, LONGEST)}: {of}", self._width, style="bold", hang=2)
        if drift.old or drift.new:
            sides = f"old {printable(drift.old or '-', LONGEST)}, new {printable(drift.new or '-', LONGEST)}"
            yield from wrapped(sides, self._width, hang=2)
        for rest in self._beside(whole):
            yield from wrapped(rest, self._width, hang=2)
        yield "", ""
        if drift.buckets:
            # What the longest bar stands for, over its end.
            most = share(self._most) if self._most else ""
            yield f"{self._head()}  {most:>{self._bar}}".rstrip(), "bold"
        yield from self._rows()

    @staticmethod
    def _beside(whole: Bucket) -> Iterator[str]:
        if whole.unproven:
            yield f"{counted(whole.unproven, 'further call')} failed on old or on both sides"
        if whole.skipped:
            yield f"{counted(whole.skipped, 'further call')} could not be compared"

    def _head(self) -> str:
        return _row(f"UTC, by {self._drift.unit}", "n", "disagree", "share", "95% interval", "new used")

    def _rows(self) -> Iterator[Line]:
        day: date | None = None
        versions: set[str] = set()
        several = len({version for bucket in self._drift.buckets for version in bucket.versions}) > 1
        lost = dict(self._drift.lost)
        for before, bucket in zip((None, *self._drift.buckets), self._drift.buckets, strict=False):
            if before is not None:
                yield from self._gap(before, bucket)
            if self._drift.unit == "hour" and bucket.begins.date() != day:
                yield f"{bucket.begins:%a %Y-%m-%d}", ""
            day = bucket.begins.date()
            yield from self._lost(lost, day)
            for version in bucket.versions if several else ():
                if version not in versions:
                    yield from wrapped(f"the first with new {printable(version, LONGEST)}", self._width, "  ")
            versions |= {*bucket.versions}
            yield self._of(bucket), "yellow" if bucket.disagreeing else ""
        yield from self._lost(lost, date.max)

    def _lost(self, lost: dict[date, Mapping[str, int]], until: date) -> Iterator[Line]:
        """Yield what was lost up to a day and was not told yet."""
        for day in [day for day in lost if day <= until]:
            for reason, calls in lost.pop(day).items():
                said = f"{day}: {counted(calls, 'call')} lost, {printable(reason, LONGEST)}"
                yield from wrapped(said, self._width, "  ", "red", hang=2)

    def _gap(self, before: Bucket, bucket: Bucket) -> Iterator[Line]:
        step = _STEP[self._drift.unit]
        missing = (bucket.begins - before.begins) // step - 1
        if missing > _SHORT_GAP:
            yield f"  ... {missing:,} {self._drift.unit}s without a call", ""
            return
        for number in range(1, missing + 1):
            begins = before.begins + number * step
            if self._drift.unit == "hour" and begins.date() not in (before.begins.date(), bucket.begins.date()):
                continue
            if begins.date() == before.begins.date() or self._drift.unit == "day":
                yield _row(self._name(Bucket(begins, 0, 0)), "0", "-", "-", "-", "-"), ""

    def _of(self, bucket: Bucket) -> str:
        figures = f"{bucket.n:,}", f"{bucket.disagreeing:,}"
        if bucket.share is None:
            return _row(self._name(bucket), *figures, "-", "-", _used(bucket))
        row = _row(self._name(bucket), *figures, share(bucket.share), _interval(bucket), _used(bucket))
        return f"{row}  {self._bar_of(bucket.share)}".rstrip()

    def _name(self, bucket: Bucket) -> str:
        return f"  {bucket.begins:%H:%M}" if self._drift.unit == "hour" else f"{bucket.begins:%a %Y-%m-%d}"

    def _bar_of(self, value: float) -> str:
        """Return a bar that is as long as the share is large; whatever is not nothing can be seen."""
        if not value:
            return ""
        eighths = max(1, round(value / self._most * self._bar * 8))
        if not self._blocks:
            return _PLAIN * max(1, eighths // 8)
        return (_FULL * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _plainly(whole: Bucket) -> str:
    if whole.share is None:
        return ""
    used = _used(whole)
    told = "" if used == "-" else f"; new's answer was used in {used}"
    return f", {share(whole.share)} (95% interval {_interval(whole)}){told}"


def _interval(bucket: Bucket) -> str:
    return "-" if bucket.interval is None else " to ".join(map(_bound, bucket.interval))


def _bound(value: float) -> str:
    """Return a bound with two digits, which is as much as it is worth; close to the whole as reports tell shares."""
    return share(value) if value >= _LARGE else f"{100 * value:.2g}%"


def _used(bucket: Bucket) -> str:
    calls = sum(bucket.chosen.values())
    return f"{100 * bucket.chosen.get('new', 0) / calls:.3g}%" if calls else "-"


def _row(name: str, *figures: str) -> str:
    laid = (f"{figure:>{width}}" for figure, width in zip(figures, _WIDTHS, strict=True))
    return f"{name:<14}{''.join(laid)}".rstrip()


# ----------------------------------------------------------------------------------------------------------------- JSON


def write_json_drifts(out: TextIO, drifts: Sequence[Drift]) -> None:
    """Write one JSON object; a figure that is not known is null."""
    out.write(json_text({"version": VERSION, "experiments": [_json(drift) for drift in drifts]}) + "\n")


def _json(drift: Drift) -> dict[str, Any]:
    return {
        "experiment": drift.experiment,
        "old": drift.old or None,
        "new": drift.new or None,
        "by": drift.unit,
        **_json_bucket(drift.whole),
        "buckets": [{"begins": bucket.begins.isoformat(), **_json_bucket(bucket)} for bucket in drift.buckets],
        "lost": {day.isoformat(): dict(reasons) for day, reasons in drift.lost.items()},
    }


def _json_bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "n": bucket.n,
        "disagreeing": bucket.disagreeing,
        "unproven": bucket.unproven,
        "skipped": bucket.skipped,
        "share": bucket.share,
        "interval": None if bucket.interval is None else list(bucket.interval),
        "chosen": {side: bucket.chosen.get(side, 0) for side in ("old", "new")},
        "versions": list(bucket.versions),
    }
