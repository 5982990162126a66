"""Whether an answer was given at its case's instant, as far as the answer shows it; and if not, why."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Final

from replay.determinism.headers import CLOCK, FROZEN, REFUSED, read_instant
from replay.models import Headers, first_header
from replay.targets.base import Moment

SILENT: Final = "the service does not obey the Replay-Time header"
BY_DATE: Final = "as its Date headers show"
_PRESENT: Final = timedelta(minutes=5)
"""A `Date` this near to the instant may be the real time, and proves nothing."""
_LATEST: Final = timedelta(minutes=1)
"""How far a clock that runs on may have come by the time of its answer."""
_LONGEST: Final = 200


class Witness:
    """Watches what one side's answers say of its clock.

    `Replay-Clock: frozen INSTANT` says that the request was obeyed, as the middleware does and only it can know; where
    an instant stands there, it has to be the case's: a cache on the way may repeat what was said to another. Without
    that header, a `Date` equal to the instant shows a frozen clock. Anything else does not.
    """

    def __init__(self) -> None:
        self._last: tuple[Headers, datetime | None] = ((), None)
        self._last_frozen = False
        self._why = ""
        self._by_date = False

    @property
    def note(self) -> str:
        """Return why an answer was at another time; if none was, how it is known, where that is worth a word."""
        return self._why or (BY_DATE if self._by_date else "")

    def frozen(self, headers: Headers, moment: Moment) -> bool | None:
        """Tell whether an answer is of its moment; None where that has no instant."""
        instant = moment.instant
        if instant is None:
            return None
        # The client gives like heads as one object, and most cases have the instant of the one before.
        if headers is not self._last[0] or instant is not self._last[1]:
            self._last = headers, instant
            self._last_frozen = self._look(headers, instant, tick=moment.tick)
        return self._last_frozen

    def _look(self, headers: Headers, instant: datetime, *, tick: bool) -> bool:
        said = first_header(headers, CLOCK)
        why = _departure(said, instant) if said is not None else SILENT
        if said is None and _dated(first_header(headers, "date") or "", instant, tick=tick):
            self._by_date = True
            return True
        if why and (not self._why or self._why == SILENT):
            self._why = why
        return not why


def _departure(said: str, instant: datetime) -> str:
    """Return why a service that speaks of its clock was not at the instant; empty where it was."""
    word, _, rest = said.strip().partition(" ")
    if word.lower() == FROZEN:
        at = read_instant(rest.strip()) if rest.strip() else instant
        return "" if at == instant else f"the service froze its clock at {rest.strip()[:40]}, which is not the case's"
    reason = re.sub(rf"^{REFUSED},?\s*", "", said.strip(), flags=re.IGNORECASE)[:_LONGEST]
    return f"the service refused: {reason}" if reason else "the service refused"


def _dated(date: str, instant: datetime, *, tick: bool) -> bool:
    """Tell whether a `Date` shows that a clock is frozen: at the instant, to the second, and not at the present."""
    if not tick and date != _as_date(instant):
        return False
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    passed = at - instant.replace(microsecond=0)
    return timedelta(0) <= passed <= (_LATEST if tick else timedelta(0)) and abs(datetime.now(UTC) - at) > _PRESENT


@lru_cache(maxsize=64)
def _as_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)
