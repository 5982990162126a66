"""What an experiment is made with, looked at when it is made: where calls are served nobody hears of nonsense.

A coroutine function in place of a callback would be the worst of it: what it returns is true, whatever it would say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from replay.errors import SettingsError
from replay.experiment.breaker import Breaker
from replay.experiment.kinds import Mode, kind_of
from replay.experiment.known import Known
from replay.inert import printable

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def require_name(name: object) -> None:
    """Raise SettingsError for what is no name of an experiment."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        hint = "letters, digits, dots, hyphens and underscores, such as needs-draft"
        raise SettingsError(f"{printable(repr(name), 100)} is no name for an experiment", hint=hint)


def require_share(name: str, sample: object) -> None:
    """Raise SettingsError for what is no share of the calls."""
    if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0.0 <= sample <= 1.0:
        fact = f"sample is {printable(repr(sample), 60)}, and no share from 0 to 1"
        raise _fault(name, fact, "write 0.05 for five calls in a hundred")


def require_mode(name: str, mode: object) -> None:
    """Raise SettingsError for a mode that is none."""
    if mode not in get_args(Mode):
        raise _fault(name, f"mode is {printable(repr(mode), 60)}", "write inline or after")


def require_answers(name: str, known: object, raises: object) -> None:
    """Raise SettingsError for what is no known difference, and for what is no class of exceptions."""
    if not isinstance(known, Sequence) or not all(isinstance(each, Known) for each in known):
        raise _fault(name, "known holds what is no known difference", 'write [Known(when, why="...")]')
    for each in known:
        _require_callback(name, "when of Known", each.when)
        if not isinstance(each.why, str) or not each.why.strip():
            raise _fault(name, "a known difference has no reason", 'write [Known(when, why="asked for it")]')
    classes = isinstance(raises, tuple) and all(isinstance(it, type) and issubclass(it, BaseException) for it in raises)
    if not classes:
        raise _fault(name, "raises holds what is no exception", "write (NotFound,)")


def require_callbacks(name: str, callbacks: Mapping[str, object]) -> None:
    """Raise SettingsError for a callback that nobody can call and have an answer of; None is no callback."""
    for what, given in callbacks.items():
        if given is not None:
            _require_callback(name, what, given)


def require_switches(name: str, switches: Mapping[str, object]) -> None:
    """Raise SettingsError for what is neither True nor False, nor a function that says so."""
    for what, given in switches.items():
        if type(given) is not bool:
            _require_callback(name, what, given, "give True, False or a function")


def require_flags(name: str, given: Mapping[str, object]) -> None:
    """Raise SettingsError for what is neither True nor False."""
    for what, value in given.items():
        if type(value) is not bool:
            raise _fault(name, f"{what} is of type {type(value).__name__}", "give True or False")


def require_specs(name: str, specs: Mapping[str, object]) -> None:
    """Raise SettingsError for rules and masks that stand in no list."""
    for what, given in specs.items():
        if not isinstance(given, Sequence) or isinstance(given, str):
            hint = f'write {what}=[{{"at": "body.took_ms", ...}}]'
            raise _fault(name, f"{what} is of type {type(given).__name__}, and no list", hint)


def require_breaker(name: str, breaker: object) -> None:
    """Raise SettingsError for what is no breaker, and for shares and counts of one that make no sense."""
    if breaker is None:
        return
    if not isinstance(breaker, Breaker):
        raise _fault(name, f"breaker is of type {type(breaker).__name__}", "give Breaker(...), or None for none")
    for what, share in (("failing", breaker.failing), ("slow", breaker.slow)):
        if not _is_number(share) or not 0 < share <= 1:
            raise _fault(name, f"breaker: {what} is {share!r}, and no share above 0", "write 0.5 for half of the calls")
    if breaker.cpu is not None and (not _is_number(breaker.cpu) or not breaker.cpu >= 0):
        raise _fault(
            name, f"breaker: cpu is {breaker.cpu!r}, and no share of a core", "write 0.2, or None for no limit"
        )
    if type(breaker.calls) is not int or breaker.calls < 1:
        raise _fault(name, f"breaker: calls is {breaker.calls!r}", "write how many calls are looked at, such as 20")


def require_text(name: str, what: str, given: object) -> None:
    """Raise SettingsError for what is no text."""
    if not isinstance(given, str):
        raise _fault(name, f"{what} is of type {type(given).__name__}", f'write {what}="2.1"')


def require_side(name: str, side: str, function: object) -> None:
    """Raise SettingsError for a side that cannot be called, such as a property."""
    if not callable(function):
        hint = "give the function itself; classmethod and property go around the experiment"
        raise _fault(name, f"{side} is of type {type(function).__name__}, and cannot be called", hint)


def _require_callback(name: str, what: str, given: Any, hint: str = "give a function") -> None:
    if not callable(given):
        raise _fault(name, f"{what} is of type {type(given).__name__}", hint)
    kind = kind_of(given)
    if kind != "function":
        fact = f"{what} is a {kind}, whose answer nobody waits for"
        raise _fault(name, fact, "give a function that returns its answer at once")


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _fault(name: str, fact: str, hint: str) -> SettingsError:
    return SettingsError(fact, place=f"experiment {name}", hint=hint)
