"""Locations as reports print them: fit to paste into a rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from replay.models import Json

_SHORTHAND: Final = re.compile(r"[A-Za-z_\u0080-\ud7ff\ue000-\uffff][A-Za-z0-9_\u0080-\ud7ff\ue000-\uffff]*")
_LONGEST: Final = 100
_HEADER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Control characters, halves of surrogate pairs, and what turns or breaks the line it is printed on.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class Keyed:
    """An array item that was found by what it holds, not by where it stands: `[?@.sku=='A1']`."""

    fields: tuple[tuple[str, Json], ...]

    def __str__(self) -> str:
        return "[?" + " && ".join(f"@{_child(name)}=={_literal(value)}" for name, value in self.fields) + "]"


class _Every(Keyed):
    """Every item of an array."""

    __slots__ = ()

    def __str__(self) -> str:
        return "[*]"


EVERY: Final = _Every(())
Segment = str | int | Keyed
Path = tuple["Path", Segment] | tuple[()]
"""A location under way: its parent and its last segment. Printed only when there is a difference."""

ROOT: Final[Path] = ()


def segments(path: Path) -> tuple[Segment, ...]:
    """Return a path from its root on."""
    found: list[Segment] = []
    while path:
        path, segment = path
        found.append(segment)
    return tuple(reversed(found))


def print_location(path: Path) -> str:
    """Return a path in the location language, fit to paste into a rule."""
    told: list[str] = []
    before: Segment | None = None
    for part in segments(path):
        told.append(_header(part) if before == "headers" else _child(part))
        before = part
    return "".join(told).removeprefix(".")


def _child(segment: Segment) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    if isinstance(segment, Keyed):
        return str(segment)
    return _known_member(segment) if len(segment) <= _LONGEST else _member(segment)


def _member(segment: str) -> str:
    plain = _SHORTHAND.fullmatch(segment) and not _UNPRINTABLE.search(segment)
    return f".{segment}" if plain else f"[{_quote(segment)}]"


# A service says the same names over and over, and to look through one takes longer than to look it up.
_known_member: Final = lru_cache(maxsize=4096)(_member)


def _header(segment: Segment) -> str:
    return f".{segment}" if isinstance(segment, str) and _HEADER.fullmatch(segment) else _child(segment)


def _literal(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _quote(value)
    # Python writes no int of more than 4,300 digits; a Decimal of it has no such limit.
    return format(Decimal(value), "f") if isinstance(value, int) else str(value)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + "'"
