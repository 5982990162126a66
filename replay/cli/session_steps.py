"""A captured case with what led to it in its session: sent once to both sides, it becomes a scenario to try out.

Nothing is stored, and what the sides hand out stays in memory: the scenario holds names in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from replay.cli.output import remark
from replay.curation.sessions import Session
from replay.engine import Plan
from replay.engine.probing import probing
from replay.errors import InputError, RunError, SettingsError
from replay.models import Case
from replay.rebinding import Foresight
from replay.rebinding.bounds import MOST_BYTES, MOST_CASES

_ALONE = "--alone takes the case by itself"


def with_session(
    plan: Plan, everything: Callable[[], Iterable[Case]], case: Case, store: Path, *, wanted: bool | None
) -> Case:
    """Return a case with what came before it in its session as the steps of a scenario.

    `wanted` says whether to bring the session; None is to bring it where the case uses what it handed out. `everything`
    are the cases among which the session is. Raise SettingsError where a session is wanted and there is none,
    InputError where no scenario can be made of it.
    """
    if wanted and case.session is None:
        raise SettingsError(f"--session: '{case.id}' has no session", hint="leave it out")
    if wanted is False or case.kind != "traffic" or case.session is None:
        return case
    cases, later = _session_of(everything(), case)
    if len(cases) == 1 or not (wanted or _uses(plan, cases)):
        return case
    with probing(plan, store, rebind=True, tell=remark) as probe:
        probe.require(case)
        results = probe.results(cases, later)
    if len(results) < len(cases):
        raise RunError(f"a side gives no answer any more after {results[-1].case.id}", hint="is it still there?")
    return Session([each for each in results if each.skipped is None]).case()


def _session_of(everything: Iterable[Case], case: Case) -> tuple[list[Case], list[Case]]:
    """Return the cases of a session up to one of them, in their order, and those behind it as far as there is room."""
    found: list[Case] = []
    place, size = None, 0
    for each in everything:
        if (each.session, each.turn, each.kind) != (case.session, case.turn, case.kind):
            continue
        size += len(each.request.body or b"") + (len(each.recorded.body) if each.recorded is not None else 0)
        if len(found) >= MOST_CASES or size > MOST_BYTES:
            break
        found.append(each)
        if each.identity == case.identity:
            place = len(found)
    if place is None:
        fact = f"more than {MOST_CASES:,} cases or {MOST_BYTES >> 20} MB come before it in its session"
        raise InputError(f"'{case.id}': {fact}", place=case.place or None, hint=_ALONE)
    return found[:place], found[place:]


def _uses(plan: Plan, cases: list[Case]) -> bool:
    """Tell whether the last case of a session says what an earlier answer handed out."""
    comparison = plan.referee.comparison
    foresight = Foresight(lambda case, spot: comparison.minted(case, spot.path))
    # All of them are within what it looks ahead, so that the first one comes when the last one was looked at.
    next(foresight.through(cases, lambda case: case))
    return cases[-1] in foresight.users(cases[0])
