"""`routes:` of a side: some of its requests go to another host or path; the last route that matches decides.

Decisions:

- The path of a route has the wildcards of its `on`, in the same order: each takes what the other one matched. The query
  goes on as it is.
- A route to another origin than the side's own is another host, and credentials do not cross: neither those of the side
  (headers that are named like secrets, what a login fills, the client's certificate, the proof for its clock) nor those
  that the case brings, unless the route says `credentials: true`. What a route writes in its own `headers` goes there.
  A case whose query holds one is not sent there: without it, it would be another request.
- Every host has connections of its own; `max_inflight` and `rate` hold for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from replay.determinism.proof import PROOF, SHORTEST, proved
from replay.errors import SettingsError
from replay.models import Case, Done, Failed, Failure, Headers, Observation, Request, RouteSpec, TargetSpec
from replay.privacy import is_secret
from replay.privacy.headers import has_secret_parameter
from replay.selection import Route, parse_route
from replay.wire import Origin, WireClient, check_headers

_WILDCARD: Final = re.compile(r"(/\*\*\Z|\*\*|\*)")
_TAIL: Final = "/**"
_CAPTURES: Final = {_TAIL: "((?:/.*)?)", "**": "(.*)", "*": "([^/]+)"}
_LOGIN: Final = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}")

MakeClient = Callable[[Origin, Headers, bool], WireClient]
"""Makes a client for an origin that sends these headers; it shows the side's certificate where that may go there."""


@dataclass(frozen=True, slots=True)
class Way:
    """One route: which requests it takes, and what becomes of their paths."""

    route: Route
    path: re.Pattern[str]
    parts: tuple[str, ...] | None
    """The literal parts of the new path, around its wildcards; None leaves the path alone."""

    def __call__(self, request: Request) -> Request:
        """Return the request for where the route leads."""
        raw = re.split("[?#]", request.path, maxsplit=1)[0]
        found = self.path.fullmatch(raw)
        if self.parts is None or found is None:
            return request
        taken = [*found.groups(), ""]
        path = "".join(part + one for part, one in zip(self.parts, taken, strict=True))
        return replace(request, path=(path or "/") + request.path[len(raw) :])


def way_of(spec: RouteSpec) -> Way:
    """Read a route. Raise SettingsError for one that makes no sense."""
    route = parse_route(spec.on)
    source = spec.on.rpartition(" ")[2]
    if spec.path is not None:
        _check_path(source, spec.path)
    pieces = _WILDCARD.split(source)
    pattern = "".join(_CAPTURES.get(piece, re.escape(piece)) for piece in pieces)
    parts = None if spec.path is None else tuple(_WILDCARD.split(spec.path)[::2])
    return Way(route, re.compile(pattern), parts)


def _check_path(source: str, path: str) -> None:
    if not path.startswith("/") or re.search(r"[\s?#]", path):
        raise SettingsError(f"'{path}' is no path", hint="path: /v2/people/**")
    wanted, given = _WILDCARD.findall(source), _WILDCARD.findall(path)
    if wanted != given:
        kinds = " ".join(it.strip("/") for it in wanted) or "none"
        fact = f"the wildcards of {path} are not those of {source}: each takes what the other one matched"
        raise SettingsError(fact, hint=f"write, in this order: {kinds}")


def check_routes(spec: TargetSpec) -> None:
    """Raise InputError for routes that make no sense."""
    for each in spec.routes:
        way_of(each)
        if each.url is None and each.path is None and not each.headers:
            raise SettingsError(f"the route {each.on} changes nothing", hint="give it a url, a path or headers")
        check_headers(tuple(each.headers.items()))
        check_secret(each.clock_secret, f"clock_secret of {each.on}")
        if each.url is not None:
            Origin.parse(each.url)
        elif each.credentials or each.clock_secret:
            key = "credentials" if each.credentials else "clock_secret"
            raise SettingsError(f"{each.on} leads to the side's own host: {key} is the side's", hint=f"leave {key} out")


def check_secret(secret: str | None, name: str) -> None:
    """Raise SettingsError for a secret that is none."""
    if secret is not None and len(secret) < SHORTEST:
        fact = f"{name} has fewer than {SHORTEST} characters, and could be found by trying"
        raise SettingsError(fact, hint="make one with `openssl rand -hex 32`")


def route_for(spec: TargetSpec, request: Request) -> RouteSpec | None:
    """Return the route that a request takes; None where it goes to the side's own URL as it is."""
    return next((it for it in reversed(spec.routes) if parse_route(it.on).matches(request)), None)


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a route leads: the client, and what of a request goes there."""

    way: Way
    client: WireClient
    spec: RouteSpec
    abroad: bool
    """It leads to another host."""

    def send(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        """Send a case there."""
        request = self.way(case.request)
        if self.abroad and not self.spec.credentials and has_secret_parameter(request.path):
            fact = f"the route {self.spec.on} leads to another host, and the query holds a credential"
            done(Observation(error=Failure("exception", f"{fact}: `credentials: true` sends it there")))
            return
        if self.abroad:
            request, added = self._without_credentials(request), self._proved(added)
        self.client.send(request, done, failed, added=added)

    def _without_credentials(self, request: Request) -> Request:
        return request if self.spec.credentials else replace(request, headers=harmless(request.headers, frozenset()))

    def _proved(self, added: Headers) -> Headers:
        """Return the headers of a moment with a proof for this host, if there is a secret for it."""
        plain = tuple(field for field in added if field[0] != PROOF)
        return plain if self.spec.clock_secret is None else proved(plain, self.spec.clock_secret)


class Routing:
    """Sends each case where its route leads, the others to the side's own host."""

    def __init__(self, spec: TargetSpec, own: Origin, client: WireClient, make: MakeClient) -> None:
        self._spec = spec
        self._own = own
        self._main = client
        self._fetched = login_headers(spec)
        self._clients: dict[tuple[Origin, Headers, bool], WireClient] = {}
        self._branches = tuple(self._branch(each, make) for each in reversed(spec.routes))

    def send(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        """Send a case to where it belongs."""
        for branch in self._branches:
            if branch.way.route.matches(case.request):
                branch.send(case, added, done, failed)
                return
        self._main.send(case.request, done, failed, added=added)

    def use_headers(self, headers: Headers) -> None:
        """Send these headers of the side from now on, where they may go."""
        self._main.use_headers(headers)
        for branch in self._branches:
            if branch.client is not self._main:
                branch.client.use_headers(self._headers(branch.spec, headers, abroad=branch.abroad))

    async def close(self) -> None:
        """Drop the connections to other hosts."""
        for client in self._clients.values():
            await client.close()

    def _branch(self, spec: RouteSpec, make: MakeClient) -> Branch:
        origin = self._own if spec.url is None else Origin.parse(spec.url)
        abroad = is_abroad(self._own, origin)
        if origin == self._own and not spec.headers:
            return Branch(way_of(spec), self._main, spec, abroad=False)
        headers = self._headers(spec, tuple(self._spec.headers.items()), abroad=abroad)
        key = origin, headers, spec.credentials or not abroad
        client = self._clients.get(key) or self._clients.setdefault(key, make(*key))
        return Branch(way_of(spec), client, spec, abroad)

    def _headers(self, spec: RouteSpec, side: Headers, *, abroad: bool) -> Headers:
        """Return what a route sends of the side's headers, with its own in the place of those of the same name."""
        own = {name.lower() for name in spec.headers}
        kept = side if spec.credentials or not abroad else harmless(side, self._fetched)
        return (*(field for field in kept if field[0].lower() not in own), *spec.headers.items())


def others(spec: TargetSpec) -> list[str]:
    """Return the other origins to which the routes of a side lead."""
    own = {str(Origin.parse(spec.url))} if spec.url is not None else set()
    return sorted({str(Origin.parse(it.url)) for it in spec.routes if it.url is not None} - own)


def deprived(spec: TargetSpec) -> list[str]:
    """Return the other hosts to which credentials that the settings give a side do not go."""
    side = tuple(spec.headers.items())
    if not spec.routes or harmless(side, login_headers(spec)) == side:
        return []
    own = Origin.parse(spec.url) if spec.url is not None else None
    abroad = {Origin.parse(it.url) for it in spec.routes if it.url is not None and not it.credentials}
    return sorted(it.authority for it in abroad if own is None or is_abroad(own, it))


def is_abroad(own: Origin, origin: Origin) -> bool:
    """Tell whether an origin is another host, or port, than the side's own."""
    return (own.scheme, own.host, own.port) != (origin.scheme, origin.host, origin.port)


def login_headers(spec: TargetSpec) -> frozenset[str]:
    """Return the names, in lower case, of the side's headers that a login fills, or that hold a secret by its name."""
    return spec.confided | {name.lower() for name, value in spec.headers.items() if _LOGIN.search(value)}


def harmless(headers: Headers, filled: frozenset[str]) -> Headers:
    """Return the header fields that are no credentials: neither by their name, nor by what fills them."""
    return tuple(field for field in headers if not is_secret(field[0]) and field[0].lower() not in filled)
