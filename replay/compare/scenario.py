"""A scenario compared: each step that both sides came to as a case of its own, told by the step's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from replay.compare.compared import Compared
from replay.compare.handed import handed_out
from replay.compare.names import Names
from replay.compare.reading import Pair
from replay.locations.parsing import SCENES
from replay.models import Acceptance, Binding, Case, Json, Observation, Played, Result, Step
from replay.placeholders import filled_expectation

Compare = Callable[[Pair], Compared]


def together(compare: Compare, whole: Pair) -> Compared:
    """Compare step by step, and return all that is found, each location with `steps.NAME.` before it.

    A case that is none of several steps, but knows of names that each side gave itself, is its own only step.
    """
    found = [_named(pair.case.step, compare(pair), accepted) for pair, accepted in _parts(whole)]
    if not whole.case.steps:
        return found[0]
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
    for pair, _ in _parts(Pair(result.case, result.old, result.new)):
        yield replace(result, case=pair.case, old=pair.old, new=pair.new)


Part = tuple[Pair, tuple[Acceptance, ...]]
"""What is compared, with new's answer in old's words, and where these are others than its own."""


def _parts(whole: Pair) -> Iterator[Part]:
    if whole.case.steps:
        yield from _steps(whole)
    else:
        names = Names(it for it in whole.case.bound if it.same)
        yield _in_words(replace(whole.case, bound=()), whole.old, whole.new, names)


def _steps(whole: Pair) -> Iterator[Part]:
    """Yield each step to which the sides that were asked came; what it expects is filled with what was captured."""
    case, names = whole.case, Names()
    mine, theirs = _by_step(whole.old), _by_step(whole.new)
    values: dict[str, Json] = {}
    for step in case.steps:
        one, other = mine.get(step.name), theirs.get(step.name)
        if other is None or (one is None and whole.old is not None):
            return
        values |= other.captured if one is None else one.captured
        for binding in _bindings(step, one, other):
            names.bind(binding)
        asked = case.at_step(step)
        if asked.expect is not None:
            asked = replace(asked, expect=filled_expectation(asked.expect, values))
        yield _in_words(asked, None if one is None else one.seen, other.seen, names)


def _bindings(step: Step, one: Played | None, other: Played) -> Iterator[Binding]:
    """Yield what both sides captured at a step and had just named themselves."""
    if one is None:
        return
    for name in step.capture:
        if name in one.captured and name in other.captured:
            binding = Binding(one.captured[name], other.captured[name], step.capture[name], step.name)
            if handed_out(binding, step.request.method, one.seen, other.seen):
                yield binding


def _in_words(case: Case, old: Observation | None, new: Observation | None, names: Names) -> Part:
    said, accepted = (new, ()) if new is None or old is None else names.in_words_of_old(new)
    return Pair(case, old, said, names=names), accepted


def _by_step(observation: Observation | None) -> Mapping[str, Played]:
    return {} if observation is None else {it.step: it for it in observation.steps}


def _named(step: str, compared: Compared, words: tuple[Acceptance, ...]) -> Compared:
    """Return what was found at a step with its name, and where it was compared in old's words."""
    found = replace(compared, accepted=(*words, *compared.accepted))
    if not step:
        return found
    return replace(
        found,
        differences=tuple(replace(it, at=at_step(step, it.at)) for it in found.differences),
        accepted=tuple(replace(it, at=at_step(step, it.at)) for it in found.accepted),
        measures=tuple(replace(it, at=at_step(step, it.at)) for it in found.measures),
    )


def at_step(step: str, at: str) -> str:
    """Return the location of what was found at a step, as a rule of the scenario would have it."""
    if at.startswith(f"{SCENES}."):  # a rule's own location, where what it intends was not seen
        return at
    return f"{SCENES}.{step}{at}" if at.startswith(("[", "..")) else f"{SCENES}.{step}.{at}"
