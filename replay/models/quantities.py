"""Durations, rates, instants and days as users write them, and the model that all specs derive from."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_LONGEST: Final = 1000 * 365.25 * 86400.0


def parse_duration(value: object) -> timedelta:
    """Read `500ms`, `5s`, `1m`, `2h`, `7d`, or several in a row (`1m30s`). Raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        raise ValueError(f"'{text}' is no duration; write 500ms, 5s, 15m, 24h or 7d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"'{text}' is longer than a thousand years")
    return timedelta(seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(parse_duration, json_schema_input_type=str)]

_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")
_SLOWEST: Final = 1 / _LONGEST
_FASTEST: Final = 1e9


def parse_rate(value: object) -> float:
    """Read `200/s`, `90/m` or `1000/h` as so many a second. Raises ValueError for anything else.

    It is at least one in a thousand years, and at most one in a nanosecond.
    """
    found = _RATE.fullmatch(str(value).strip())
    if found is None or not _SLOWEST <= (rate := float(found[1]) / _UNITS[found[2]]) <= _FASTEST:
        raise ValueError(f"'{value}' is no rate; write 200/s, 90/m or 1000/h")
    return rate


Rate = Annotated[float, BeforeValidator(parse_rate, json_schema_input_type=str)]
"""So many a second."""


_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|TB)")

_BYTES: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_size(value: object) -> int:
    """Read `500KB`, `1.5MB` or `2GB` as bytes, at least one. Raises ValueError for anything else."""
    found = _SIZE.fullmatch(str(value).strip())
    if found is None or (size := int(float(found[1]) * _BYTES[found[2]])) < 1:
        raise ValueError(f"'{value}' is no size; write 500KB, 1MB or 2GB")
    return size


Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=str)]
"""So many bytes."""


def parse_instant(value: object) -> datetime:
    """Read an RFC 3339 instant with its offset, or a bare date as its midnight in UTC; raise ValueError otherwise."""
    if isinstance(value, datetime):
        instant = value
    else:
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"'{value}' is no instant; write 2024-02-29T23:59:59Z") from None
        if instant.tzinfo is not None:
            return instant
        if re.fullmatch(r"\d{4}-?\d\d-?\d\d", str(value)):
            return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise ValueError(f"'{value}' has no offset; write 2024-02-29T23:59:59Z")
    return instant


Instant = Annotated[datetime, BeforeValidator(parse_instant, json_schema_input_type=str)]

Flag = Annotated[bool, Strict()]
"""true or false, and not the text `yes`, `on` or `1`: what is written is never reinterpreted."""

Whole = Annotated[int, Strict()]
"""A whole number, and not the text `012`."""


class Spec(BaseModel):
    """A piece of what users write: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


def parse_day(value: object) -> str:
    """Read a calendar day as ISO 8601 writes it, 2026-12-31; raise ValueError for anything else."""
    text = str(value)
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"'{text}' is no day; write 2026-12-31")
