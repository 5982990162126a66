"""The callbacks by which a program says which calls are compared and whose answer is used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from replay.experiment.tracebacks import name_of

Callback = Callable[..., Any]


class NoTruthError(Exception):
    """A callback that says neither yes nor no; the message says what it gave, as an end of a sentence."""


def truth(answer: object) -> bool:
    """Return the yes or no that a callback gave. Raise NoTruthError for what is neither.

    Python takes any text for true, "no" as well, and a coroutine, a generator or a list of differences likewise. What
    has a truth of its own is fine: a number, or NumPy's booleans.
    """
    if answer is True or answer is False:
        return answer
    if answer is NotImplemented or not hasattr(type(answer), "__bool__"):
        raise NoTruthError(f"gave a {name_of(answer)}, which is neither True nor False")
    return bool(answer)


def taking_arguments(callback: Callback) -> Callback:
    """Return a callback that can be given the arguments of a call: one without parameters goes without them."""
    if not _takes_none(callback):
        return callback

    def alone(*_args: Any, **_kwargs: Any) -> Any:
        return callback()

    return alone


def _takes_none(callback: Callback) -> bool:
    try:
        return not inspect.signature(callback).parameters
    except (TypeError, ValueError):  # some callables of C have no signature
        return False
