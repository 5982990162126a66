"""Old's statuses beside new's: by class as a table, and by code where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from replay.inert import printable
from replay.models import StatusCount

CORNER: Final = "old \\ new"
NO_ANSWER: Final = "no answer"
_UNREMARKABLE: Final = ("1xx", "2xx", "3xx", "value")
_LONGEST: Final = 40

Table = list[list[str]]
"""Rows of cells; the first row and the first column are headings."""


def status_class(status: str) -> str:
    """Return `4xx` of `404`, `value` for a function's, and `no answer` for a kind of error."""
    if status in ("value", "other"):
        return status
    return f"{status[0]}xx" if status.isdecimal() else NO_ANSWER


def is_remarkable(statuses: Sequence[StatusCount]) -> bool:
    """Tell whether a reader learns anything: statuses differ, or answers are refused or missing."""
    return any(it.old != it.new or status_class(it.old) not in _UNREMARKABLE for it in statuses)


def by_class(statuses: Sequence[StatusCount]) -> Table:
    """Return cases by class: a row for each of old's, a column for each of new's, a dot where there is none."""
    cells: Counter[tuple[str, str]] = Counter()
    for it in statuses:
        cells[status_class(it.old), status_class(it.new)] += it.cases
    rows, columns = (sorted({pair[side] for pair in cells}) for side in (0, 1))
    body = [[row, *(f"{cells[row, column]:,}" if cells[row, column] else "." for column in columns)] for row in rows]
    return [[CORNER, *columns], *body]


def changed(statuses: Sequence[StatusCount]) -> Iterator[str]:
    """Yield each change of a status, the most frequent first: `200 -> 404: 9`."""
    different = [it for it in statuses if it.old != it.new]
    for it in sorted(different, key=lambda it: (-it.cases, it.old, it.new)):
        yield f"{printable(it.old, _LONGEST)} -> {printable(it.new, _LONGEST)}: {it.cases:,}"


def laid_out(table: Table) -> Iterator[str]:
    """Yield a table's rows as lines of text, headings to the left and figures to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for first, *rest in table:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])
