"""Lines of text on their way to a terminal or a file: wrapped, coloured on terminals only, never interpreted."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

Span = tuple[str, str]
"""A text without line breaks, and its style."""
Line = Span | tuple[tuple[Span, ...], str]
"""A line of one style, or one of several; then the second member is of no use."""

_NARROWEST: Final = 40


def columns(width: int | None) -> int:
    """Return the width to write to: the one asked for, else the terminal's."""
    return max(_NARROWEST, width or shutil.get_terminal_size().columns)


def write_lines(out: TextIO, lines: Iterable[Line], width: int) -> None:
    """Write the lines to `out`; what its encoding cannot spell becomes an escape."""
    # Rendered apart: on a closed pipe rich would end the process, with an exit code that means something else here.
    page = io.StringIO()
    console = Console(file=page, force_terminal=out.isatty(), width=width, highlight=False)
    for text, style in lines:
        console.print(Text(text, style) if isinstance(text, str) else Text.assemble(*text), soft_wrap=True)
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(page.getvalue().encode(encoding, "backslashreplace").decode(encoding))


def title(text: str) -> Iterator[Span]:
    """Yield a heading and the empty line above it."""
    yield "", ""
    yield text, "bold"


def wrapped(text: str, width: int, indent: str = "", style: str = "", *, hang: int = 0) -> Iterator[Span]:
    """Yield the text on lines of at most `width` characters, those after the first `hang` further to the right."""
    further = indent + " " * hang
    lines = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False, replace_whitespace=False
    )
    yield from ((line, style) for line in lines)
