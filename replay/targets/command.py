"""A side that is a command: started beforehand, and asked over HTTP like any service.

Its process has one clock. Where cases move that, they reach it one at a time, and waiting for one's turn is counted as
queueing and not as latency. It is asked by the name `localhost` on both sides, whatever its port is, so that links
which it makes of that are equal.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from replay.errors import RunError, SettingsError, TargetError
from replay.models import OWN_URL, Case, Done, ErrorKind, Failed, Failure, Observation, TargetSpec
from replay.services import processes
from replay.services.clock import BeforeClocksError, set_clock
from replay.services.commands import require_place, shown_command, words_of
from replay.services.log import last_lines
from replay.targets.base import Moment
from replay.targets.http import HttpTarget, MomentHeaders, check_http, no_headers
from replay.targets.routing import is_abroad, others
from replay.targets.witness import SILENT, UNTOLD, Witness
from replay.wire import Origin
from replay.wire.clock import now_ns

_CUT_OFF: Final[frozenset[ErrorKind]] = frozenset({"refused", "closed", "reset", "timeout", "incomplete_body"})
"""Failures that a process which has ended explains."""
_DYING_SECONDS: Final = 0.05
"""A process that ends closes its connections first: so long later it is known to be gone."""
_SHOWN_NS: Final = 1_100_000_000
"""For how long a server may go on to show a `Date` that it has made: they make one a second."""
_MOST_SHOWN: Final = 4096


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A case that waits for the clock."""

    case: Case
    moment: Moment
    done: Done
    failed: Failed
    since: int


class CommandTarget:
    """Sends cases to the command that was started for this side (see `TargetSpec.standing`)."""

    kind: Final = "started"

    def __init__(self, spec: TargetSpec, *, connections: int = 64, moment_headers: MomentHeaders = no_headers) -> None:
        self.name = " and ".join([spec.shown or shown_command(words_of(spec.run or "")), *others(spec)])
        require_place(spec)
        self._started = spec.started
        self._lately: deque[tuple[int, datetime]] = deque(maxlen=_MOST_SHOWN)
        self._http = HttpTarget(
            asked_by_url(spec),
            connections=connections,
            moment_headers=moment_headers,
            witness=Witness(self._instants),
        )
        self._waiting: deque[_Waiting] = deque()
        self._busy = self._filling = False

    @property
    def clock_note(self) -> str:
        """Return why an answer was at another instant than its case's, or how it is known that all were at theirs."""
        note, started = self._http.clock_note, self._started
        if started is None or not started.clock_note:
            return note
        known = note == SILENT or (note in UNTOLD and started.moment is None)
        return started.clock_note if known else note

    async def start(self) -> None:
        """Log in where the side wants that. Raise TargetError where the command was not started, or has ended."""
        if self._started is None:
            raise TargetError("its command was not started")
        await self._http.start()

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case, once the clock is free for it."""
        if self._started is None or self._started.moment is None:
            self._send(case, moment, done, failed)
            return
        self._waiting.append(_Waiting(case, moment, done, failed, now_ns()))
        self._next()

    def _next(self) -> None:
        """Send what waits, one at a time. One that ends at once is followed by the loop below, and not by one in it."""
        if self._filling:
            return
        self._filling = True
        while self._waiting and not self._busy:
            self._busy = True
            self._take(self._waiting.popleft())
        self._filling = False

    def _take(self, turn: _Waiting) -> None:
        queued_ms = (now_ns() - turn.since) / 1e6

        def done(seen: Observation) -> None:
            self._busy = False
            timing = seen.timing and replace(seen.timing, queued_ms=seen.timing.queued_ms + queued_ms)
            turn.done(replace(seen, timing=timing))
            self._next()

        def failed(error: BaseException) -> None:
            self._busy = False
            turn.failed(error)
            self._next()

        try:
            self._set_clock(turn.moment)
            self._send(turn.case, turn.moment, done, failed)
        except BeforeClocksError as error:
            done(Observation(error=Failure("exception", str(error))))
        except Exception as error:  # noqa: BLE001 - whoever waits for the outcome is told, whatever it is
            failed(error)

    def _set_clock(self, moment: Moment) -> None:
        if self._started is None or self._started.moment is None or moment.instant is None:
            return
        try:
            set_clock(self._started.moment, moment.instant, tick=moment.tick)
        except OSError as error:
            # At another instant than its own, a case would show nothing.
            raise RunError(f"the clock of {self.name} cannot be set: {error.strerror}") from None
        self._lately.append((now_ns(), moment.instant))

    def _instants(self) -> Iterable[datetime]:
        """Yield the instants at which the clock lately stood."""
        while len(self._lately) > 1 and now_ns() - self._lately[1][0] > _SHOWN_NS:
            self._lately.popleft()
        return [instant for _, instant in self._lately]

    def _send(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        def explained(seen: Observation) -> None:
            if seen.error is None or seen.error.kind not in _CUT_OFF:
                done(seen)
            else:
                asyncio.get_running_loop().call_later(_DYING_SECONDS, lambda: done(self._explained(seen)))

        self._http.begin(case, moment, explained, failed)

    def _explained(self, seen: Observation) -> Observation:
        """Name a crash where the process has ended: a broken connection is only what it looks like from here."""
        started = self._started
        if started is None or processes.alive(started.pid, started.born):
            return seen
        printed = " | ".join(line.strip() for line in last_lines(started.log, started.log_since)[-4:])[-600:]
        fact = f"the command has ended; {started.log} ends with: {printed}" if printed else "the command has ended"
        return replace(seen, error=Failure("crashed", fact))

    def secrets(self) -> frozenset[str]:
        """Return what the service gave this side alone, and may repeat in its answers: nothing may store that."""
        return self._http.secrets()

    async def close(self) -> None:
        """Drop the connections. The command goes on until the run is over."""
        self._waiting.clear()
        await self._http.close()


def asked_by_url(spec: TargetSpec) -> TargetSpec:
    """Return the spec of a side with a URL that stands for one with a command."""
    started = spec.started
    asked = spec.model_copy(update={"run": None, "url": OWN_URL, "connect": started.address if started else None})
    return asked if started is None else asked.standing(started)


def check_command(spec: TargetSpec) -> None:
    """Raise InputError for a command that makes no sense; look at no file, and start nothing."""
    for command in (spec.run or "", *spec.setup, *spec.teardown):
        words_of(command)
    if spec.reset is not None and spec.reset.run is not None:
        words_of(spec.reset.run)
    check_http(asked_by_url(spec))
    own = Origin.parse(OWN_URL)
    for route in spec.routes:
        if route.url is not None and not is_abroad(own, Origin.parse(route.url)):
            fact = f"{route.on} leads to {route.url}, which is the name under which the command itself is asked"
            raise SettingsError(fact, hint="write 127.0.0.1 for another service on this machine, or leave url out")
