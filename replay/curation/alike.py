"""What the rows of a golden may all expect: what is the same in each, and names where a row's own values stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from replay.curation.stating import built, same_expectation
from replay.documents import canonical_json
from replay.models import Json
from replay.placeholders import CAPTURED, filled_expectation, spelled

_PARTS: Final = list | dict | None
"""What is no part of a text."""


class _DifferError(Exception):
    """Rows differ in what no value of theirs tells."""


def said_alike(said: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Json]]) -> dict[str, Any] | None:
    """Return what every row may expect, filled with its own values; None where there is nothing that holds for all.

    A name is put only where rows differ, and only if each row, filled, comes to expect just what was said of it.
    """
    names = [
        name for name in rows[0] if CAPTURED.name.fullmatch(f"{{{{{name}}}}}") and all(name in row for row in rows)
    ]
    try:
        found = dict(_members(said, [{name: row[name] for name in names} for row in rows]))
    except _DifferError:
        return None
    pairs = zip(said, rows, strict=True)
    same = all(same_expectation(filled_expectation(built(found), row), built(one)) for one, row in pairs)
    return found if same else None


def _put(name: str) -> str:
    return f"{{{{{name}}}}}"


def _alike(items: Sequence[Any], rows: Sequence[Mapping[str, Json]]) -> Any:
    if len({canonical_json(item) for item in items}) == 1:
        return items[0]
    if all(isinstance(item, Mapping) for item in items):
        return _members(items, rows)
    if all(isinstance(item, list) for item in items) and len({len(item) for item in items}) == 1:
        return [_alike(several, rows) for several in zip(*items, strict=True)]
    for name in rows[0]:
        if all(canonical_json(item) == canonical_json(row[name]) for item, row in zip(items, rows, strict=True)):
            return _put(name)
    if all(isinstance(item, str) for item in items):
        return _text(items, rows)
    raise _DifferError


def _members(items: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Json]]) -> dict[str, Any]:
    if any(item.keys() != items[0].keys() for item in items):
        raise _DifferError
    return {key: _alike([item[key] for item in items], rows) for key in items[0]}


def _text(texts: Sequence[str], rows: Sequence[Mapping[str, Json]]) -> str:
    """Return the one text that these are once values of rows have their names, of as few as will do."""
    for names in [*([name] for name in rows[0]), list(rows[0])]:
        named = {_named(text, {name: row[name] for name in names}) for text, row in zip(texts, rows, strict=True)}
        if len(named) == 1:
            return named.pop()
    raise _DifferError


def _named(text: str, row: Mapping[str, Json]) -> str:
    values = {spelled(value): name for name, value in row.items() if not isinstance(value, bool | _PARTS)}
    longest = sorted(filter(None, values), key=len, reverse=True)
    words = rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)" if longest else "(?!)"
    return re.sub(words, lambda found: _put(values[found[0]]), text)
