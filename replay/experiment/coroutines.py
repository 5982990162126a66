"""Coroutine functions: the other side is a task of its own, so that its end or cancellation is not the caller's.

It takes asyncio (uvloop too). Where another event loop runs, the chosen side is awaited alone, and that is told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from contextvars import Context, Token
from typing import TYPE_CHECKING, Any, Final

from replay.experiment.afterwards import kept_for_later
from replay.experiment.clock import wall_ns
from replay.experiment.drawing import drawn
from replay.experiment.dual_call import Asked, DualCall, begun, overdue
from replay.experiment.freezing import describe
from replay.experiment.inline import raise_as_it_was
from replay.experiment.outside import contain
from replay.experiment.sides import Seen, Within, unawaited, within
from replay.experiment.tracebacks import leave_out, name_of

if TYPE_CHECKING:
    import asyncio

Awaited = Callable[[], Coroutine[Any, Any, Any]]

MOST_TASKS: Final = 64
_tasks: Final[set[asyncio.Task[Any]]] = set()
"""All that are under way: the loop itself would let go of them."""


def await_both(asked: Asked) -> Coroutine[Any, Any, Any]:
    """Return a coroutine that returns or raises what the chosen side does, and awaits both, in random order."""
    return _shown(asked, _await_both)


def await_chosen_first(asked: Asked) -> Coroutine[Any, Any, Any]:
    """Return a coroutine that returns or raises what the chosen side does; the other one is awaited by a task."""
    return _shown(asked, _await_chosen_first)


async def _shown(asked: Asked, run: Callable[[Asked], Coroutine[Any, Any, Any]]) -> Any:
    try:
        return await run(asked)
    except BaseException as error:
        leave_out(error)
        raise


async def _await_both(asked: Asked) -> Any:
    call = begun_on_loop(asked)
    if call is None:
        return await await_chosen(asked)
    other_first = drawn() < 0.5  # noqa: PLR2004 - a coin
    other = await _other_before(asked, call) if other_first else None
    chosen = await observe_chosen(asked, call)
    try:
        if other_first:
            _settle(asked, call, chosen, other)
        else:
            await finish(asked, call, lambda: chosen, _asking(call, first=False))
    except BaseException as error:  # a lack of memory or stack, or the caller is cancelled meanwhile
        call.miss(error)
        if type(error) is not RecursionError and is_cancelled():
            raise
    if call.mismatch is not None:
        raise call.mismatch
    if chosen.error is not None:
        raise_as_it_was(chosen)
    return chosen.value


async def _await_chosen_first(asked: Asked) -> Any:
    call = begun_on_loop(asked)
    if call is None:
        return await await_chosen(asked)
    chosen = await observe_chosen(asked, call)
    try:
        kept = kept_for_later(asked, call, chosen)
        if kept is not None:
            later(call, lambda: finish(asked, call, kept, _asking(call, first=False)))
    except BaseException as error:  # noqa: BLE001 - a lack of memory or stack
        call.miss(error)
    if chosen.error is not None:
        raise_as_it_was(chosen)
    return chosen.value


def begun_on_loop(asked: Asked) -> DualCall | None:
    """Make both sides ready where asyncio runs; elsewhere tell so and return None."""
    if running_loop() is None:
        asked.terms.tell("loop", "coroutines are compared on asyncio's event loop alone")
        return None
    return begun(asked)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return asyncio's running loop, where there is one; a program that runs one has loaded asyncio."""
    module = sys.modules.get("asyncio")
    try:
        return None if module is None else module.get_running_loop()
    except RuntimeError:
        return None


# ------------------------------------------------------------------------------------------------------ the chosen side


async def await_chosen(asked: Asked) -> Any:
    """Await the chosen side alone, knowing that it runs within its experiment."""
    token = within.set(asked.chosen)
    try:
        return await asked.function(*asked.args, **asked.kwargs)
    finally:
        leave(token)


def leave(token: Token[Within | None]) -> None:
    """Set back what runs, unless somebody drives the coroutine in another context by now."""
    try:
        within.reset(token)
    except ValueError:
        return


async def observe_chosen(asked: Asked, call: DualCall) -> Seen:
    """Await the chosen side in the caller's own context and task. A cancellation is raised at once."""
    began = wall_ns()
    token = within.set(asked.chosen)
    try:
        seen = Seen(await asked.function(*asked.args, **asked.kwargs))
    except Exception as error:  # noqa: BLE001 - it is raised again, once the other side has been awaited as well
        seen = Seen(error=error)
    except BaseException as error:
        call.give_up(f"{call.chosen} was ended by {name_of(error)}")
        raise
    finally:
        leave(token)
    seen.wall_ns = wall_ns() - began
    return seen


# ------------------------------------------------------------------------------------------------------- the other side


def task_of(context: Context, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin a task in a context; it is kept until it ends, and what it raises is asked for."""
    import asyncio  # noqa: PLC0415 - loaded already: its loop runs

    try:
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), context=context, name="replay-experiment")
    except BaseException:  # a lack of memory or stack
        work.close()
        raise
    _tasks.add(task)
    task.add_done_callback(_done)
    return task


def _done(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled():
        task.exception()


def later(call: DualCall, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Have something awaited afterwards, unless too much is under way."""
    if len(_tasks) >= MOST_TASKS:
        call.give_up(f"not compared: {MOST_TASKS} calls were under way already", by_chance=True)
    else:
        # In a copy of the context: the other side and the settling enter the call's own.
        task = task_of(call.context.copy(), work())
        task.add_done_callback(lambda task: call.give_up("the loop ended") if task.cancelled() else None)


def _asking(call: DualCall, *, first: bool) -> Awaited:
    function, args, kwargs = call.other(first=first)
    return lambda: function(*args, **kwargs)


async def _other(asked: Asked, call: DualCall, run: Awaited) -> Seen | None:
    """Await the other side in a task of its own; return None where it did not come back within its budget."""
    import asyncio  # noqa: PLC0415 - loaded already: its loop runs

    budget = asked.terms.guard.budget_ns
    task = task_of(call.context, _observed(run))
    try:
        await asyncio.wait([task], timeout=None if budget is None else budget / 1e9)
    except asyncio.CancelledError:  # the caller itself is cancelled: nothing of the other side can cancel this task
        task.cancel()
        call.give_up("the caller was cancelled")
        raise
    if not task.done():
        task.cancel()
        return None
    return Seen(error=asyncio.CancelledError()) if task.cancelled() else task.result()


async def _other_before(asked: Asked, call: DualCall) -> Seen | None:
    """Await the other side before the chosen one. Only a cancellation of the caller's task is raised."""
    try:
        return await _other(asked, call, _asking(call, first=True))
    except BaseException as error:
        contain(error)
        if is_cancelled():
            raise
        call.give_up(f"it could not be compared: {describe(error)}")
        return None


async def _observed(run: Awaited) -> Seen:
    began = wall_ns()
    try:
        seen = Seen(unawaited(await run()))
    except BaseException as error:
        contain(error)
        if is_cancelled():
            raise
        seen = Seen(error=error)
    seen.wall_ns = wall_ns() - began
    return seen


def is_cancelled() -> bool:
    """Tell whether the running task itself is being cancelled."""
    import asyncio  # noqa: PLC0415 - loaded already: its loop runs

    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def finish(asked: Asked, call: DualCall, chosen: Callable[[], Seen], run: Awaited) -> None:
    """Await the other side and settle the call. Only a cancellation of this task itself is raised."""
    try:
        _settle(asked, call, chosen(), await _other(asked, call, run))
    except BaseException as error:
        contain(error)
        if is_cancelled():
            raise
        call.give_up(f"it could not be compared: {describe(error)}")


def _settle(asked: Asked, call: DualCall, chosen: Seen, other: Seen | None) -> None:
    if other is not None:
        call.settle(chosen, other)
    else:
        call.settle(chosen, overdue(asked.terms.guard.budget_ns or 0), elsewhere=True)
