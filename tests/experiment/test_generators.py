"""Generators: the caller goes through the chosen one, as far as it likes; the other one is asked the same."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import Any, Literal

import pytest

from replay.experiment import Experiment, flush
from tests.experiment.kept import Kept

MODES: list[Literal["inline", "after"]] = ["inline", "after"]


def told_of(told: Kept, number: int) -> list[str]:
    """Return how so many calls came out, once all are told."""
    for _ in range(1000):
        assert flush(10)
        if len(told.outcomes) >= number:
            return told.names
        threading.Event().wait(0.01)
    raise AssertionError(told.names)


def counted(most: int) -> Iterator[int]:
    yield from range(most)


def listed(most: int) -> Iterator[int]:
    number = 0
    while number < most:
        yield number
        number += 1


def longer(most: int) -> Iterator[int]:
    yield from range(most + 1)


def other_end(most: int) -> Generator[int, None, str]:
    yield from range(most)
    return "end"


def failing(most: int) -> Iterator[int]:
    yield from range(most)
    raise ValueError(most)


def endless(_: int) -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def echo(_: int) -> Generator[Any, Any, Any]:
    got = None
    while got != "stop":
        got = yield got
    return "stopped"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (listed, "match"),
        (longer, "deviation"),
        (other_end, "deviation"),
        (failing, "new_error"),
        (endless, "deviation"),
    ],
)
def test_all_items_are_compared(
    told: Kept, mode: Literal["inline", "after"], other: Callable[[int], Iterator[int]], outcome: str
) -> None:
    assert list(Experiment("rule", counted, other, mode=mode)(3)) == [0, 1, 2]
    assert told_of(told, 1) == [outcome]


def test_one_that_is_closed_half_way_is_compared_as_far_as_it_went(told: Kept) -> None:
    source: Any = Experiment("rule", endless, counted)(5)
    assert [next(source) for _ in range(3)] == [0, 1, 2]
    source.close()
    assert told_of(told, 1) == ["match"]


def test_one_that_is_dropped_half_way_is_closed(told: Kept) -> None:
    source = Experiment("rule", counted, counted)(5)
    assert next(source) == 0
    del source
    gc.collect()
    assert told_of(told, 1) == ["match"]


def test_what_is_sent_is_sent_to_both_and_the_end_has_its_value(told: Kept) -> None:
    source = Experiment("rule", echo, echo)(0)
    assert [source.send(value) for value in (None, "a", "b")] == [None, "a", "b"]
    with pytest.raises(StopIteration) as ended:
        source.send("stop")
    assert ended.value.value == "stopped"
    assert told_of(told, 1) == ["match"]


def test_an_exception_that_is_thrown_in_reaches_the_chosen_one(told: Kept) -> None:
    def catching(_: int) -> Iterator[str]:
        try:
            yield "first"
        except ValueError:
            yield "caught"

    source = Experiment("rule", catching, catching)(0)
    next(source)
    assert source.throw(ValueError("thrown")) == "caught"  # type: ignore[attr-defined]
    assert list(source) == []
    assert told_of(told, 1) == ["skipped"]


def test_a_generator_that_fails_fails_with_its_own_traceback(told: Kept) -> None:
    with pytest.raises(ValueError, match="2") as caught:
        list(Experiment("rule", failing, counted)(2))
    files = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert files == ["test_a_generator_that_fails_fails_with_its_own_traceback", "failing"]
    assert told_of(told, 1) == ["old_error"]


class RefusedError(Exception):
    """An exception that is an answer, of which the message tells not all."""

    def __init__(self, code: int) -> None:
        super().__init__("refused")
        self.code = code


@pytest.mark.parametrize(("code", "outcome"), [(404, "match"), (410, "deviation")])
def test_exceptions_that_are_answers_are_compared_by_all_that_they_hold(told: Kept, code: int, outcome: str) -> None:
    def refusing(with_code: int) -> Callable[[], Iterator[int]]:
        def items() -> Iterator[int]:
            yield 1
            raise RefusedError(with_code)

        return items

    rule = Experiment("rule", refusing(404), refusing(code), raises=(RefusedError,))
    with pytest.raises(RefusedError):
        list(rule())
    assert told_of(told, 1) == [outcome]


def test_messages_of_exceptions_that_are_answers_are_compared_to_their_end(told: Kept) -> None:
    def refusing(text: str) -> Callable[[], Iterator[int]]:
        def items() -> Iterator[int]:
            yield 1
            raise KeyError(5 * 1000 * "long" + text)

        return items

    with pytest.raises(KeyError):
        list(Experiment("rule", refusing("er"), refusing("est"), raises=(KeyError,))())
    assert told_of(told, 1) == ["deviation"]


def test_items_are_compared_as_they_were_when_the_caller_got_them(told: Kept) -> None:
    def lists(_: int) -> Iterator[list[int]]:
        yield [1]
        yield [2]

    for item in Experiment("rule", lists, lists)(0):
        item.clear()
    assert told_of(told, 1) == ["match"]


def test_one_that_is_never_begun_is_not_compared(told: Kept) -> None:
    Experiment("rule", counted, longer)(3)
    assert flush(10)
    assert told.names == []


async def awaited(most: int) -> AsyncIterator[int]:
    for number in range(most):
        await asyncio.sleep(0)
        yield number


async def awaited_longer(most: int) -> AsyncIterator[int]:
    for number in range(most + 1):
        yield number


async def awaited_failing(_: int) -> AsyncIterator[int]:
    yield 0
    raise ValueError("late")


async def settled() -> None:
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("other", "outcome"), [(awaited, "match"), (awaited_longer, "deviation"), (awaited_failing, "new_error")]
)
def test_asynchronous_ones_too(
    told: Kept, mode: Literal["inline", "after"], other: Callable[[int], AsyncIterator[int]], outcome: str
) -> None:
    async def play() -> list[int]:
        items = [item async for item in Experiment("rule", awaited, other, mode=mode)(3)]
        await settled()
        return items

    assert asyncio.run(play()) == [0, 1, 2]
    assert told_of(told, 1) == [outcome]


def test_an_asynchronous_one_may_be_closed_half_way(told: Kept) -> None:
    async def play() -> list[int]:
        items: list[int] = []
        source: Any = Experiment("rule", awaited, awaited_longer)(3)
        async with aclosing(source):
            async for item in source:
                items.append(item)
                break
        await settled()
        return items

    assert asyncio.run(play()) == [0]
    assert told_of(told, 1) == ["match"]


def test_an_asynchronous_one_that_fails_fails_the_same(told: Kept) -> None:
    async def play() -> None:
        with pytest.raises(ValueError, match="late"):
            [item async for item in Experiment("rule", awaited_failing, awaited)(3)]

    asyncio.run(play())
    assert told_of(told, 1) == ["old_error"]
