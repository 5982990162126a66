"""A trial: an experiment on code that is not one function, written down where it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from replay.errors import SettingsError
from replay.experiment.kinds import Kind, kind_of
from replay.experiment.sides import Sides

F = TypeVar("F", bound=Callable[[], Any])
Play = Callable[[Kind, Sides, Mapping[str, Any]], Any]


class Trial:
    """Takes two blocks of code, and answers with what the chosen one gives.

    Both share the variables around them, which nobody can copy: they must not change anything but their own.
    """

    def __init__(self, name: str, play: Play, named: Mapping[str, Any]) -> None:
        """Take the experiment's name, what plays both blocks, and the values that the program named for it."""
        self._name = name
        self._play = play
        self._named = named
        self._old: Callable[[], Any] | None = None
        self._new: Callable[[], Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return

    def old(self, block: F) -> F:
        """Take the old block, as a function without parameters; it may be used as a decorator."""
        self._old = block
        return block

    def new(self, block: F) -> F:
        """Take the new block."""
        self._new = block
        return block

    def answer(self) -> Any:
        """Return or raise what the chosen block does."""
        return self._play("function", self._sides("function", "answer"), self._named)

    def answered(self) -> Awaitable[Any]:
        """Return what, awaited, gives what the chosen block does: for blocks that are coroutine functions."""
        found: Awaitable[Any] = self._play(
            "coroutine function", self._sides("coroutine function", "answered"), self._named
        )
        return found

    def _sides(self, kind: Kind, name: str) -> Sides:
        old, new = self._old, self._new
        if old is None or new is None:
            hint = "give both blocks: trial.old(...) and trial.new(...)"
            raise SettingsError(f"the trial lacks {'old' if old is None else 'new'}", place=self._place, hint=hint)
        for block in (old, new):
            if kind_of(block) != kind:
                hint = "answer() takes functions, `await trial.answered()` coroutine functions"
                raise SettingsError(f"{name}() was given a {kind_of(block)}", place=self._place, hint=hint)
        return Sides(lambda **_named: old(), lambda **_named: new())

    @property
    def _place(self) -> str:
        return f"experiment {self._name}"
