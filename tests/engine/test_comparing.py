"""When answered cases are compared: in a row, and not while a service waits with the rest of a large body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from replay.engine.answered import Comparing
from replay.engine.pacing import AsRoomAllows, Pace, Steady


@dataclass
class Bench:
    """Cases that are compared, and what was done around it."""

    pace: Pace = field(default_factory=AsRoomAllows)
    under_way: int = 3
    judged: list[str] = field(default_factory=list)
    others_may_begin: list[bool] = field(default_factory=list)
    all_judged: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make what is tested."""
        self.comparing = Comparing(self.pace, self._around, lambda: self.under_way)

    def _around(self, ending: Callable[[], bool]) -> None:
        self.others_may_begin.append(ending())

    def add(self, name: str, *, large: bool) -> None:
        """Have a case compared."""
        self.comparing.add(Waiting(name, large, self))


@dataclass
class Waiting:
    """A case that both sides have answered."""

    name: str
    large: bool
    bench: Bench

    def judge(self) -> None:
        """Note that it was compared, which takes longer than a slice."""
        deadline = asyncio.get_running_loop().time() + 0.003
        while asyncio.get_running_loop().time() < deadline:
            pass
        self.bench.judged.append(self.name)
        if len(self.bench.judged) == self.bench.under_way:
            self.bench.all_judged.set()


def carried_out(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, timeout=20))


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_large_answers_are_compared_when_all_have_come_and_others_begin_after_the_last() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.add("a", large=True)
        bench.add("b", large=False)
        await some_turns()
        assert bench.judged == []
        bench.add("c", large=False)
        await some_turns()
        assert bench.judged == ["a", "b", "c"]
        assert bench.others_may_begin == [False, False, True]

    carried_out(scenario())


def test_large_answers_do_not_wait_for_long() -> None:
    async def scenario() -> None:
        bench = Bench(under_way=2)
        bench.add("a", large=True)
        bench.under_way = 1  # so that one is all; nobody is told of it
        await bench.all_judged.wait()
        assert bench.judged == ["a"]

    carried_out(scenario())


@pytest.mark.parametrize(("pace", "large"), [(AsRoomAllows(), False), (Steady(100.0), True)])
def test_small_answers_wait_for_nobody_and_on_a_timetable_large_ones_neither(pace: Pace, *, large: bool) -> None:
    async def scenario() -> None:
        bench = Bench(pace)
        bench.add("a", large=large)
        await some_turns()
        assert bench.judged == ["a"]
        assert bench.others_may_begin == [True]

    carried_out(scenario())
