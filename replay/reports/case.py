"""One case in full, for `replay show`: what was sent, what came back, and where and why the sides part."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

from replay.counting import counted
from replay.documents.showing import cut_pair, shown_pair
from replay.inert import cut, printable
from replay.models import FEW_ITEMS, Difference, Measure, Result
from replay.reports.aligned import CONTEXT, Stretch, stretches
from replay.reports.exchange import headline, request_lines
from replay.reports.facts import LONGEST
from replay.reports.noise import again_lines
from replay.reports.page import Line, columns, title, wrapped, write_lines
from replay.reports.scenes import bound_lines, scene_lines

_MOST_LINES: Final = 60
_MOST_ENTRIES: Final = 50
"""Differences, acceptances and measures of one case that are printed."""
_LONGEST_TEXT: Final = 200_000
"""Characters of a value that are laid out in lines."""
_MARGIN: Final = 11
"""Columns before a line of a diff: its indent, mark and number."""


def write_case(out: TextIO, result: Result, *, width: int | None = None, notes: Iterable[str] = ()) -> None:
    """Print one case in full on lines of at most `width` columns (the terminal's); control bytes show as escapes.

    `notes` on the result as a whole, such as `1 of 3 with this id` or its cause, stand below its id.
    """
    written = columns(width)
    write_lines(out, _lines(result, written, notes), written)


def _lines(result: Result, width: int, notes: Iterable[str]) -> Iterator[Line]:
    yield from _head(result, width, notes)
    if result.case.steps:
        yield from scene_lines(result, width)
    else:
        yield from _request(result, width)
        yield from bound_lines(result.case.bound, width)
        yield from _answers(result, width)
    yield from difference_lines(result, width)
    accepted = [
        f"{printable(each.at, LONGEST)}: {printable(each.rule, LONGEST)}" for each in result.accepted[:_MOST_ENTRIES]
    ]
    if result.again is not None:
        said = list(again_lines(result.again))
        yield from _list("Old, asked again", said[:_MOST_ENTRIES], len(said), width)
    yield from _list("Counted as equal", accepted, len(result.accepted), width)
    yield from _list(
        "Measured", [_measured(each) for each in result.measures[:_MOST_ENTRIES]], len(result.measures), width
    )


def _list(heading: str, lines: list[str], total: int, width: int) -> Iterator[Line]:
    if not lines:
        return
    yield from title(heading)
    for line in lines:
        yield from wrapped(line, width, "  ", hang=2)
    yield from _more(total)


def _more(total: int) -> Iterator[Line]:
    if total > _MOST_ENTRIES:
        yield f"  ... and {total - _MOST_ENTRIES:,} more; `--report json:FILE` holds them all", ""


def _measured(measure: Measure) -> str:
    value = "none" if measure.value is None else f"{measure.value:.6g}"
    over = "" if measure.items is None else f" over {counted(measure.items, 'item')}"
    few = ", too few to prove much" if measure.items is not None and measure.items < FEW_ITEMS else ""
    return f"{printable(measure.name)} at {printable(measure.at, LONGEST)}: {value}{over}{few}"


def _head(result: Result, width: int, notes: Iterable[str]) -> Iterator[Line]:
    case = result.case
    flags = f" ({', '.join(map(printable, result.flags))})" if result.flags else ""
    yield from wrapped(f"{result.outcome}{flags}  {printable(case.id, LONGEST)}", width, style="bold", hang=2)
    for note in notes:
        yield from wrapped(printable(note, LONGEST), width, hang=2)
    if case.title:
        yield from wrapped(printable(case.title, LONGEST), width, hang=2)
    for name, text in (("why", case.why), ("from", case.place), ("correlation id", case.correlation_id)):
        if text:
            yield from wrapped(f"{name}: {printable(text, LONGEST)}", width, hang=2)
    if case.freeze is not None:
        yield f"frozen at: {case.freeze.isoformat()}{', and running on' if case.tick else ''}", ""
    if case.seed is not None:
        yield f"seed: {case.seed}", ""
    if result.error is not None:
        side = "both sides" if result.error.side == "both" else result.error.side
        yield from wrapped(
            f"{side} failed: {result.error.kind} {printable(result.error.message, LONGEST)}", width, hang=2
        )
    if result.skipped is not None:
        yield from wrapped(f"skipped: {printable(result.skipped, LONGEST)}", width, hang=2)


def _request(result: Result, width: int) -> Iterator[Line]:
    yield from title("Request")
    yield from request_lines(result.case.request, width)


def _answers(result: Result, width: int) -> Iterator[Line]:
    yield from title("Answers")
    for side, observation in (("old", result.old), ("new", result.new)):
        yield from wrapped(f"{side}  {headline(observation)}", width, "  ", hang=2)


def difference_lines(result: Result, width: int) -> Iterator[Line]:
    """Yield how many differences there are, and each with both values and the rule that judged it."""
    yield from title(counted(len(result.differences), "difference").capitalize())
    for each in result.differences[:_MOST_ENTRIES]:
        yield from _difference(each, result, width)
    yield from _more(len(result.differences))


def _sides(difference: Difference, result: Result) -> tuple[Any, Any]:
    """Return both values; of two texts the whole bodies, so that the diff can tell their line numbers."""
    if difference.kind != "text" or difference.at != "body" or difference.against != "old":
        return difference.old, difference.new
    if result.old is None or result.new is None:
        return difference.old, difference.new
    return result.old.body, result.new.body


def _difference(difference: Difference, result: Result, width: int) -> Iterator[Line]:
    yield from wrapped(f"{printable(difference.at, LONGEST)}  ({difference.kind})", width, "  ", style="bold", hang=2)
    if difference.note:
        yield from wrapped(printable(difference.note, LONGEST), width, "    ", hang=2)
    name = "old" if difference.against == "old" else "expect"
    yield from _aligned(difference, result, name, width)
    yield from wrapped(f"judged by {printable(difference.rule, LONGEST)}", width, "    ", style="dim", hang=2)
    if difference.waived:
        yield from wrapped(f"waived by {printable(difference.waived, LONGEST)}", width, "    ", style="yellow", hang=2)
    if difference.converged:
        yield from wrapped(f"converged: {printable(difference.converged, LONGEST)}", width, "    ", "yellow", hang=2)
    if difference.noise:
        yield from wrapped(f"noise: {printable(difference.noise, LONGEST)}", width, "    ", style="yellow", hang=2)


def _aligned(difference: Difference, result: Result, name: str, width: int) -> Iterator[Line]:
    one, other = stretches(*_sides(difference, result), _LONGEST_TEXT)
    if max(one.last, other.last) > 1:
        yield from _side_by_side(one, other, name, width)
        return
    first, second = shown_pair(difference.old, difference.new, width - 5 - len(name))
    yield f"    {name} {first}", "red"
    yield f"    {'new':<{len(name)}} {second}", "green"


def _side_by_side(old: Stretch, new: Stretch, name: str, width: int) -> Iterator[Line]:
    """Yield a unified diff with line numbers: old's where a line was taken away, else new's."""
    yield f"    - {name} ({counted(old.total, 'line')})", "red"
    yield f"    + new ({counted(new.total, 'line')})", "green"
    shown = 0
    for group in difflib.SequenceMatcher(None, old.lines, new.lines, autojunk=False).get_grouped_opcodes(CONTEXT):
        yield "    ...", "dim"
        for mark, line_number, text, style in _changes(group, old, new, width):
            if shown == _MOST_LINES:
                yield "    ... and more, cut off here", "dim"
                return
            shown += 1
            yield cut(f"    {mark}{line_number:>5} {text}", width), style
    if old.goes_on or new.goes_on:
        yield "    ... and more, cut off here", "dim"


def _changes(
    group: list[tuple[str, int, int, int, int]], old: Stretch, new: Stretch, width: int
) -> Iterator[tuple[str, int, str, str]]:
    for tag, old_start, old_end, new_start, new_end in group:
        removed, added = old.lines[old_start:old_end], new.lines[new_start:new_end]
        if tag == "equal":
            yield from ((" ", new.first + new_start + at, line, "dim") for at, line in enumerate(added))
            continue
        if len(removed) == len(added):
            # Lines that took each other's place are cut alike, so that what differs stays in sight.
            pairs = [cut_pair(one, other, width - _MARGIN) for one, other in zip(removed, added, strict=True)]
            removed, added = [one for one, _ in pairs], [other for _, other in pairs]
        yield from (("-", old.first + old_start + at, line, "red") for at, line in enumerate(removed))
        yield from (("+", new.first + new_start + at, line, "green") for at, line in enumerate(added))
