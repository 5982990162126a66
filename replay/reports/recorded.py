"""What a recording is and what came of it, for the terminal: seen = kept + not kept, with a reason for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from replay.counting import counted, sized
from replay.inert import printable
from replay.reports.page import Line, columns, wrapped, write_lines

_MOST_FILES: Final = 5


@dataclass(frozen=True, slots=True)
class Sums:
    """What became of everything that was seen."""

    seen: int
    kept: int
    size: int
    files: Sequence[str]
    not_kept: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    """What went wrong in this tool or machine and cost single connections."""


def write_begin(out: TextIO, what: str, remarks: Sequence[str], *, width: int | None = None) -> None:
    """Write what begins, and what else is to be said of it."""
    size = columns(width)
    lines: list[Line] = []
    for text in (what, *remarks):
        lines += wrapped(printable(text), size, hang=2)
    write_lines(out, lines, size)


def write_end(out: TextIO, sums: Sums, *, width: int | None = None) -> None:
    """Write the sums, the largest reason first."""
    size = columns(width)
    lines: list[Line] = []
    for text, hang in _sentences(sums):
        lines += wrapped(text, size, hang=hang)
    write_lines(out, lines, size)


def _sentences(sums: Sums) -> Iterator[tuple[str, int]]:
    lost = sum(sums.not_kept.values())
    yield f"seen {sums.seen:,} = kept {sums.kept:,} + not kept {lost:,}", 2
    for reason, count in sorted(sums.not_kept.items(), key=lambda each: (-each[1], each[0])):
        yield f"  {count:>9,}  {printable(reason, 200)}", 13
    for fault, count in sums.faults.items():
        yield f"{counted(count, 'connection')} failed here: {printable(fault, 200)}", 2
    if sums.kept:
        yield f"{_files(sums.files)}, {sized(sums.size)}: {counted(sums.kept, 'case')} for `replay run --traffic`", 2


def _files(files: Sequence[str]) -> str:
    shown = ", ".join(printable(file) for file in files[:_MOST_FILES])
    return shown + (f" and {len(files) - _MOST_FILES:,} more" if len(files) > _MOST_FILES else "")
