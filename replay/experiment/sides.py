"""Both sides of an experiment, and one of them run so that nothing of it reaches anybody."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from replay.experiment.calls import Raised
from replay.experiment.clock import cpu_ns, wall_ns
from replay.experiment.freezing import describe
from replay.experiment.outside import contain
from replay.experiment.tracebacks import traceback_of

if TYPE_CHECKING:
    from replay.models import Side

Function = Callable[..., Any]

_MOST_FRAMES: Final = 20
_MOST_TEXT: Final = 2000


@dataclass(frozen=True, slots=True)
class Sides:
    """The old and the new function, or block of code."""

    old: Function
    new: Function

    def of(self, side: Side) -> Function:
        """Return the function of a side."""
        return self.old if side == "old" else self.new


class Within(NamedTuple):
    """A side that is running: experiments that are called within it know of each other by it."""

    experiment: object
    side: Side
    chosen: bool
    outer: Within | None

    @property
    def compares(self) -> bool:
        """Tell whether experiments within are compared: calls by the other side alone are none of the program's."""
        return self.chosen and (self.outer is None or self.outer.compares)


within: Final[ContextVar[Within | None]] = ContextVar("replay-within", default=None)


@dataclass(slots=True)
class Seen:
    """What a side did: the value or exception itself, held no longer than it takes to compare it."""

    value: Any = None
    error: BaseException | None = None
    wall_ns: int = 0
    cpu_ns: int = 0
    told: Raised | None = None
    """The exception as text, where it was told before, so that itself need not be kept."""

    @property
    def result(self) -> Any:
        """Return what it gave, exceptions too, for whoever is asked about it."""
        return self.value if self.error is None else self.error


def other_of(side: Side) -> Side:
    """Return the other side."""
    return "new" if side == "old" else "old"


def context_apart(running: Within) -> Context:
    """Return a copy of this thread's context, with a decimal context of its own, for a side that runs in it."""
    context = copy_context()
    context.run(_settle_in, running)
    return context


def _settle_in(running: Within) -> None:
    within.set(running)
    module = sys.modules.get("decimal")
    if module is not None:
        module.setcontext(module.getcontext().copy())


def observed(
    context: Context, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, cpu: bool = False
) -> Seen:
    """Run a side in a context of its own; whatever it raises is part of what is returned.

    Asking for the CPU that it takes costs as much as a small side itself.
    """
    spent = cpu_ns() if cpu else 0
    began = wall_ns()
    try:
        seen = Seen(unawaited(context.run(function, *args, **kwargs)))
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of the other side are contained
        contain(error)
        seen = Seen(error=error)
    seen.wall_ns = wall_ns() - began
    seen.cpu_ns = cpu_ns() - spent if cpu else 0
    return seen


def unawaited(value: Any) -> Any:
    """Return what the other side gave; a coroutine, which nobody will await, closed, so that nothing is said of it."""
    if type(value) is CoroutineType:
        value.close()
    return value


def raised(error: BaseException, declared: tuple[type[BaseException], ...]) -> Raised:
    """Return an exception as text."""
    return Raised(
        type_of(error),
        message_of(error),
        _frames_of(traceback_of(error)),
        isinstance(error, declared),
    )


def type_of(error: BaseException) -> str:
    """Return the name of an exception's class, with its module unless it is one of Python's own."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__


def message_of(error: BaseException) -> str:
    """Return what an exception says, whatever its own `__str__` does."""
    try:
        return str.__getitem__(str(error), slice(_MOST_TEXT))
    except BaseException as worse:  # noqa: BLE001 - classes may raise anything there
        contain(worse)
        return f"(its message cannot be read: {describe(worse)})"


def _frames_of(traceback: TracebackType | None) -> str:
    """Return the innermost frames, without lines of source: those would be read from the disk."""
    lines: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        lines.append(f"{code.co_filename}:{traceback.tb_lineno} in {code.co_qualname}")
        traceback = traceback.tb_next
    return "\n".join(lines[1:][-_MOST_FRAMES:])
