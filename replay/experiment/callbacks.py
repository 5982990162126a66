"""The callbacks by which a program says which calls are compared and whose answer is used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

Callback = Callable[..., Any]


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
