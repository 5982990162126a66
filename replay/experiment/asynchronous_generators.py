"""Asynchronous generator functions: as generators, the other one in a task of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any, Final, NoReturn

from replay.experiment.clock import wall_ns
from replay.experiment.coroutines import begun_on_loop, finish, is_cancelled, later, leave
from replay.experiment.dual_call import Asked, DualCall
from replay.experiment.freezing import reason_of
from replay.experiment.inline import raise_as_it_was
from replay.experiment.outside import contain
from replay.experiment.scripts import Script, as_item, whole
from replay.experiment.sides import Seen, unawaited, within
from replay.experiment.tracebacks import leave_out, name_of

Source = AsyncGenerator[Any, Any]
Step = Callable[[], Awaitable[Any]]
_END: Final = object()


def await_items_of_both(asked: Asked) -> Source:
    """Return a generator that gives what the chosen one gives; the other one is asked when it ends."""
    return _gone_through(asked, here=True)


def await_items_of_chosen_first(asked: Asked) -> Source:
    """Return a generator that gives what the chosen one gives; the other one is asked afterwards, by a task."""
    return _gone_through(asked, here=False)


async def _gone_through(asked: Asked, *, here: bool) -> Source:
    call, script, ended = begun_on_loop(asked), Script(), Seen()
    source: Source = asked.function(*asked.args, **asked.kwargs)
    step: Step = source.__anext__
    try:
        while (item := await _stepped(asked, step, script)) is not _END:
            script.add(item)
            try:
                sent = yield item
            except GeneratorExit:
                script.is_closed = True
                await source.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 - the caller threw it, and the generator may go on
                script.spoil("the caller threw an exception into it")
                step = partial(source.athrow, thrown)
            else:
                script.send(sent)
                step = partial(source.asend, sent)
    except Exception as error:  # noqa: BLE001 - it is raised again, once the other side has been asked as well
        script.fail(error)
        ended.error = error
    except BaseException as error:
        if not script.is_closed:
            script.spoil(f"{asked.chosen.side} was ended by {name_of(error)}")
        await _compare(asked, call, script, here=False)
        leave_out(error)
        raise
    await _compare(asked, call, script, here=here)
    if ended.error is not None:
        _raise(ended)


def _raise(ended: Seen) -> NoReturn:
    try:
        raise_as_it_was(ended)
    except BaseException as error:
        leave_out(error)
        raise


async def _stepped(asked: Asked, step: Step, script: Script) -> Any:
    """Take one step of the chosen generator; return a mark of our own where it has ended."""
    began = wall_ns()
    token = within.set(asked.chosen)
    try:
        return await step()
    except StopAsyncIteration:
        return _END
    finally:
        leave(token)
        script.took(began)


async def _compare(asked: Asked, call: DualCall | None, script: Script, *, here: bool) -> None:
    """Ask the other generator the same: here, or by a task, as where the caller has left off half way."""
    if call is None:
        return
    try:
        if script.spoilt:
            call.give_up(script.spoilt)
        else:
            await _ask_other(asked, call, script, here=here)
    except BaseException as error:  # a lack of memory or stack, or the caller is cancelled meanwhile
        call.miss(error)
        if type(error) is not RecursionError and is_cancelled():
            raise


async def _ask_other(asked: Asked, call: DualCall, script: Script, *, here: bool) -> None:
    function, args, kwargs = call.other(first=False)
    play = partial(_played, asked, script, partial(function, *args, **kwargs))
    try:
        chosen = script.chosen(asked.terms.answers)
    except BaseException as error:  # noqa: BLE001 - classes may raise anything
        contain(error)
        call.give_up(reason_of(error))
        return
    if here:
        await finish(asked, call, chosen, play)
    else:
        later(call, lambda: finish(asked, call, chosen, play))


async def _played(asked: Asked, script: Script, begin: Callable[[], Source]) -> Any:
    """Return what another generator gives for what was sent to the first one."""
    items: list[Any] = []
    source = begin()
    try:
        for value in script.values:
            items.append(unawaited(await source.asend(value)))  # noqa: PERF401 - what came before it fails is kept
    except StopAsyncIteration:
        return whole(items, None)
    except asked.terms.answers.raises as error:
        contain(error)
        return whole(items, None, as_item(error))
    finally:
        await source.aclose()
    return whole(items, None)
