"""Results on their way into the store: without secrets, in batches, at most half a second late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Protocol

from replay.models import Result
from replay.store.pages import Draft
from replay.verdict.chunks import size_of

SECONDS: Final = 0.5
_TOGETHER: Final = 20
"""So many results are looked at for secrets at once. More would hold up the loop, and gain little."""
_DIFFERING: Final = 5
"""As so many of them counts one with differences: each of those is searched by itself, which takes longer."""
_LARGE: Final = 1 << 20
"""With so many bytes of bodies fewer are."""
LAST_SECONDS: Final = 1.0
"""How long a page that is being written gets where the process ends at once."""


Redact = Callable[[Sequence[Result]], Sequence[Result]]
"""From results to what may be kept of each."""
Tell = Callable[[Sequence[Result]], None]
"""Is told results as they are kept, in their order; many at once, which takes half the time."""


class Sink(Protocol):
    """Where results are kept: the store itself, or a journal that it reads later."""

    def write(self, run: str, draft: Draft) -> None:
        """Keep all that is drafted or, on an error, nothing. Raise StoreError where no more can be kept."""


class Flow(Protocol):
    """What makes results, and can be asked to wait."""

    def hold(self) -> None:
        """Make no more for now."""

    def go_on(self) -> None:
        """Make results again."""

    def fail(self, error: BaseException) -> None:
        """Make no more: what is made cannot be kept."""


class Recorder:
    """Collects results and keeps them, a page in one transaction, while further ones come in.

    A page is packed and written in a thread: a slow disk must not look like a slow service. While it is, the next one
    is drafted; once that is full too, the flow is held, so that a disk which is slower than the services bounds the
    run and not the memory.
    """

    def __init__(self, sink: Sink, run: str, redact: Redact, flow: Flow, tell: Tell = lambda _results: None) -> None:
        """Take where results go, what may be kept of them, who makes them, and who is told what is kept."""
        self._sink = sink
        self._run = run
        self._redact = redact
        self._flow = flow
        self._tell = tell
        self._waiting: list[Result] = []
        """Results as they came, with their secrets: these are never written."""
        self._weight = 0
        """For how many results those count that are waiting."""
        self._size = 0
        """Bytes of bodies that are waiting."""
        self._draft = Draft()
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1)
        self._page: Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._error: BaseException | None = None
        self._held = False

    def add(self, result: Result) -> None:
        """Take a result in."""
        self._waiting.append(result)
        self._weight += _DIFFERING if result.differences else 1
        self._size += size_of(result)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS, self._begin_late)
        if (self._weight >= _TOGETHER or self._size >= _LARGE) and self._take_in():
            if self._writing is None:
                self._begin()
            elif not self._held:
                self._held = True
                self._flow.hold()

    def _take_in(self) -> bool:
        """Draft what is waiting; secrets end here. Return whether the draft is full."""
        waiting, self._waiting = self._waiting, []
        self._weight = self._size = 0
        full = False
        for result in self._redact(waiting):
            full = self._draft.add(result)
        return full

    def _begin_late(self) -> None:
        try:
            self._take_in()
            self._begin()
        except BaseException as error:  # noqa: BLE001 - nobody but the loop has called this, and it would go on
            self._error = self._error or error
            self._flow.fail(error)

    def _begin(self) -> None:
        self._cancel_timer()
        if self._writing is not None or not self._draft:
            return
        draft, self._draft = self._draft, Draft()
        self._tell(draft.results)
        self._page = self._thread.submit(self._sink.write, self._run, draft)
        self._writing = asyncio.wrap_future(self._page)
        self._writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        # A later page that could be kept makes none of an earlier one that could not.
        self._error = self._error or writing.exception()
        if self._error is not None:
            self._flow.fail(self._error)
            return
        if self._held:
            self._held = False
            self._begin_late()
            self._flow.go_on()

    async def close(self) -> None:
        """Keep what is left; raise StoreError where that fails."""
        self._cancel_timer()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # `_written` may begin another one.
        if self._error is not None:
            raise self._error
        self.flush()
        self._thread.shutdown()

    def flush(self) -> None:
        """Keep what is waiting, at once, and let a page that is being written be written."""
        if self._page is not None:
            with suppress(TimeoutError):
                self._page.exception(timeout=LAST_SECONDS)
        self._take_in()
        draft, self._draft = self._draft, Draft()
        if draft:
            self._tell(draft.results)
            self._sink.write(self._run, draft)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
