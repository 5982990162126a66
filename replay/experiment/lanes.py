"""A bounded queue and the one daemon thread that empties it: whoever puts something in never waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

PAUSE_SECONDS: Final = 0.05
"""Between two looks at the queue: waking a thread for every call would cost the caller more than the call."""
BUSY_SECONDS: Final = 0.05
"""After so much work in a row it rests for as long, so that it never takes more than half of one core."""
SETTLE_SECONDS: Final = 0.5
MOST_PAUSE_SECONDS: Final = 30.0
"""Between two attempts to settle what could not be, while nothing comes; each pause is twice the one before."""
_IDLE_SECONDS: Final = 60.0
_RETRIED: Final = 256

Item = TypeVar("Item", contravariant=True)  # noqa: PLC0105 - what waits is an item

now: Final[Callable[[], float]] = (
    # The one that frozen time leaves alone: what waits here is told in a test as well.
    partial(time.clock_gettime, time.CLOCK_MONOTONIC) if hasattr(time, "clock_gettime") else time.monotonic
)


class Work(Protocol[Item]):
    """What is done with what lies in the queue, by one thread."""

    def take(self, item: Item) -> None:
        """Do what is to be done with one item."""

    def settle(self) -> bool:
        """Bring what was done to an end for now: nothing more may come for a while. Tell whether to be asked again."""

    def end(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Lies in the queue behind everything that was put in before it."""

    last: bool
    passed: threading.Event = field(default_factory=threading.Event)


class _Bell:
    """Wakes one thread. It may be rung anywhere: by a signal's handler or a finaliser, while it is being rung as well.

    An Event may not: whoever sets it or waits for it holds a lock, and a finaliser in that thread would wait for ever.
    """

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake whoever waits, or comes to wait next."""
        with suppress(RuntimeError):  # it rings already
            self._silence.release()

    def wait(self, seconds: float) -> None:
        """Wait until it rings, at most so long."""
        self._silence.acquire(timeout=seconds)


class Lane(Generic[Item]):
    """Takes items in from any thread, at most `most` of them and `most_bytes`, and works them off in one of its own.

    What `work` raises ends the item and nothing else; it is the work's to tell.
    """

    def __init__(self, work: Work[Item], name: str, *, most: int, most_bytes: int) -> None:
        self._work = work
        self._name = name
        self._most, self._most_bytes = most, most_bytes
        self._items: deque[tuple[Item, int] | _Mark] = deque()
        self._bytes = 0
        # A signal's handler, or a finaliser, may come between two steps of its own thread.
        self._counting = threading.RLock()
        self._starting = threading.Lock()
        self._running = threading.Lock()
        """Held by the one thread that works."""
        self._thread: threading.Thread | None = None
        self._runner: threading.Thread | None = None
        self._is_to_begin = False
        """Whether a thread is asked for with the next item."""
        self._idle = False
        self._bell = _Bell()
        self.under_way: Item | None = None
        """What is being done just now."""

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._items)

    def put(self, item: Item, size: int = 0, *, always: bool = False) -> bool:
        """Take an item in; tell whether there was room for it, which is not asked where it `always` has to come in."""
        if not always and (len(self._items) >= self._most or (size and not self._room(size))):
            return False
        self._items.append((item, size))
        if self._thread is None:
            # Where none can be had, what waits is kept while there is room; to ask for one each time would be slow.
            if self._is_to_begin or len(self._items) % _RETRIED == 1:
                self.start()
        elif self._idle:
            self._bell.ring()
        return True

    def passed(self, *, last: bool = False) -> threading.Event:
        """Return what is set once all that was put in before is done and settled; after the `last` the thread ends."""
        mark = _Mark(last)
        if self._thread is None and self._items:
            self.start()
        if threading.current_thread() is self._thread or (self._thread is None and not self._items):
            # It would wait for itself, or has nothing to wait for.
            mark.passed.set()
            return mark.passed
        self._items.append(mark)
        self._bell.ring()
        return mark.passed

    def emptied(self) -> list[Item]:
        """Take out all that waits: nobody will do it any more. Whoever waits until it is passed still learns of it."""
        items: list[Item] = []
        marks: list[_Mark] = []
        with suppress(IndexError):
            while True:
                one = self._items.popleft()
                if isinstance(one, _Mark):
                    marks.append(one)
                else:
                    items.append(one[0])
        self._items.extend(marks)
        self._bell.ring()
        return items

    def _room(self, size: int) -> bool:
        with self._counting:
            fits = self._bytes + size <= self._most_bytes
            self._bytes += size if fits else 0
        return fits

    def start(self) -> None:
        """Begin the thread, if it can be had now: at the end of a program none can."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                self._is_to_begin = False
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        except RecursionError:
            # The stack ends here, and that of the next one need not. The thread may have begun all the same.
            self._thread, self._is_to_begin = None, True
        except (RuntimeError, MemoryError):
            self._thread = None
        finally:
            self._starting.release()

    def _run(self) -> None:
        if not self._running.acquire(blocking=False):
            self._thread = self._runner
            return
        self._thread = self._runner = threading.current_thread()
        self._go_on()

    def _go_on(self) -> None:
        settled, unsettled, pause = -SETTLE_SECONDS, False, SETTLE_SECONDS
        while True:
            busy, took, last = self._work_off()
            if last:
                return
            unsettled, pause = unsettled or took, SETTLE_SECONDS if took else pause
            if unsettled and now() - settled >= pause:
                unsettled = bool(self._contained(self._work.settle))
                settled, pause = now(), min(2 * pause, MOST_PAUSE_SECONDS) if unsettled else SETTLE_SECONDS
            if took or (unsettled and pause == SETTLE_SECONDS):
                self._bell.wait(max(PAUSE_SECONDS, busy))
            else:
                self._sleep(pause if unsettled else _IDLE_SECONDS)

    def _sleep(self, seconds: float) -> None:
        self._idle = True
        if not self._items:  # looked at once more: whoever put something in before may not have seen that nobody looks
            self._bell.wait(seconds)
        self._idle = False

    def _work_off(self) -> tuple[float, bool, bool]:
        """Work until the queue is empty, or long enough; return for how long, whether at all, and whether to end."""
        began, took = time.thread_time(), False
        busy = 0.0
        while self._items and busy < BUSY_SECONDS:
            try:
                item = self._items.popleft()
            except IndexError:  # whoever ends the process has taken it out meanwhile
                break
            if isinstance(item, _Mark):
                self._pass(item)
                if item.last:
                    return busy, took, True
            else:
                took = True
                self._take(*item)
            busy = time.thread_time() - began
        return busy, took, False

    def _take(self, item: Item, size: int) -> None:
        self.under_way = item
        self._contained(self._work.take, item)
        self.under_way = None
        if size:
            with self._counting:
                self._bytes -= size

    def _pass(self, mark: _Mark) -> None:
        self._contained(self._work.settle)
        if mark.last:
            self._contained(self._work.end)
        mark.passed.set()

    @staticmethod
    def _contained(step: Callable[..., object], *arguments: object) -> object:
        with suppress(BaseException):  # SystemExit too would end this thread; work tells its own failures
            return step(*arguments)
        return None
