"""Clocks: how far each side's is from this machine's and from the other's, and whether they obey an instant."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from replay.engine.doctor.findings import Finding
from replay.models import Observation, Side

BOTH: Final = "old and new"
TOLERATED: Final = 2.0
"""A `Date` is whole seconds, and so is what can be told by it: seconds apart up to here say nothing."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of a side's clock: how many seconds it is ahead of this machine's, and whether it obeys."""

    ahead: float | None
    obeys: bool | None = None


def now() -> float:
    """Return this machine's time in seconds since the epoch."""
    return time.time()


def read_clock(seen: Observation, before: float, after: float) -> Clock:
    """Read a clock off an answer that came between two moments of this machine."""
    try:
        date = parsedate_to_datetime(seen.header("date") or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return Clock(None)
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    # Somewhere within that second, at some moment in between.
    return Clock(date.timestamp() + 0.5 - (before + after) / 2)


def skew(clock: Clock) -> Finding:
    """Tell how far a clock is from this machine's."""
    if clock.ahead is None:
        return Finding("skew", "note", "sends no Date header, so that its clock cannot be read")
    if abs(clock.ahead) <= TOLERATED:
        return Finding("skew", "well", "its clock is this machine's, to 2 s")
    remedy = "synchronise the clocks (chrony, systemd-timesyncd), or have the side obey frozen time"
    return Finding("skew", "mend", f"its clock is {apart(clock.ahead)} this machine's", remedy)


def apart(seconds: float) -> str:
    """Return a distance in words: `90 s behind`, `2 h ahead of`."""
    size, word = abs(round(seconds)), "ahead of" if seconds > 0 else "behind"
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if size >= 3 * length:
            return f"{size / length:.0f} {unit} {word}"
    return f"{size} s {word}"


def together(clocks: Mapping[Side, Clock]) -> Iterator[Finding]:
    """Yield how the two sides' clocks stand to each other."""
    if len(clocks) != 2:  # noqa: PLR2004 - two sides
        return
    old, new = clocks["old"], clocks["new"]
    if None not in (old.obeys, new.obeys) and old.obeys != new.obeys:
        obeying, other = ("old", "new") if old.obeys else ("new", "old")
        fact = f"{obeying} obeys frozen time and {other} does not: the two see different times"
        yield Finding("clocks", "mend", fact, f"let {other} obey it too, see docs/clock.md", BOTH)
    if old.ahead is None or new.ahead is None:
        return
    between = new.ahead - old.ahead
    if abs(between) <= TOLERATED:
        fact = "old and new have the same time, to 2 s"
        yield Finding("clocks", "well", fact, side=BOTH)
    else:
        remedy = "what they derive from the time will differ: synchronise the two, or freeze both"
        yield Finding("clocks", "mend", f"the clock of new is {apart(between)} that of old", remedy, BOTH)


def obeying(clock: Clock, obeys: bool) -> Clock:  # noqa: FBT001 - it is what is known
    """Return a clock of which it is known whether it obeys."""
    return replace(clock, obeys=obeys)
