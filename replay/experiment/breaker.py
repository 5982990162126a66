"""The circuit breaker: it stops the other side while that is slow, failing or takes more than its share of CPU."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from replay.errors import SettingsError
from replay.experiment.clock import wall_ns
from replay.experiment.forks import anew_after_fork

_SECOND: Final = 1_000_000_000
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

Duration = float | str | timedelta


@dataclass(frozen=True, slots=True)
class Breaker:
    """When the other side is stopped: judged once `calls` were compared, and then anew.

    It rests for `rest`, whereupon one call is tried. Every stop is told to the sinks, as a call that nobody can judge.
    """

    failing: float = 0.5
    """Of calls in which the other side alone failed, this share is too many."""
    slow: float = 0.5
    """Of calls in which the other side took longer than the experiment's `budget`, this share is too many."""
    cpu: float | None = None
    """Of the time of one core, this share is too much for the other side; None sets no limit."""
    calls: int = 20
    rest: Duration = 30.0


class Guard:
    """Lets calls be compared, or not: one experiment's breaker as it stands."""

    def __init__(self, breaker: Breaker | None, budget: Duration | None) -> None:
        """Take what the experiment says. Raise SettingsError for durations that are none."""
        self._breaker = breaker
        self.budget_ns = None if budget is None else nanoseconds("budget", budget)
        self._rest_ns = 0 if breaker is None else nanoseconds("rest", breaker.rest)
        self.counts_cpu = breaker is not None and breaker.cpu is not None
        self.is_open = False
        anew_after_fork(self)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was counted: the lock may have been held by a thread that a fork left behind."""
        self._lock = threading.RLock()  # a generator that is collected may come in between
        self._until = 0
        self._probing = False
        self._passed_over = 0
        """Calls that were not compared since the breaker opened."""
        self._count_anew()

    def _count_anew(self) -> None:
        self._calls = self._failed = self._slow = self._cpu_ns = 0
        self._since = wall_ns()

    def lets_through(self) -> bool:
        """Tell whether a call may be compared while the breaker is open: one, after every rest."""
        with self._lock:
            if wall_ns() < self._until:
                self._passed_over += 1
                return False
            self._until = wall_ns() + self._rest_ns
            self._probing = True
            return True

    def note(self, *, failed: bool, took_ns: int, cpu_ns: int = 0) -> str:
        """Count what the other side did; return that it is stopped from now on and why, or runs again, or nothing."""
        if self._breaker is None:
            return ""
        slow = self.budget_ns is not None and took_ns > self.budget_ns
        with self._lock:
            if self.is_open:
                return self._probed(failed=failed, slow=slow)
            self._calls += 1
            self._failed += failed
            self._slow += slow
            self._cpu_ns += cpu_ns
            return self._judged(self._breaker) if self._calls >= self._breaker.calls else ""

    def _probed(self, *, failed: bool, slow: bool) -> str:
        if not self._probing:
            return ""
        self._probing = False
        self.is_open = failed or slow
        self._count_anew()
        if self.is_open or not self._passed_over:
            return ""
        missed, self._passed_over = self._passed_over, 0
        return f"the other side is run again: calls not compared meanwhile: {missed:,}"

    def _judged(self, breaker: Breaker) -> str:
        reason = self._reason(breaker)
        self._count_anew()
        if not reason:
            return ""
        self.is_open = True
        self._until = wall_ns() + self._rest_ns
        return f"the other side is stopped for a while: {reason}"

    def _reason(self, breaker: Breaker) -> str:
        if self._failed >= breaker.failing * self._calls and self._failed:
            return f"it failed in {self._failed} of {self._calls} calls"
        if self._slow >= breaker.slow * self._calls and self._slow:
            return f"it took longer than its budget in {self._slow} of {self._calls} calls"
        share = self._cpu_ns / max(wall_ns() - self._since, 1)
        if breaker.cpu is not None and share > breaker.cpu:
            return f"it took {share:.0%} of a core, where {breaker.cpu:.0%} is its share"
        return ""


def nanoseconds(name: str, given: Duration) -> int:
    """Read seconds, or `50ms`, as nanoseconds. Raise SettingsError for what is no duration."""
    if isinstance(given, timedelta):
        given = given.total_seconds()
    if isinstance(given, str):
        found = _DURATION.fullmatch(given)
        seconds = -1.0 if found is None else float(found[1]) * _UNITS[found[2]]
    else:
        seconds = float(given)
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{name}: {given!r} is no duration", hint="write seconds, or 50ms, 5s, 1m")
    return int(seconds * _SECOND)
