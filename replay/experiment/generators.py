"""Generator functions: the caller goes through the chosen generator; at its end the other one is asked the same."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from replay.experiment.clock import wall_ns
from replay.experiment.crew import CROWDED, OVERDUE
from replay.experiment.dual_call import Asked, DualCall, begun, overdue
from replay.experiment.freezing import describe, reason_of
from replay.experiment.inline import raise_as_it_was
from replay.experiment.outside import contain
from replay.experiment.reporting import REPORTER
from replay.experiment.scripts import Script, played
from replay.experiment.sides import Seen, observed, within
from replay.experiment.tracebacks import leave_out, name_of

Source = Generator[Any, Any, Any]


def go_through_both(asked: Asked) -> Source:
    """Return a generator that gives what the chosen one gives; the other one is asked when it ends."""
    return _shown(asked, here=True)


def go_through_chosen_first(asked: Asked) -> Source:
    """Return a generator that gives what the chosen one gives; the other one is asked afterwards, in a thread."""
    return _shown(asked, here=False)


def _shown(asked: Asked, *, here: bool) -> Source:
    try:
        return (yield from _gone_through(asked, here=here))
    except BaseException as error:
        leave_out(error)
        raise


def _gone_through(asked: Asked, *, here: bool) -> Source:
    call, script = begun(asked), Script()
    if call is None:
        script.spoil("told already")
    ended = Seen()
    try:
        ended.value = yield from _watched(asked, asked.function(*asked.args, **asked.kwargs), script)
    except Exception as error:  # noqa: BLE001 - it is raised again, once the other side has been asked as well
        script.fail(error)
        ended.error = error
    except BaseException:
        _compare(asked, call, script, here=False)
        raise
    _compare(asked, call, script, here=here)
    if ended.error is not None:
        raise_as_it_was(ended)
    return ended.value


def _watched(asked: Asked, source: Source, script: Script) -> Source:
    """Pass on what the caller does with a generator, and take note of it."""
    step: Callable[[], Any] = partial(next, source)
    while True:
        try:
            item = _stepped(asked, step, script)
        except StopIteration as stop:
            script.end(stop.value)
            return stop.value
        except Exception:
            raise
        except BaseException as error:
            script.spoil(f"{asked.chosen.side} was ended by {name_of(error)}")
            raise
        script.add(item)
        try:
            sent = yield item
        except GeneratorExit:
            script.is_closed = True
            source.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 - the caller threw it, and the generator may go on
            script.spoil("the caller threw an exception into it")
            step = partial(source.throw, thrown)
        else:
            script.send(sent)
            step = partial(source.send, sent)


def _stepped(asked: Asked, step: Callable[[], Any], script: Script) -> Any:
    began = wall_ns()
    token = within.set(asked.chosen)
    try:
        return step()
    finally:
        within.reset(token)
        script.took(began)


def _compare(asked: Asked, call: DualCall | None, script: Script, *, here: bool) -> None:
    """Ask the other generator the same: here, or in a thread, as where the caller has left off half way."""
    if call is None:
        return
    try:
        if script.spoilt:
            call.give_up(script.spoilt)
        else:
            _ask_other(asked, call, script, here=here)
    except BaseException as error:  # noqa: BLE001 - a lack of memory or stack
        call.miss(error)


def _ask_other(asked: Asked, call: DualCall, script: Script, *, here: bool) -> None:
    try:
        job = partial(_finish, asked, call, script, script.chosen(asked.terms.answers))
        if here:
            job("")
        else:
            REPORTER.expect()
            asked.terms.crew.take(job)
    except BaseException as error:  # noqa: BLE001 - classes may raise anything
        contain(error)
        call.give_up(reason_of(error))


def _finish(asked: Asked, call: DualCall, script: Script, chosen: Callable[[], Seen], why_not: str) -> None:
    if why_not and why_not is not OVERDUE:
        call.give_up(f"not compared: {why_not}", by_chance=why_not is CROWDED)
        return
    try:
        if why_not is OVERDUE:
            call.settle(chosen(), overdue(asked.terms.crew.away_ns), elsewhere=True)
            return
        function, args, kwargs = call.other(first=False)

        def play() -> Any:
            source = function(*args, **kwargs)
            try:
                return played(script, asked.terms.answers, source.send)
            finally:
                source.close()

        call.settle(chosen(), observed(call.context, play, (), {}, cpu=asked.terms.guard.counts_cpu))
    except BaseException as error:  # noqa: BLE001 - classes may raise anything
        contain(error)
        call.give_up(f"it could not be compared: {describe(error)}")
