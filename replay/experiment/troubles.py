"""What comes again and again is said on the log once a minute, with how often it came; never to the caller."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

from replay.experiment.lanes import now
from replay.inert import printable

if TYPE_CHECKING:
    from replay.privacy import Redactor

LOGGER: Final = "replay.experiment"
EVERY_SECONDS: Final = 60.0
_LIMIT: Final = 300
_MOST_KINDS: Final = 100
_OTHERS: Final = "others"


class Troubles:
    """Says the first trouble of a kind at once, and how many came since with the first that comes a minute later."""

    def __init__(self, logger: str = LOGGER, level: int = logging.ERROR) -> None:
        """Take the name of the logger, and the level at which it is said."""
        self._logger, self._level = logger, level
        self._lock = threading.RLock()  # a signal's handler, or a finaliser, may come in between
        self._since: Counter[str] = Counter()
        self._said: dict[str, float] = {}
        self._texts: dict[str, str] = {}

    def anew(self) -> Troubles:
        """Return one that has said nothing yet, for a process that was forked from this one."""
        return Troubles(self._logger, self._level)

    def say(self, kind: str, text: str, times: int = 1) -> None:
        """Count a trouble, and say it unless one of its kind was said within the last minute. Nothing is raised."""
        with self._lock:
            if kind not in self._said and len(self._said) >= _MOST_KINDS:
                kind = _OTHERS
            self._texts[kind] = text
            self._since[kind] += times
            is_early = now() - self._said.get(kind, -EVERY_SECONDS) < EVERY_SECONDS
        if not is_early:
            self._say(kind)

    def rest(self) -> None:
        """Say what was counted and not said yet."""
        for kind in tuple(self._since):
            self._say(kind)

    def _say(self, kind: str) -> None:
        with self._lock:
            count = self._since.pop(kind, 0)
            self._said[kind] = now()
            text = self._texts.pop(kind, "")
        if count:
            times = f" ({count:,} times)" if count > 1 else ""
            with suppress(BaseException):  # a handler of the program's own may raise anything
                logging.getLogger(self._logger).log(self._level, "%s%s", printable(text, _LIMIT), times)


@cache
def _redactor() -> Redactor:
    from replay.privacy import Redactor, key_from_environment  # noqa: PLC0415 - only what is wrong asks for it

    return Redactor(key_from_environment())


def told(error: BaseException) -> str:
    """Return type and message of an exception, without remedies and secrets, whatever its own `__str__` does."""
    try:
        text = _redactor().text(str(error).partition("\n")[0])
    except BaseException:  # noqa: BLE001 - an exception that cannot even be shown
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
