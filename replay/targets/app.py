"""An ASGI or WSGI app in worker processes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from replay.models import Case, Done, Failed, Headers, Observation, Request, TargetSpec
from replay.targets.base import Errands, Moment
from replay.targets.pool import WorkerPool
from replay.targets.process import plan
from replay.wire.coding import decode

# What frames the body is recomputed, as the HTTP client does it; no connection is there to manage.
FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


class AppTarget:
    """Sends cases to an app; a plain function that stands behind the name is called with the body's arguments.

    `concurrency` is the number of worker processes. Each case is sent with its headers, a `host` of `localhost`
    where it has none, the side's own headers, and the length of its body.
    """

    kind: Literal["started"] = "started"

    def __init__(self, spec: TargetSpec, *, concurrency: int) -> None:
        target = spec.app or spec.function or ""
        self.name = spec.shown or target
        self._spec = spec
        forced = "function" if spec.function else "auto"
        self._pool = WorkerPool(
            plan(spec, target, forced),
            size=concurrency,
            timeout=spec.timeout.total_seconds(),
            fresh=spec.isolate == "case",
        )
        self._errands = Errands()

    @property
    def serves(self) -> str:
        """Return what the workers found behind the name: asgi, wsgi or function; empty before `start`."""
        return self._pool.kind

    @property
    def clock_note(self) -> str:
        """Return why time is not frozen on this side; where it is, which libraries it is not frozen for."""
        blind = ", ".join(sorted(self._pool.blind))
        return self._pool.clock_note or (f"but not for what {blind} itself takes for now" if blind else "")

    async def start(self) -> None:
        """Load the app in a first worker. Raises TargetError with the app's own words when it does not load."""
        await self._pool.start()

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case, as soon as a worker is free for it."""
        self._errands.begin(self.send(case, moment), done, failed)

    async def send(self, case: Case, moment: Moment) -> Observation:
        """Send one case and return what the app did; to be cancelled, which costs the worker that has it."""
        request = case.request
        seen = await self._pool.send(self._header(request, moment), request.body or b"")
        return undone(seen, limit=self._spec.max_body)

    def _header(self, request: Request, moment: Moment) -> dict[str, Any]:
        return {
            "method": request.method,
            "path": request.path,
            "headers": sent_headers(request, self._spec),
            "instant": moment.instant.isoformat() if moment.instant else None,
            "tick": moment.tick,
            "seed": moment.seed,
            "also": moment.also,
        }

    def secrets(self) -> frozenset[str]:
        """Nothing is given to an app but its settings."""
        return frozenset()

    async def close(self) -> None:
        """Shut the app down and end its workers."""
        await self._errands.close()
        await self._pool.close()


def undone(seen: Observation, *, limit: int) -> Observation:
    """Return an observation whose body has its content coding undone, as one of an HTTP service has."""
    decoded = decode(seen.body, seen.headers, limit=limit)
    return replace(seen, body=decoded.body, error=seen.error or decoded.failure)


def sent_headers(request: Request, spec: TargetSpec) -> Headers:
    """Return the headers that an app sees: the case's, with the side's own in the place of those of the same name."""
    own = {name.lower() for name in spec.headers}
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in own | FRAMING)
    headers = kept + tuple(spec.headers.items())
    if not any(name.lower() == "host" for name, _ in headers):
        headers = (("host", "localhost"), *headers)
    if request.body is not None:
        return (*headers, ("content-length", str(len(request.body))))
    return (*headers, ("content-length", "0")) if request.method in {"POST", "PUT", "PATCH"} else headers
