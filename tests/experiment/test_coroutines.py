"""Coroutine functions: both awaited, and nothing of the other one's end or cancellation reaches the caller."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Literal

import pytest

from replay.errors import SettingsError
from replay.experiment import Experiment, flush
from tests.experiment.kept import Kept

MODES: list[Literal["inline", "after"]] = ["inline", "after"]
WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


async def settled() -> None:
    """Wait until no task but this one is left."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


def played(call: Callable[[], Awaitable[Any]]) -> Any:
    async def play() -> Any:
        answer = await call()
        await settled()
        return answer

    return asyncio.run(play())


def names(told: Kept) -> list[str]:
    assert flush(10)
    return told.names


async def old(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def new(number: int) -> int:
    await asyncio.sleep(0)
    return number * number


async def leaving(_: int) -> int:
    raise SystemExit(3)


async def cancelled(_: int) -> int:
    raise asyncio.CancelledError


async def cancelling_all(_: int) -> int:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)
    return 1


async def wandering(_: int) -> int:
    WHERE.set("away")
    return 1


@pytest.mark.parametrize("mode", MODES)
def test_both_are_awaited_and_compared(told: Kept, mode: Literal["inline", "after"]) -> None:
    rule = Experiment("rule", old, new, mode=mode)
    assert played(lambda: rule(3)) == 6
    assert names(told) == ["deviation"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("other", [leaving, cancelled, cancelling_all])
def test_how_the_other_side_ends_is_not_how_the_caller_ends(
    told: Kept, mode: Literal["inline", "after"], other: Callable[[int], Coroutine[Any, Any, int]]
) -> None:
    rule = Experiment("rule", old, other, mode=mode)
    for _ in range(4):
        assert played(lambda: rule(3)) == 6
    assert "match" not in names(told)
    assert len(told.outcomes) == 4


def test_what_the_other_side_sets_stays_with_it() -> None:
    rule = Experiment("rule", old, wandering, to=[])

    async def play() -> str:
        for _ in range(8):
            await rule(3)
        return WHERE.get()

    assert asyncio.run(play()) == "nowhere"


def test_what_the_chosen_side_sets_is_set() -> None:
    rule = Experiment("rule", wandering, old, to=[])

    async def play() -> str:
        await rule(3)
        return WHERE.get()

    assert asyncio.run(play()) == "away"


@pytest.mark.parametrize("mode", MODES)
def test_a_coroutine_beyond_its_budget_is_ended_and_told(told: Kept, mode: Literal["inline", "after"]) -> None:
    ended: list[str] = []

    async def endless(_: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")
        return 1

    rule = Experiment("rule", old, endless, mode=mode, budget="1ms")
    assert played(lambda: rule(3)) == 6
    assert ended == ["ended"]
    assert names(told) == ["new_error"]


def test_a_caller_that_is_cancelled_is_cancelled_and_so_is_the_other_side(told: Kept) -> None:
    async def waiting(_: int) -> int:
        await asyncio.Event().wait()
        return 1

    async def play() -> list[str]:
        ends: list[str] = []
        for _ in range(6):
            task = asyncio.ensure_future(Experiment("rule", old, waiting)(3))
            for _ in range(5):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            ends.append("cancelled" if task.cancelled() else "ended")
        await settled()
        return ends

    assert asyncio.run(play()) == ["cancelled"] * 6
    assert names(told) == ["skipped"] * 6


def test_a_program_without_asyncio_gets_its_answer(told: Kept) -> None:
    async def plain(number: int) -> int:
        return number

    running = Experiment("rule", plain, plain)(3)
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert ended.value.value == 3
    assert names(told) == ["skipped"]


def test_it_is_seen_as_a_coroutine_function() -> None:
    assert inspect.iscoroutinefunction(Experiment("rule", old, new)) or asyncio.iscoroutinefunction(
        Experiment("rule", old, new)
    )
    assert not asyncio.iscoroutinefunction(Experiment("rule", abs, abs))


def test_sides_of_two_kinds_are_refused() -> None:
    with pytest.raises(SettingsError, match="old is a coroutine function and new a function"):
        Experiment("rule", old, abs)
