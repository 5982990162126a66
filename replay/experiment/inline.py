"""Both sides now, in random order: the caller waits for both, and gets what the chosen one gave."""

from __future__ import annotations

from typing import Any, NoReturn

from replay.experiment.clock import wall_ns
from replay.experiment.drawing import drawn
from replay.experiment.dual_call import Asked, DualCall, begun
from replay.experiment.sides import Seen, other_of, within
from replay.experiment.tracebacks import context_of, name_of


def run_both(asked: Asked) -> Any:
    """Return or raise what the chosen side does."""
    call = begun(asked)
    if call is None:
        return run_chosen(asked)
    other_first = drawn() < 0.5  # noqa: PLR2004 - a coin
    other = run_other(call, first=True) if other_first else None
    chosen = observe_chosen(asked, call)
    try:
        call.look(call.chosen)
        other = other or run_other(call, first=False)
        call.look_at_both()
        call.settle(chosen, other)
    except BaseException as error:  # noqa: BLE001 - a lack of memory or stack
        call.miss(error)
    if call.mismatch is not None:
        raise call.mismatch
    if chosen.error is not None:
        raise_as_it_was(chosen)
    return chosen.value


def run_other(call: DualCall, *, first: bool) -> Seen:
    """Run the other side, and see what it did to the arguments."""
    seen = call.run_other(first=first)
    call.look(other_of(call.chosen))
    return seen


def run_chosen(asked: Asked) -> Any:
    """Run the chosen side alone, knowing that it runs within its experiment."""
    token = within.set(asked.chosen)
    try:
        return asked.function(*asked.args, **asked.kwargs)
    finally:
        within.reset(token)


def observe_chosen(asked: Asked, call: DualCall) -> Seen:
    """Run the chosen side in the caller's own context. What ends a program or a task is raised at once."""
    began = wall_ns()
    token = within.set(asked.chosen)
    try:
        seen = Seen(asked.function(*asked.args, **asked.kwargs))
    except Exception as error:  # noqa: BLE001 - it is raised again, once the other side has been asked as well
        seen = Seen(error=error)
    except BaseException as error:
        call.give_up(f"{call.chosen} was ended by {name_of(error)}")
        raise
    finally:
        within.reset(token)
    seen.wall_ns = wall_ns() - began
    return seen


def raise_as_it_was(chosen: Seen) -> NoReturn:
    """Raise the chosen side's own exception, which is to tell of nothing that came after it."""
    error, chosen.error = chosen.error, None
    assert error is not None  # noqa: S101 - for the type checker
    context = context_of(error)
    try:
        raise error
    finally:
        # Raising sets it to whatever the caller is handling. By the base class: an exception may be a frozen dataclass.
        BaseException.__setattr__(error, "__context__", context)
        del error, context
