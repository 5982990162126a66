"""JSON as text, written in pieces: a value of any size and depth costs no more memory than the caller keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from replay.documents.numbers import number_text
from replay.models import Json, Missing

_END: Final = object()
_LONG: Final = 1_024
"""Characters of a text that are written at once: an escaped one is six times as long."""
_PIECES: Final = 512


@dataclass(slots=True)
class _Frame:
    """An array or object that is being written."""

    entries: Iterator[Any]
    keyed: bool
    first: bool = True


def json_text(value: Json | Missing, *, spread: bool = False) -> str:
    """Return the value as JSON in ASCII, compact or `spread` over lines; NaN and infinities, which JSON lacks, as text.

    Works without recursion, so that no depth is too deep.
    """
    return "".join(json_chunks(value, spread=spread))


def json_chunks(value: Json | Missing, *, spread: bool = False) -> Iterator[str]:
    """Yield what `json_text` returns, in chunks that can be written one after the other."""
    pieces = _pieces(value, spread=spread, letters=False)
    while chunk := "".join(islice(pieces, _PIECES)):
        yield chunk


def json_head(value: Json | Missing, limit: int, *, spread: bool = False) -> str:
    """Return the first `limit` characters of the value as JSON; letters beyond ASCII stand for themselves."""
    parts: list[str] = []
    written = 0
    for piece in _pieces(value, spread=spread, letters=True):
        parts.append(piece)
        written += len(piece)
        if written >= limit:
            break
    return "".join(parts)[:limit]


def quoted(text: str, *, letters: bool) -> str:
    """Return a text as JSON spells it, `letters` beyond ASCII as themselves or as escapes."""
    return json.dumps(text, ensure_ascii=not letters)


def _pieces(value: Any, *, spread: bool, letters: bool) -> Iterator[str]:
    """Yield the text piece by piece; of any two in a row, one at least is not empty."""
    frames: list[_Frame] = []
    yield from _value(value, frames, letters=letters)
    while frames:
        frame = frames[-1]
        entry: Any = next(frame.entries, _END)
        if entry is _END:
            frames.pop()
            yield _line(frames, spread=spread) + ("}" if frame.keyed else "]")
            continue
        yield ("" if frame.first else ",") + _line(frames, spread=spread)
        frame.first = False
        if frame.keyed:
            key, entry = entry
            yield from _text(key, letters=letters)
            yield ": " if spread else ":"
        yield from _value(entry, frames, letters=letters)


def _line(frames: list[_Frame], *, spread: bool) -> str:
    return "\n" + "  " * len(frames) if spread else ""


def _value(value: Any, frames: list[_Frame], *, letters: bool) -> Iterator[str]:
    if isinstance(value, dict) and value:
        frames.append(_Frame(iter(value.items()), keyed=True))
        yield "{"
    elif isinstance(value, list | tuple) and value:
        frames.append(_Frame(iter(value), keyed=False))
        yield "["
    elif isinstance(value, str):
        yield from _text(value, letters=letters)
    else:
        yield _leaf(value)


def _text(text: str, *, letters: bool) -> Iterator[str]:
    if len(text) <= _LONG:
        yield quoted(text, letters=letters)
        return
    yield '"'
    for start in range(0, len(text), _LONG):
        yield quoted(text[start : start + _LONG], letters=letters)[1:-1]
    yield '"'


def _leaf(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float | Decimal):
        try:
            return number_text(value)
        except ValueError:
            return json.dumps(str(value))
    # Bytes, or MISSING within a value: JSON has no word for them, and a reader may want to see them all the same.
    return json.dumps(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))
