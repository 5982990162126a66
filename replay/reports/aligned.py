"""The lines of two values from shortly before the first one that differs, ready to be laid side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from replay.documents.json_text import json_head
from replay.documents.parting import parting
from replay.documents.showing import folded
from replay.inert import GAP, ascii_only, printable
from replay.models import MISSING, Json, Missing

CONTEXT: Final = 2
"""Equal lines that are shown around those that differ."""
MOST_LINES: Final = 600
"""Lines of a stretch: laying them side by side takes time that grows with their square."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Printable lines out of a text; `first` is the number of the first one, and `total` how many the text has."""

    lines: list[str]
    first: int
    total: int
    goes_on: bool
    """Whether the text goes on after these lines."""

    @property
    def last(self) -> int:
        """Return the number of the last line."""
        return self.first + len(self.lines) - 1


def stretches(old: Json | Missing, new: Json | Missing, limit: int) -> tuple[Stretch, Stretch]:
    """Return the lines of two values around their first difference, `limit` characters of each at most.

    Texts, and two bodies as bytes, are searched whole; of other values only the first `limit` characters are written
    as JSON over several lines. Where a line of one only looks like one of the other, all are told as ASCII.
    """
    one, other = (_text(value, limit) for value in (old, new))
    start = _start(one, parting(one, other), limit)
    first, second = _stretch(one, start, limit), _stretch(other, start, limit)
    removed, added = set(first.lines) - set(second.lines), set(second.lines) - set(first.lines)
    if {folded(line) for line in removed} & {folded(line) for line in added}:
        return _ascii(first), _ascii(second)
    return first, second


def legible_lines(value: Json | Missing, limit: int) -> list[str]:
    """Return a text line by line, any other value as JSON spread over lines; printable, and `limit` characters long."""
    return [printable(line) for line in str(_text(value, limit))[:limit].split("\n")]


def _text(value: Any, limit: int) -> Any:
    """Return a text, or bytes, as they are, and any other value as text."""
    if isinstance(value, str | bytes):
        return value
    return "missing" if value is MISSING else json_head(value, limit, spread=True)


def _start(text: Any, at: int, limit: int) -> int:
    """Return where the line begins that stands `CONTEXT` lines above the one at `at`; not too far away from there."""
    newline = _newline(text)
    before = at
    for _ in range(CONTEXT + 1):
        before = max(text.rfind(newline, 0, before), -1)
        if before < 0:
            break
    return int(max(before + 1, at - limit // 2))


def _newline(text: Any) -> Any:
    return "\n" if isinstance(text, str) else b"\n"


def _stretch(text: Any, start: int, limit: int) -> Stretch:
    newline = _newline(text)
    part = text[start : start + limit]
    lines = (part if isinstance(part, str) else part.decode("utf-8", "backslashreplace")).split("\n")
    cut = start + limit < len(text)
    if cut and len(lines) > 1:
        # Half a line would differ from the other side's whole one.
        lines.pop()
    if start > 0 and text[start - 1 : start] != newline:
        lines[0] = GAP.lstrip() + lines[0]
    shown = [printable(line) for line in lines[:MOST_LINES]]
    total = text.count(newline) + (len(text) > 0 and not text.endswith(newline))
    return Stretch(shown, text.count(newline, 0, start) + 1, total, cut or len(lines) > MOST_LINES)


def _ascii(stretch: Stretch) -> Stretch:
    return replace(stretch, lines=[ascii_only(line) for line in stretch.lines])
