"""JSON values as readers see them: every digit, no invisible difference, and cut where the difference is not."""

from __future__ import annotations

import unicodedata
from typing import Final

from replay.documents.json_text import json_head, quoted
from replay.documents.parting import parting
from replay.inert import GAP, ascii_only, printable
from replay.models import MISSING, Json, Missing

_ARROW: Final = " -> "
_STEP: Final = 4
_NARROWEST: Final = 16
"""Characters on which a value can be cut on both ends and still show something."""
_FURTHEST: Final = 200_000
"""Characters of an array's or an object's JSON that are searched for the first difference; a text is searched whole."""


def shown_pair(old: Json | Missing, new: Json | Missing, limit: int) -> tuple[str, str]:
    """Return both values, each on one line of at most `limit` characters, so that the reader sees where they differ.

    What looks alike and is not is told as ASCII, and absence as the bare word missing. Only what stands around the
    first difference is looked at: 64 MB cost no more than ten characters. `limit` is 16 or more.
    """
    one, other = map(printable, _surroundings(old, new, limit))
    pair = cut_pair(one, other, limit)
    return cut_pair(ascii_only(one), ascii_only(other), limit) if look_alike(*pair) else pair


def shown_change(old: Json | Missing, new: Json | Missing, room: int) -> str:
    """Return `old -> new` on at most `room` characters, or nothing where they are too few to see a difference on.

    A short value leaves its room to a long one.
    """
    half = (room - len(_ARROW)) // 2
    for limit in (*range(room, max(half, _NARROWEST), -_STEP), half):
        one, other = shown_pair(old, new, max(limit, _NARROWEST))
        if len(one) + len(_ARROW) + len(other) <= room:
            return one + _ARROW + other
    return ""


def cut_pair(one: str, other: str, limit: int) -> tuple[str, str]:
    """Cut two texts so that the first place where they differ stays in sight, at the same column in both."""
    if max(len(one), len(other)) <= limit:
        return one, other
    same = 0 if one == other else parting(one, other)
    start = max(0, same - limit // 3)
    if start == 0:
        return _head(one, limit), _head(other, limit)
    room = limit - len(GAP)
    return GAP.lstrip() + _head(one[start:], room), GAP.lstrip() + _head(other[start:], room)


def look_alike(one: str, other: str) -> bool:
    """Tell whether two texts that differ may look the same."""
    return one != other and folded(one) == folded(other)


def folded(text: str) -> str:
    """Return what texts that may look the same have in common."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _surroundings(old: Json | Missing, new: Json | Missing, limit: int) -> tuple[str, str]:
    """Return more than `limit` characters of JSON to both sides of the first difference, as far as there are any."""
    if isinstance(old, str) and isinstance(new, str):
        at = 0 if old == new else parting(old, new)
        return _part(old, at, limit), _part(new, at, limit)
    # Most values part soon: it is not worth writing much of them to see that.
    one, other = _start(old, 8 * limit), _start(new, 8 * limit)
    most = 8 * limit
    if parting(one, other) + limit >= most:
        most = _FURTHEST
        one, other = _start(old, most), _start(new, most)
    at = 0 if one == other else min(parting(one, other), most - limit - 1)
    return _around(one, at, limit), _around(other, at, limit)


def _start(value: Json | Missing, most: int) -> str:
    return "missing" if value is MISSING else json_head(value, most)


def _around(text: str, at: int, limit: int) -> str:
    return text[max(0, at - limit - 1) : at + limit + 1]


def _part(text: str, at: int, limit: int) -> str:
    """Return a part of a text as JSON, with its quotes where it has an end there."""
    inner = quoted(_around(text, at, limit), letters=True)[1:-1]
    return ('"' if at <= limit + 1 else "") + inner + ('"' if at + limit + 1 >= len(text) else "")


def _head(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(GAP)] + GAP.rstrip()
