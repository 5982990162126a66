"""What goes wrong while outcomes are told: counted, and said on the log once a minute and kind, never to the caller."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import suppress
from typing import Final

from replay.experiment.lanes import now
from replay.inert import printable

LOGGER: Final = "replay.experiment"
EVERY_SECONDS: Final = 60.0
_LIMIT: Final = 300
_MOST_KINDS: Final = 100


class Troubles:
    """Says the first trouble of a kind at once, and how many came since with the first that comes a minute later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: Counter[str] = Counter()
        self._said: dict[str, float] = {}

    def say(self, kind: str, text: str, times: int = 1) -> None:
        """Count a trouble, and say it unless one of its kind was said within the last minute. Nothing is raised."""
        with self._lock:
            count = self._count(kind, times)
        if count:
            more = f" ({count:,} since this was last said)" if count > 1 else ""
            with suppress(BaseException):  # a handler of the program's own, which may raise anything
                logging.getLogger(LOGGER).error("%s%s", printable(text, _LIMIT), more)

    def _count(self, kind: str, times: int) -> int:
        """Return how many have come since one was said, or 0 where it is too early to say so."""
        if len(self._said) >= _MOST_KINDS and kind not in self._said:
            kind = "others"
        self._since[kind] += times
        if now() - self._said.get(kind, -EVERY_SECONDS) < EVERY_SECONDS:
            return 0
        self._said[kind] = now()
        return self._since.pop(kind)


def told(error: BaseException) -> str:
    """Return type and message of an exception, whatever its own `__str__` does."""
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - an exception that cannot even be shown
        return type(error).__name__
