"""Which cases are under way: so many at a time, a session's own cases in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

from replay.models import Case

T = TypeVar("T")
Tasks = set[asyncio.Task[T]]

GRACE: Final = 2.0
"""Seconds that cases under way get to finish once a run is stopped: what was sent should be known, not sent again."""


async def scheduled(
    cases: Iterable[Case], work: Callable[[Case], Awaitable[T]], *, concurrency: int, stop: asyncio.Event
) -> AsyncGenerator[T, None]:
    """Yield what `work` makes of each case, as it is finished. After `stop` no further case is begun.

    At most `concurrency` cases are taken from the source beyond those whose results were yielded, so that neither
    cases nor results pile up. With a concurrency of 1 the order is the source's. Where `work` raises, what is finished
    is yielded first. Close the generator (`aclosing`) where it is not read to its end.
    """
    under_way: Tasks[T] = set()
    last_of: dict[str, asyncio.Task[T]] = {}
    source = iter(cases)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set() and (case := next(source, None)) is not None:
            under_way.add(_begin(case, work, last_of, stop))
            if len(under_way) >= concurrency:
                for result in await _finished(under_way, stopping):
                    yield result
        while under_way and not stop.is_set():
            for result in await _finished(under_way, stopping):
                yield result
        if under_way:
            await asyncio.wait(under_way, timeout=GRACE)
            for result in _taken(under_way, {task for task in under_way if task.done()}):
                yield result
    finally:
        for task in (stopping, *under_way):
            task.cancel()
        await asyncio.gather(stopping, *under_way, return_exceptions=True)


def _begin(
    case: Case, work: Callable[[Case], Awaitable[T]], last_of: dict[str, asyncio.Task[T]], stop: asyncio.Event
) -> asyncio.Task[T]:
    session = case.session
    task = asyncio.ensure_future(_after(last_of.get(session) if session is not None else None, case, work, stop))
    if session is not None:
        last_of[session] = task
        task.add_done_callback(lambda done: last_of.pop(session) if last_of.get(session) is done else None)
    return task


async def _after(
    previous: asyncio.Task[T] | None, case: Case, work: Callable[[Case], Awaitable[T]], stop: asyncio.Event
) -> T:
    if previous is not None:
        await asyncio.wait([previous])
        if stop.is_set():
            raise asyncio.CancelledError
    return await work(case)


async def _finished(under_way: Tasks[T], stopping: asyncio.Task[Any]) -> list[T]:
    """Wait for whatever finishes next, and return what has; nothing when the run is stopped first."""
    awaited: set[asyncio.Task[Any]] = {*under_way, stopping}
    done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    return _taken(under_way, {task for task in under_way if task in done})


def _taken(under_way: Tasks[T], done: Tasks[T]) -> list[T]:
    """Take finished tasks off, and return what they made. One that failed stays until all others have been taken."""
    failed = [task for task in done if not task.cancelled() and task.exception() is not None]
    results = [task.result() for task in done if not task.cancelled() and task not in failed]
    if failed and not results:
        raise failed[0].exception() or asyncio.CancelledError
    under_way -= done - set(failed)
    return results
