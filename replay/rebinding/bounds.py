"""What following sessions takes no more than, and how many cases were beyond that: nobody learns of it otherwise."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Final, Literal

MOST_CASES: Final = 2_000
"""Cases that are held at a time, to look ahead in them."""
MOST_BYTES: Final = 32 << 20
"""Bytes of their bodies."""
MOST_CANDIDATES: Final = 5_000
"""Values of one session that are remembered until they are used."""
MOST_SAID: Final = 20_000
"""Words of one session's requests that are remembered, so that none of them counts as handed out."""
MOST_RESTING: Final = 50_000
"""Words and values of sessions that have no case among those that are held."""
MOST_THREADS: Final = 100_000
"""Sessions under way at a time."""

Bound = Literal["window", "values", "sessions"]
_TOLD: Final[Mapping[Bound, str]] = {
    "window": (
        f"used what was handed out more than {MOST_CASES:,} cases (or {MOST_BYTES >> 20} MB) before, "
        "and was sent as it was recorded"
    ),
    "values": (
        f"came where their session had more than {MOST_CANDIDATES:,} values or {MOST_SAID:,} words: "
        "what was handed out beyond may have been sent as it was recorded"
    ),
    "sessions": (
        "are of sessions that had been forgotten, for too many others went on meanwhile: "
        "what was handed out before may have been sent as it was recorded"
    ),
}


def told_beyond(cases: Mapping[Bound, int]) -> Iterator[str]:
    """Yield how many captured cases were beyond which bound, in words."""
    for bound, words in _TOLD.items():
        if count := cases.get(bound, 0):
            yield f"{count:,} {'case' if count == 1 else 'cases'} {words}"


class Forgotten:
    """Which sessions were forgotten, as far as that itself is remembered: those that were last."""

    def __init__(self) -> None:
        self._marks: dict[int, None] = {}

    def add(self, session: Hashable) -> None:
        """Note that a session was forgotten."""
        self._marks[hash(session)] = None
        if len(self._marks) > MOST_THREADS:
            del self._marks[next(iter(self._marks))]

    def __contains__(self, session: Hashable) -> bool:
        return hash(session) in self._marks
