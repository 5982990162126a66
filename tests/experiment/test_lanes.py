"""Lanes and crews may be given something at any moment: by finalisers and signal handlers in the middle of a step."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest

from replay.experiment.crew import Crew
from replay.experiment.lanes import Lane

SECONDS = 10


class Taken:
    """Counts what it is to do."""

    def __init__(self) -> None:
        self.items: list[str] = []

    def take(self, item: str) -> None:
        """Note an item."""
        self.items.append(item)

    def settle(self) -> bool:
        """Do nothing."""
        return False

    def end(self) -> None:
        """Do nothing."""


def at_each_step(step: Callable[[], object], between: Callable[[], object]) -> bool:
    """Do something in a thread, and something else before each line of it; tell whether it came to an end."""
    within: list[bool] = []

    def traced(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if not within:
            within.append(True)
            between()
            within.clear()
        return traced

    def steps() -> None:
        sys.settrace(traced)
        try:
            step()
            ended.append(True)
        finally:
            sys.settrace(None)

    ended: list[bool] = []
    thread = threading.Thread(target=steps, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return bool(ended)


def asleep() -> tuple[Lane[str], Taken]:
    """Return a lane whose thread has nothing to do, and what it did."""
    taken = Taken()
    lane: Lane[str] = Lane(taken, "lane", most=1000, most_bytes=1000)
    lane.put("first")
    assert lane.passed().wait(SECONDS)
    while not lane._idle:
        assert lane._thread is not None
        lane._thread.join(0.01)
    return lane, taken


def test_an_item_may_be_put_in_at_any_step_of_another_one() -> None:
    lane, taken = asleep()
    assert at_each_step(lambda: lane.put("outer"), lambda: lane.put("inner", size=1))
    assert lane.passed(last=True).wait(SECONDS)
    assert taken.items.count("outer") == 1
    assert taken.items.count("inner") > 3


class Busy:
    """A crew that is at a job, and what it is given meanwhile."""

    def __init__(self) -> None:
        self.crew, self.gate, self.done = Crew(), threading.Event(), threading.Semaphore(0)
        self.crew.take(lambda _: self._wait())

    def _wait(self) -> None:
        self.gate.wait(SECONDS)

    def take(self) -> None:
        """Give it another job."""
        self.crew.take(lambda _: self.done.release())

    def look(self) -> None:
        """Have it look for jobs that are overdue, and tell whether it is at rest."""
        self.crew.look()
        assert not self.crew.is_at_rest


@pytest.mark.parametrize("step", [Busy.take, Busy.look])
def test_a_job_may_be_taken_at_any_step_of_a_crew_that_is_at_one(step: Callable[[Busy], None]) -> None:
    for number in range(60):
        busy, lines = Busy(), itertools.count()
        between = partial(_at, number, lines, busy)
        assert at_each_step(partial(step, busy), between)
        assert next(lines) <= number or busy.done.acquire(timeout=SECONDS)
        busy.gate.set()


def _at(number: int, lines: Iterator[int], busy: Busy) -> None:
    if next(lines) == number:
        busy.take()
