"""How one answer tells a figure: by an expression that holds, a number at a location, or a team's own function.

An answer that came and tells none is a finding with its reason; it is never passed over.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, Final

from jsonpath.exceptions import JSONPathRecursionError
from jsonpath.path import JSONPath

from replay.expressions import Expression
from replay.locations import compile_query, limited, parse_location
from replay.models import Json

Told = tuple[Json, str]
"""A figure, or None and why there is none."""
Teller = Callable[[dict[str, Any]], Told]
"""Tells an answer's figure; it is given what expressions see: `status`, `headers`, `body` and `request`."""

DIGITS: Final = 60
"""Digits of a figure that are kept: money has far fewer, and sums of a million of it still fit."""
MOST: Final = 1e60
LEAST: Final = 1e-60
"""No figure of a business is larger, nor smaller; and the third powers of these, summed up, are still doubles."""
SECONDS: Final = 1.0
"""How long a team's own function may take for one answer."""
MOST_OVERDUE: Final = 3
"""How often it may take longer before it is not called any more: a run of 100,000 cases must end."""
_SHORT: Final = 120
_CONTEXT: Final = Context(prec=DIGITS)
_TYPES: Final = {bool: "true or false", str: "a text", list: "an array", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Held:
    """Whether an expression holds."""

    expression: Expression

    def __call__(self, document: dict[str, Any]) -> Told:
        """Return whether it holds, or that it cannot be decided."""
        decided = self.expression.decided(document)
        return decided, "" if decided is not None else f"it cannot be decided whether {self.expression.text}"


class Located:
    """The number at a location; `missing` is what an answer counts that has nothing there, or null."""

    def __init__(self, location: str, missing: float | None = None) -> None:
        # Names of headers are in lower case there, whatever their case is in the settings.
        text = location.lower() if location.startswith("headers") else location
        self._query: JSONPath = compile_query(f"${text}" if text.startswith("[") else f"$.{text}")
        self._names = _plain_names(text)
        self._location = location
        self._missing = missing

    def __call__(self, document: dict[str, Any]) -> Told:
        """Return the number, or why there is none."""
        try:
            found = self._found(document)
        except (TimeoutError, RecursionError, JSONPathRecursionError):
            return None, f"{self._location} cannot be looked up in so deep a document"
        if len(found) > 1:
            return None, f"{self._location} selects several values"
        if found and found[0] is not None:
            return number(found[0], self._location)
        if self._missing is not None:
            return number(self._missing, self._location)
        return None, f"{self._location} is {'null' if found else 'missing'}"

    def _found(self, document: dict[str, Any]) -> list[Json]:
        if not self._names:
            with limited():
                return list(self._query.findall(document))
        # What most locations are, and by far quicker: one name below the other.
        place: Json = document
        for name in self._names:
            if not isinstance(place, dict) or name not in place:
                return []
            place = place[name]
        return [place]


def _plain_names(location: str) -> tuple[str, ...]:
    """Return the names of a location that is nothing else; nothing for any other."""
    steps = parse_location(location).steps
    if any(len(step.names) != 1 or step.indices or step.tests or step.descends or step.everything for step in steps):
        return ()
    return tuple(next(iter(step.names)) for step in steps)


@dataclass(slots=True)
class Called:
    """What a team's own function says of `request` and answer, which it is given as expressions see them."""

    name: str
    function: Callable[..., Any]
    holds: bool
    missing: float | None = None
    seconds: float = SECONDS
    _overdue: int = field(default=0, init=False)

    def __call__(self, document: dict[str, Any]) -> Told:
        """Return what it says, or why that is no figure: it raised, took too long, or said something else."""
        if self._overdue >= MOST_OVERDUE:
            return None, f"{self.name} is not called any more: it took longer than {self.seconds:g} s too often"
        # A copy: what the function does to it must not reach the next KPI.
        answer = deepcopy({name: part for name, part in document.items() if name != "request"})
        try:
            with _bounded(self.seconds):
                said = self.function(deepcopy(document["request"]), answer)
        except _OverdueError:
            self._overdue += 1
            return None, f"{self.name} took longer than {self.seconds:g} s"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a team's own code: what it raises is a finding
            return None, f"{self.name} raised {type(error).__name__}: {str(error)[:_SHORT]}"
        return self._told(said)

    def _told(self, said: Any) -> Told:
        if self.holds:
            return (said, "") if isinstance(said, bool) else (None, f"{self.name} said neither true nor false")
        if said is None and self.missing is not None:
            return number(self.missing, self.name)
        return (None, f"{self.name} said nothing") if said is None else number(said, self.name)


def number(value: Any, whose: str) -> Told:
    """Return a number as a decimal with up to 60 digits, or why there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None, f"{whose} is {_TYPES.get(type(value), 'something else')}, and no number"
    try:
        if value == 0 or LEAST <= abs(float(value)) <= MOST:
            return _CONTEXT.plus(Decimal(repr(value)) if isinstance(value, float) else Decimal(value)), ""
    except (ArithmeticError, ValueError):  # beyond all doubles, or a signalling NaN
        pass
    return None, f"{whose} is beyond all computing"


class _OverdueError(BaseException):
    """A function takes too long. No Exception, so that it is not swallowed by the function's own handlers."""


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise _OverdueError after so many seconds, asleep or busy; again and again, should it be caught.

    Only where signals reach: the main thread of a POSIX system. Elsewhere there is no bound.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _overdue)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)


def _overdue(_number: int, _frame: object) -> None:
    raise _OverdueError
