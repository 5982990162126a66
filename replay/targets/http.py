"""A side that is an HTTP service, somewhere else."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from replay.determinism.headers import CLOCK, FROZEN
from replay.errors import SettingsError
from replay.models import Case, Headers, Observation, Request, TargetSpec, first_header
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
    environment are ignored: the URL is called directly. The headers of the settings go to this side alone.

    `connections` is how many cases are under way at once. No connection is opened before the first case.
    Raises SettingsError unless `spec.url` is an http or https URL without credentials.
    """

    kind: Final = "live"

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

    async def send(self, case: Case, moment: Moment) -> Observation:
        """Send one case with the headers of its moment; InputError for a request that cannot be written."""
        observation = await self._client.exchange(self._request(case, moment))
        if observation.status is None:
            return observation
        # A service that obeyed the instant says so.
        frozen = (observation.header(CLOCK) or "").lower() == FROZEN
        return replace(observation, clock_frozen=frozen)

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.close()

    def _request(self, case: Case, moment: Moment) -> Request:
        """Add the headers of the moment, save those that the case brings: a captured trace goes on unchanged."""
        request = case.request
        added = tuple(
            field for field in self._moment_headers(case, moment) if first_header(request.headers, field[0]) is None
        )
        return replace(request, headers=request.headers + added) if added else request
