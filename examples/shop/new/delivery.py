"""When the night courier of the new shop comes, in European zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from examples.shop.catalogue import ZONES
from examples.shop.new.messages import Request, Response, json_response, malformed, rfc3339
from examples.shop.new.routing import Router, Shop

router = Router()


@router.on("GET", "/slots")
def slots(_: Shop, request: Request) -> Response:
    """List the hours of the night courier."""
    zone = request.param("tz", "Europe/Berlin")
    if zone not in ZONES:
        raise malformed(f"tz must be one of {', '.join(ZONES)}")
    hours = night_hours(_day(request.param("date")), zone)
    return json_response(
        {"tz": zone, "slots": [{"from": hour.isoformat(), "utc": rfc3339(hour.astimezone(UTC))} for hour in hours]}
    )


def night_hours(day: date, zone: str) -> list[datetime]:
    """Return the hours from midnight to six on the clocks of a zone.

    An hour that the clocks skip does not exist, one that they repeat exists twice, with another offset.
    """
    winter, has_summer = ZONES[zone]
    offsets = [timezone(timedelta(hours=hours)) for hours in range(winter, winter + 1 + has_summer)]
    readings = [datetime.combine(day, time(hour), offset) for hour in range(6) for offset in offsets]
    return sorted(reading for reading in readings if reading.tzinfo == _zone_at(reading, zone))


def _zone_at(instant: datetime, zone: str) -> timezone:
    winter, has_summer = ZONES[zone]
    starts, ends = (_change(instant.astimezone(UTC).year, month) for month in (3, 10))
    return timezone(timedelta(hours=winter + (has_summer and starts <= instant < ends)))


def _change(year: int, month: int) -> datetime:
    """Return when the European clocks change: at one o'clock UTC on the last Sunday of the month."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise malformed("date must be a day, like 2024-03-31") from None
