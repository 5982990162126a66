"""A side that is an HTTP service, somewhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from replay.errors import SettingsError
from replay.models import Case, Done, Failed, Headers, LoginSpec, Observation, TargetSpec
from replay.targets.base import Moment
from replay.targets.credentials import check_login
from replay.targets.layers import Send
from replay.targets.login import Login
from replay.targets.reset import Resets
from replay.targets.retry import Retries
from replay.targets.routing import Routing, check_routes, check_secret, is_abroad, others
from replay.targets.witness import Witness
from replay.wire import Address, Origin, WireClient, tls_context

MomentHeaders = Callable[[Case, Moment], Headers]
"""Gives the headers that carry the instant, the seed and the correlation of a case."""


def no_headers(case: Case, moment: Moment) -> Headers:  # noqa: ARG001 (one of the functions that MomentHeaders describes)
    """Tell the service nothing of instant and seed."""
    return ()


class HttpTarget:
    """Sends cases to a URL over HTTP/1.1, exactly as they stand, and records what comes back.

    Redirects are recorded and never followed. No cookie is kept from one case to the next. Proxy variables of the
    environment are ignored: the URL is called directly. The headers of the settings go to this side alone. Those of
    the moment are added, save where the case or the settings bring one: a captured trace goes on unchanged.

    `connections` is how many cases are under way at once, save where the settings say fewer. No connection is opened
    before the first case, or the login. Raises InputError as `check_http` does, and SettingsError for TLS files that
    cannot be used.
    """

    kind: Final = "live"

    def __init__(
        self,
        spec: TargetSpec,
        *,
        connections: int = 64,
        moment_headers: MomentHeaders = no_headers,
        witness: Witness | None = None,
    ) -> None:
        origin, address = check_http(spec)
        self.name = " and ".join([f"{origin} at {address}" if address is not None else str(origin), *others(spec)])
        self._moment_headers = moment_headers
        self._witness = witness or Witness()
        self._client = _client(spec, connections, origin, tuple(spec.headers.items()), address=address)
        self._routing = (
            Routing(spec, origin, self._client, partial(_client_there, spec, connections)) if spec.routes else None
        )
        self._send_once: Send = self._plainly if self._routing is None else self._routing.send
        self._login = self._login_of(spec.login, spec) if spec.login is not None else None
        self._layered: Send | None = self._login.send if self._login is not None else None
        if self._routing is not None:
            self._layered = self._layered or self._send_once
        self._retries = Retries(spec.retry, self._layered or self._send_once) if spec.retry is not None else None
        if self._retries is not None:
            self._layered = self._retries.send
        self._resets = Resets(spec, self._client, self._layered or self._send_once) if spec.reset is not None else None

    def _login_of(self, login: LoginSpec, spec: TargetSpec) -> Login:
        holder = self._client if self._routing is None else self._routing
        return Login(login, spec.headers, self._client, self._send_once, holder.use_headers)

    @property
    def clock_note(self) -> str:
        """Return why an answer was at another instant than its case's, or how it is known that all were at theirs."""
        return self._witness.note

    async def start(self) -> None:
        """Log in where the side wants that. Whether anybody answers is seen at the first case otherwise."""
        if self._login is not None:
            await self._login.start()

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case with the headers of its moment. Raises InputError for a request that cannot be written."""

        def seen(it: Observation) -> None:
            done(it if it.status is None else self._timed(it, moment))

        if self._resets is not None:
            added = self._moment_headers(case, moment)
            self._resets.send(case, added, seen, failed, goes_on=moment.goes_on)
        elif self._layered is None:
            self._client.send(case.request, seen, failed, added=self._moment_headers(case, moment))
        else:
            self._layered(case, self._moment_headers(case, moment), seen, failed)

    def secrets(self) -> frozenset[str]:
        """Return what the service gave this side alone, and may repeat in its answers: nothing may store that."""
        return self._login.secrets() if self._login is not None else frozenset()

    async def close(self) -> None:
        """Drop the connections, and what waits to be sent again."""
        if self._retries is not None:
            self._retries.close()
        if self._routing is not None:
            await self._routing.close()
        await self._client.close()

    def _plainly(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        self._client.send(case.request, done, failed, added=added)

    def _timed(self, seen: Observation, moment: Moment) -> Observation:
        """Return an answer with what it says of its clock."""
        frozen = self._witness.frozen(seen.headers, moment)
        return Observation(seen.status, seen.headers, seen.body, seen.error, seen.timing, frozen, seen.retries)


def _client_there(
    spec: TargetSpec,
    connections: int,
    origin: Origin,
    headers: Headers,
    certified: bool,  # noqa: FBT001 - as Routing's MakeClient has it
) -> WireClient:
    """Return a client for where a route leads: another base path is still at the side's own address."""
    own, address = check_http(spec)
    at = None if is_abroad(own, origin) else address
    return _client(spec, connections, origin, headers, certified=certified, address=at)


def _client(
    spec: TargetSpec,
    connections: int,
    origin: Origin,
    headers: Headers,
    *,
    certified: bool = True,
    address: Address | None,
) -> WireClient:
    """Return a client for one host of a side, with the side's limits."""
    tls = spec.tls if spec.tls is None or certified else spec.tls.model_copy(update={"cert": None, "key": None})
    return WireClient(
        origin,
        timeout=spec.timeout.total_seconds(),
        max_body=spec.max_body,
        connections=min(connections, spec.max_inflight or connections),
        headers=headers,
        tls=tls_context(tls) if tls is not None and origin.scheme == "https" else None,
        address=address,
        rate=spec.rate,
    )


def check_http(spec: TargetSpec) -> tuple[Origin, Address | None]:
    """Return where a side lives and where to connect to instead, if elsewhere; look at no file, and send nothing.

    Raise InputError for a side with a URL whose settings make no sense.
    """
    if spec.url is None:
        raise SettingsError("this side has no URL", hint="old: http://localhost:8001")
    origin = Origin.parse(spec.url)
    if spec.connect is not None and spec.unix is not None:
        raise SettingsError("connect and unix both say where to connect to", hint="keep one of them")
    if spec.tls is not None and origin.scheme != "https":
        raise SettingsError("tls is for https, and this URL is http", hint="https://host:port/base")
    if spec.login is not None:
        check_login(spec.login, spec.headers)
    check_secret(spec.clock_secret, "clock_secret")
    check_routes(spec)
    if spec.unix is not None:
        return origin, Address.socket(spec.unix)
    return origin, Address.parse(spec.connect) if spec.connect is not None else None
