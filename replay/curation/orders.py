"""Arrays whose items came in another order the second time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from replay.documents import canonical_json, parse_json
from replay.locations import compile_query
from replay.models import Observation, Result

_LARGEST: Final = 10_000
"""Items of an array that is looked at."""
_ARRAY: Final = re.compile(r"\[(?:\d+|\?(?:[^'\]]|'(?:\\.|[^'\\])*')*)\]")


def reordered(result: Result) -> Iterator[tuple[str, bool]]:
    """Yield each array in which both answers differ, and whether they hold the same items; outer ones first."""
    arrays: dict[str, None] = {}
    for difference in result.differences:
        if difference.against == "old" and difference.at.startswith("body"):
            arrays |= {difference.at[: found.start()]: None for found in _ARRAY.finditer(difference.at)}
    if not arrays:
        return
    old, new = _document(result.old), _document(result.new)
    for at in arrays:
        one, other = _array(old, at), _array(new, at)
        if one is not None and other is not None:
            yield at, one != other and Counter(map(canonical_json, one)) == Counter(map(canonical_json, other))


def _document(answer: Observation | None) -> dict[str, Any]:
    if answer is None:
        return {}
    parsed = parse_json(answer.body)
    # NaN has no spelling that items could be told apart by, and equals nothing.
    return {"body": parsed.value} if parsed.ok and not parsed.has("nan") else {}


def _array(document: dict[str, Any], at: str) -> list[Any] | None:
    try:
        (found,) = compile_query(f"$.{at}").findall(document)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and len(found) <= _LARGEST else None
