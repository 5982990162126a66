"""Exceptions as they would be without an experiment. Nothing of a class of the program's own is asked on the way."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

_HERE: Final = __file__.removesuffix("tracebacks.py")

# By the base class: an exception may say anything of its attributes, or let none be set, as a frozen dataclass does.
traceback_of: Final[Callable[[BaseException], TracebackType | None]] = vars(BaseException)["__traceback__"].__get__
context_of: Final[Callable[[BaseException], BaseException | None]] = vars(BaseException)["__context__"].__get__
_name_of: Final[Callable[[type], str]] = vars(type)["__name__"].__get__


def name_of(value: Any) -> str:
    """Return the name of a value's class."""
    return _name_of(type(value))


def leave_out(error: BaseException) -> None:
    """Take the frames of this package that an exception's traceback begins with out of it."""
    BaseException.with_traceback(error, without_ours(traceback_of(error)))


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package that it begins with; whole, where there are no others."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_HERE):
        inner = inner.tb_next
    return traceback if inner is None else inner
