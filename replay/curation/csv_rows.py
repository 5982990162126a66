"""What rows of a CSV file expect, written into their cells; all other rows stay as they are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from replay.documents import dump_json

_PREFIX: Final = "expect."
_STEPS: Final = "steps."


def with_expected(text: str, rows: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return a CSV text of which rows, counted from 0 behind the names, expect this; columns that lack are added.

    What is expected is told by step, and the step of a golden of one request is empty. Raise LookupError where there
    is no such row, or for what no cell says.
    """
    records = _records(text)
    names = _cells(records[0]) if records else []
    wanted = {row: _wanted(expect) for row, expect in rows.items()}
    added = [name for name in dict.fromkeys(name for cells in wanted.values() for name in cells) if name not in names]
    for row, expect in rows.items():
        before = _cells(records[row + 1])
        if len(before) != len(names):
            raise LookupError(row)
        kept = {name: "" if _step(name) in expect else cell for name, cell in zip(names, before, strict=True)}
        cells = dict.fromkeys((*names, *added), "") | kept | wanted[row]
        records[row + 1] = _written(list(cells.values()), records[row + 1])
    for place, record in enumerate(records if added else ()):
        if place - 1 not in rows:
            records[place] = _longer(record, added if place == 0 else [""] * len(added))
    return "".join(records)


def _wanted(expect: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the cells, by the names of their columns, that say what is expected."""
    if any("headers" in said for said in expect.values()):
        raise LookupError("headers")
    return {_column(step, key): _cell(key, value) for step, said in expect.items() for key, value in said.items()}


def _column(step: str, key: str) -> str:
    return f"{_PREFIX}{_STEPS}{step}.{key}" if step else f"{_PREFIX}{key}"


def _step(column: str) -> str | None:
    """Return the step of which a column says what is expected; None for a column that says nothing of the kind."""
    if not column.startswith(_PREFIX):
        return None
    key = column.removeprefix(_PREFIX)
    return key.removeprefix(_STEPS).rpartition(".")[0] if key.startswith(_STEPS) else ""


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
