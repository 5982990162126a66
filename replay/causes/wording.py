"""Causes in words that a newcomer understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from replay.causes.variety import Variety
from replay.causes.ways import FAILED, OTHER, SESSION, UNLISTED
from replay.models import Way

_FAILURES: Final = {
    "status": "error status",
    "error_when": "what error_when calls an error",
    "timeout": "no answer in time",
    "refused": "connection refused",
    "closed": "connection closed",
    "reset": "connection reset",
    "incomplete_body": "the body breaks off",
    "protocol": "no valid HTTP",
    "too_large": "the body is too large",
    "decode": "the body cannot be decoded",
    "tls": "no secure connection",
    "dns": "no such host",
    "crashed": "the process crashed",
    "exception": "exception",
}
_SPELLED: Final = frozenset({"status", "exception"})
"""Kinds of failure that say more with what changed than in other words."""
_PHRASES: Final = {
    "missing": "missing",
    "extra": "new",
    "value": "another value",
    "header": "another value",
    "order": "another order",
    "rank": "ranked otherwise",
    "schema": "does not fit the schema",
    "validation": "fails the check",
    "text": "another text",
}
_TO_PLACES: Final = frozenset({"rounded", "no longer rounded", "cut off", "no longer cut off"})
_STATES: Final = frozenset({"missing", "new"})
"""What something is, where other phrases tell what it became."""
_ALSO: Final = {
    "missing": "{} missing", "extra": "{} new", "type": "{} of another type", "value": "{} of another value",
    "header": "{} in headers", "order": "{} in another order", "text": "another text",
}  # fmt: skip


def worded(way: Way, more: int = 0, variety: Variety | None = None) -> str:
    """Return a way in words: `body.units is missing`, `body.rows[*] and 2 more: array -> object`.

    `more` others have the same change; the `variety` of the change is told as well.
    """
    if way.at in FAILED.values():
        return f"{way.at}, {_failure(way)}"
    if way in (UNLISTED, OTHER):
        return f"departs in {way.at}" if way == UNLISTED else f"departs {way.at}"
    if way.kind == SESSION:
        return f"{way.at}: {way.change}"
    places = f"{way.at} and {more} more" if more else way.at
    if way.kind == "status":
        return f"{places} {way.change}"
    phrase = way.change or _PHRASES.get(way.kind, way.kind)
    if phrase in _STATES:
        return f"{places} {'are' if more else 'is'} {phrase}"
    return f"{places}: {_told(phrase, way, variety) if variety and not more else phrase}"


def _failure(way: Way) -> str:
    if way.kind in _SPELLED and way.change:
        return f"{way.kind} {way.change}"
    phrase = _FAILURES.get(way.kind, way.kind)
    return f"{phrase}, {way.change}" if way.change else phrase


def _told(phrase: str, way: Way, variety: Variety) -> str:
    """Return the phrase with what is the same in every case, or that nothing is."""
    if way.change in _TO_PLACES and variety.details:
        return f"{phrase} to {_places(variety.details)}"
    if variety.only and not way.change:
        return variety.only
    if variety.only and variety.n > 1 and variety.only != phrase:
        return f"{phrase} ({variety.only})"
    if not way.change and 1 < variety.n <= variety.different:
        return f"{phrase}, and never the same change"
    return phrase


def _places(details: Sequence[str]) -> str:
    if details == ["0"]:
        return "a whole number"
    return "1 place" if details == ["1"] else f"{' or '.join(sorted(details, key=int))} places"


def title(lead: Way, ways: Sequence[Way], variety: Variety) -> str:
    """Return a cause in words: its lead, and how many of the `ways` beside it changed alike."""
    return worded(lead, 0 if lead.kind == SESSION else len(_alike(ways)), variety)


def also(ways: Sequence[Way]) -> str:
    """Return how many of a cause's ways, by kind, its title does not speak of: `2 missing, 1 new`."""
    told = _alike(ways)
    others = Counter(way.kind for way in ways[1:] if way not in told)
    return ", ".join(_ALSO.get(kind, "{} more").format(number) for kind, number in others.most_common())


def _alike(ways: Sequence[Way]) -> list[Way]:
    """Return the ways after the first that have its kind and its change."""
    return [way for way in ways[1:] if (way.kind, way.change) == (ways[0].kind, ways[0].change)]


def followed(title: str, cases: int, followers: int) -> str:
    """Return the title of writes that departed with how many requests of their sessions came after them."""
    writes, requests = cases - followers, f"{followers:,} request{'' if followers == 1 else 's'}"
    if writes == 1:
        return f"{title}, and {requests} of its session after it"
    return f"{title}, {writes:,} times, and {requests} after it in the same sessions"
