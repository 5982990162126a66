"""What a recorded answer may have handed out, where exactly, and what another answer says in the same place.

Decisions on what counts as handed out by an answer:

- A text that looks minted (`identifiers.looks_minted`: eight characters or more, no date, no word) or a whole number of
  nine digits or more; also as a segment of the path, or a value in the query, of a link.
- Such a text as the only key of a map, in the answer to anything but GET, HEAD and OPTIONS; what lies below it is told
  by a way on which that key may be any, since each side has its own there.
- A cookie's value and an ETag, whatever they look like: it is clear where they come back.
- Whatever stands where a rule says `minted: true`; never what stands where one says `minted: false`.
- No item of a list in the answer to a GET, HEAD or OPTIONS, unless a rule says so: it was there before.
- Nothing that an earlier request of the session has said, or this one: the client brought it along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote

from replay.documents import parse_json
from replay.identifiers import is_telling
from replay.models import Json, Observation

MOST_VALUES: Final = 2_000
"""Values of one answer that are looked at."""
LARGEST: Final = 1 << 20
"""Bytes of a body that is looked into."""
LARGEST_NUMBER: Final = 10**40
"""Beyond, a number is no name; Python refuses to spell much larger ones."""
_DEEPEST: Final = 50
_FIELD: Final = re.compile(rb"<(?:input|meta)\b[^>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""\b(name|value|content)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)

Kind = Literal["body", "part", "key", "header", "cookie", "etag", "field"]
Key = tuple[str | int, ...]
_ANY: Final = "*"
"""On a way, the only key of a map where that is the name of a thing."""
_OF_BODY: Final = ("body", "part", "key")


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of an answer: of which kind it is, the way there, and which part of a link if it is one."""

    kind: Kind
    way: Key
    part: int = -1

    @property
    def at(self) -> str:
        """Return the place as a location."""
        if self.kind in _OF_BODY and self.way:
            steps = (f"[{it}]" if isinstance(it, int) else _member(it) for it in self.way)
            return "body" + "".join(steps)
        if self.kind in (*_OF_BODY, "field"):
            return "body"
        return "headers.set-cookie" if self.kind == "cookie" else f"headers.{self.way[0]}"

    @property
    def path(self) -> tuple[str | int, ...]:
        """Return the place as the way that a rule's location leads; of a cookie and a field, that of what holds it."""
        if self.kind in _OF_BODY:
            return ("body", *self.way)
        return {"field": ("body",), "cookie": ("headers", "set-cookie")}.get(self.kind, ("headers", *self.way))

    @property
    def in_list(self) -> bool:
        """Tell whether it is, or is in, an item of a list, or a key."""
        return self.kind == "key" or (self.kind in _OF_BODY and any(isinstance(it, int) for it in self.way))


def _member(name: str) -> str:
    return (
        f".{name}"
        if name == _ANY or re.fullmatch(r"[^\W\d]\w*", name)
        else "['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']"
    )


@dataclass(slots=True)
class Handing:
    """One value that a recorded answer handed out: where, by which case, and in which later requests it was used.

    Where it stands in several places, the first one at which a side says something tells that side's value.
    """

    value: Json
    spots: list[Spot]
    by: str
    pinned: bool = False
    used: list[str] = field(default_factory=list)
    unused: bool = False
    """Nothing was seen to use it by the time when its answer was asked for."""

    @property
    def spot(self) -> Spot:
        """Return the first of its places."""
        return self.spots[0]


def spots(answer: Observation) -> Iterator[tuple[Spot, Json]]:
    """Yield the scalars of an answer with their places, the body's first: whatever could have been handed out."""
    if len(answer.body) <= LARGEST:
        yield from _of_body(answer)
    yield from _of_headers(answer)


def _of_headers(answer: Observation) -> Iterator[tuple[Spot, Json]]:
    for name, value in answer.headers:
        lower = name.lower()
        if lower == "set-cookie":
            cookie, _, rest = value.partition("=")
            yield Spot("cookie", (cookie.strip(),)), rest.partition(";")[0].strip()
        elif lower == "etag":
            yield Spot("etag", ("etag",)), value
        else:
            yield Spot("header", (lower,)), value
            yield from _parts("header", (lower,), value)


def _of_body(answer: Observation) -> Iterator[tuple[Spot, Json]]:
    kind = (answer.header("content-type") or "").lower()
    if "html" in kind:
        yield from _of_fields(answer.body)
    elif answer.body[:1] in (b"{", b"[", b'"') or "json" in kind:
        parsed = parse_json(answer.body)
        if parsed.ok:
            for count, found in enumerate(_leaves(parsed.value, ())):
                if count >= MOST_VALUES:
                    return
                yield found


def _leaves(value: Json, way: Key) -> Iterator[tuple[Spot, Json]]:
    if isinstance(value, dict | list):
        if len(way) < _DEEPEST:
            for key, item in _ways(value):
                yield from _leaves(item, (*way, key))
                if key == _ANY and key not in value:
                    yield Spot("key", (*way, key)), next(iter(value))
    elif isinstance(value, str) or _is_number(value):
        yield Spot("body", way), value
        if isinstance(value, str):
            yield from _parts("part", way, value)


def _ways(value: dict[str, Json] | list[Json]) -> Iterable[tuple[str | int, Json]]:
    if isinstance(value, list):
        return enumerate(value)
    if len(value) == 1 and is_telling(next(iter(value))):
        return [(_ANY, item) for item in value.values()]
    return value.items()


def _is_number(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def _parts(kind: Kind, way: Key, text: str) -> Iterator[tuple[Spot, Json]]:
    """Yield the segments and query values of a text that is a link."""
    if text.startswith(("/", "http://", "https://")) and len(text) <= 2_000:  # noqa: PLR2004 - no link is longer
        for number, part in enumerate(link_parts(text)):
            if part:
                yield Spot(kind, way, number), part


def link_parts(text: str) -> list[str]:
    """Return what a link is made of: segments of its path, then names and values of its query, decoded."""
    return [unquote(part) for part in re.split("[/?&=#]", text)]


def _of_fields(body: bytes) -> Iterator[tuple[Spot, Json]]:
    """Yield what a page's hidden fields and meta tags hold by their names: where CSRF tokens are."""
    for tag in _FIELD.findall(body)[:MOST_VALUES]:
        text = tag.decode("utf-8", "replace")
        attributes = {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(text)}
        value = attributes.get("value", attributes.get("content"))
        if "name" in attributes and value is not None:
            yield Spot("field", (attributes["name"],)), value


def may_be_handed_out(spot: Spot, value: Json, *, pinned: bool | None, safe: bool) -> bool:
    """Tell whether a value in this place of a recorded answer counts as handed out, if it is used again."""
    if pinned is not None:
        return pinned and value != ""
    if spot.in_list and safe:
        return False
    return (spot.kind in ("cookie", "etag") and value != "") or is_telling(value)
