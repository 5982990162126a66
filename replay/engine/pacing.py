"""When each case is to begin: as soon as there is room, at a steady rate, or as the capture has it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from replay.models import Case

NS: Final = 1_000_000_000


class Planned(NamedTuple):
    """A case, and when it is to begin: nanoseconds after the run began, or None for as soon as there is room."""

    case: Case
    at_ns: int | None = None


class Pace(Protocol):
    """A timetable. One serves one way through the cases."""

    @property
    def name(self) -> str:
        """Return it as reports print it."""

    def planned(self, cases: Iterable[Case]) -> Iterator[Planned]:
        """Yield each case with its moment; moments never go back."""


@dataclass(frozen=True, slots=True)
class AsRoomAllows:
    """Closed loop: the next case begins when one has ended."""

    name: str = ""

    def planned(self, cases: Iterable[Case]) -> Iterator[Planned]:
        """Yield each case without a moment."""
        return map(Planned, cases)


@dataclass(frozen=True, slots=True)
class Steady:
    """Open loop at so many cases a second: absolute moments, so that lateness does not add up."""

    per_second: float

    @property
    def name(self) -> str:
        """Return it as reports print it."""
        return f"{self.per_second:g}/s"

    def planned(self, cases: Iterable[Case]) -> Iterator[Planned]:
        """Yield each case with its moment."""
        return (Planned(case, int(index * NS / self.per_second)) for index, case in enumerate(cases))


@dataclass(frozen=True, slots=True)
class AsRecorded:
    """Open loop by the capture's own times, `speed` times as fast; no gap is longer than `max_gap` seconds before that.

    A case that was recorded earlier than the one before it, or without a time, begins together with that one.
    """

    speed: float
    max_gap: float | None = None

    @property
    def name(self) -> str:
        """Return it as reports print it."""
        return f"{self.speed:g}x as recorded" + (f", gaps of at most {self.max_gap:g} s" if self.max_gap else "")

    def planned(self, cases: Iterable[Case]) -> Iterator[Planned]:
        """Yield each case with its moment."""
        at, latest = 0.0, None
        for case in cases:
            gap = _gap(latest, case.freeze)
            at += gap if self.max_gap is None else min(gap, self.max_gap)
            latest = _later(latest, case.freeze)
            yield Planned(case, int(at / self.speed * NS))


def _gap(before: datetime | None, now: datetime | None) -> float:
    """Return the seconds from one to the other; 0 where there are none, or where time went back."""
    return 0.0 if before is None or now is None else max(0.0, (now - before).total_seconds())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None or (one is not None and one > other) else other


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
