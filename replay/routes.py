"""Routes: what requests for many things of one sort have in common, such as `GET /orders/*`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from replay.identifiers import names_one
from replay.models import Request

MOST_SEGMENTS: Final = 12
"""Segments of a path that a route tells apart: what lies deeper is `**`."""
LONGEST: Final = 500
"""Characters of a path that a route tells apart, likewise."""
_SUFFIX: Final = re.compile(r"(.+)(\.[A-Za-z][A-Za-z0-9]{0,7})")
_UNPRINTABLE: Final = re.compile(r"[^!-~]")


def route_of(request: Request) -> str:
    """Return where a request goes, for any id: `GET /orders/17.json?full=1` goes to `GET /orders/*.json`.

    The query does not count. The route is fit for `on:` of a rule, and then matches the request, save where its path
    has dot segments.
    """
    # Remembered without the query, which each case has anew.
    return _route(request.method, request.path.partition("?")[0][:LONGEST])


@lru_cache(maxsize=4_096)
def _route(method: str, path: str) -> str:
    path = path.partition("#")[0]
    segments = path.removeprefix("/").split("/")
    # What was cut off at its longest is cut off before the segment that it broke.
    whole = min(MOST_SEGMENTS, len(segments) - (len(path) == LONGEST))
    kept = [_general_segment(segment) for segment in segments[:whole]]
    return f"{method.upper()} /" + "/".join([*kept, "**"] if whole < len(segments) else kept)


def _general_segment(segment: str) -> str:
    """Return `*` for a segment that names one thing of many; its suffix stays, since it says what is asked for."""
    # What no rule could write, or would read as something else, is told by what it stands for.
    if _UNPRINTABLE.search(segment):
        return "*"
    named = _SUFFIX.fullmatch(segment)
    stem, suffix = (named[1], named[2]) if named else (segment, "")
    if names_one(unquote(stem)):
        return f"*{suffix}"
    return "*" if names_one(unquote(segment)) else segment
