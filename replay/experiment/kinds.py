"""What kind of function a side is: calls of each kind are compared in their own way."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["function", "coroutine function", "generator function", "asynchronous generator function"]
Mode = Literal["inline", "after"]


def kind_of(function: Callable[..., Any]) -> Kind:
    """Return the kind of a function, of a method, of a partial of one or of an object that is called."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = getattr(type(function), "__call__", function)  # noqa: B004 - not whether it can be called, but what is
    if inspect.iscoroutinefunction(function):
        return "coroutine function"
    if inspect.isasyncgenfunction(function):
        return "asynchronous generator function"
    return "generator function" if inspect.isgeneratorfunction(function) else "function"


def is_method(function: Callable[..., Any]) -> bool:
    """Tell whether a function was written in the body of a class, and takes `self` or `cls`."""
    above = getattr(function, "__qualname__", "").rpartition(".")[0]
    return bool(above) and not above.endswith("<locals>") and _first_parameter(function) in {"self", "cls"}


def _first_parameter(function: Callable[..., Any]) -> str:
    try:
        return next(iter(inspect.signature(function).parameters), "")
    except (TypeError, ValueError):
        return ""


def place_of(function: Callable[..., Any]) -> str:
    """Return where a function stands, as `module:attribute`; empty where nobody can import it from there."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    return f"{module}:{name}" if module and name and "<" not in name else ""
