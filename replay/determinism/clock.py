"""Frozen time and fixed seeds inside a service that opted in."""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from replay.determinism.headers import SEED, TIME, read_instant, read_seed

SWITCH: Final = "REPLAY_DETERMINISM"

# Deadlines go on: what these modules of the standard library ask for the time keeps the real clock.
_PLUMBING: Final = ("threading", "queue", "subprocess", "socketserver", "multiprocessing", "concurrent")
_ASKS_MONOTONIC: Final = ("concurrent.futures._base", "multiprocessing.connection", "multiprocessing.queues")


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether a service lets requests move its clock: a thing for test environments, so the default is no."""

    given: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Consent:
        """Return yes where `REPLAY_DETERMINISM` is exactly 1."""
        variables = os.environ if environment is None else environment
        return cls(given=variables.get(SWITCH) == "1")

    def moment(self, header: Callable[[str], str | None]) -> tuple[datetime, int | None] | None:
        """Return the instant and the seed that a request asks for, when it may; `header` looks up a field by name."""
        instant = read_instant(header(TIME)) if self.given else None
        return None if instant is None else (instant, read_seed(header(SEED)))


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

    def _replace(self, owner: Any, name: str, value: object) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    @contextmanager
    def at(self, instant: datetime, seed: int | None) -> Iterator[bool]:
        """Freeze time and, where there is one, plant the seed; yield whether the clock really stands at the instant."""
        with self._freeze(instant):
            if seed is not None:
                plant(seed)
            yield abs(time.time() - instant.timestamp()) < 0.001  # noqa: PLR2004 - a float's grain, and no more

    def release(self) -> None:
        """Give the process its own clock back."""
        self._base.stop()
        while self._undo:
            setattr(*self._undo.pop())


def plant(seed: int) -> None:
    """Seed what draws at random: `random`, and NumPy where it is loaded."""
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
