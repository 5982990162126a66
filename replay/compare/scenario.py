"""A scenario compared: each step that both sides came to as a case of its own, told by the step's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from replay.compare.compared import Compared
from replay.compare.reading import Pair
from replay.locations.parsing import SCENES
from replay.models import Json, Observation, Played, Result
from replay.placeholders import filled_expectation

Compare = Callable[[Pair], Compared]


def together(compare: Compare, whole: Pair) -> Compared:
    """Compare step by step, and return all that is found, each location with `steps.NAME.` before it."""
    found = [_named(pair.case.step, compare(pair)) for pair in pairs_of(whole)]
    return Compared(
        differences=tuple(each for it in found for each in it.differences),
        accepted=tuple(each for it in found for each in it.accepted),
        measures=tuple(each for it in found for each in it.measures),
        flags=tuple(dict.fromkeys(flag for it in found for flag in it.flags)),
        evidence=any(it.evidence for it in found),
    )


def steps_of(result: Result) -> Iterator[Result]:
    """Yield each step of a scenario to which both sides came as a result of its own; any other result as it is."""
    if result.new is None:
        return
    for pair in pairs_of(Pair(result.case, result.old, result.new)):
        yield replace(result, case=pair.case, old=pair.old, new=pair.new)


def pairs_of(whole: Pair) -> Iterator[Pair]:
    """Yield each step to which the sides that were asked came; what it expects is filled with what was captured."""
    case = whole.case
    if not case.steps:
        yield whole
        return
    mine, theirs = _by_step(whole.old), _by_step(whole.new)
    values: dict[str, Json] = {}
    for step in case.steps:
        one, other = mine.get(step.name), theirs.get(step.name)
        if other is None or (one is None and whole.old is not None):
            return
        values |= other.captured
        asked = case.at_step(step)
        if asked.expect is not None:
            asked = replace(asked, expect=filled_expectation(asked.expect, values))
        yield Pair(asked, None if one is None else one.seen, other.seen)


def _by_step(observation: Observation | None) -> Mapping[str, Played]:
    return {} if observation is None else {it.step: it for it in observation.steps}


def _named(step: str, compared: Compared) -> Compared:
    return Compared(
        differences=tuple(replace(it, at=at_step(step, it.at)) for it in compared.differences),
        accepted=tuple(replace(it, at=at_step(step, it.at)) for it in compared.accepted),
        measures=tuple(replace(it, at=at_step(step, it.at)) for it in compared.measures),
        flags=compared.flags,
        evidence=compared.evidence,
    )


def at_step(step: str, at: str) -> str:
    """Return the location of what was found at a step, as a rule of the scenario would have it."""
    if at.startswith(f"{SCENES}."):  # a rule's own location, where what it intends was not seen
        return at
    return f"{SCENES}.{step}{at}" if at.startswith(("[", "..")) else f"{SCENES}.{step}.{at}"
