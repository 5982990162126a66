"""Instants that flags name: a date, an instant, or how long ago it was."""

from __future__ import annotations

from datetime import UTC, datetime

from replay.errors import SettingsError
from replay.models import parse_duration, parse_instant


def past_instant(text: str, flag: str) -> datetime:
    """Return the instant that a flag names. Raise SettingsError for what is none, and for one that is to come."""
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
