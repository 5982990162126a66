"""Imports in a thread, and forks meanwhile: a child would wait for ever for an import that did not come along."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE_SECONDS: Final = 20.0
"""How long a fork waits for an import: whoever forks may hold what that import is waiting for."""


class Loading:
    """Keeps this process from being forked while something is imported."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Import within this block."""
        with self._lock:
            yield

    def before_fork(self) -> None:
        """Wait until nothing is imported."""
        self._held = self._lock.acquire(timeout=PATIENCE_SECONDS)

    def after_fork(self) -> None:
        """Let imports go on."""
        if self._held:
            self._held = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: whoever held the lock may not have come along."""
        self._lock, self._held = threading.Lock(), False


LOADING: Final = Loading()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOADING.before_fork,
        after_in_parent=LOADING.after_fork,
        after_in_child=LOADING.after_fork_in_child,
    )
