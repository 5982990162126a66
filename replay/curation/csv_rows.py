"""What one row of a CSV file expects, written into its cells; all other rows stay as they are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from replay.documents import dump_json

_PREFIX: Final = "expect."


def with_expected(text: str, row: int, expect: Mapping[str, Any]) -> str:
    """Return a CSV text whose row, counted from 0 behind the names, expects this; columns that lack are added.

    Raise LookupError where there is no such row.
    """
    records = _records(text)
    if row + 1 >= len(records):
        raise LookupError(row)
    names = _cells(records[0])
    wanted = {f"{_PREFIX}{key}": _cell(key, value) for key, value in expect.items()}
    added = [name for name in wanted if name not in names]
    before = _cells(records[row + 1])
    if len(before) != len(names):
        raise LookupError(row)
    cells = dict(zip(names, before, strict=True))
    cells = {name: "" if name.startswith(_PREFIX) else cell for name, cell in cells.items()} | wanted
    records[row + 1] = _written([cells[name] for name in (*names, *added)], records[row + 1])
    for place, record in enumerate(records if added else ()):
        if place != row + 1:
            records[place] = _longer(record, added if place == 0 else [""] * len(added))
    return "".join(records)


def require_same_rows(before: str, after: str, changed: Collection[int]) -> None:
    """Raise LookupError unless a CSV text says what it said, save for what these rows expect."""
    one, other = ([_cells(record) for record in _records(text)] for text in (before, after))
    names = other[0]
    if len(one) != len(other) or any(len(cells) != len(names) for cells in other):
        raise LookupError("rows")
    for number, (cells, now) in enumerate(zip(one, other, strict=True)):
        said = dict(zip(names, cells if number else names, strict=False))
        for name, cell in zip(names, now, strict=True):
            expected = name.startswith(_PREFIX) and (number - 1 in changed or not cell)
            if not expected and said.get(name, "") != cell:
                raise LookupError(name)


def _records(text: str) -> list[str]:
    """Return each record as it is written, with its line end; empty lines go with the record before them.

    Raise LookupError for what is no CSV.
    """
    lines = io.StringIO(text, newline="").readlines()
    reader, found, start = csv.reader(lines, strict=True), list[str](), 0
    for cells in _read(reader):
        piece = "".join(lines[start : reader.line_num])
        start = reader.line_num
        if cells or not found:
            found.append(piece)
        else:
            found[-1] += piece
    return found


def _read(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        raise LookupError("records") from None


def _cells(record: str) -> list[str]:
    return next(_read(csv.reader(io.StringIO(record.lstrip("\ufeff"), newline=""), strict=True)))


def _cell(key: str, value: Any) -> str:
    return dump_json(value) if key == "json" else str(value)


def _longer(record: str, cells: Sequence[str]) -> str:
    body = record.rstrip("\r\n")
    return f"{body},{','.join(map(_quoted, cells))}{record[len(body) :]}"


def _written(cells: Sequence[str], before: str) -> str:
    body = before.rstrip("\r\n")
    return ",".join(map(_quoted, cells)) + before[len(body) :]


def _quoted(cell: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cell])
    return out.getvalue() if cell else ""
