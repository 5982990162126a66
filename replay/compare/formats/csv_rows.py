"""CSV as rows that stay where they are: an export of 200 MB is read without being taken apart as a whole."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from replay.compare.formats.base import Content, Reading, UnreadableError, known_charset
from replay.models import CsvSpec, Json

MOST_ROWS: Final = 10_000_000
"""Each costs 16 bytes beside the file itself."""
MOST_LISTED: Final = 100_000
"""Rows that are taken apart as a whole, for rules that need to see all of them at once."""
LONGEST_ROW: Final = 16 * 2**20
"""Bytes, so that neither an open quote nor a row of nothing but commas takes gigabytes."""
_DELIMITERS: Final = ",;\t|"
_SOMETHING: Final = re.compile(rb"[^\r\n]")
_BOM: Final = b"\xef\xbb\xbf"
_ASCII_LIKE: Final = frozenset({"utf_8", "utf_8_sig", "ascii", "iso8859_1", "iso8859_15", "cp1252"})
"""Charsets in which a line ends where its bytes say so; any other is written as UTF-8 first."""


def read_csv(content: Content) -> Reading:
    """Read rows, the first of which names the columns unless the options say otherwise; cells are texts.

    Quotes and line ends mean nothing, empty lines are passed over. A row may be longer or shorter than the header.
    """
    data, charset = _in_lines(content)
    if _SOMETHING.search(data) is None:
        return Reading("none")
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW))  # the library's one limit is its global one
    return Reading("rows", Rows(data, charset, content.csv))


def _in_lines(content: Content) -> tuple[bytes, str]:
    """Return bytes of which each line can be decoded by itself, and their charset."""
    if isinstance(content.data, str):
        return content.raw.removeprefix(_BOM), "utf-8"
    charset = known_charset(content.charset)
    plain = charset.lower().replace("-", "_") in _ASCII_LIKE | {"utf8", "latin_1", "us_ascii"}
    data, charset = (content.data, charset) if plain else (content.text().encode("utf-8", "surrogatepass"), "utf-8")
    return data.removeprefix(_BOM), charset


class Rows:
    """The rows of a file: for each a hash of its cells, and where it begins to read them again.

    Hashes are Python's own of tuples of texts, 64 bits and keyed anew for each process: that two given rows that
    differ have the same happens once in 10^19.
    """

    def __init__(self, data: bytes, charset: str, spec: CsvSpec) -> None:
        """Look at every row once. Raise UnreadableError, with the row, for what is no CSV."""
        self._data = data
        self._charset = charset
        self.spec = spec
        self.hashes = array("q")
        self._starts = array("q")
        first = self._line(0)
        self.delimiter = spec.delimiter or _sniffed(first)
        cells, begin = self._next_row(0)
        if spec.header is True:
            self.header: Sequence[str] | None = _distinct(cells)
        else:
            self.header, begin = (_distinct(spec.header) if spec.header else None), 0
        self._begin = begin
        self._look(begin)

    def __len__(self) -> int:
        """Return how many rows there are, without the header."""
        return len(self.hashes)

    def cells(self, index: int) -> list[str]:
        """Return the cells of one row."""
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._data)
        text = self._data[self._starts[index] : end].decode(self._charset)
        return next(csv.reader((text,), delimiter=self.delimiter, strict=True))

    def row(self, index: int) -> Json:
        """Return one row: an object by the names of the columns, or a list where they have none."""
        return self.named(self.cells(index))

    def named(self, cells: list[str]) -> Json:
        """Return cells by their columns' names; those beyond the header by their number."""
        if self.header is None:
            return cells
        named: dict[str, Json] = dict(zip(self.header, cells, strict=False))
        if len(cells) > len(self.header):
            for number, cell in enumerate(cells[len(self.header) :], len(self.header) + 1):
                named[_numbered(number, self.header)] = cell
        return named

    def every(self) -> Iterator[list[str]]:
        """Yield the cells of each row, in order."""
        lines = _Lines(self._data, self._charset, self._begin, longest=len(self._data))
        for cells in self._reader(lines):
            if cells:
                yield cells

    def listed(self) -> list[Json]:
        """Return all rows as one list: for files that are small."""
        return [self.named(cells) for cells in self.every()]

    def __str__(self) -> str:
        """Tell what this is, where its rows are too many to be shown."""
        return f"CSV, {len(self)} rows" + (f" of {', '.join(self.header)}" if self.header else "")

    def _look(self, begin: int) -> None:
        count, lines = 0, _Lines(self._data, self._charset, begin)
        reader = self._reader(lines)
        start = begin
        hashes, starts = self.hashes.append, self._starts.append
        try:
            for cells in reader:
                if cells:
                    hashes(hash(tuple(cells)))
                    starts(start)
                    count += 1
                    if count > MOST_ROWS:
                        raise UnreadableError("csv", f"more than {MOST_ROWS:,} rows")
                start = lines.row = lines.end
        except (csv.Error, UnicodeError) as error:
            raise _unreadable(error, f"row {count + 1}") from None

    def _next_row(self, begin: int) -> tuple[list[str], int]:
        """Return the cells of the row that begins here, and where the next one does."""
        lines = _Lines(self._data, self._charset, begin)
        try:
            cells = next((cells for cells in self._reader(lines) if cells), [])
        except (csv.Error, UnicodeError) as error:
            raise _unreadable(error, "the first row") from None
        return cells, lines.end

    def _reader(self, lines: _Lines) -> Iterator[list[str]]:
        # Strict: what follows a closing quote would else be taken for a part of the cell, and two files become equal.
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _line(self, begin: int) -> str:
        try:
            return next((line for line in _Lines(self._data, self._charset, begin) if line.strip("\r\n")), "")
        except (csv.Error, UnicodeError) as error:
            raise _unreadable(error, "the first row") from None


class _Lines:
    """The lines of a file from a place on: `end` is where the last one handed out ends, `row` where its row begins."""

    def __init__(self, data: bytes, charset: str, begin: int, *, longest: int = LONGEST_ROW) -> None:
        self._stream = io.BytesIO(data)  # it shares the bytes
        self._stream.seek(begin)
        self._charset = charset
        self._longest = longest
        self.end = self.row = begin

    def __iter__(self) -> Iterator[str]:
        charset = self._charset
        for line in self._stream:
            self.end += len(line)
            if self.end - self.row > self._longest:
                raise csv.Error(f"longer than {LONGEST_ROW:,} bytes")
            yield line.decode(charset)


def _unreadable(error: Exception, row: str) -> UnreadableError:
    if isinstance(error, UnicodeError):
        return UnreadableError("csv", f"{row} is not text in its charset")
    return UnreadableError("csv", f"{row} is no CSV: {str(error).partition(' - ')[0]}")


def _sniffed(line: str) -> str:
    """Return the delimiter that stands most often in the first line, outside of quotes; a comma where none does."""
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns; one that is empty, or was there before, is called by its number."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        found.append(name if name and name not in found else _numbered(number, (*names, *found)))
    return tuple(found)


def _numbered(number: int, taken: Sequence[str]) -> str:
    """Return a name for a column without one, which no other has."""
    name = f"column {number}"
    while name in taken:
        name += "'"
    return name
