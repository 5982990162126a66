"""All that is tried against the caller: what the other side, callbacks, arguments and sinks may do that is wrong."""

from __future__ import annotations

import asyncio
import decimal
import errno
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from replay.experiment import Experiment, Known
from tests.experiment.kept import Kept

WHERE: Final[ContextVar[str]] = ContextVar("where", default="nowhere")
STOP: Final = threading.Event()
"""Ends what would never end."""
LOCK: Final = threading.Lock()


class OddError(BaseException):
    """Neither an Exception nor one of those that end a program."""


class UnreadableError(Exception):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise SystemExit(4)

    __repr__ = __str__


class Hostile:
    """Raises whatever is asked of it."""

    def __init__(self, error: type[BaseException] = OddError) -> None:
        object.__setattr__(self, "error", error)

    def _fail(self, *_: object, **__: object) -> Any:
        raise object.__getattribute__(self, "error")

    __eq__ = __ne__ = __hash__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = _fail
    __reduce__ = __reduce_ex__ = __deepcopy__ = __copy__ = __getattr__ = __setattr__ = _fail


def _lie(_: object) -> type:
    raise OddError


Lying: Final = type("Lying", (), {"__class__": property(_lie)})
"""Does not say of which class it is."""


class Deep:
    """Cannot be pickled, and its deep copy never ends."""

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError

    def __deepcopy__(self, memo: dict[int, object]) -> Any:
        return self.__deepcopy__(memo)


def recurse(lines: list[int]) -> Any:
    return recurse(lines)


def raising(error: type[BaseException]) -> Callable[..., Any]:
    def fault(*_: object, **__: object) -> Any:
        raise error

    return fault


def giving(make: Callable[[], Any]) -> Callable[..., Any]:
    def fault(*_: object, **__: object) -> Any:
        return make()

    return fault


def changing_arguments(lines: list[int]) -> int:
    lines[:] = [9, 9, 9]
    return 1


def changing_context(_: list[int]) -> int:
    WHERE.set("led astray")
    return 1


def changing_decimals(_: list[int]) -> int:
    decimal.getcontext().prec = 3
    decimal.getcontext().traps[decimal.Inexact] = True
    return 1


def cancelling(_: list[int]) -> Any:
    raise asyncio.CancelledError


def warning(_: list[int]) -> Any:
    warnings.warn("in the other side", stacklevel=1)


def nested() -> Callable[[list[int]], Any]:
    inner = Experiment[..., Any]("inner", raising(OddError), raising(SystemExit), to=[])

    def fault(lines: list[int]) -> Any:
        return inner(lines)

    return fault


def half_way(_: list[int]) -> Iterator[int]:
    try:
        yield 1
    finally:
        raise OddError


def endless(_: list[int]) -> None:
    while not STOP.is_set():
        pass


def deadlocked(_: list[int]) -> None:
    with LOCK:
        STOP.wait(20)


def keeping_a_cycle(_: list[int]) -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


OTHER_SIDES: Final[Mapping[str, Callable[[list[int]], Any]]] = {
    "exception": raising(ValueError),
    "base exception": raising(OddError),
    "system exit": raising(SystemExit),
    "keyboard interrupt": raising(KeyboardInterrupt),
    "generator exit": raising(GeneratorExit),
    "stop iteration": raising(StopIteration),
    "cancelled": cancelling,
    "no memory": raising(MemoryError),
    "unreadable exception": raising(UnreadableError),
    "recursion": recurse,
    "warning as an error": warning,
    "huge text": giving(lambda: "x" * (5 * 2**20)),
    "huge list": giving(lambda: [0] * 200_000),
    "huge number": giving(lambda: 1 << 100_000),
    "unhashable": giving(lambda: [{1: [2]}]),
    "unpicklable": giving(threading.Lock),
    "hostile": giving(Hostile),
    "hostile, ending the program": giving(lambda: Hostile(SystemExit)),
    "hostile within": giving(lambda: [1, {"a": Hostile()}]),
    "lying of its class": giving(Lying),
    "no end of copying": giving(Deep),
    "a cycle": keeping_a_cycle,
    "not a number": giving(lambda: float("nan")),
    "half a character": giving(lambda: "\ud800"),
    "a class": giving(lambda: Hostile),
    "not implemented": giving(lambda: NotImplemented),
    "a generator": giving(lambda: half_way([])),
    "a coroutine": giving(lambda: asyncio.sleep(0)),
    "arguments changed": changing_arguments,
    "context changed": changing_context,
    "decimals changed": changing_decimals,
    "nested experiment": nested(),
}
AFTERWARDS: Final[Mapping[str, Callable[[list[int]], Any]]] = {
    "endless loop": endless,
    "deadlock": deadlocked,
}


def spoiling(*values: Any, **_: Any) -> Any:
    """Change whatever a callback is given."""
    for value in values:
        if isinstance(value, list):
            value.append("spoilt by a callback")
        elif isinstance(value, BaseException):
            value.args = ("spoilt by a callback",)
    return False


_CALLBACKS: Final = ("use_new", "enabled", "only_if", "key", "context", "clean", "equal", "clone")
CALLBACKS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{f"{name} raises": {name: raising(ValueError)} for name in _CALLBACKS},
    **{f"{name} ends the program": {name: raising(SystemExit)} for name in _CALLBACKS},
    **{f"{name} gives what is hostile": {name: giving(Hostile)} for name in _CALLBACKS},
    **{f"{name} changes what it is given": {name: spoiling} for name in ("clean", "equal", "context")},
    "known raises": {"known": [Known(raising(OddError), why="odd")]},
    "known changes what it is given": {"known": [Known(spoiling, why="spoiled")], "raises": (Exception,)},
}


@dataclass
class Broken(Kept):
    """A sink that fails at everything."""

    error: BaseException = field(default_factory=lambda: OSError(errno.ENOSPC, "no space left on device"))

    def take(self, _: object) -> None:
        """Fail."""
        raise self.error

    def lose(self, _: object) -> None:
        """Fail."""
        raise self.error

    def flush(self) -> None:
        """Fail."""
        raise self.error


SINKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "full disk": {"to": [Broken()]},
    "closed log": {"to": [Broken(error=ValueError("I/O operation on closed file"))]},
    "sink that ends the program": {"to": [Broken(error=SystemExit(5))]},
}


ARGUMENTS: Final[Mapping[str, Callable[[], Any]]] = {
    "hostile": Hostile,
    "hostile, ending the program": lambda: Hostile(KeyboardInterrupt),
    "hostile within": lambda: [Hostile()],
    "no end of copying": Deep,
    "lying of its class": Lying,
    "huge": lambda: ["x" * (5 * 2**20)],
    "a generator": lambda: (number for number in (1, 2)),
    "a lock": threading.Lock,
}
