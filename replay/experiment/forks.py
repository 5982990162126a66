"""Forks: what begins anew in a child, and what a fork waits for.

Threads do not come along into a child, and locks may be held by those that did not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol
from weakref import WeakSet

PATIENCE_SECONDS: Final = 20.0
"""How long a fork waits: whoever forks may hold what is being waited for, and a disk may not answer."""


class _Anew(Protocol):
    def begin_anew(self) -> None:
        """Forget threads and locks."""


_KEPT: Final[WeakSet[_Anew]] = WeakSet()


def anew_after_fork(one: _Anew) -> None:
    """Have something begin anew in every child of this process."""
    _KEPT.add(one)


def _begin_anew() -> None:
    for one in list(_KEPT):
        one.begin_anew()


class Whole:
    """Work that this process is not to be forked in the middle of, such as an import: a child would wait for it."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        """Take for how many seconds a fork waits, before it is carried out all the same."""
        self._patience = patience
        self._lock = threading.Lock()
        self._forking: int | None = None
        """The thread that forks and holds the lock meanwhile."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._wait, after_in_parent=self._go_on, after_in_child=self._begin_anew)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do such work within this block, one thread at a time."""
        with self._lock:
            yield

    def _wait(self) -> None:
        if self._lock.acquire(timeout=self._patience):
            self._forking = threading.get_ident()

    def _go_on(self) -> None:
        if self._forking == threading.get_ident():
            self._forking = None
            self._lock.release()

    def _begin_anew(self) -> None:
        self._lock, self._forking = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
