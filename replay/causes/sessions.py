"""What a failed write does to the rest of its session: where an order was never made, nobody can read or pay it."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from replay.causes.ways import SESSION, Departures, way_at
from replay.causes.wording import worded
from replay.models import Result, Way
from replay.routes import route_of
from replay.selection import SAFE_METHODS

MOST_SESSIONS: Final = 50_000
"""Sessions with a failure that are remembered."""
_GONE: Final = frozenset({404, 409, 410})
"""Answers that a session gets where what it wrote before is not there, or not as it should be."""
_ERRORS: Final = 500


class Sessions:
    """Tells which cases come after a write of their session that departed; it has to see a session in its order.

    Memory grows with the sessions in which a write departed, up to `MOST_SESSIONS`.
    """

    def __init__(self) -> None:
        self._writes: dict[bytes, tuple[Way, bool]] = {}
        """The first write of a session that departed, and whether by its status."""

    def way(self, result: Result, ways: Departures) -> tuple[Way | None, bool]:
        """Return the way that a write and its followers have in common, and whether the case follows.

        The way is None for a case that is neither.
        """
        session = result.case.session
        if session is None:
            return None, False
        key = blake2b(f"{result.case.turn} {session}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        own = _of_write(result, ways)
        known = self._writes.get(key)
        if known is not None and known[0] != own and _follows(result, by_status=known[1]):
            return known[0], True
        if own is not None:
            self._remember(key, own, by_status=_departs_by_status(result))
        return own, False

    def _remember(self, key: bytes, way: Way, *, by_status: bool) -> None:
        known = self._writes.get(key)
        if known is None and len(self._writes) >= MOST_SESSIONS:
            return
        if known is None or (by_status and not known[1]):
            self._writes[key] = way, by_status


def _of_write(result: Result, ways: Departures) -> Way | None:
    """Return what a write that departs is remembered by; one that fails on both sides tells the sides not apart."""
    if result.case.request.method.upper() in SAFE_METHODS or result.outcome == "both_error":
        return None
    return way_at(route_of(result.case.request), SESSION, worded(next(iter(ways))))


def _follows(result: Result, *, by_status: bool) -> bool:
    """Tell whether a case may depart because of the write before it.

    A new that fails does so by itself. After a write that only answered differently, only what is gone counts.
    """
    new = None if result.new is None else result.new.status
    if new is None or new >= _ERRORS or not _departs_by_status(result):
        return False
    return by_status or new in _GONE


def _departs_by_status(result: Result) -> bool:
    """Tell whether a side failed alone, or both answered with another status."""
    failed = result.error is not None and result.error.side != "both"
    return failed or any(each.kind == "status" for each in result.differences)
