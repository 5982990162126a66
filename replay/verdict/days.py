"""Which day a case belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from typing import Final

from replay.models import Case, Result

MOST_DAYS: Final = 1_100
"""Three years. Of more days than that, the first ones that turn up are told apart."""

_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(9900, 1, 1)


def recorded_day(case: Case) -> date | None:
    """Return the UTC day on which a case of the traffic was recorded; None for goldens, and where nobody noted it.

    A golden's instant was chosen by a curator and tells nothing of any day. A clock that is centuries off is taken to
    be at the end of the calendar to which it is nearer, where there are days before and after.
    """
    if case.kind != "traffic" or case.freeze is None:
        return None
    try:
        day = case.freeze.astimezone(UTC).date()
    except OverflowError:
        day = case.freeze.date()
    return day if _EARLIEST <= day <= _LATEST else min(max(day, _EARLIEST), _LATEST)


def by_day(results: Iterable[Result]) -> Mapping[date | None, list[Result]]:
    """Return results by their days, both in the order in which they turn up."""
    found = defaultdict[date | None, list[Result]](list)
    for result in results:
        found[recorded_day(result.case)].append(result)
    return found
