"""What went through a generator: the other one is then asked the same, and what both gave is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from replay.experiment.answers import Answers
from replay.experiment.attributes import held_by
from replay.experiment.calls import Frozen
from replay.experiment.clock import wall_ns
from replay.experiment.freezing import MOST_BYTES, TOO_LARGE, UnfitError, freeze
from replay.experiment.outside import contain
from replay.experiment.sides import Seen, message_of, type_of, unawaited

MOST_ITEMS: Final = 10_000
_NOTHING: Final = freeze(None)

Step = Callable[[Any], Any]


class Script:
    """The chosen generator's items as they were when the caller got them, and what the caller sent for each."""

    def __init__(self) -> None:
        self.spoilt = ""
        """Why it cannot be played again."""
        self.is_closed = False
        self.took_ns = 0
        self._items: list[Frozen] = []
        self._sent: list[Frozen] = [_NOTHING]
        self._returned: Frozen = _NOTHING
        self._error: BaseException | None = None
        self._bytes = 0

    def took(self, began_ns: int) -> None:
        """Count the time of a step of the chosen generator."""
        self.took_ns += wall_ns() - began_ns

    def add(self, item: Any) -> None:
        """Take note of an item."""
        self._keep(self._items, item)

    def send(self, value: Any) -> None:
        """Take note of what the caller sent for it."""
        self._keep(self._sent, value)

    def end(self, returned: Any) -> None:
        """Take note of its end."""
        kept: list[Frozen] = []
        self._keep(kept, returned)
        if kept:
            self._returned = kept[0]

    def fail(self, error: BaseException) -> None:
        """Take note of its failure."""
        self._error = error

    def spoil(self, why: str) -> None:
        """Say why it cannot be played again, and let go of what was kept."""
        self.spoilt = why
        self._items.clear()

    def _keep(self, where: list[Frozen], value: Any) -> None:
        if self.spoilt:
            return
        try:
            kept = freeze(value)
        except UnfitError as error:
            self.spoil(f"an item cannot be copied: {error}")
            return
        except (RecursionError, MemoryError):
            self.spoilt = "an item cannot be copied: there is too little of memory or the stack"
            return
        self._bytes += kept.size
        if len(where) >= MOST_ITEMS or self._bytes > MOST_BYTES:
            self.spoil(TOO_LARGE if self._bytes > MOST_BYTES else f"it has more than {MOST_ITEMS:,} items")
            return
        where.append(kept)

    # ------------------------------------------------------------------------------------------------ played again

    def chosen(self, answers: Answers) -> Callable[[], Seen]:
        """Return what makes the chosen side's answer out of it; the exception itself is let go of."""
        error, self._error = self._error, None
        if error is not None and not isinstance(error, answers.raises):
            return answers.as_it_was("it", Seen(error=error, wall_ns=self.took_ns))
        raising = None if error is None else as_item(error)
        return lambda: Seen(
            whole([item.thaw() for item in self._items], self._returned.thaw(), raising), wall_ns=self.took_ns
        )

    @property
    def values(self) -> list[Any]:
        """Return copies of what was sent, for one step more than there were items, or as many where it was closed."""
        sent = [value.thaw() for value in self._sent]
        return sent[: len(self._items)] if self.is_closed else sent[: len(self._items) + 1]


def played(script: Script, answers: Answers, step: Step) -> Any:
    """Return what another generator gives, by its `send`, for what was sent to the first one."""
    items: list[Any] = []
    for value in script.values:
        try:
            items.append(unawaited(step(value)))
        except StopIteration as stop:
            return whole(items, stop.value)
        except answers.raises as error:
            contain(error)
            return whole(items, None, as_item(error))
    return whole(items, None)


def as_item(error: BaseException) -> Any:
    """Return an exception that is an answer, as it is compared: what it says and, beyond that, what it holds."""
    message, held = message_of(error), held_by(error)
    told = f"{type_of(error)}: {message}"
    says_all = set(held) == {"args"} and all(type(one) is str and one == message for one in error.args)
    return told if says_all else [told, held]


def whole(items: list[Any], returned: Any, raising: Any = None) -> Any:
    """Return all that a generator gave, as one value: its items, where there is nothing else."""
    if raising is not None:
        return {"items": items, "raised": raising}
    return items if returned is None else {"items": items, "returned": returned}
