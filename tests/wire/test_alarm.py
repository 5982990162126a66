"""A moment to be woken at: by the system's timer, and by the loop's where there is no other."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from replay.wire.alarm import Alarm, LoopTimer, MakeTimer, finest
from replay.wire.clock import now_ns
from tests.wire.conftest import Run

MS = 1_000_000
LIMIT_S = 5.0

timers = pytest.mark.parametrize("make", [finest, LoopTimer])


class Bell:
    """An alarm, and the moments at which it rang."""

    def __init__(self, make: MakeTimer) -> None:
        self.rung: list[int] = []
        self.alarm = Alarm(self._ring, make)
        self._heard = asyncio.Event()

    def _ring(self) -> None:
        self.rung.append(now_ns())
        self._heard.set()

    async def heard(self) -> int:
        """Wait until it rings, and return when that was."""
        async with asyncio.timeout(LIMIT_S):
            await self._heard.wait()
        self._heard.clear()
        return self.rung[-1]


@timers
def test_an_alarm_rings_at_its_moment_and_not_before(run: Run, make: MakeTimer) -> None:
    async def listen() -> None:
        bell, moment = Bell(make), now_ns() + 3 * MS + 400_000
        bell.alarm.set(moment)
        assert await bell.heard() >= moment
        bell.alarm.close()

    run(listen())


@timers
def test_a_moment_that_is_past_rings_when_everybody_else_had_a_turn(run: Run, make: MakeTimer) -> None:
    async def listen() -> None:
        bell = Bell(make)
        bell.alarm.set(0)
        assert bell.rung == []
        await bell.heard()
        bell.alarm.close()

    run(listen())


@timers
def test_only_the_moment_that_was_set_last_rings(run: Run, make: MakeTimer) -> None:
    async def listen() -> None:
        bell, moment = Bell(make), now_ns() + 8 * MS
        bell.alarm.set(moment - 7 * MS)
        bell.alarm.set(moment + 60_000 * MS)
        bell.alarm.set(moment)
        assert await bell.heard() >= moment
        assert len(bell.rung) == 1
        bell.alarm.close()

    run(listen())


@timers
def test_a_moment_that_has_rung_may_be_set_again(run: Run, make: MakeTimer) -> None:
    async def listen() -> None:
        bell = Bell(make)
        for times in (1, 2):
            bell.alarm.set(1)
            await bell.heard()
            assert len(bell.rung) == times
        bell.alarm.close()

    run(listen())


@timers
def test_a_closed_alarm_rings_no_more_until_it_is_set_again(run: Run, make: MakeTimer) -> None:
    async def listen() -> None:
        bell, moment = Bell(make), now_ns() + MS
        bell.alarm.set(moment)
        bell.alarm.close()
        bell.alarm.set(moment + MS)
        assert await bell.heard() >= moment + MS
        assert len(bell.rung) == 1
        bell.alarm.close()

    run(listen())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no timer holds a file handle")
def test_a_closed_alarm_holds_no_file_handle(run: Run) -> None:
    async def listen() -> None:
        before, bell = _handles(), Bell(finest)
        bell.alarm.set(now_ns() + 60_000 * MS)
        assert _handles() == before + 1
        bell.alarm.close()
        assert _handles() == before

    run(listen())


def _handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
