"""A side that is an HTTP service, somewhere else."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from replay.determinism.headers import CLOCK, FROZEN
from replay.errors import SettingsError
from replay.models import Case, Done, Failed, Headers, Observation, TargetSpec, first_header
from replay.targets.base import Moment
from replay.wire import Origin, WireClient

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

    `connections` is how many cases are under way at once. No connection is opened before the first case.
    Raises SettingsError unless `spec.url` is an http or https URL without credentials.
    """

    kind: Final = "live"
    clock_note: Final = "the service does not obey the Replay-Time header"

    def __init__(
        self,
        spec: TargetSpec,
        *,
        connections: int = 64,
        moment_headers: MomentHeaders = no_headers,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if spec.url is None:
            raise SettingsError("this side has no URL", hint="old: http://localhost:8001")
        origin = Origin.parse(spec.url)
        self.name = str(origin)
        self._moment_headers = moment_headers
        self._last_headers: Headers = ()
        self._last_frozen = False
        self._client = WireClient(
            origin,
            timeout=spec.timeout.total_seconds(),
            max_body=spec.max_body,
            connections=connections,
            headers=tuple(spec.headers.items()),
            tls=tls,
        )

    async def start(self) -> None:
        """Do nothing: whether anybody answers is seen at the first case."""

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case with the headers of its moment. Raises InputError for a request that cannot be written."""

        def seen(it: Observation) -> None:
            done(it if it.status is None else self._timed(it))

        self._client.send(case.request, seen, failed, added=self._moment_headers(case, moment))

    def _timed(self, seen: Observation) -> Observation:
        """Return an answer with what it says of its clock."""
        return Observation(seen.status, seen.headers, seen.body, seen.error, seen.timing, self._frozen(seen.headers))

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.close()

    def _frozen(self, headers: Headers) -> bool:
        """Tell whether a service says that it obeyed the instant; the client gives like heads as one object."""
        if headers is not self._last_headers:
            self._last_headers = headers
            self._last_frozen = (first_header(headers, CLOCK) or "").lower() == FROZEN
        return self._last_frozen
