"""Frozen time and fixed seeds inside a service that opted in."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from replay.determinism.draws import Draws
from replay.determinism.headers import ALSO, SEED, TICK, TIME, YES, read_also, read_instant, read_seed
from replay.determinism.proof import SHORTEST, VARIABLE, Lookup, refusal

# Deadlines go on: what these modules of the standard library ask for the time keeps the real clock.
_PLUMBING: Final = ("threading", "queue", "subprocess", "socketserver", "multiprocessing", "concurrent")
_ASKS_MONOTONIC: Final = ("concurrent.futures._base", "multiprocessing.connection", "multiprocessing.queues")
_GRAIN: Final = 0.001
"""A float's, and no more."""
_AT_ONCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The moment that a request asks for."""

    instant: datetime
    seed: int | None = None
    tick: bool = False
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request that asks for a moment gets none."""

    why: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether a service lets requests move its clock: a thing for test environments, so the default is no.

    Where it does, a request has to prove that it knows the secret. Raises ValueError for one that is too short.
    """

    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if 0 < len(self.secret) < SHORTEST:
            raise ValueError(f"{VARIABLE} holds fewer than {SHORTEST} characters: make one with `openssl rand -hex 32`")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Consent:
        """Return yes where `REPLAY_DETERMINISM_SECRET` is set. Raises ValueError where it is too short."""
        variables = os.environ if environment is None else environment
        return cls(variables.get(VARIABLE, ""))

    @property
    def given(self) -> bool:
        """Tell whether requests may move the clock at all."""
        return bool(self.secret)

    def moment(self, header: Lookup) -> Wanted | Refused | None:
        """Return the moment that a request asks for, or why it gets none; None where it asks for nothing.

        `header` looks up a field by name.
        """
        text = header(TIME)
        if not self.given or text is None:
            return None
        if why := refusal(self.secret, header):
            return Refused(why)
        instant = read_instant(text)
        if instant is None:
            return Refused("the instant cannot be read")
        return Wanted(instant, read_seed(header(SEED)), header(TICK) == YES, read_also(header(ALSO)))


class FrozenClock:
    """The clock of this process. Made once, at the start; then moved per request, one request at a time.

    While no request holds it, it goes like the real one. Deadlines of the event loop always go on.
    """

    def __init__(self) -> None:
        # A service that never opts in must not pay for freezegun, nor be touched by it.
        import freezegun.api  # noqa: PLC0415

        monotonic: Callable[[], float] = time.monotonic
        self._undo: list[tuple[Any, str, Any]] = [(asyncio.BaseEventLoop, "time", asyncio.BaseEventLoop.time)]
        real = SimpleNamespace(**vars(time))
        for module in map(importlib.import_module, _ASKS_MONOTONIC):
            self._replace(module, "time", real)
        # freezegun shows the real time to whatever `threading` calls, and that includes handlers in thread pools.
        self._replace(freezegun.api, "call_stack_inspection_limit", 0)
        # What `real_asyncio=True` does to one class of loops, for all of them.
        asyncio.BaseEventLoop.time = lambda self: monotonic()  # type: ignore[method-assign]  # noqa: ARG005
        self._freeze: Any = freezegun.freeze_time
        self._base = self._freeze(datetime.now(UTC), tick=True, ignore=list(_PLUMBING))
        self._base.start()
        self._draws = Draws()

    def _replace(self, owner: Any, name: str, value: object) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    @contextmanager
    def at(self, wanted: Wanted) -> Iterator[bool]:
        """Freeze time and plant the seed, where there is one; yield whether the clock really is at the instant."""
        with self._freeze(wanted.instant, tick=wanted.tick):
            passed = time.time() - wanted.instant.timestamp()
            there = -_GRAIN < passed < (_AT_ONCE if wanted.tick else _GRAIN)
            if wanted.seed is None:
                yield there
            else:
                with self._draws.seeded(wanted.seed, wanted.also):
                    yield there

    def release(self) -> None:
        """Give the process its own clock and its own randomness back."""
        self._draws.release()
        self._base.stop()
        while self._undo:
            setattr(*self._undo.pop())
