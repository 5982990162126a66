"""What a case shows: the facets by which a set of goldens is measured against traffic."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from replay.documents import parse_json
from replay.identifiers import names_one
from replay.locations import ROOT, print_location
from replay.models import Case, FacetKind, Headers, Observation, Request, first_header
from replay.privacy import is_secret_parameter
from replay.routes import route_of

MOST_NODES: Final = 5_000
"""Nodes of a document that are looked at."""
DEEPEST: Final = 20
MOST_ITEMS: Final = 200
"""Items of an array that are looked at."""

_LONGEST_WORD: Final = 24
_LONGEST_KEY: Final = 100
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ _./-][A-Za-z0-9]+){0,3}")
_NAMES_ONE: Final = re.compile(r"(?:\A|[a-z_-])(?:id|Id|ID|key|Key|uuid)\Z|\Aid\Z")
_LARGEST: Final = 10**40
_FORM: Final = "application/x-www-form-urlencoded"
_LOCALES: Final = frozenset({"lang", "language", "locale", "hl"})
_SIZES: Final = (
    (0, "empty"), (1_000, "to 1 KB"), (10_000, "1 to 10 KB"), (100_000, "10 to 100 KB"), (10**6, "100 KB to 1 MB"),
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What one case shows, all of one route.

    `objects` are the members of objects by where these stand, so that it can be told which others are missing;
    `words` are short texts, which may be one of few; `keys` are names of one thing of many.
    """

    route: str
    facets: set[tuple[FacetKind, str]] = field(default_factory=set)
    objects: dict[str, frozenset[str]] = field(default_factory=dict)
    words: set[tuple[str, str]] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)
    maps: Collection[str] = ()
    """Where objects stand that are maps from names to things of one sort."""
    nodes: int = 0


def seen_of(case: Case, answer: Observation | None, maps: Mapping[str, Collection[str]]) -> Seen:
    """Return what a case shows by its requests, and by an answer to it where there is one.

    `maps` tells, by route, which objects are maps: their members are told as `*`.
    """
    route = route_of(case.request)
    seen = Seen(route, maps=maps.get(route, ()))
    seen.facets.add(("route", ""))
    for request in case.requests:
        _request(seen, request)
    if answer is not None:
        for each in [played.seen for played in answer.steps] or [answer]:
            _answer(seen, each)
    return seen


def _request(seen: Seen, request: Request) -> None:
    route = route_of(request)
    if route != seen.route:
        seen.facets.add(("request", f"a step to {route}"))
    _path_keys(seen, request.path, route)
    query = request.path.partition("#")[0].partition("?")[2]
    _fields(seen, "request.query", query)
    if languages := request.header("accept-language"):
        seen.facets.add(("locale", f"accept-language: {_language(languages)}"))
    _body(seen, "request", request.headers, request.body or b"")


def _path_keys(seen: Seen, path: str, route: str) -> None:
    """Note what stands in a path where its route has a star."""
    parts = path.partition("?")[0].split("/")
    for number, (part, general) in enumerate(zip(parts, route.partition(" ")[2].split("/"), strict=False)):
        if part != general and part:
            seen.keys.add((f"segment {number} of the path", part[:_LONGEST_KEY]))


def _fields(seen: Seen, at: str, text: str) -> None:
    for name, value in islice(parse_qsl(text, keep_blank_values=True, errors="replace"), MOST_ITEMS):
        _leaf(seen, _Place("request", at).member(name), value)
        if name.lower() in _LOCALES:
            seen.facets.add(("locale", f"{name}: {value[:_LONGEST_WORD]}"))


def _answer(seen: Seen, answer: Observation) -> None:
    if answer.error is not None:
        seen.facets.add(("status", answer.error.kind))
    if answer.status is not None:
        seen.facets.add(("status", str(answer.status)))
    if language := answer.header("content-language"):
        seen.facets.add(("locale", f"content-language: {_language(language)}"))
    _body(seen, "response", answer.headers, answer.body)


def _body(seen: Seen, kind: FacetKind, headers: Headers, body: bytes) -> None:
    media = (first_header(headers, "content-type") or "").partition(";")[0].strip().lower()
    if media:
        seen.facets.add(("type", f"{kind} {media}"))
    if body or kind == "response":
        seen.facets.add(("size", f"{kind} {_size(len(body))}"))
    at = "request.json" if kind == "request" else "body"
    if media == _FORM:
        _fields(seen, "request.form", body.decode("utf-8", "replace"))
    elif body[:1] in (b"{", b"[") or media.endswith("json"):
        parsed = parse_json(body)
        if parsed.ok:
            _walk(seen, _Place(kind, at), parsed.value)
        for finding in parsed.findings:
            seen.facets.add((kind, f"{at}: {finding.name.replace('_', ' ')}"))


class _Place(NamedTuple):
    """Where a value stands, under which nearest name, and how deep."""

    kind: FacetKind
    at: str
    named: str = ""
    depth: int = 0

    def item(self) -> _Place:
        return self._replace(at=f"{self.at}[*]", depth=self.depth + 1)

    def any_member(self) -> _Place:
        return self._replace(at=f"{self.at}.*", depth=self.depth + 1)

    def member(self, name: str) -> _Place:
        return _Place(self.kind, _below(self.at, name), name, self.depth + 1)


def _walk(seen: Seen, here: _Place, value: Any) -> None:
    seen.nodes += 1
    if seen.nodes > MOST_NODES or here.depth > DEEPEST:
        return
    if isinstance(value, dict):
        _object(seen, here, value)
    elif isinstance(value, list):
        seen.facets.add((here.kind, f"{here.at}: {_count(value)}"))
        for item in islice(value, MOST_ITEMS):
            _walk(seen, here.item(), item)
    else:
        _leaf(seen, here, value)


def _object(seen: Seen, here: _Place, members: Mapping[str, Any]) -> None:
    if not members:
        seen.facets.add((here.kind, f"{here.at}: an empty object"))
    is_map = here.at in seen.maps
    if not is_map:
        seen.objects[here.at] = seen.objects.get(here.at, frozenset()) | members.keys()
    for name, value in members.items():
        _walk(seen, here.any_member() if is_map else here.member(name), value)


def _count(items: list[Any]) -> str:
    return ("an empty array", "an array of one")[len(items)] if len(items) < 2 else "an array"  # noqa: PLR2004


def _leaf(seen: Seen, here: _Place, value: Any) -> None:
    seen.facets.add((here.kind, f"{here.at}: {_class(value)}"))
    if isinstance(value, str):
        _told(seen, here, value)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        _told(seen, here, str(value))


def _told(seen: Seen, here: _Place, text: str) -> None:
    """Note a text that is the name of one thing of many, or may be one of few."""
    if is_secret_parameter(here.named):
        return
    if names_one(text) or _NAMES_ONE.search(here.named):
        if here.kind == "request" and text:
            seen.keys.add((here.at, text[:_LONGEST_KEY]))
    elif len(text) <= _LONGEST_WORD and _WORD.fullmatch(text):
        seen.words.add((here.at, text))


def _class(value: Any) -> str:
    """Return of what sort a value is: the sorts that programs treat apart."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float | Decimal):
        sort = "a negative number" if value < 0 else "a number"
        return "0" if value == 0 else f"{sort} with a fraction" if _is_broken(value) else sort
    if not value.strip():
        return "an empty text" if not value else "blanks"
    return "a text" if value.isascii() else "a text beyond ASCII"


def _is_broken(value: float | Decimal) -> bool:
    # No whole number is made of it, which for 1e999999 would take a million digits.
    if isinstance(value, int):
        return False
    if isinstance(value, Decimal):
        return int(value.as_tuple().exponent) < 0
    return not float(value).is_integer()


@lru_cache(maxsize=16_384)
def _below(at: str, name: str) -> str:
    return f"{at}.*" if names_one(name) else at + print_location(((ROOT, "x"), name))[1:]


@lru_cache(maxsize=1_024)
def _language(header: str) -> str:
    return header.partition(",")[0].partition(";")[0].strip()[:_LONGEST_WORD]


def _size(length: int) -> str:
    return next((name for most, name in _SIZES if length <= most), "over 1 MB")


def missing_of(
    objects: Mapping[str, frozenset[str]], known: Mapping[str, frozenset[str]]
) -> Iterator[tuple[FacetKind, str]]:
    """Yield the members that objects lack, of those that are known of objects at the same place."""
    for at, members in objects.items():
        kind: FacetKind = "request" if at.startswith("request.") else "response"
        for name in known.get(at, frozenset()) - members:
            yield kind, f"{_below(at, name)}: missing"
