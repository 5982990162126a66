"""On which variants of real cases the sides disagree, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from replay.causes import worded
from replay.counting import counted
from replay.inert import printable
from replay.models import Disagreement, Varied
from replay.reports.facts import LONGEST
from replay.reports.page import Line, columns, wrapped, write_lines

_FEW: Final = 200
_MANY: Final = 1_000
"""Variants of a kind beyond which hardly a request has any more."""


def write_varied(out: TextIO, found: Sequence[Varied], width: int | None = None) -> None:
    """Write, for each case, how many variants of it were sent and on which of them the sides disagree."""
    room = columns(width)
    write_lines(out, _lines(found, room), room)


def _lines(found: Sequence[Varied], width: int) -> Iterator[Line]:
    for number, each in enumerate(found):
        if number:
            yield "", ""
        yield from _case_lines(each, width)
    if any(each.disagreements for each in found):
        yield "", ""
        yield from wrapped("next: --write makes a golden of each; --out FILE keeps all of them as a capture", width)


def _case_lines(each: Varied, width: int) -> Iterator[Line]:
    sent = sum(each.sent.values())
    name = printable(each.case.id, LONGEST)
    yield from wrapped(f"{counted(sent, 'variant')} of {name}", width, style="bold", hang=2)
    kinds = ", ".join(f"{kind} {count}" for kind, count in each.sent.items()) or "none sent"
    reason = "" if each.why else " (--sends)"
    left = f"; {counted(each.left_out, 'further one')} not sent{reason}" if each.left_out else ""
    yield from wrapped(f"{kinds}{left}", width, "  ")
    if each.most < _MANY:
        yield from wrapped(f"it is large: no more than the first {each.most} of each kind were looked at", width, "  ")
    for way in each.known:
        yield from wrapped(
            f"as it is, the case shows: {printable(worded(way), LONGEST)}", width, "  ", "yellow", hang=2
        )
    if each.why:
        yield from wrapped(f"not to the end: {printable(each.why, LONGEST)}", width, "  ", "red")
    elif not sent:
        yield from wrapped("nothing of these kinds can be put into it", width, "  ", "yellow")
    elif not each.disagreements:
        yield from wrapped("the sides agree on all of them, as far as they do on the case", width, "  ", "green")
    for number, it in enumerate(each.disagreements, 1):
        yield from _disagreement_lines(number, it, width, was_cut=bool(each.why))


def _disagreement_lines(number: int, it: Disagreement, width: int, *, was_cut: bool) -> Iterator[Line]:
    yield "", ""
    kinds = ", ".join(f"{kind} {count}" for kind, count in it.kinds.most_common())
    yield from wrapped(f"{number}. {printable(worded(it.way), LONGEST)}", width, style="bold", hang=3)
    yield from wrapped(f"{counted(len(it.shown), 'variant')}: {kinds}", width, "   ")
    if not it.confirmed:
        told = "it could not be sent again" if was_cut else "not shown again when it was sent again: flaky"
        yield from wrapped(told, width, "   ", "yellow")
    shown = it.shown[0].variant
    request = shown.request
    yield from wrapped(f"for example {printable(f'{shown.at}, {shown.what}', _FEW)}", width, "   ", hang=2)
    yield from wrapped(printable(f"{request.method} {request.path}", _FEW), width, "   ", hang=2)
    if request.body is not None:
        yield from wrapped(printable(request.body.decode("utf-8", "backslashreplace"), _FEW), width, "   ", hang=2)
