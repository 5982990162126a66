"""The quick way through what most cases are: both sides answered the same bytes, and no rule asks for more than that.

Whatever is said here, the whole comparison says too; whatever is not plain is left to it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from replay.compare.header_walk import HEADERS, UNCOMPARED
from replay.compare.headers import MEANINGS, header_values
from replay.compare.reading import Pair, is_json_type, media_type
from replay.documents import is_sound_json
from replay.locations import print_location
from replay.models import Acceptance, Headers, Observation, first_header

RELATIVE: Final = frozenset({"location", "link", "set-cookie"})
"""Headers whose meaning depends on more than their text: the same text may not mean the same."""
_REMEMBERED: Final = 64 * 1024

Accepted = tuple[Acceptance, ...]


def agreement(pair: Pair, *, headers_ruled: bool) -> Accepted | None:
    """Return where the bytes of two like answers differ and count as equal; None where a closer look is needed.

    For cases of which nothing is expected, under rules that let equal values pass. With `headers_ruled` rules speak of
    headers, so that only equal ones are plain.
    """
    old, new = pair.old, pair.new
    if old is None or new is None or old.status != new.status or old.body != new.body:
        return None
    if old.error is not None or new.error is not None or not _sound(old, pair.case.request.method):
        return None
    return _headers(old.headers, new.headers, ruled=headers_ruled)


def _sound(answer: Observation, method: str) -> bool:
    """Tell whether a body is a JSON document without a flaw, or nothing; False where that is not known."""
    if method == "HEAD" or not _announces_json(answer.headers):
        return False
    body = answer.body
    return _remembered(body) if len(body) <= _REMEMBERED else is_sound_json(body)


@lru_cache(maxsize=256)
def _announces_json(headers: Headers) -> bool:
    return is_json_type(media_type(first_header(headers, "content-type"))[0])


_remembered = lru_cache(maxsize=128)(is_sound_json)


def _headers(old: Headers, new: Headers, *, ruled: bool) -> Accepted | None:
    if old == new:
        return None if _values(old) is None else ()
    differing = None if ruled else unread(old, new)
    return None if differing is None else tuple(map(_passed_over, differing))


def unread(old: Headers, new: Headers) -> list[str] | None:
    """Return the headers that differ where none of them means anything by default; None where a closer look is needed.

    Under rules that speak of no header.
    """
    mine, theirs = _values(old), _values(new)
    if mine is None or theirs is None:
        return None
    differing = [name for name, values in mine.items() if theirs.get(name) != values]
    differing += [name for name in theirs if name not in mine]
    return differing if MEANINGS.keys().isdisjoint(differing) else None


@lru_cache(maxsize=256)
def _values(headers: Headers) -> dict[str, tuple[str, ...]] | None:
    """Return all values by lower-case name; None where one of them means more than its text."""
    values = header_values(headers)
    return None if not RELATIVE.isdisjoint(values) else values


@lru_cache(maxsize=1024)
def _passed_over(name: str) -> Acceptance:
    return Acceptance(print_location((HEADERS, name)), UNCOMPARED)
