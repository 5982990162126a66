"""Which cases a rule, a group or a write permission speaks of: routes, tags and expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from replay.errors import SettingsError
from replay.expressions import Expression, parse_expression
from replay.models import Case, GroupSpec, Json, Request

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_ROUTE: Final = re.compile(r"(?:(?P<method>[A-Z]+|\*)\s+)?(?P<path>/\S*)")

_DOTS: Final = re.compile(r"(?:\.|%2e)(?:[/\\.]|%2[ef]|%5c|\Z)", re.IGNORECASE)

Documents = Callable[[], Iterable[Json]]
"""The answers of both sides as expressions see them, made only when somebody asks."""


@dataclass(frozen=True, slots=True)
class Route:
    """`METHOD /path/*/with/**`: `*` is one path segment, `**` any number; no method means every method."""

    text: str
    method: str | None
    path: re.Pattern[str]

    def matches(self, request: Request) -> bool:
        """Tell whether a request goes there; its query does not count.

        A path with dot segments has to match as it is sent and as a server may read it: `/open/../admin` is not
        in `/open/**`.
        """
        if self.method is not None and request.method.upper() != self.method:
            return False
        path = request.path.partition("?")[0].partition("#")[0]
        return all(self.path.fullmatch(it) is not None for it in {path, _without_dots(path)})


def _without_dots(path: str) -> str:
    """Return a path as a server sees it that decodes dots and slashes and then goes up (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    if not _DOTS.search(path):
        return path
    for segment in unquote(path).replace("\\", "/").split("/"):
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    return "/".join(kept)


def is_route(text: str) -> bool:
    """Tell whether the text is a route, and not the name of a group."""
    return _ROUTE.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def parse_route(text: str) -> Route:
    """Read a route. Raise SettingsError for what is none."""
    found = _ROUTE.fullmatch(text)
    if found is None:
        raise SettingsError(f"'{text}' is no route", hint="write it as in GET /orders/* or /users/**")
    method = found["method"]
    return Route(text, None if method == "*" else method, re.compile(_as_regex(found["path"])))


def _as_regex(path: str) -> str:
    if path.endswith("/**"):
        return _as_regex(path[:-3]) + "(?:/.*)?"
    parts = re.split(r"(\*\*|\*)", path)
    return "".join({"**": ".*", "*": "[^/]+"}.get(part, re.escape(part)) for part in parts)


@dataclass(frozen=True, slots=True)
class Selection:
    """Every condition that is given must hold; an expression must hold on both sides."""

    route: Route | None = None
    tag: str | None = None
    where: Expression | None = None
    groups: tuple[Selection, ...] = ()
    scene: str | None = None
    """The step of a scenario, `*` for each; None for any case."""

    @property
    def narrows(self) -> bool:
        """Tell whether anything is asked at all."""
        return any(it is not None for it in (self.route, self.tag, self.where, self.scene)) or bool(self.groups)

    def holds(self, case: Case, documents: Documents) -> bool:
        """Tell whether the case is selected."""
        if self.scene is not None and (not case.step or self.scene not in (case.step, "*")):
            return False
        if self.route is not None and not self.route.matches(case.request):
            return False
        if self.tag is not None and self.tag not in case.tags:
            return False
        if any(not group.holds(case, documents) for group in self.groups):
            return False
        return self.where is None or all(self.where.holds(document) for document in documents())


def selection_of(
    *, on: str | None, tag: str | None, where: str | None, groups: Mapping[str, GroupSpec] | None = None
) -> Selection:
    """Make a selection of what users write. Raise SettingsError or LocationError for what makes no sense."""
    route: Route | None = None
    group: tuple[Selection, ...] = ()
    if on is not None and groups is not None and on in groups:
        spec = groups[on]
        group = (selection_of(on=spec.on, tag=spec.tag, where=spec.where),)
    elif on is not None:
        route = _route_or_group(on, groups)
    return Selection(route, tag, None if where is None else parse_expression(where), group)


def _route_or_group(on: str, groups: Mapping[str, GroupSpec] | None) -> Route:
    if is_route(on):
        return parse_route(on)
    known = ", ".join(groups or ()) or "none are defined"
    raise SettingsError(f"'{on}' is neither a route nor a group", hint=f"a route is GET /orders/*; groups: {known}")
