"""Differences that are gone when both sides are asked again a little later: said, and counted for nothing.

Decisions:

- Only cases whose methods change nothing are asked again, and only where nothing but differences is to be settled: an
  error stays one.
- All askings are made, so that what comes and goes is told from what is gone: a difference has converged if it is
  absent from some asking on to the last, and from the last two at least where there are two. One that is seen in the
  last asking stays, and so does one whose place cannot be looked at since a side failed.
- A difference is the same one if it is at the same place, above it or below it.
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


def settled(first: Result, later: Sequence[Result], spec: RecheckSpec) -> Result:
    """Return the result with those differences marked that were gone for good in later askings of the same case."""
    differences = tuple(_marked(each, later, spec) for each in first.differences)
    if differences == first.differences:
        return first
    return replace(first, differences=differences, outcome=outcome_of(differences), flags=(*first.flags, CONVERGED))


def carried(before: Result, after: Result) -> Result:
    """Return a result that was judged again, with what had converged when the sides were asked."""
    if CONVERGED not in before.flags:
        return after
    told = {(each.at, each.against): each.converged for each in before.differences if each.converged}
    differences = tuple(replace(it, converged=told.get((it.at, it.against), "")) for it in after.differences)
    outcome = outcome_of(differences) if after.outcome == "deviation" else after.outcome
    return replace(after, differences=differences, outcome=outcome, flags=(*after.flags, CONVERGED))


def _marked(difference: Difference, later: Sequence[Result], spec: RecheckSpec) -> Difference:
    if not difference.counts:
        return difference
    absent = 0
    for result in reversed(later):
        if _shows(result, difference):
            break
        absent += 1
    if absent < min(_ENOUGH, len(later)) or not absent:
        return difference
    asking = len(later) - absent + 1
    after = asking * spec.every.total_seconds()
    return replace(difference, converged=f"gone after {after:g} s, in {absent} of {len(later)} further askings")


def _shows(result: Result, difference: Difference) -> bool:
    """Tell whether a difference is still there, or may be: nobody could look where a side failed."""
    if result.error is not None or result.skipped is not None:
        return True
    alike = (it for it in result.differences if it.against == difference.against)
    return any(_within(it.at, difference.at) or _within(difference.at, it.at) for it in alike)


def _within(at: str, above: str) -> bool:
    return at == above or (at.startswith(above) and at[len(above)] in ".[")
