"""Whether a value holds tokens, and where."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from replay.compare.base import Node
from replay.privacy import DROPPED, TOKEN, stands_for

_SHORTEST, _LONGEST = 10**12, 10**20

Spot = tuple[str, ...]
"""Where a token lies, as expressions name it: `request`, `headers`, `authorization`."""


def holds_some(body: bytes) -> bool:
    """Tell whether a body holds tokens, or stands for what was dropped."""
    return b"(dropped: " in body or stands_for(body)


def holds_token(value: Node) -> bool:
    """Tell whether a token, or what stands for a value that was dropped, is anywhere in a value."""
    return next(spots_of(value, ()), None) is not None


def spots_of(value: Any, at: Spot) -> Iterator[Spot]:
    """Yield where in a value tokens lie, by names alone: items lie where their array does."""
    stack = [(value, at)]
    while stack:
        node, place = stack.pop()
        if isinstance(node, dict):
            stack += [(item, (*place, str(name))) for name, item in node.items()]
            if any(is_marked(name) for name in node):
                yield place
        elif isinstance(node, list):
            stack += [(item, place) for item in node]
        elif is_marked(node):
            yield place


def is_marked(value: object) -> bool:
    """Tell whether a single value is a token, holds some, or stands for what was dropped."""
    if isinstance(value, bytes):
        return holds_some(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        # A card's number, and a telephone's, may be a number in JSON, and so is its token.
        return _SHORTEST <= value < _LONGEST and TOKEN.search(str(value)) is not None
    return isinstance(value, str) and (stands_for(value.encode("utf-8", "replace")) or DROPPED in value)
