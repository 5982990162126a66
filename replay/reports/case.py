"""One case in full, for `replay show`: what was sent, what came back, and where and why the sides part."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TextIO

from replay.documents import parse_json
from replay.models import SIDES, Difference, Headers, Json, Missing, Observation, Result
from replay.reports.facts import LONGEST, counted
from replay.reports.inert import cut, printable
from replay.reports.page import Line, columns, title, wrapped, write_lines
from replay.reports.shown import legible_lines, line_pairs, shown_pair

_CONTEXT: Final = 2
_MOST_LINES: Final = 60
_MOST_DIFFERENCES: Final = 50
_LONGEST_TEXT: Final = 200_000
"""Longer texts are cut before they are laid side by side, which takes time that grows with the square of the lines."""
_BODY_LINES: Final = 20


def write_case(out: TextIO, result: Result, *, width: int | None = None) -> None:
    """Print one case in full on lines of at most `width` columns (the terminal's); control bytes show as escapes."""
    written = columns(width)
    write_lines(out, _lines(result, written), written)


def _lines(result: Result, width: int) -> Iterator[Line]:
    yield from _head(result, width)
    yield from _request(result, width)
    yield from _answers(result, width)
    yield from _differences(result, width)
    if result.accepted:
        yield from title("Counted as equal")
        for each in result.accepted:
            yield from wrapped(f"{printable(each.at, LONGEST)}: {printable(each.rule, LONGEST)}", width, "  ", hang=2)
    if result.measures:
        yield from title("Measured")
        for measure in result.measures:
            value = "none" if measure.value is None else f"{measure.value:.6g}"
            yield from wrapped(
                f"{printable(measure.name)} at {printable(measure.at, LONGEST)}: {value}", width, "  ", hang=2
            )


def _head(result: Result, width: int) -> Iterator[Line]:
    case = result.case
    flags = f" ({', '.join(map(printable, result.flags))})" if result.flags else ""
    yield from wrapped(f"{result.outcome}{flags}  {printable(case.id, LONGEST)}", width, style="bold", hang=2)
    if case.title:
        yield from wrapped(printable(case.title, LONGEST), width, hang=2)
    for name, text in (("why", case.why), ("from", case.place), ("correlation id", case.correlation_id)):
        if text:
            yield from wrapped(f"{name}: {printable(text, LONGEST)}", width, hang=2)
    if case.freeze is not None:
        yield f"frozen at: {case.freeze.isoformat()}", ""
    if result.error is not None:
        side = "both sides" if result.error.side == "both" else result.error.side
        yield from wrapped(
            f"{side} failed: {result.error.kind} {printable(result.error.message, LONGEST)}", width, hang=2
        )
    if result.skipped is not None:
        yield from wrapped(f"skipped: {printable(result.skipped, LONGEST)}", width, hang=2)


def _request(result: Result, width: int) -> Iterator[Line]:
    request = result.case.request
    yield from title("Request")
    yield from wrapped(f"{printable(request.method, 40)} {printable(request.path, 2_000)}", width, "  ", hang=2)
    yield from _fields(request.headers, width)
    if request.body is not None:
        yield from _body(request.body, width)


def _fields(headers: Headers, width: int) -> Iterator[Line]:
    for name, value in headers:
        yield from wrapped(f"{printable(name, LONGEST)}: {printable(value, LONGEST)}", width, "  ", hang=2)


def _body(body: bytes, width: int) -> Iterator[Line]:
    lines = _body_lines(body)
    for line in lines[:_BODY_LINES]:
        yield "  " + cut(line, width - 2), "dim"
    if len(lines) > _BODY_LINES:
        yield f"  ... and {counted(len(lines) - _BODY_LINES, 'more line')}, {len(body):,} bytes in all", "dim"


def _body_lines(body: bytes) -> list[str]:
    head = body[:_LONGEST_TEXT]
    parsed = parse_json(head, spelled=True) if head[:1] in (b"{", b"[") else None
    return legible_lines(parsed.value if parsed is not None and parsed.ok else head.decode("utf-8", "backslashreplace"))


def _answers(result: Result, width: int) -> Iterator[Line]:
    yield from title("Answers")
    for side, observation in (("old", result.old), ("new", result.new)):
        yield from wrapped(f"{side}  {_headline(observation)}", width, "  ", hang=2)


def _headline(observation: Observation | None) -> str:
    if observation is None:
        return "was not asked"
    parts = [f"status {observation.status}" if observation.status is not None else "no status"]
    kind = observation.header("content-type")
    parts.append(f"{len(observation.body):,} bytes" + (f" of {printable(kind, 100)}" if kind else ""))
    if observation.timing is not None:
        parts.append(f"{observation.timing.latency_ms:.1f} ms")
    if observation.error is not None:
        parts.append(f"{observation.error.kind} {printable(observation.error.message, LONGEST)}".rstrip())
    return ", ".join(parts)


def _differences(result: Result, width: int) -> Iterator[Line]:
    yield from title(counted(len(result.differences), "difference").capitalize())
    for each in result.differences[:_MOST_DIFFERENCES]:
        yield from _difference(_whole(each, result), width)
    hidden = len(result.differences) - _MOST_DIFFERENCES
    if hidden > 0:
        yield f"  ... and {hidden:,} more; `--report json:FILE` holds them all", ""


def _whole(difference: Difference, result: Result) -> Difference:
    """Return a difference of two texts with the whole texts in it, so that the diff can tell their line numbers."""
    if difference.kind != "text" or difference.at != "body" or difference.against != "old":
        return difference
    bodies = [it.body.decode("utf-8", "backslashreplace") for it in (result.old, result.new) if it is not None]
    return replace(difference, old=bodies[0], new=bodies[1]) if len(bodies) == len(SIDES) else difference


def _difference(difference: Difference, width: int) -> Iterator[Line]:
    yield from wrapped(f"{printable(difference.at, LONGEST)}  ({difference.kind})", width, "  ", style="bold", hang=2)
    if difference.note:
        yield from wrapped(printable(difference.note, LONGEST), width, "    ", hang=2)
    name = "old" if difference.against == "old" else "expect"
    yield from _aligned(difference.old, difference.new, name, width)
    yield from wrapped(f"judged by {printable(difference.rule, LONGEST)}", width, "    ", style="dim", hang=2)


def _aligned(old: Json | Missing, new: Json | Missing, name: str, width: int) -> Iterator[Line]:
    one, other = line_pairs(old, new, _LONGEST_TEXT)
    if max(len(one), len(other)) > 1:
        yield from _side_by_side(one, other, name, width)
        return
    first, second = shown_pair(old, new, width - 5 - len(name))
    yield f"    {name} {first}", "red"
    yield f"    {'new':<{len(name)}} {second}", "green"


def _side_by_side(old: list[str], new: list[str], name: str, width: int) -> Iterator[Line]:
    """Yield a unified diff with line numbers: old's where a line was taken away, else new's."""
    yield f"    - {name} ({counted(len(old) - (old[-1] == ''), 'line')})", "red"
    yield f"    + new ({counted(len(new) - (new[-1] == ''), 'line')})", "green"
    shown = 0
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=max(len(old), len(new)) > 1_000)  # noqa: PLR2004
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield "    ...", "dim"
        for mark, line_number, text, style in _changes(group, old, new):
            if shown == _MOST_LINES:
                yield "    ... and more, cut off here", "dim"
                return
            shown += 1
            yield cut(f"    {mark}{line_number:>5} {text}", width), style


def _changes(
    group: list[tuple[str, int, int, int, int]], old: list[str], new: list[str]
) -> Iterator[tuple[str, int, str, str]]:
    for tag, old_start, old_end, new_start, new_end in group:
        if tag == "equal":
            yield from ((" ", at + 1, new[at], "dim") for at in range(new_start, new_end))
            continue
        yield from (("-", at + 1, old[at], "red") for at in range(old_start, old_end))
        yield from (("+", at + 1, new[at], "green") for at in range(new_start, new_end))
