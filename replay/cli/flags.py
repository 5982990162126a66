"""What the texts of flags mean: instants, durations, shares, sides and the choice of cases. Errors name the flag."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal, TypeVar

from replay.cases.chosen import Choice
from replay.errors import InputError, SettingsError
from replay.models import Side, parse_duration, parse_instant
from replay.sampling import parse_percentage

T = TypeVar("T")


def read_flag(flag: str, parse: Callable[[str], T], text: str) -> T:
    """Return what a flag says. Raise SettingsError, naming the flag, where `parse` raises ValueError or InputError."""
    try:
        return parse(text)
    except InputError as error:
        raise SettingsError(f"{flag}: {error.fact}", hint=error.hint) from None
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from None


def seconds_of(flag: str, text: str) -> float:
    """Return a duration in seconds. Raise SettingsError for what is none, and for one of no length."""
    seconds = read_flag(flag, parse_duration, text).total_seconds()
    if seconds <= 0:
        raise SettingsError(f"{flag}: {text} is no time at all", hint="write 500ms, 5s or 10m")
    return seconds


def share_of(flag: str, text: str, whole: str, example: str, *, may_be_all: bool = True) -> Fraction:
    """Return a percentage as a share of 1; `whole` says of what it is one. Raise SettingsError for anything else."""
    share = parse_percentage(text)
    if share is None or share > 1 or (share == 1 and not may_be_all):
        raise SettingsError(f"{flag} {text}: this is no share of {whole}", hint=f"write {example}")
    return share


# ------------------------------------------------------------------------------------------------------------- instants


def instant_of(text: str | None, flag: str = "--freeze") -> datetime | None:
    """Return the instant that a flag names. Raise SettingsError for a text that is none."""
    return None if text is None else read_flag(flag, parse_instant, text)


def past_instant(text: str, flag: str) -> datetime:
    """Return a past instant, given as such or as how long ago it was. Raise SettingsError for one that is to come."""
    now = datetime.now(UTC)
    try:
        instant = parse_instant(text)
    except ValueError:
        try:
            instant = now - parse_duration(text)
        except (ValueError, OverflowError):
            hint = "write 2026-10-31, 2026-10-31T12:00:00Z, or 30d for what is older than 30 days"
            raise SettingsError(f"{flag} {text[:100]!a}: this is no time", hint=hint) from None
    if instant > now:
        raise SettingsError(f"{flag} {text}: this is yet to come", hint="0s is everything up to now")
    return instant


# ------------------------------------------------------------------------------------------------------ cases and sides


def choice_of(
    only: Collection[str] | None, tag: Collection[str] | None, shard: str | None, limit: int | None
) -> Choice:
    """Return which cases the flags choose. Raise SettingsError where they make no sense."""
    return Choice(tuple(only or ()), tuple(tag or ()), _shard(shard) if shard else None, limit)


def _shard(text: str) -> tuple[int, int]:
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise SettingsError(f"--shard {text}: there is no such shard", hint="count from 1, as in --shard 1/4")
    return int(index), int(count)


def writable_side(text: str | None) -> Side | Literal["both"] | None:
    """Return which sides `--writable` names. Raise SettingsError for what is no side."""
    if text not in (None, "old", "new", "both"):
        raise SettingsError(f"--writable {text}: there is no such side", hint="write old, new or both")
    return text  # type: ignore[return-value]


def expected_side(text: str | None) -> Side | None:
    """Return whose answer `--expect` names. Raise SettingsError for what is no side."""
    if text not in (None, "old", "new"):
        raise SettingsError(f"--expect {text}: there is no such side", hint="write old or new")
    return text  # type: ignore[return-value]
