"""Whether an answer was given at its case's instant, as far as the answer shows it; and if not, why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from replay.determinism.headers import CLOCK, FROZEN, REFUSED, read_instant
from replay.models import Headers, first_header
from replay.targets.base import Moment

SILENT: Final = "the service does not obey the Replay-Time header"
BY_DATE: Final = "as its Date headers show"
UNMOVED: Final = f"{BY_DATE}; the run was over before they could show that it moves with the cases"
DATELESS: Final = "as far as it shows: its answers have neither a Date nor Replay-Clock"
NEAR: Final = "as far as a Date can tell so near the real time: give cases an instant of their own (`freeze`)"
UNTOLD: Final = (NEAR, DATELESS)
"""What is said where nothing shows that a clock stood at another time, and nothing that it was at the instant."""
_PRESENT: Final = timedelta(minutes=5)
"""A `Date` this near to the instant may be the real time, and proves nothing."""
_SECOND: Final = timedelta(seconds=1)
_NONE: Final = timedelta(0)
_RANKS: Final = ("", *UNTOLD, SILENT)
"""From what is known least to what is known best; what a service says itself is beyond them."""
_LATEST: Final = timedelta(minutes=1)
"""How far a clock that runs on may have come by the time of its answer."""
_LONGEST: Final = 200


class Witness:
    """Watches what one side's answers say of its clock.

    `Replay-Clock: frozen INSTANT` says that the request was obeyed, as the middleware does and only it can know; where
    an instant stands there, it has to be the case's: a cache on the way may repeat what was said to another. Without
    that header, a `Date` equal to the instant shows a frozen clock, unless that is the real time as well. Anything
    else does not.
    """

    def __init__(self, lately: Callable[[], Iterable[datetime]] = tuple) -> None:
        # At which instants the service may have made a `Date` that it still shows: servers keep theirs for up to a
        # second, so that an answer may have that of an earlier case.
        self._lately = lately
        self._headers: Headers = ()
        self._said: str | None = None
        self._date: datetime | None = None
        self._why = ""
        self._by_date = self._by_earlier = self._moved = False
        self._first: datetime | None = None
        """The first `Date` that showed a frozen clock."""

    @property
    def note(self) -> str:
        """Return why an answer shows no clock at its instant; if all do, how, where that is worth a word."""
        if self._why or not self._by_date:
            return self._why
        # One that stands still where it began shows the same as one whose `Date` is made once a second.
        return UNMOVED if self._by_earlier and not self._moved else BY_DATE

    def frozen(self, headers: Headers, moment: Moment) -> bool | None:
        """Tell whether an answer is of its moment; None where that has no instant."""
        instant = moment.instant
        if instant is None:
            return None
        if headers is not self._headers:
            # The client gives like heads as one object.
            self._headers, self._said = headers, first_header(headers, CLOCK)
            self._date = _read_date(first_header(headers, "date") or "")
        if self._said is not None:
            return self._noted(_departure(self._said, instant))
        if self._date is None:
            return self._noted(DATELESS)
        if not self._shown(self._date, moment):
            return self._noted(SILENT)
        if abs(datetime.now(UTC) - self._date) <= _PRESENT:
            return self._noted(NEAR)
        self._show(self._date, moment, instant)
        return True

    def _show(self, date: datetime, moment: Moment, instant: datetime) -> None:
        """Keep how a clock showed that it was at an instant."""
        self._by_date, self._first = True, self._first or date
        if not _shows(date, instant, tick=moment.tick):
            self._by_earlier = True
        elif date != self._first:
            self._moved = True

    def _shown(self, date: datetime, moment: Moment) -> bool:
        if moment.instant is not None and _shows(date, moment.instant, tick=moment.tick):
            return True
        return any(_shows(date, each, tick=moment.tick) for each in self._lately())

    def _noted(self, why: str) -> bool:
        """Keep why an answer shows no clock at its instant, where it says more than what was kept; tell if it does."""
        if why != self._why and _rank(why) > _rank(self._why):
            self._why = why
        return not why


def _rank(why: str) -> int:
    return _RANKS.index(why) if why in _RANKS else len(_RANKS)


def _departure(said: str, instant: datetime) -> str:
    """Return why a service that speaks of its clock was not at the instant; empty where it was."""
    word, _, rest = said.strip().partition(" ")
    if word.lower() == FROZEN:
        at = read_instant(rest.strip()) if rest.strip() else instant
        return "" if at == instant else f"the service froze its clock at {rest.strip()[:40]}, which is not the case's"
    reason = re.sub(rf"^{REFUSED},?\s*", "", said.strip(), flags=re.IGNORECASE)[:_LONGEST]
    return f"the service refused: {reason}" if reason else "the service refused"


def _shows(date: datetime, instant: datetime, *, tick: bool) -> bool:
    """Tell whether a `Date` shows a clock at the instant: it has no fractions, so that it is up to a second behind."""
    return -_SECOND < date - instant <= (_LATEST if tick else _NONE)


@lru_cache(maxsize=64)
def _read_date(text: str) -> datetime | None:
    """Return the instant of a `Date`, which answers share for a second; None for what is none."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
