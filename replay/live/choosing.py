"""Which exchanges are kept: those in scope, none that is excluded, and of these a share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from replay.documents import parse_json
from replay.errors import SettingsError
from replay.expressions import Expression, document_of, parse_expression
from replay.inert import printable
from replay.models import GroupSpec, Json, Observation, RecordingSpec, Request
from replay.sampling import parse_percentage, unit
from replay.selection import Route, is_route, parse_route

SALT: Final = "record"
"""Samples of this salt nest in each other, from one recording to the next."""
_STICKY: Final = re.compile(r"(?:(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)|body((?:\.[\w-]+)+))")
_NOTHING: Final = Observation()


class Seen:
    """An exchange as expressions see it; it is read only where one asks."""

    def __init__(self, request: Request, answer: Observation | None) -> None:
        self.request = request
        self._answer = answer or _NOTHING

    @cached_property
    def sent(self) -> Json:
        """Return the body of the request, parsed where it is JSON."""
        return _value(self.request.body or b"")

    @cached_property
    def document(self) -> Mapping[str, Json]:
        """Return the whole."""
        return document_of(self.request, self._answer, _value(self._answer.body), self.sent)


def _value(body: bytes) -> Json:
    parsed = parse_json(body)
    return parsed.value if parsed.ok else body.decode(errors="replace") or None


@dataclass(frozen=True, slots=True)
class Pick:
    """Some exchanges: those on a route, those for which an expression holds, or both."""

    text: str
    route: Route | None = None
    where: Expression | None = None

    def holds(self, seen: Seen, *, undecided: bool) -> bool:
        """Tell whether an exchange is among them; `undecided` is the answer where nobody can tell."""
        if self.route is not None and not self.route.matches(seen.request):
            return False
        return self.where is None or self.where.holds(seen.document, undecided=undecided)


def parse_pick(text: str, groups: Mapping[str, GroupSpec]) -> Pick:
    """Read a route, the name of a group or an expression. Raise SettingsError or LocationError for anything else."""
    if text not in groups:
        return Pick(text, parse_route(text)) if is_route(text) else Pick(text, where=parse_expression(text))
    group = groups[text]
    if group.tag is not None or (group.on is None and group.where is None):
        raise SettingsError(f"no live request has what the group '{text}' asks for", hint="use one with on: or where:")
    route = None if group.on is None else parse_route(group.on)
    return Pick(text, route, None if group.where is None else parse_expression(group.where))


@dataclass(frozen=True, slots=True)
class Sticky:
    """Where the name of whom a request belongs to stands: requests of one are all in a sample, or all out of it."""

    text: str
    header: bytes = b""
    cookie: bytes = b""
    members: tuple[str, ...] = ()

    def in_head(self, fields: list[tuple[bytes, bytes]]) -> str | None:
        """Return the name that header fields hold."""
        if self.header:
            found = next((value for name, value in fields if name.lower() == self.header), b"")
        else:
            found = next(
                filter(None, (self._in_cookies(value) for name, value in fields if name.lower() == b"cookie")), b""
            )
        return found.decode("latin-1") or None

    def _in_cookies(self, value: bytes) -> bytes:
        pairs = (pair.partition(b"=") for pair in value.split(b";"))
        return next((text.strip() for name, _, text in pairs if name.strip() == self.cookie), b"")

    def in_body(self, body: Json) -> str | None:
        """Return the name that a body holds: a text, or a number as it is written."""
        for member in self.members:
            body = body.get(member) if isinstance(body, dict) else None
        if isinstance(body, bool) or not isinstance(body, str | int):
            return None
        return str(body) or None


def parse_sticky(text: str) -> Sticky:
    """Read `header:x-user`, `cookie:sid` or `body.user.id`. Raise SettingsError for anything else."""
    found = _STICKY.fullmatch(text)
    if found is None:
        raise SettingsError(
            f"'{printable(text)}' is no place of a name", hint="header:x-user, cookie:sid or body.user.id"
        )
    kind, name, members = found.groups()
    if kind == "header":
        return Sticky(text, header=name.lower().encode())
    return Sticky(text, cookie=name.encode()) if kind else Sticky(text, members=tuple(members[1:].split(".")))


def parse_share(text: str) -> float:
    """Read a percentage of more than 0 and up to 100. Raise SettingsError for anything else."""
    share = parse_percentage(text)
    if share is None or not 0 < share <= 1:
        raise SettingsError(f"'{printable(text)}' is no share", hint="write 5%, 0.5% or 100%")
    return float(share)


def recording_checks(
    spec: RecordingSpec, groups: Mapping[str, GroupSpec]
) -> Iterator[tuple[tuple[str | int, ...], Callable[[], object]]]:
    """Yield what a model alone cannot check, with the path of what it speaks of."""
    for key, texts in (("scope", spec.scope), ("exclude", spec.exclude)):
        for index, text in enumerate(texts):
            yield ("record", key, index), partial(parse_pick, text, groups)
    if spec.sample is not None:
        yield ("record", "sample"), partial(parse_share, spec.sample)
    for key, place in (("sticky", spec.sticky), ("session", spec.session)):
        if place is not None:
            yield ("record", key), partial(parse_sticky, place)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is kept of all that passes."""

    share: float = 1.0
    sticky: Sticky | None = None
    scope: tuple[Pick, ...] = ()
    exclude: tuple[Pick, ...] = ()

    def by_head(self, fields: list[tuple[bytes, bytes]], correlation: str) -> bool:
        """Tell whether a request may be in the sample, as far as its head can tell."""
        if self.share >= 1 or (self.sticky is not None and self.sticky.members):
            return True
        name = self.sticky.in_head(fields) if self.sticky is not None else None
        return unit(name or correlation, SALT) < self.share

    def why_not(self, seen: Seen, correlation: str) -> str | None:
        """Return why an exchange is not kept; None for one that is. What nobody can decide is not kept."""
        if self.scope and not any(pick.holds(seen, undecided=False) for pick in self.scope):
            return "out of scope"
        for pick in self.exclude:
            if pick.holds(seen, undecided=True):
                return f"excluded: {pick.text}"
        if self.share < 1 and self.sticky is not None and self.sticky.members:
            name = self.sticky.in_body(seen.sent)
            return None if unit(name or correlation, SALT) < self.share else OUT
        return None


OUT: Final = "not in the sample"
