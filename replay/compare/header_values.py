"""What a rule sees of a header that it names: an instant where it allows a distance in time, a list for a bag."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from replay.compare.base import Rule
from replay.compare.fields import split_list
from replay.models import Headers, Json, first_header

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_DURATION: Final = re.compile(r"\d[a-z]+\s*$")
_NAMES: Final = frozenset({"vary", "access-control-allow-headers", "access-control-expose-headers"})
"""Headers whose elements are names of headers, in any case."""


def seen_by(rule: Rule, name: str, values: tuple[str, ...], headers: Headers) -> Json | None:
    """Return the values of a header as the rule's verb needs them; None where it needs them as they came."""
    if _allows_time(rule.spec.within):
        return _instant(name, values, headers)
    return _elements(name, values) if rule.spec.unordered else None


def _allows_time(tolerance: object) -> bool:
    return any(
        _DURATION.search(str(it)) is not None
        for it in (tolerance if isinstance(tolerance, list | tuple) else [tolerance])
    )


def _instant(name: str, values: tuple[str, ...], headers: Headers) -> Json | None:
    if len(values) != 1:
        return None
    if name == "retry-after":
        return _wait(values[0], headers)
    found = _http_date(values[0])
    return found.isoformat() if found is not None else None


def _wait(value: str, headers: Headers) -> str | None:
    """Return how long to wait as an instant after the epoch: both sides answered at about the same time."""
    if _SECONDS.fullmatch(value):
        return (_EPOCH + timedelta(seconds=int(value))).isoformat()
    until, answered = _http_date(value), _http_date(first_header(headers, "date") or "")
    return None if until is None or answered is None else (_EPOCH + (until - answered)).isoformat()


def _http_date(text: str) -> datetime | None:
    """Read a date in any of HTTP's three forms (RFC 9110, 5.6.7), of which the third names no zone and means UTC."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _elements(name: str, values: tuple[str, ...]) -> Json | None:
    if name == "set-cookie":
        return None
    found = [element for value in values for element in split_list(value)]
    return [element.lower() for element in found] if name in _NAMES else found
