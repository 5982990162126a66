"""Locations for any item: what differs at `body.items[3].id` in one case and at `body.items[5].id` in another."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from replay.identifiers import names_one

LONGEST: Final = 500
"""Characters of a general location; what lies deeper is told as `..*`."""

_SEGMENT: Final = re.compile(
    r"""
      (?P<item>\[(?:\d+|\?(?:[^'\]]|'(?:\\.|[^'\\])*')*)\])    # [3], [?@.sku=='A1']
    | \['(?P<quoted>(?:\\.|[^'\\])*)'\]                        # ['2024-02-29']
    | \.(?P<name>[^.\[]+)                                      # .prices
    """,
    re.VERBOSE | re.DOTALL,
)


def general(at: str) -> str:
    """Return a location for any item of an array and any entry of a map, fit for `at:` of a rule.

    `body.items[3].id` and `body.items[?@.a==1].id` become `body.items[*].id`, `body.prices['2024-02-29']` becomes
    `body.prices.*`.
    """
    return _general(at) if len(at) <= LONGEST else _cut(_general.__wrapped__(at))


@lru_cache(maxsize=4_096)
def _general(at: str) -> str:
    if at.startswith("headers"):
        return at
    return _SEGMENT.sub(_segment, at)


def _segment(found: re.Match[str]) -> str:
    if found["item"]:
        return "[*]"
    name = found["quoted"] if found["name"] is None else found["name"]
    return ".*" if names_one(name) else found[0]


def _cut(at: str) -> str:
    """Return a location that is too long to be told as the last place above it that is not."""
    if len(at) <= LONGEST:
        return at
    ends = [found.start() for found in _SEGMENT.finditer(at) if found.start() <= LONGEST]
    return f"{at[: ends[-1]]}..*" if ends else at[:LONGEST]
