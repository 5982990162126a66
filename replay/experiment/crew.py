"""A few daemon threads that run the other side afterwards: bounded, begun when needed, and never waited for.

A thread that does not come back (an endless loop, a deadlock) stays away for good: nobody can end it. Its job is told
so, the others go on, and when all are away nothing more is taken in.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final
from weakref import WeakSet

from replay.experiment.clock import wall_ns
from replay.experiment.forks import anew_after_fork

MOST_THREADS: Final = 2
MOST_WAITING: Final = 64
AWAY_NS: Final = 10_000_000_000
_SOONEST_NS: Final = 1_000_000_000
_BUDGETS: Final = 20
_IDLE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0

_PAUSE_SECONDS: Final = 0.005
_CREWS: Final[WeakSet[Crew]] = WeakSet()

Job = Callable[[str], None]
"""Is called with nothing to be done, or with why it is not; with OVERDUE while it is still being done elsewhere."""
OVERDUE: Final = "it does not come back"
CROWDED: Final = f"{MOST_WAITING} calls were waiting already"
"""Chance left a call out: that is no more than a smaller sample."""


def away_after(budget_ns: int | None) -> int:
    """Return after how long a thread counts as away, by the budget of the other side: many times that."""
    return AWAY_NS if budget_ns is None else max(_BUDGETS * budget_ns, _SOONEST_NS)


class Crew:
    """Runs jobs, which must not raise, in threads of its own."""

    def __init__(self, away_ns: int = AWAY_NS) -> None:
        """Take how long a thread may be at one job before it counts as away."""
        self.away_ns = away_ns
        _CREWS.add(self)
        anew_after_fork(self)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all threads and what waits for them."""
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a generator that is collected may come in between
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._began: dict[int, int] = {}
        """When each thread began its job; 0 while it has none."""
        self._jobs: dict[int, Job] = {}
        """What each thread is at, unless its job was told that it is overdue."""
        self._is_watched = False
        self._numbers = 0
        self._unfinished = 0
        """Jobs that were taken in and did not come back."""

    def take(self, job: Job) -> None:
        """Have a job done when its turn comes; where there is no room for it, let it know why."""
        if os.getpid() != self._pid:  # a fork of which Python was not told, as by uWSGI
            self.begin_anew()
        refused, why = self._refused(job)
        for each in refused:
            each(why)

    def _refused(self, job: Job) -> tuple[list[Job], str]:
        with self._lock:
            # At once: what a generator that is collected meanwhile begins must not come in between.
            before, all_began = wall_ns() - self.away_ns, tuple(self._began.values())
            if sum(0 < began < before for began in all_began) >= MOST_THREADS:
                return [*self._emptied(), job], "the other side did not come back from earlier calls"
            if self._waiting.qsize() >= MOST_WAITING:
                return [job], CROWDED
            self._waiting.put(job)
            self._unfinished += 1
            idle = all_began.count(0)
            if len(all_began) < MOST_THREADS and self._waiting.qsize() > idle:
                self._begin_thread()
        return [], ""

    def look(self) -> None:
        """Tell jobs that are overdue so, once."""
        with self._lock:
            before = wall_ns() - self.away_ns
            away = [
                number for number, began in tuple(self._began.items()) if 0 < began < before and number in self._jobs
            ]
            overdue = [self._jobs.pop(number) for number in away]
        for job in overdue:
            job(OVERDUE)

    def _watch(self) -> None:
        """Look again and again, for as long as there is a thread that is not known to be away."""
        while True:
            time.sleep(min(self.away_ns / 1e9, _LOOK_SECONDS))
            self.look()
            with self._lock:
                if all(began and number not in self._jobs for number, began in tuple(self._began.items())):
                    self._is_watched = False
                    return

    @property
    def is_at_rest(self) -> bool:
        """Tell whether there is nothing that it will come back from."""
        with self._lock:
            away = sum(bool(began) and number not in self._jobs for number, began in tuple(self._began.items()))
            return self._unfinished <= away

    def give_up(self, why: str) -> None:
        """Let all that waits or is being done know that nobody waits for it any more."""
        with self._lock:
            left = [*self._emptied(), *self._jobs.values()]
            self._jobs.clear()
        for job in left:
            job(why)

    def _emptied(self) -> list[Job]:
        found: list[Job] = []
        with suppress(Empty):
            while True:
                found.append(self._waiting.get_nowait())
                self._unfinished -= 1
        return found

    def _begin_thread(self) -> None:
        self._numbers += 1
        number = self._numbers
        self._began[number] = 0
        name = f"replay-experiment-{number}"
        thread = threading.Thread(target=self._work, args=(number, self._waiting), daemon=True, name=name)
        try:
            thread.start()
        except (
            RuntimeError,
            MemoryError,
        ):  # the interpreter ends, or there are too many: whoever comes next tries again
            del self._began[number]
        else:
            self._begin_watch()

    def _begin_watch(self) -> None:
        if self._is_watched:
            return
        self._is_watched = True
        try:
            threading.Thread(target=self._watch, daemon=True, name="replay-experiment-watch").start()
        except (RuntimeError, MemoryError):  # likewise
            self._is_watched = False

    def _work(self, number: int, waiting: SimpleQueue[Job]) -> None:
        while True:
            try:
                job = waiting.get(timeout=_IDLE_SECONDS)
            except Empty:
                if self._ends(number, waiting):
                    return
                continue
            self._jobs[number] = job
            self._began[number] = wall_ns()
            job("")
            with self._lock:
                self._began[number] = 0
                self._jobs.pop(number, None)
                self._unfinished -= 1
            del job  # it holds what the call was about

    def _ends(self, number: int, waiting: SimpleQueue[Job]) -> bool:
        with self._lock:
            if waiting.empty():
                self._began.pop(number, None)
                return True
            return False


def end_crews(seconds: float) -> None:
    """Wait so long for what all crews of this process are at, and give up the rest: the process ends."""
    crews_at_rest(seconds)
    for crew in tuple(_CREWS):
        crew.give_up("the program ended")


def crews_at_rest(seconds: float) -> bool:
    """Wait so long until all crews of this process are at rest; return whether they are."""
    until = wall_ns() + int(seconds * 1e9)
    while not all(crew.is_at_rest for crew in tuple(_CREWS)):
        if wall_ns() >= until:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
