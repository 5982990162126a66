"""What the command line says of how cases are sent: how many at a time, when, from where and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from replay.cli.flags import read_flag, seconds_of
from replay.engine.pacing import AsRecorded, AsRoomAllows, Pace, Steady
from replay.errors import SettingsError
from replay.models import Order, parse_rate

CLOSED: Final = 8
"""Cases under way where nothing else is said."""
OPEN: Final = 256
"""With a timetable, cases do not wait for each other: this many only bound what a service that hangs can cost."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """The flags as they were typed; None means that nothing was said."""

    concurrency: int | None = None
    workers: int = 1
    rate: str | None = None
    speed: str | None = None
    max_gap: str | None = None
    order: str | None = None
    warmup: int = 0
    repeat: int | None = None
    duration: str | None = None

    def pace(self) -> Pace:
        """Return when cases are to begin. Raise SettingsError where flags make no sense together."""
        if self.rate is not None and self.speed is not None:
            raise SettingsError("--rate and --speed are two timetables", hint="give one of them")
        if self.max_gap is not None and self.speed is None:
            raise SettingsError("--max-gap shortens recorded gaps", hint="give --speed 1x with it")
        if self.rate is not None:
            return Steady(read_flag("--rate", parse_rate, self.rate))
        if self.speed is not None:
            gap = None if self.max_gap is None else seconds_of("--max-gap", self.max_gap)
            return AsRecorded(read_flag("--speed", _times, self.speed), gap)
        return AsRoomAllows()

    def under_way(self, pace: Pace) -> int:
        """Return how many cases may be under way."""
        return self.concurrency or (CLOSED if isinstance(pace, AsRoomAllows) else OPEN)

    def who_first(self, setting: Order) -> Order:
        """Return who is asked first. Raise SettingsError for a word that is none."""
        for order in get_args(Order):
            if self.order == order:
                return order  # type: ignore[no-any-return]
        if self.order is not None:
            raise SettingsError(f"--order {self.order}: there is no such order", hint=", ".join(get_args(Order)))
        return setting

    def turns(self) -> tuple[int | None, float | None]:
        """Return how often every case is sent (None: as often as there is time), and for how many seconds."""
        seconds = None if self.duration is None else seconds_of("--duration", self.duration)
        return self.repeat or (1 if seconds is None else None), seconds


def _times(text: str) -> float:
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise ValueError(f"'{text}' is no speed; write 1x, 2x or 0.5x")
    return factor
