"""Results on their way into the store: without secrets, in batches, at most half a second late."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from replay.models import Result
from replay.store.base import Store

BATCH: Final = 200
SECONDS: Final = 0.5


class Recorder:
    """Collects results and stores them, a batch in one transaction. May be flushed from another thread."""

    def __init__(self, store: Store, run: str, redact: Callable[[Result], Result]) -> None:
        self._store = store
        self._run = run
        self._redact = redact
        self._batch: list[Result] = []
        self._since = time.monotonic()

    def add(self, result: Result) -> bool:
        """Take a result in; secrets end here. Return whether it is time to flush."""
        self._batch.append(self._redact(result))
        return len(self._batch) >= BATCH or time.monotonic() - self._since >= SECONDS

    def flush(self) -> None:
        """Store what is waiting. Raise StoreError where the store takes no more."""
        batch, self._batch = self._batch, []
        self._since = time.monotonic()
        if batch:
            self._store.add(self._run, batch)
