"""One side, or one host of it, examined with safe requests: whether it is there, keeps connections and obeys time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from replay.engine.doctor.certificates import certificate
from replay.engine.doctor.clocks import Clock, now, obeying, read_clock, skew
from replay.engine.doctor.findings import Finding, State
from replay.errors import TargetError
from replay.models import Case, ErrorKind, Observation, Request, TargetSpec
from replay.targets import build_target, target_key
from replay.targets.app import AppTarget
from replay.targets.base import Moment, Target, observed
from replay.targets.http import check_http
from replay.targets.routing import login_headers
from replay.targets.witness import SILENT, UNTOLD

PROBE: Final = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
"""Nobody's clock is there by chance."""
_MOST: Final = 2**20
_REMEDIES: Final[dict[ErrorKind, str]] = {
    "refused": "start it, or correct the host and the port",
    "dns": "correct the host, or see whether this machine can resolve it",
    "tls": "see the line on tls",
    "timeout": "see whether a firewall is in between, or give it more time: --within 30s",
}
_CASE: Final = "doctor"
_SERVER_ERROR: Final = 500
_DENIED: Final = (401, 403)


class Patient:
    """Examines one side; what was found stands in `findings`, in the order in which it was looked for."""

    def __init__(self, name: str, spec: TargetSpec, seconds: float) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self.clock: Clock | None = None
        self._spec = spec
        self._key = target_key(spec)
        ready = spec.ready.path if spec.ready is not None else None
        self._case = Case(_CASE, "golden", _CASE, Request("GET", ready or "/"))
        # A login is no safe request: it is left alone, and so are the headers that it would fill.
        headers = dict(harmless_of_login(spec))
        within = min(spec.timeout, timedelta(seconds=seconds))
        self._asked = spec.model_copy(
            update={
                "login": None,
                "headers": headers,
                "timeout": within,
                "max_body": _MOST,
                "retry": None,
                "reset": None,
                "routes": (),
            }
        )

    def find(self, check: str, state: State, fact: str, remedy: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(check, state, fact, remedy))

    async def examine(self) -> None:
        """Ask the side a few times."""
        if self._key == "recorded":
            self.find("reach", "well", "is recorded: there is nobody to ask")
            return
        target = build_target(self._asked, concurrency=1)
        try:
            await target.start()
            await self._ask(target)
        except TargetError as error:
            self.find("reach", "mend", f"cannot start: {error.fact}", error.hint or "")
        finally:
            await target.close()
        self._guards(target)

    async def _ask(self, target: Target) -> None:
        # What is written as module:attribute may be either: only the worker that loaded it knows.
        if isinstance(target, AppTarget) and target.serves == "function":
            self.find("reach", "well", f"{target.name} is loaded; a function is not called to see what it does")
            self._function_clock(target)
            return
        before = now()
        seen = await observed(target, self._case, Moment(None, 0))
        clock = read_clock(seen, before, now())
        there = self._reached(seen)
        if self._spec.url is not None:
            await self._certificate()
        if there:
            await self._look_closer(target, clock)

    def _reached(self, seen: Observation) -> bool:
        """Note whether anybody answered, and what."""
        spent = f" in {seen.timing.latency_ms:.0f} ms" if seen.timing is not None else ""
        if seen.status is None:
            failure = seen.error
            kind, told = (failure.kind, failure.message or failure.kind) if failure else ("protocol", "no answer")
            self.find("reach", "mend", f"does not answer: {told}", _REMEDIES.get(kind, "see what it logs"))
            return False
        fact = f"answers GET {self._case.request.path} with {seen.status}{spent}"
        if seen.status >= _SERVER_ERROR:
            self.find("reach", "mend", fact, "see what it logs")
        elif seen.status in _DENIED:
            why = "a login is configured, and not made here" if self._spec.login else "are its headers: right?"
            self.find("reach", "note", f"{fact}; {why}")
        else:
            self.find("reach", "well", fact)
        return True

    async def _certificate(self) -> None:
        origin, address = check_http(self._spec)
        if origin.scheme == "https":
            self.findings.append(await certificate(self._spec, origin, address))

    async def _look_closer(self, target: Target, clock: Clock) -> None:
        live = target.kind == "live"
        again = await observed(target, self._case, Moment(PROBE, 0))
        if live:
            self._kept_alive(again)
            self.findings.append(skew(clock))
        self.clock = obeying(clock if live else Clock(None), again.clock_frozen is True)
        self._frozen(again, target.clock_note)

    def _kept_alive(self, again: Observation) -> None:
        if again.timing is not None and again.timing.connect_ms is None:
            self.find("keep-alive", "well", "keeps connections open")
        else:
            remedy = "every case pays for a new one: compare latencies with care"
            self.find("keep-alive", "note", "closes its connection after an answer", remedy)

    def _frozen(self, again: Observation, why: str) -> None:
        if again.clock_frozen:
            self.find("frozen time", "well", "obeys the instant of a case" + (f", {why}" if why else ""))
        elif again.status is None:
            told = again.error.message if again.error else "nothing"
            self.find("frozen time", "mend", f"does not answer a request with an instant: {told}", "see what it logs")
        elif self._spec.clock_secret is None and (self._spec.run is not None or why in (SILENT, *UNTOLD)):
            remedy = "rules have to bear what depends on the time; or see docs/clock.md for a middleware"
            fact = "ignores the instant of a case" if why == SILENT else f"not frozen, {why}"
            self.find("frozen time", "note", fact, remedy)
        else:
            remedy = "its environment needs REPLAY_DETERMINISM_SECRET, the same as the side's clock_secret"
            self.find("frozen time", "mend", f"does not obey the instant of a case: {why}", remedy)

    def _function_clock(self, target: Target) -> None:
        why = target.clock_note
        state: State = "mend" if why else "well"
        self.find("frozen time", state, why or "its worker can stand at the instant of a case")
        self.clock = Clock(None, obeys=not why)

    def _guards(self, target: Target) -> None:
        """Note what may be written."""
        writable = self._spec.writable
        if target.kind != "live":
            self.find("writes", "well", "is started for the run, and may be sent everything")
        elif writable is True:
            remedy = "make sure that nobody depends on what is in there"
            self.find("writes", "note", "is writable: every method is sent", remedy)
        elif writable:
            self.find("writes", "well", f"is writable for {', '.join(writable)}, and nothing else")
        else:
            self.find("writes", "well", "gets GET, HEAD and OPTIONS; other cases are skipped, and counted")


def harmless_of_login(spec: TargetSpec) -> tuple[tuple[str, str], ...]:
    """Return the side's headers that no login would have to fill."""
    filled = login_headers(spec)
    return tuple(field for field in spec.headers.items() if field[0].lower() not in filled)
