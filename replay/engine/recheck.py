"""Differences that are gone when both sides are asked again a little later: said, and counted for nothing.

Decisions:

- Only cases whose methods change nothing are asked again, and only where nothing but differences is to be settled: an
  error stays one.
- All askings are made, so that what comes and goes is told from what is gone: a difference has converged if it is
  absent from some asking on to the last, and from the last two at least where there are two. One that is seen in the
  last asking stays, and so does one whose place cannot be looked at since a side failed.
- A difference is the same one if it is at the same place, above it or below it.
- An asking in which the sides part at a place where they did not at first settles nothing: what is wrong may have
  moved, with the item of a list that it is in. Neither does one that was answered with a status that nobody gave at
  first, or that both sides refuse by now: two that have enough of being asked agree on nothing but that.
- The first answers stay what is kept and shown. When a difference was gone is told by the schedule of the askings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from replay.engine.outcome import outcome_of
from replay.models import Difference, RecheckSpec, Result

CONVERGED: Final = "converged"
"""The flag of a case of which a difference was gone when it was asked again."""
_ENOUGH: Final = 2
_REFUSED: Final = 400


def settled(first: Result, later: Sequence[Result], spec: RecheckSpec) -> Result:
    """Return the result with those differences marked that were gone for good in later askings of the same case."""
    askings = [each if _settles(each, first) else None for each in later]
    differences = tuple(_marked(each, askings, spec) for each in first.differences)
    if differences == first.differences:
        return first
    return replace(first, differences=differences, outcome=outcome_of(differences), flags=(*first.flags, CONVERGED))


def carried(before: Result, after: Result) -> Result:
    """Return a result that was judged again, with what had converged when the sides were asked."""
    if CONVERGED not in before.flags:
        return after
    # By another rule nobody knows whether it was gone: the later answers are not kept.
    told = {(each.at, each.against, each.rule): each.converged for each in before.differences if each.converged}
    differences = tuple(replace(it, converged=told.get((it.at, it.against, it.rule), "")) for it in after.differences)
    if not any(each.converged for each in differences):
        return after
    outcome = outcome_of(differences) if after.outcome == "deviation" else after.outcome
    return replace(after, differences=differences, outcome=outcome, flags=(*after.flags, CONVERGED))


def _settles(asking: Result, first: Result) -> bool:
    """Tell whether an asking shows what has become of the first one's differences, and not something else."""
    if asking.error is not None or asking.skipped is not None or not _as_good(asking, first):
        return False
    return all(any(_same_place(it, each) for each in first.differences) for it in asking.differences if it.counts)


def _as_good(asking: Result, first: Result) -> bool:
    """Tell whether no step has a status that nobody gave at first, nor is refused by both where one side answered."""
    now, then = _statuses(asking), _statuses(first)
    answered = {step for step, status in now if (status or 0) < _REFUSED}
    return now <= then and all(step in answered for step, status in then if (status or 0) < _REFUSED)


def _statuses(result: Result) -> set[tuple[str, int | None]]:
    """Return what the sides answered with, at each step of a scenario."""
    sides = [seen for seen in (result.old, result.new) if seen is not None]
    return {
        (step, seen.status) for side in sides for step, seen in [("", side), *((it.step, it.seen) for it in side.steps)]
    }


def _marked(difference: Difference, later: Sequence[Result | None], spec: RecheckSpec) -> Difference:
    """Return a difference with when it was gone, if it was; askings that settle nothing are None."""
    if not difference.counts:
        return difference
    absent = 0
    for result in reversed(later):
        if result is None or any(_same_place(it, difference) for it in result.differences):
            break
        absent += 1
    if absent < min(_ENOUGH, spec.times):
        return difference
    asking = len(later) - absent + 1
    after = asking * spec.every.total_seconds()
    return replace(difference, converged=f"gone after {after:g} s, in {absent} of {len(later)} further askings")


def _same_place(one: Difference, other: Difference) -> bool:
    return one.against == other.against and (_within(one.at, other.at) or _within(other.at, one.at))


def _within(at: str, above: str) -> bool:
    return at == above or (at.startswith(above) and at[len(above)] in ".[")
