"""JSON values as readers see them: every digit, no invisible difference, and cut where the difference is not."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from replay.documents.numbers import number_text
from replay.models import MISSING, Json, Missing
from replay.reports.inert import GAP, ascii_only, cut, printable

_END: Final = object()
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


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
    parts: list[str] = []
    frames: list[_Frame] = []
    _put(value, parts, frames)
    while frames:
        frame = frames[-1]
        entry: Any = next(frame.entries, _END)
        if entry is _END:
            frames.pop()
            parts += (_line(frames, spread=spread), "}" if frame.keyed else "]")
            continue
        parts += ("" if frame.first else ",", _line(frames, spread=spread))
        frame.first = False
        if frame.keyed:
            key, entry = entry
            parts += (json.dumps(key), ": " if spread else ":")
        _put(entry, parts, frames)
    return "".join(parts)


def _line(frames: list[_Frame], *, spread: bool) -> str:
    return "\n" + "  " * len(frames) if spread else ""


def _put(value: Any, parts: list[str], frames: list[_Frame]) -> None:
    if isinstance(value, dict) and value:
        parts.append("{")
        frames.append(_Frame(iter(value.items()), keyed=True))
    elif isinstance(value, list | tuple) and value:
        parts.append("[")
        frames.append(_Frame(iter(value), keyed=False))
    else:
        parts.append(_leaf(value))


def _leaf(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None or isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, int | float | Decimal):
        try:
            return number_text(value)
        except ValueError:
            return json.dumps(str(value))
    # Bytes, or MISSING within a value: JSON has no word for them, and a reader may want to see them all the same.
    return json.dumps(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))


def shown(value: Json | Missing, limit: int) -> str:
    """Return the value on one line of at most `limit` characters; MISSING as the bare word."""
    return cut(_legible(value), limit)


def shown_pair(old: Json | Missing, new: Json | Missing, limit: int) -> tuple[str, str]:
    """Return both values, each on one line of at most `limit` characters, so that the reader sees where they differ."""
    one, other = _legible(old), _legible(new)
    if _look_alike(one, other):
        one, other = ascii_only(one), ascii_only(other)
    if max(len(one), len(other)) <= limit:
        return one, other
    return _around(one, other, limit)


def legible_lines(value: Json | Missing) -> list[str]:
    """Return a text line by line, any other value as JSON spread over lines; each line is printable."""
    if value is MISSING:
        return ["missing"]
    if isinstance(value, str):
        return [printable(line) for line in value.split("\n")]
    return [printable(_unescaped(line)) for line in json_text(value, spread=True).split("\n")]


def line_pairs(old: Json | Missing, new: Json | Missing, limit: int) -> tuple[list[str], list[str]]:
    """Return the lines of two values; where a line of one only looks like one of the other, all as ASCII.

    Texts of more than `limit` characters end there.
    """
    one, other = (legible_lines(value[:limit] if isinstance(value, str) else value) for value in (old, new))
    removed, added = set(one) - set(other), set(other) - set(one)
    if {_folded(line) for line in removed} & {_folded(line) for line in added}:
        return [ascii_only(line) for line in one], [ascii_only(line) for line in other]
    return one, other


def _legible(value: Json | Missing) -> str:
    """Return the letters that can be told apart, and all others as escapes."""
    if value is MISSING:
        return "missing"
    return printable(_unescaped(json_text(value)))


def _unescaped(text: str) -> str:
    # Numbers would lose their spelling in a round trip through the parser, so only the texts make it.
    if "\\u" not in text:
        return text
    return _TEXT.sub(lambda match: json.dumps(json.loads(match[0]), ensure_ascii=False), text)


def _look_alike(one: str, other: str) -> bool:
    return one != other and _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _around(one: str, other: str, limit: int) -> tuple[str, str]:
    """Cut two texts so that the first place where they differ stays in sight, at the same column in both."""
    same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - limit // 3)
    if start == 0:
        return _head(one, limit), _head(other, limit)
    room = limit - len(GAP)
    return GAP.lstrip() + _head(one[start:], room), GAP.lstrip() + _head(other[start:], room)


def _head(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(GAP)] + GAP.rstrip()
