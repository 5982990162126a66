"""Whether what a program names can take outcomes: found out when it is named, since nobody hears of it later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from replay.errors import SettingsError
from replay.inert import printable

_METHODS: Final = ("take", "lose", "flush", "close", "forked")


def require_sinks(sinks: object, place: str) -> None:
    """Raise SettingsError unless these are sinks, in a list or tuple."""
    hint = "pass Log(), Stored(...), Captured(...), OpenTelemetry(), DogStatsD(...)"
    if not isinstance(sinks, Sequence) or isinstance(sinks, str):
        raise SettingsError(f"{printable(repr(sinks), 80)} is no list of sinks", place=place, hint=hint)
    for sink in sinks:
        if isinstance(sink, type) or not all(callable(getattr(sink, name, None)) for name in _METHODS):
            raise SettingsError(f"{printable(repr(sink), 80)} is no sink", place=place, hint=hint)
