"""Fields that are missing, null, of another type, there twice, or more than were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from replay.curation.variants.base import Members, sites_of, told
from replay.models import Request, Variant

_EXTRA = "unexpected"


def fields(request: Request) -> Iterator[Variant]:
    """Take fields away, and put others there."""
    yield from _of_query(request)
    for site in sites_of(request):
        if isinstance(site.value, dict):
            yield from _of_object(site.at, site.value, site.put)
        if not site.is_text and site.name:
            for what, value in _others(site.value):
                yield Variant("fields", site.at, f"{what}: {told(value)}", site.put(value))


def _of_object(at: str, members: dict[str, Any], put: Any) -> Iterator[Variant]:
    yield Variant("fields", at, "a member more", put(members | {_EXTRA: True}))
    for name, value in members.items():
        rest = {key: item for key, item in members.items() if key != name}
        yield Variant("fields", f"{at}.{name}", "missing", put(rest))
        yield Variant("fields", f"{at}.{name}", "there twice", put(Members([*members.items(), (name, value)])))
        twice = Members([(name, None), *members.items()])
        yield Variant("fields", f"{at}.{name}", "there twice, null before", put(twice))


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


def _of_query(request: Request) -> Iterator[Variant]:
    head, mark, query = request.path.partition("?")
    parts = query.split("&") if mark else []

    def variant(at: str, what: str, fields: list[str]) -> Variant:
        return Variant("fields", at, what, replace(request, path=f"{head}?{'&'.join(fields)}" if fields else head))

    yield variant("request.query", "a field more", [*parts, f"{_EXTRA}=1"])
    if len(parts) > 1:
        yield variant("request.query", "another order", parts[::-1])
    for place, part in enumerate(parts):
        name = part.partition("=")[0]
        at = f"request.query.{name}"
        rest = [*parts[:place], *parts[place + 1 :]]
        yield variant(at, "missing", rest)
        yield variant(at, "without a value", [*parts[:place], f"{name}=", *parts[place + 1 :]])
        yield variant(at, "without an equals sign", [*parts[:place], name, *parts[place + 1 :]])
        yield variant(at, "there twice", [*parts, part])
        yield variant(at, "there twice, empty before", [f"{name}=", *parts])
        yield variant(at, "as an array", [*parts[:place], f"{name}[]{part[len(name) :]}", *parts[place + 1 :]])
