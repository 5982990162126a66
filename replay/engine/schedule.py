"""Which cases are under way: so many at a time, a session's own cases in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

from replay.models import Case

T = TypeVar("T")


async def scheduled(
    cases: Iterable[Case], work: Callable[[Case], Awaitable[T]], *, concurrency: int, stop: asyncio.Event
) -> AsyncIterator[T]:
    """Yield what `work` makes of each case, as it is finished. After `stop` no further case is begun.

    At most `concurrency` cases are taken from the source beyond those whose results were yielded, so that neither
    cases nor results pile up. With a concurrency of 1 the order is the source's.
    """
    waiting: set[asyncio.Task[T]] = set()
    last_of: dict[str, asyncio.Task[T]] = {}
    source = iter(cases)
    try:
        while not stop.is_set() and (case := next(source, None)) is not None:
            task = _begin(case, work, last_of)
            waiting.add(task)
            if len(waiting) >= concurrency:
                async for result in _first(waiting, stop):
                    yield result
        while waiting and not stop.is_set():
            async for result in _first(waiting, stop):
                yield result
        for task in [task for task in waiting if task.done() and not task.cancelled()]:
            yield task.result()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _begin(case: Case, work: Callable[[Case], Awaitable[T]], last_of: dict[str, asyncio.Task[T]]) -> asyncio.Task[T]:
    session = case.session
    if session is None:
        return asyncio.ensure_future(_alone(case, work))
    task = asyncio.ensure_future(_after(last_of.get(session), case, work))
    last_of[session] = task
    task.add_done_callback(lambda done: last_of.pop(session) if last_of.get(session) is done else None)
    return task


async def _alone(case: Case, work: Callable[[Case], Awaitable[T]]) -> T:
    return await work(case)


async def _after(previous: asyncio.Task[T] | None, case: Case, work: Callable[[Case], Awaitable[T]]) -> T:
    if previous is not None:
        await asyncio.wait([previous])
    return await work(case)


async def _first(waiting: set[asyncio.Task[T]], stop: asyncio.Event) -> AsyncIterator[T]:
    """Yield the results of whatever finishes next, or nothing when the run is stopped first."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait({*waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done:
        if task is not stopping:
            waiting.discard(task)
            yield task.result()
