"""The steps of a scenario as `replay show` prints them: what was sent, what each side said and what was kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from replay.counting import counted
from replay.documents.json_text import json_head
from replay.inert import printable
from replay.models import Binding, Observation, Played, Result, Side, Step
from replay.reports.exchange import headline, request_lines
from replay.reports.facts import LONGEST
from replay.reports.page import Line, title, wrapped

_MOST_STEPS: Final = 100
_LONGEST_VALUE: Final = 100


def scene_lines(result: Result, width: int) -> Iterator[Line]:
    """Yield each step with what both sides did there."""
    steps = result.case.steps
    sides: tuple[tuple[Side, Observation | None], ...] = (("old", result.old), ("new", result.new))
    yield from title(counted(len(steps), "step").capitalize())
    for number, step in enumerate(steps[:_MOST_STEPS], start=1):
        yield from wrapped(f"{number}. {step.name}{_manner(step)}", width, "  ", style="bold", hang=3)
        yield from request_lines(step.request, width, "     ")
        for side, whole in sides:
            yield from _side(side, step, whole, width)
    if len(steps) > _MOST_STEPS:
        yield f"  ... and {len(steps) - _MOST_STEPS:,} more; `--report json:FILE` holds them all", ""


def bound_lines(bound: Sequence[Binding], width: int) -> Iterator[Line]:
    """Yield what an earlier answer of the session handed out on each side, or this one does, and where it is used."""
    if not bound:
        return
    yield from title("Each side's own")
    for it in bound[:_MOST_STEPS]:
        used = f", used in {', '.join(it.used)}" if it.used else ""
        head = f"{it.at or 'by a rule'}  (handed out by {it.by}{used})"
        yield from wrapped(printable(head, LONGEST), width, "  ", hang=2)
        for name, value in (("recorded", it.recorded), ("old", it.old), ("new", it.new)):
            if value is not None or name != "recorded":
                said = "handed out nothing" if value is None else json_head(value, _LONGEST_VALUE)
                yield from wrapped(f"{name:<8}  {printable(said, _LONGEST_VALUE)}", width, "    ", style="dim", hang=10)
        if not it.same:
            yield from wrapped("not taken for two names of one thing", width, "    ", style="yellow", hang=2)


def _manner(step: Step) -> str:
    """Return when and how often a step is sent, where it is more than once and at once."""
    parts = []
    if step.advance:
        parts.append(f"{step.advance:g} s later on the frozen clock")
    if step.settle:
        parts.append(f"after {step.settle:g} s")
    if step.until is not None:
        parts.append(f"until {printable(step.until.holds, LONGEST)}, for {step.until.within:g} s at most")
    if step.pages is not None:
        parts.append(f"while {printable(step.pages.going_on, LONGEST)}, {step.pages.most:,} pages at most")
    return f"  ({'; '.join(parts)})" if parts else ""


def _side(side: Side, step: Step, whole: Observation | None, width: int) -> Iterator[Line]:
    if whole is None:
        return
    played = next((it for it in whole.steps if it.step == step.name), None)
    said = "did not come to it" if played is None else f"{headline(played.seen)}{_times(played)}"
    yield from wrapped(f"{side}  {said}", width, "     ", hang=5)
    for name, value in played.captured.items() if played is not None else ():
        shown = printable(json_head(value, _LONGEST_VALUE), _LONGEST_VALUE)
        yield from wrapped(f"{printable(name, LONGEST)} = {shown}", width, "          ", style="dim", hang=2)


def _times(played: Played) -> str:
    return f", asked {played.asked} times" if played.asked > 1 else ""
