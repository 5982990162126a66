"""A side that wants a token: one request before the first case, whose answer fills `{{names}}` in the side's headers.

Decisions:

- The login goes to the side itself, by the side's own connections, limits and deadline, and takes those of the side's
  headers with it that hold no `{{name}}`; its own beat them.
- What was captured is used for `every`, and then the next case waits for a new login. At a 401 with a token older than
  a second there is one new login, and the case is sent once more: a 401 says that nothing was done. Where the token
  is as young as that, the 401 is the answer.
- A login that fails before the first case ends the run. Later it is the side's error for each case that waited for it;
  the next case tries again, yet not within a second.
- What is sent with a login, and what is captured, are secrets (see `secrets`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from replay.errors import TargetError
from replay.models import Case, Done, Failed, Failure, Headers, LoginSpec, Observation
from replay.targets.credentials import captured, check_login, filled, login_request, refusal, without_names
from replay.targets.layers import Send, expects
from replay.wire import WireClient
from replay.wire.clock import now_ns

_UNAUTHORIZED: Final = 401
_YOUNG_NS: Final = 1_000_000_000
"""A token younger than this is not blamed for a 401, and a login that failed is not tried again for as long."""
_SHORTEST: Final = 6
_NOT_SENT: Final = Failure("exception", "login: it could not be sent")

Outcome = Failure | BaseException | None
"""How a login ended: well, by the side's doing, or by what is no side's doing."""


@dataclass(slots=True)
class _Waiting:
    """A case that waits for a token."""

    case: Case
    added: Headers
    done: Done
    failed: Failed
    again: bool = False
    since: int = field(default_factory=now_ns)


class Login:
    """Sends cases with the headers that a login filled, and logs in before them, by time, and at a 401.

    Raises SettingsError for a login that cannot work: see `check_login`.
    """

    def __init__(
        self,
        spec: LoginSpec,
        headers: Mapping[str, str],
        client: WireClient,
        send: Send,
        use_headers: Callable[[Headers], None] | None = None,
    ) -> None:
        check_login(spec, headers)
        self._use_headers = use_headers or client.use_headers
        self._spec = spec
        self._headers = tuple(headers.items())
        self._client = client
        self._send = send
        self._request = login_request(spec)
        self._plain = without_names(self._headers, spec)
        self._learnt: set[str] = set()
        self._waiting: list[_Waiting] = []
        self._asking = False
        self._failure: Failure | None = None
        self._since = 0
        self._number = 0

    async def start(self) -> None:
        """Log in. Raise TargetError where that fails."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._ask(lambda ended: None if outcome.done() else outcome.set_result(ended))
        failure = await outcome
        if isinstance(failure, Failure):
            raise TargetError(failure.message, hint="look at login: of this side")
        if failure is not None:
            raise failure

    def secrets(self) -> frozenset[str]:
        """Return every value that was captured so far and is long enough to be searched for."""
        return frozenset(value for value in self._learnt if len(value) >= _SHORTEST)

    def send(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        """Send a case; it waits where there has to be a new token first."""
        waiting = _Waiting(case, added, done, failed)
        if self._asking or self._outdated(now_ns()):
            self._hold(waiting)
        elif self._failure is not None:
            done(Observation(error=self._failure))
        else:
            self._pass_on(waiting)

    # ------------------------------------------------------------------------------------------------------------ cases

    def _outdated(self, now: int) -> bool:
        if self._number == 0 or self._failure is not None:
            return now - self._since > _YOUNG_NS
        every = self._spec.every
        return every is not None and now - self._since > every.total_seconds() * 1e9

    def _hold(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        if not self._asking:
            self._ask(lambda _outcome: None)

    def _pass_on(self, waiting: _Waiting) -> None:
        number = self._number
        queued_ms = (now_ns() - waiting.since) / 1e6

        def seen(it: Observation) -> None:
            if it.status == _UNAUTHORIZED and self._worn(waiting, number):
                waiting.again, waiting.since = True, now_ns()
                if number == self._number or self._asking:
                    self._hold(waiting)
                else:
                    self._pass_on(waiting)
            else:
                waiting.done(_delayed(it, queued_ms, again=waiting.again))

        try:
            self._send(waiting.case, waiting.added, seen, waiting.failed)
        except Exception as error:  # noqa: BLE001 - whoever waits for the outcome is told, whatever it is
            waiting.failed(error)

    def _worn(self, waiting: _Waiting, number: int) -> bool:
        """Tell whether a 401 may mean that the token with which the case was sent has had its day."""
        if waiting.again or expects(waiting.case, _UNAUTHORIZED):
            return False
        return number != self._number or self._asking or now_ns() - self._since > _YOUNG_NS

    # ------------------------------------------------------------------------------------------------------------ login

    def _ask(self, ended: Callable[[Outcome], None]) -> None:
        self._asking = True
        self._use_headers(self._plain)

        def settle(outcome: Outcome) -> None:
            self._settle(outcome)
            ended(outcome)

        self._client.send(self._request, lambda seen: settle(self._take(seen)), settle)

    def _take(self, seen: Observation) -> Failure | None:
        """Fill the headers from an answer; return why that is impossible."""
        values = refusal(seen) or captured(self._spec, seen)
        if isinstance(values, Failure):
            return values
        self._learnt.update(values.values())
        self._use_headers(filled(self._headers, values))
        return None

    def _settle(self, outcome: Outcome) -> None:
        """End the login, and let those go that waited for it."""
        self._asking, self._since = False, now_ns()
        self._failure = outcome if outcome is None or isinstance(outcome, Failure) else _NOT_SENT
        self._number += 1
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if outcome is None:
                self._pass_on(each)
            elif isinstance(outcome, Failure):
                each.done(Observation(error=outcome))
            else:
                each.failed(outcome)


def _delayed(seen: Observation, queued_ms: float, *, again: bool) -> Observation:
    """Return what came back, with the waiting for a token before it."""
    timing = seen.timing and replace(seen.timing, queued_ms=seen.timing.queued_ms + queued_ms)
    return replace(seen, timing=timing, retries=seen.retries + again)
