"""Days or runs in a row, side by side: `Mon 23 Nov ok, Tue 24 ok, Wed 25 none`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Final

from replay.inert import printable
from replay.models import Judgement

MOST: Final = 35
"""Five weeks. Of a longer row the last ones are shown."""
_LONGEST: Final = 100
_WIDTH: Final = 62
"""What fits beside the margin of a screen of 80 columns: a day and how it stands belong on one line."""
_FEW: Final = 2
"""Days that say the same are told one by one where they are no more, or where they hold."""


def strip_of(steps: Sequence[Judgement]) -> Iterator[str]:
    """Yield lines that tell how each day or run stands, the earliest first; the month stands where it begins."""
    hidden = len(steps) - MOST
    line = f"{hidden:,} before" if hidden > 0 else ""
    for shown in _shown(steps[max(hidden, 0) :]):
        if line and len(line) + len(shown) > _WIDTH:
            yield line + ","
            line = ""
        line += f", {shown}" if line else shown
    yield line


def _shown(steps: Sequence[Judgement]) -> Iterator[str]:
    names = list(_names(steps))
    for mark, group in groupby(zip(names, steps, strict=True), key=lambda pair: pair[1].mark):
        alike = [name for name, _ in group]
        if mark == "ok" or len(alike) <= _FEW:
            yield from (f"{name} {mark}" for name in alike)
        else:
            yield f"{alike[0]} to {alike[-1]} {mark}"


def _names(steps: Sequence[Judgement]) -> Iterator[str]:
    month = ""
    for step in steps:
        day = _day(step.sentence)
        if day is None:
            yield printable(step.sentence, _LONGEST)
            continue
        named = f"{day:%b %Y}"
        yield f"{day:%a} {day.day}{f' {day:%b}' if named != month else ''}"
        month = named


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
