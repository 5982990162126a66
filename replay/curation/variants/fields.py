"""Fields that are missing, null, of another type, there twice, or more than were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from replay.curation.variants.base import Members, below, pair_texts, sites_of, told
from replay.models import Request, Variant

_EXTRA = "unexpected"


def fields(request: Request) -> Iterator[Variant]:
    """Take fields away, and put others there."""
    for at, text, put in pair_texts(request):
        yield from _of_pairs(at, text, put)
    for site in sites_of(request):
        if isinstance(site.value, dict):
            yield from _of_object(site.at, site.value, site.put)
        if not site.is_text and site.name:
            for what, value in _others(site.value):
                yield Variant("fields", site.at, f"{what}: {told(value)}", site.put(value))


def _of_object(at: str, members: dict[str, Any], put: Callable[[Any], Request]) -> Iterator[Variant]:
    yield Variant("fields", at, "a member more", put(members | {_EXTRA: True}))
    for name, value in members.items():
        rest = {key: item for key, item in members.items() if key != name}
        yield Variant("fields", below(at, name), "missing", put(rest))
        yield Variant("fields", below(at, name), "there twice", put(Members([*members.items(), (name, value)])))
        twice = Members([(name, None), *members.items()])
        yield Variant("fields", below(at, name), "there twice, null before", put(twice))


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    if value is not None:
        yield "null", None
    if not isinstance(value, list):
        yield "in an array", [value]
    if not isinstance(value, dict):
        yield "an empty object", {}
    if isinstance(value, bool):
        yield "the other one", not value
        yield "as a text", str(value).lower()
        yield "as a number", int(value)


def _of_pairs(at: str, text: str, put: Callable[[str], Request]) -> Iterator[Variant]:
    """Vary the fields of a query or a form."""
    parts = text.split("&") if text else []

    def variant(at: str, what: str, *fields: str) -> Variant:
        return Variant("fields", at, what, put("&".join(fields)))

    yield variant(at, "a field more", *parts, f"{_EXTRA}=1")
    if len(parts) > 1:
        yield variant(at, "another order", *parts[::-1])
    for place, part in enumerate(parts):
        if not part:
            continue
        name = part.partition("=")[0]
        here, before, after = below(at, unquote_plus(name)), parts[:place], parts[place + 1 :]
        yield variant(here, "missing", *before, *after)
        yield variant(here, "without a value", *before, f"{name}=", *after)
        yield variant(here, "without an equals sign", *before, name, *after)
        yield variant(here, "there twice", *parts, part)
        yield variant(here, "there twice, empty before", f"{name}=", *parts)
        yield variant(here, "as an array", *before, f"{name}[]{part[len(name) :]}", *after)
