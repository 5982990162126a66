"""The chosen side first; the other one afterwards, in a thread, so that the caller never waits for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from replay.experiment.crew import CROWDED, OVERDUE
from replay.experiment.dual_call import Asked, DualCall, begun, overdue
from replay.experiment.freezing import UnfitError, describe
from replay.experiment.inline import observe_chosen, raise_as_it_was, run_chosen
from replay.experiment.outside import contain
from replay.experiment.reporting import REPORTER
from replay.experiment.sides import Seen


def run_chosen_first(asked: Asked) -> Any:
    """Return or raise what the chosen side does."""
    call = begun(asked)
    if call is None:
        return run_chosen(asked)
    chosen = observe_chosen(asked, call)
    try:
        kept = kept_for_later(asked, call, chosen)
        if kept is not None:
            REPORTER.expect()
            asked.terms.crew.take(partial(_finish, asked, call, kept))
    except BaseException as error:  # noqa: BLE001 - a lack of memory or stack
        call.miss(error)
    if chosen.error is not None:
        raise_as_it_was(chosen)
    return chosen.value


def kept_for_later(asked: Asked, call: DualCall, chosen: Seen) -> Callable[[], Seen] | None:
    """Keep what the chosen side gave; where that cannot be, tell so and return None."""
    try:
        return asked.terms.answers.as_it_was(call.chosen, chosen)
    except UnfitError as error:
        call.give_up(str(error))
    except BaseException as error:  # noqa: BLE001 - classes may raise anything
        contain(error)
        call.give_up(f"what {call.chosen} gave cannot be kept")
    asked.terms.note(failed=True)
    return None


def _finish(asked: Asked, call: DualCall, kept: Callable[[], Seen], why_not: str) -> None:
    """Run the other side and settle the call, in a thread that nothing may end."""
    if why_not and why_not is not OVERDUE:
        call.give_up(f"not compared: {why_not}", by_chance=why_not is CROWDED)
        return
    try:
        if why_not is OVERDUE:
            call.settle(kept(), overdue(asked.terms.crew.away_ns), elsewhere=True)
        else:
            call.settle(kept(), call.run_other(first=False))
    except BaseException as error:  # noqa: BLE001 - a copy that cannot be read back
        call.give_up(f"it could not be compared: {describe(error)}")
