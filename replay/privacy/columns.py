"""Columns of CSV that hold secrets or telephone numbers, by the names in the first line."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from replay.privacy.names import names_phone, names_secret

_LONGEST_HEAD: Final = 4_000
_DELIMITERS: Final = ",;\t|"
_NAME: Final = re.compile(r"\"?[A-Za-z_][\w .()/-]{0,60}\"?")
"""What heads a column: one whose first line is a sentence is no table."""

Member = Callable[[str, str], str]
"""From a name and a text to what is kept of it."""


def telling_head(text: str) -> str:
    """Return the first line of a table of which a column holds secrets, with its end; empty for any other text."""
    if text[:1] in {"{", "[", "<"}:
        return ""
    end = text.find("\n", 0, _LONGEST_HEAD) + 1
    return text[:end] if end and end < len(text) and _head(text[:end]) is not None else ""


@lru_cache(maxsize=256)
def _head(line: str) -> tuple[str, dict[int, str]] | None:
    """Return what parts the columns, and the names of those that hold something, by their number."""
    for delimiter in _DELIMITERS:
        names = [name.strip() for name in line.removeprefix("\ufeff").split(delimiter)]
        if len(names) > 1 and all(map(_NAME.fullmatch, names)):
            bare = (name.strip('"') for name in names)
            telling = {at: name for at, name in enumerate(bare) if names_secret(name) or names_phone(name)}
            return (delimiter, telling) if telling else None
    return None


def masked_columns(text: str, member: Member) -> str:
    """Return a table with what is kept of the cells in such columns; any other text as it is."""
    first = telling_head(text)
    head = _head(first) if first else None
    if head is None:
        return text
    delimiter, telling = head
    pieces, column = [first], 0
    for cell in _cells(delimiter).finditer(text, len(first)):
        quoted, bare, end = cell.groups()
        name = telling.get(column)
        pieces.append(cell[0] if name is None else _kept(name, quoted, bare, member) + end)
        column = column + 1 if end == delimiter else column if not end else 0
    return "".join(pieces)


def _kept(name: str, quoted: str | None, bare: str | None, member: Member) -> str:
    if quoted is not None:
        return '"' + member(name, quoted.replace('""', '"')).replace('"', '""') + '"' if quoted else '""'
    meant = (bare or "").strip()
    return (bare or "").replace(meant, member(name, meant)) if meant else bare or ""


@lru_cache(maxsize=8)
def _cells(delimiter: str) -> re.Pattern[str]:
    parting = re.escape(delimiter)
    return re.compile(rf'(?:"((?:[^"]|"")*+)"|([^\r\n{parting}]*+))({parting}|\r?\n|\r|\Z|(?=.))', re.DOTALL)
