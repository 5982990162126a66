"""Exceptions from outside: a signal that arrives while the other side runs is the program's, and is passed on.

Whatever the other side raises by itself is contained, KeyboardInterrupt and SystemExit too. But somebody who presses
Ctrl-C, a server that ends its worker, or a limit on time that a signal handler keeps: these would have met the caller
as well had there been no experiment. So would the end of the caller's own greenlet, where it runs in one.
"""

from __future__ import annotations

import inspect
import opcode
import signal
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from types import FrameType, TracebackType
from typing import Any, Final

from replay.experiment.tracebacks import traceback_of

_RAISE: Final = opcode.opmap["RAISE_VARARGS"]


def contain(error: BaseException) -> None:
    """Raise an exception again that came from outside; do nothing about any other."""
    if came_from_outside(error):
        raise error


def came_from_outside(error: BaseException) -> bool:
    """Tell whether a signal handler raised it, or it ends the greenlet; False where memory or stack do not suffice."""
    try:
        return _came_from_outside(error)
    except (RecursionError, MemoryError):
        return False


def _came_from_outside(error: BaseException) -> bool:
    if _is_of_kill(error):
        return True
    # Only the main thread runs handlers.
    if threading.current_thread() is not threading.main_thread():
        return False
    frames = list(_frames(traceback_of(error)))
    if not frames:
        return False
    if type(error) is KeyboardInterrupt and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return not _is_raised_at(frames[-1])
    return any(_is_of_handler(one.tb_frame) for one in frames)


def _is_of_kill(error: BaseException) -> bool:
    # Nobody else raises it, so that it is for the caller as well.
    return issubclass(type(error), getattr(sys.modules.get("greenlet"), "GreenletExit", ()))


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_raised_at(traceback: TracebackType) -> bool:
    """Tell whether the code itself raised there: a signal can hit any instruction but hardly this one."""
    return traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == _RAISE


def _is_of_handler(frame: FrameType) -> bool:
    """Tell whether a frame is of a signal's handler: it was given a number and the very frame that it interrupted.

    Which handlers there are tells nothing: one may have taken itself away, and the other side may call one by itself.
    """
    interrupted = frame.f_back
    return interrupted is not None and any(
        frame_given is interrupted and issubclass(type(number), int) for number, frame_given in pairwise(_given(frame))
    )


def _given(frame: FrameType) -> Iterator[Any]:
    """Yield the arguments of a function that is running, one by one."""
    code = frame.f_code
    named = code.co_argcount + code.co_kwonlyargcount
    for name in code.co_varnames[:named]:
        yield frame.f_locals.get(name)
    if code.co_flags & inspect.CO_VARARGS:
        yield from frame.f_locals.get(code.co_varnames[named], ())
