"""A case that a side refuses is sent again, after a while, and some day given up.

Decisions:

- Only a whole answer whose status is one of `on` refuses. A transport failure is what the side did, and stays it.
- GET, HEAD and OPTIONS are sent again for every status of `on`; other methods for 429 and 503 alone, which say that
  nothing was done. After a 502 or a 504, nobody knows.
- `Retry-After`, in seconds or as a date (measured from the answer's own `Date`), is obeyed up to `cap`. Without one, or
  with one that is neither, the wait doubles from `wait` up to `cap`; up to half of it is added by chance, so that cases
  that were refused together do not come back together.
- A case that stays refused is the side's error: that it was too busy to answer is no difference between two sides.
- A golden that expects such a status gets it at once.

So a case lasts at most `times` times the cap longer than its exchanges, each of which has its own deadline.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from replay.models import Case, Done, Failed, Failure, Headers, Observation, RetrySpec
from replay.selection import SAFE_METHODS
from replay.targets.layers import Send, expects

NOTHING_DONE: Final = frozenset({429, 503})
"""Statuses that say that the request was not carried out."""
_SPREAD: Final = 0.5


class Retries:
    """Sends refused cases again. Those that wait hold no connection and no other case up."""

    def __init__(self, spec: RetrySpec, send: Send) -> None:
        self._spec = spec
        self._send = send
        self._waiting: set[asyncio.TimerHandle] = set()

    def send(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        """Send a case, and again as long as it is refused."""
        _Attempts(self, case, added, done, failed).begin()

    def close(self) -> None:
        """Send nothing again any more; whoever waits is not told."""
        for timer in self._waiting:
            timer.cancel()
        self._waiting.clear()

    def refused(self, case: Case, seen: Observation) -> bool:
        """Tell whether an observation asks for another attempt."""
        if seen.error is not None or seen.status not in self._spec.on or expects(case, seen.status):
            return False
        return case.request.method.upper() in SAFE_METHODS or seen.status in NOTHING_DONE

    @property
    def times(self) -> int:
        """Return how often a case is sent again at most."""
        return self._spec.times

    def pass_on(self, case: Case, added: Headers, done: Done, failed: Failed) -> None:
        """Send a case once."""
        self._send(case, added, done, failed)

    def pause(self, seen: Observation, before: int) -> float:
        """Return how many seconds to wait after a refusal, when it was sent again so many times before."""
        cap = self._spec.cap.total_seconds()
        told = retry_after(seen)
        if told is None:
            told = self._spec.wait.total_seconds() * 2**before * random.uniform(1, 1 + _SPREAD)  # noqa: S311 - no secret
        return min(told, cap)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, unless this is closed first."""

        def due() -> None:
            self._waiting.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._waiting.add(timer)


@dataclass(slots=True)
class _Attempts:
    """One case on its way, refused so many times so far."""

    retries: Retries
    case: Case
    added: Headers
    done: Done
    failed: Failed
    count: int = 0
    waited_ms: float = 0.0

    def begin(self) -> None:
        self.retries.pass_on(self.case, self.added, self._seen, self.failed)

    def _seen(self, seen: Observation) -> None:
        if not self.retries.refused(self.case, seen):
            self.done(self._counted(seen))
        elif self.count == self.retries.times:
            fact = f"still {seen.status} after {self.count} {'retry' if self.count == 1 else 'retries'}"
            self.done(replace(self._counted(seen), error=Failure("status", fact)))
        else:
            self._wait(seen)

    def _wait(self, seen: Observation) -> None:
        loop, queued = asyncio.get_running_loop(), seen.timing.queued_ms if seen.timing else 0.0
        start = loop.time()

        def again() -> None:
            self.waited_ms += queued + (loop.time() - start) * 1e3
            self._again()

        self.retries.later(self.retries.pause(seen, self.count), again)

    def _again(self) -> None:
        self.count += 1
        try:
            self.begin()
        except Exception as error:  # noqa: BLE001 - whoever waits for the outcome is told, whatever it is
            self.failed(error)

    def _counted(self, seen: Observation) -> Observation:
        """Return what came back last, with the waiting before it."""
        if not self.count:
            return seen
        timing = seen.timing and replace(seen.timing, queued_ms=seen.timing.queued_ms + self.waited_ms)
        return replace(seen, timing=timing, retries=seen.retries + self.count)


def retry_after(seen: Observation) -> float | None:
    """Return how many seconds an answer asks to wait, at least 0; None where it does not say, or says nonsense."""
    text = (seen.header("retry-after") or "").strip()
    if re.fullmatch("[0-9]+", text):
        return float(text)
    until = _instant(text)
    if until is None:
        return None
    now = _instant(seen.header("date") or "") or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _instant(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
