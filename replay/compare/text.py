"""Texts are compared line by line; bytes by what they are."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from replay.documents.parting import parting

SHOWN_LINES: Final = 12
SHOWN_CHARACTERS: Final = 4_000
"""Of each text, however long its lines are: what is shown is kept with every result."""
LARGE: Final = 8_000_000
"""Characters of both texts together beyond which they are not aligned."""
_LEAD: Final = 1_000
"""Characters that are shown before the first one that differs, where not everything is."""
LONG_LINE: Final = range(201, 1_000_000)
"""How many characters a changed line has that is shown by the words that changed."""
_AROUND: Final = 12
_WORDS: Final = re.compile(r"\S+|\s+")
"""Words and blanks. No finer: part of a secret is no longer known as one."""
MUCH_LONGER: Final = 4
"""How many times as many lines one text goes on for where the other is said to stop."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """The first stretch of lines in which two texts part, and what there is to say of the whole."""

    old: str
    new: str
    note: str


def text_change(old: str, new: str) -> TextChange:
    """Describe how two unequal texts differ: from where on, how many lines, and whether one just stops.

    Where only one long line changed, it is told by the words that did.
    Large texts are not taken apart into lines: where they part is all that is told of them.
    """
    if len(old) + len(new) > LARGE:
        return _change_of_large(old, new)
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = _common(old_lines, new_lines)
    end = _common(old_lines[start:][::-1], new_lines[start:][::-1])
    old_part, new_part = old_lines[start : len(old_lines) - end], new_lines[start : len(new_lines) - end]
    stops = "" if end else _stops(old_lines, new_lines, start)
    if not stops and len(old_part) == len(new_part) == 1 and max(map(len, old_part + new_part)) in LONG_LINE:
        return _change_of_words(old_part[0], new_part[0], f"line {start + 1} of {len(old_lines)}")
    note = stops or _span(start, old_part, new_part, len(old_lines))
    return TextChange(*_shown("".join(old_part[:SHOWN_LINES]), "".join(new_part[:SHOWN_LINES])), note)


def _change_of_large(old: str, new: str) -> TextChange:
    at = parting(old, new)
    start = old.rfind("\n", 0, at) + 1
    mine, theirs = _count(old), _count(new)
    note = f"from line {old.count(chr(10), 0, at) + 1} of {mine} on, now {_lines(theirs)}: too large to align"
    if at == len(new):
        note = f"new stops at line {theirs} of {mine}"
    return TextChange(*_shown(old[start:], new[start:]), note)


def _change_of_words(old: str, new: str, place: str) -> TextChange:
    """Describe how one long line changed: the words that did, with a few around them."""
    mine, theirs = (_WORDS.findall(line) for line in (old, new))
    start = _common(mine, theirs)
    end = _common(mine[start:][::-1], theirs[start:][::-1])
    lead, rest = max(0, start - _AROUND), max(0, end - _AROUND)
    shown = ["".join(words[lead : len(words) - rest]) for words in (mine, theirs)]
    return TextChange(*_shown(*shown), f"{place}, from character {len(''.join(mine[:start])) + 1} on")


def _count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n"))


def _shown(old: str, new: str) -> tuple[str, str]:
    """Cut both texts to `SHOWN_CHARACTERS`, so that the first place where they differ is among them."""
    low = parting(old, new)
    start = low - _LEAD if low >= SHOWN_CHARACTERS else 0
    return old[start : start + SHOWN_CHARACTERS], new[start : start + SHOWN_CHARACTERS]


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _stops(old: list[str], new: list[str], start: int) -> str:
    """Say so where one text is the other's beginning, as when a stream breaks off.

    Its last line may be cut, or be an error message: a few lines where the other goes on for many.
    """
    for name, short, long in (("new", new, old), ("old", old, new)):
        rest = len(short) - start
        cut = rest == 0 or (rest == 1 and long[start : start + 1] and long[start].startswith(short[start]))
        failed = start > 0 and rest * MUCH_LONGER <= len(long) - start
        if 0 < len(short) < len(long) and (cut or failed):
            return f"{name} stops at line {len(short)} of {len(long)}"
    return ""


def _span(start: int, old: list[str], new: list[str], total: int) -> str:
    if not old:
        return f"{_lines(len(new))} more after line {start} of {total}"
    if not new:
        return f"{_lines(len(old))} missing after line {start} of {total}"
    where = f"line {start + 1}" if len(old) == 1 else f"lines {start + 1} to {start + len(old)}"
    became = "" if len(old) == len(new) else f", now {_lines(len(new))}"
    return f"{where} of {total}{became}"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def describe_bytes(body: bytes) -> str:
    """Return what is worth saying of bytes that nobody can read: what they look like, their size and hash."""
    kind = next((f"{name}, " for mark, name in _MARKS if mark.match(body)), "")
    return f"{kind}{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:16]}"


_MARKS: Final = tuple(
    (re.compile(mark, re.DOTALL), name)
    for mark, name in (
        (rb"\x89PNG\r\n\x1a\n", "PNG"),
        (rb"\xff\xd8\xff", "JPEG"),
        (rb"GIF8[79]a", "GIF"),
        (rb"RIFF....WEBP", "WebP"),
        (rb"%PDF-", "PDF"),
        (rb"PK\x03\x04", "ZIP"),
        (rb"\x1f\x8b\x08", "gzip"),
        (rb"\x28\xb5\x2f\xfd", "zstd"),
        (rb"PAR1", "Parquet"),
        (rb"SQLite format 3\0", "SQLite"),
        (rb"\0asm", "WebAssembly"),
        (rb"....ftyp", "MP4"),
    )
)
"""The beginnings by which common kinds of files are known."""
