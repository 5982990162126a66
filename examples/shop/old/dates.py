"""Dates of the old shop: seconds since 1970, and loops over days and hours."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

from examples.shop.catalogue import ZONES


def now() -> int:
    """Return the seconds since 1970."""
    return int(time.time())


def stamp(seconds: int) -> str:
    """Return an instant as people write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a month that has no such day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def night_hours(day: date, zone: str) -> list[datetime]:
    """Return the hours from midnight to six on the clocks of a zone: five or seven when the clocks change."""
    hour = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=4)
    found = []
    for _ in range(16):
        local = hour.astimezone(timezone(_offset(hour, zone)))
        if local.date() == day and local.hour < 6:
            found.append(local)
        hour += timedelta(hours=1)
    return found


def _offset(instant: datetime, zone: str) -> timedelta:
    winter, has_summer = ZONES[zone]
    summer = has_summer and _last_sunday(instant.year, 3) <= instant < _last_sunday(instant.year, 10)
    return timedelta(hours=winter + summer)


def _last_sunday(year: int, month: int) -> datetime:
    day = datetime(year, month, 31, 1, tzinfo=UTC)
    while day.weekday() != 6:
        day -= timedelta(days=1)
    return day
