"""When each case is to begin: as soon as there is room, at a steady rate, or as the capture has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final, NamedTuple, Protocol

from replay.models import Case

NS: Final = 1_000_000_000
_END_OF_TIME: Final = 1e11
"""Seconds, three thousand years: the latest moment there is. No timer counts up to what a speed near zero makes."""

Moments = Callable[[Case], int | None]
"""Asked once for each case in order: how many nanoseconds after the run's beginning it is to begin; None for any time.
Moments never go back."""


class Planned(NamedTuple):
    """A case, and its moment."""

    case: Case
    at_ns: int | None = None


class Pace(Protocol):
    """A kind of timetable."""

    @property
    def name(self) -> str:
        """Return it as reports print it; empty where there is none."""

    def moments(self) -> Moments:
        """Return the timetable for one way through the cases."""


@dataclass(frozen=True, slots=True)
class AsRoomAllows:
    """Closed loop: the next case begins when one has ended."""

    name: str = ""

    def moments(self) -> Moments:
        """Return what sets no moment."""
        return lambda _case: None


@dataclass(frozen=True, slots=True)
class Steady:
    """Open loop at so many cases a second: absolute moments, so that lateness does not add up."""

    per_second: float

    @property
    def name(self) -> str:
        """Return it as reports print it."""
        return f"{self.per_second:g}/s"

    def moments(self) -> Moments:
        """Return moments that are equally far from each other."""
        numbers = count()
        return lambda _case: _moment(next(numbers) / self.per_second)


@dataclass(frozen=True, slots=True)
class AsRecorded:
    """Open loop by the captures' own times, `speed` times as fast; no gap is longer than `max_gap` seconds before that.

    A case that was recorded earlier than one before it begins together with that one, and so does one without a time,
    such as a golden, whose instant is none at which anything was recorded. Every file and every turn goes on from where
    the one before it ended.
    """

    speed: float
    max_gap: float | None = None

    @property
    def name(self) -> str:
        """Return it as reports print it."""
        return f"{self.speed:g}x as recorded" + (f", gaps of at most {self.max_gap:g} s" if self.max_gap else "")

    def moments(self) -> Moments:
        """Return the moments of recorded cases."""
        at = 0.0
        latest: datetime | None = None
        last_of: tuple[int, str] | None = None

        def moment(case: Case) -> int:
            nonlocal at, latest, last_of
            recorded = case.freeze if case.kind == "traffic" else None
            source = (case.turn, case.origin.rpartition(":")[0])
            if recorded is not None:
                if source == last_of:
                    gap = _gap(latest, recorded)
                    at += gap if self.max_gap is None else min(gap, self.max_gap)
                    latest = _later(latest, recorded)
                else:
                    latest, last_of = recorded, source
            return _moment(at / self.speed)

        return moment


def _moment(seconds: float) -> int:
    return int(min(seconds, _END_OF_TIME) * NS)


def _gap(before: datetime | None, now: datetime) -> float:
    """Return the seconds from one to the other; 0 where time went back."""
    return 0.0 if before is None else max(0.0, (now - before).total_seconds())


def _later(one: datetime | None, other: datetime) -> datetime:
    return one if one is not None and one > other else other


class Turns:
    """All cases so many times over, each with its turn; without a number, again and again until the time is over."""

    def __init__(self, cases: Iterable[Case], times: int | None, seconds: float | None = None) -> None:
        self._cases = cases
        self._times = times
        self._seconds = seconds
        self.cut_short = False
        """The time was over before every case had its first turn."""

    def __iter__(self) -> Iterator[Case]:
        """Yield the cases, turn by turn; nothing more once the time is over, which runs from here on."""
        return iter(self._cases) if self._times == 1 and self._seconds is None else self._turns()

    def _turns(self) -> Iterator[Case]:
        ends = None if self._seconds is None else time.monotonic() + self._seconds
        turn, some = 1, True
        while some and (self._times is None or turn <= self._times):
            some = False  # Where there is no case at all, there never will be.
            for case in self._cases:
                if ends is not None and time.monotonic() >= ends:
                    self.cut_short = turn == 1
                    return
                some = True
                yield case if turn == 1 else case.again(turn)
            turn += 1
