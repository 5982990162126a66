"""Calls as the caller's thread hands them over, and a sink that keeps what it is told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replay.experiment.calls import Call, Given, Loss, Outcome, Raised, Relation, Setup

AT = 1_717_000_000.0
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Held:
    """A value that is as it is: nobody changes it in these tests."""

    value: Any
    size: int = 100

    def thaw(self) -> Any:
        """Return the value itself."""
        return self.value


def gave(value: Any, size: int = 100) -> Given:
    return Given(Held(value, size), wall_ns=2_000_000)


def raised(name: str, message: str = "", *, declared: bool = False) -> Given:
    return Given(raised=Raised(name, message, declared=declared), wall_ns=2_000_000)


NOTHING = Given(wall_ns=1_000_000)


def call(
    setup: Setup,
    old: Given = NOTHING,
    new: Given = NOTHING,
    relation: Relation = "differ",
    *,
    arguments: tuple[tuple[Any, ...], Mapping[str, Any]] | None = ((1,), {}),
    context: Mapping[str, Any] | None = None,
    reason: str = "",
    key: str = "",
    trace: str = "",
    at: float = AT,
) -> Call:
    return Call(
        setup=setup,
        id=f"{next(_NUMBERS):016x}",
        at=at,
        chosen="old",
        first="new",
        relation=relation,
        old=old,
        new=new,
        arguments=None if arguments is None else Held(arguments),
        reason=reason,
        key=key,
        trace=trace,
        context=context or {},
    )


def differing(setup: Setup, old: Any = "draft", new: Any = "place") -> Call:
    return call(setup, gave(old), gave(new))


def agreeing(setup: Setup) -> Call:
    return call(setup, relation="agreed", arguments=None)


@dataclass
class Kept:
    """A sink that keeps what it is told, and in which threads."""

    outcomes: list[Outcome] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        self.threads.add(threading.current_thread().name)
        self.outcomes.append(outcome)

    def lose(self, loss: Loss) -> None:
        """Keep a loss."""
        self.losses.append(loss)

    def flush(self) -> None:
        """Note that it was asked to."""
        self.said.append("flush")

    def close(self) -> None:
        """Note that it was asked to."""
        self.said.append("close")

    def forked(self) -> None:
        """Note that it was told so."""
        self.said.append("forked")

    @property
    def names(self) -> list[str]:
        """Return what the outcomes are called."""
        return [each.result.outcome for each in self.outcomes]

    @property
    def lost(self) -> int:
        """Return how many calls were lost."""
        return sum(each.calls for each in self.losses)
