"""What a program names to take outcomes: whether it can is found out there and then, since nobody hears of it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from replay.errors import SettingsError
from replay.inert import printable

if TYPE_CHECKING:
    from replay.experiment.calls import Sink

_METHODS: Final = ("take", "lose", "flush", "close", "forked")


@dataclass(frozen=True, slots=True)
class Ready:
    """Sinks whose threads have begun, and those of them that have a use for calls that agree."""

    sinks: Sequence[Sink]
    of_agreeing: Sequence[Sink] = ()


NOBODY: Final = Ready(())


def require_sinks(sinks: object, place: str) -> None:
    """Raise SettingsError unless these are sinks, in a list or tuple."""
    hint = "pass Log(), Stored(...), Captured(...), OpenTelemetry(), DogStatsD(...)"
    if not isinstance(sinks, Sequence) or isinstance(sinks, str):
        raise SettingsError(f"{printable(repr(sinks), 80)} is no list of sinks", place=place, hint=hint)
    for sink in sinks:
        if isinstance(sink, type) or not all(callable(getattr(sink, name, None)) for name in _METHODS):
            raise SettingsError(f"{printable(repr(sink), 80)} is no sink", place=place, hint=hint)
