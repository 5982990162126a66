"""Forms and query strings: fields by name."""

from __future__ import annotations

from typing import Final

from replay.compare.formats.base import Content, Reading, UnreadableError
from replay.compare.formats.encodings import unescaped
from replay.models import Json

MOST_FIELDS: Final = 500_000


def read_form(content: Content) -> Reading:
    """Read `a=1&b=2` as an object: a text for each name, a list of them where a name stands several times.

    The order of different names means nothing, that of one name's values does. `a` and `a=` are the same field.
    """
    return Reading("json", _fields("form", content.text()))


def read_query(content: Content) -> Reading:
    """Read a query string, with or without its question mark, as a form."""
    return Reading("json", _fields("query", content.text().removeprefix("?")))


def _fields(name: str, text: str) -> dict[str, Json]:
    if text.count("&") > MOST_FIELDS:
        raise UnreadableError(name, f"more than {MOST_FIELDS:,} fields")
    found: dict[str, list[str]] = {}
    for part in text.split("&"):
        if part:
            key, _, value = (unescaped(name, it.replace("+", " ")) for it in part.partition("="))
            found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
