"""Parity cards: each criterion, and what the run measured beside, on one screen; side by side where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from textwrap import wrap
from typing import Final

from rich.cells import cell_len, set_cell_size

from replay.counting import counted
from replay.inert import cut, printable
from replay.models import WORST_FIRST, Judgement, Summary, Verdict, VerdictState
from replay.reports import facts
from replay.reports.kpis import beside, sides
from replay.reports.latency import beside as beside_old
from replay.reports.page import Line, Span
from replay.reports.units import unit_of

MOST: Final = 9
"""Criteria that get a card; those come first that do not hold."""
MOST_KPIS: Final = 3
STYLES: Final[dict[VerdictState, str]] = {"GO": "green", "NO-GO": "red", "INCONCLUSIVE": "yellow"}
_GAP: Final = 2
_NARROWEST: Final = 38
_MOST_ACROSS: Final = 4
_MARKS: Final = {"GO": "+", "NO-GO": "x", "INCONCLUSIVE": "?"}
_DAYS: Final = {"ok": "+", "fails": "x", "open": "?", "none": "."}
LEGEND: Final = "a mark each: + holds, x fails, ? undecided, . no case, - not counted"
_FRAME: Final = len("|  |")
_TEXT: Final = 2
_SETTLES: Final = "would settle it"


@dataclass(frozen=True, slots=True)
class Card:
    """A heading, how it stands, a few lines, and a text that may take two more; all harmless.

    A heading that does not fit is told below its first word.
    """

    head: str
    lines: tuple[str, ...]
    text: str = ""
    mark: str = ""
    style: str = ""

    def shown(self, room: int) -> list[str]:
        """Return its lines, each at most `room` cells wide."""
        head = [] if self.titled(room) == self.head else _two_lines(self.head, room)
        lines = [part for line in self.lines for part in _at_comma(line, room)]
        return [_fitted(line, room) for line in (*head, *lines, *_two_lines(self.text, room))]

    def titled(self, room: int) -> str:
        """Return what stands in the frame of a card that has so much room between its sides."""
        fits = cell_len(self.head) < room - len(self.mark) - len("   ")
        return self.head if fits else self.head.partition(" ")[0]


def _at_comma(line: str, room: int) -> list[str]:
    """Return a line, or the two that it falls into at its last comma where it does not fit: no count may be cut out."""
    if cell_len(line) <= room or ", " not in line:
        return [line]
    first, _, last = line.rpartition(", ")
    return [f"{first},", last]


def _two_lines(text: str, room: int) -> list[str]:
    """Return a text on two lines at most; what does not fit is cut out of the second one."""
    told = wrap(text, max(room, 1))
    return told[:_TEXT] if len(told) <= _TEXT else [*told[: _TEXT - 1], " ".join(told[_TEXT - 1 :])]


def cards(summary: Summary, verdict: Verdict) -> Iterator[Card]:
    """Yield the cards of a run: its criteria, then what was measured beside, then what all of it rests on."""
    yield from map(_of_criterion, shown(verdict))
    subjects = [each.sentence for each in verdict.criteria]
    if summary.errors and not any(each.startswith("errors") for each in subjects):
        yield Card("errors", tuple(_errors(summary)))
    if summary.latency:
        yield Card("latency", tuple(_latencies(summary)))
    yield from _of_kpis(summary, subjects)
    yield _evidence(summary)


def shown(verdict: Verdict) -> list[Judgement]:
    """Return the criteria that get a card: as written, or of very many those first that do not hold."""
    if len(verdict.criteria) <= MOST:
        return list(verdict.criteria)
    return _worst_first(verdict)[:MOST]


def rest(verdict: Verdict) -> str:
    """Return the line for the criteria that have no card; empty where all have one."""
    hidden = len(verdict.criteria) - MOST
    if hidden <= 0:
        return ""
    holding = all(each.state == "GO" for each in _worst_first(verdict)[MOST:])
    return f"and {counted(hidden, 'further criterion', 'further criteria')}{', which hold' if holding else ''}"


def _worst_first(verdict: Verdict) -> list[Judgement]:
    return sorted(verdict.criteria, key=lambda each: WORST_FIRST.index(each.state))


def legend(verdict: Verdict) -> str:
    """Return what the marks on the cards stand for; empty where there are none."""
    return LEGEND if any(each.parts for each in shown(verdict)) else ""


def laid_out(found: Iterable[Card], width: int) -> Iterator[Line]:
    """Yield the cards in rows, as many beside each other as fit; each line is as wide as all of them."""
    across = max(1, min(_MOST_ACROSS, (width + _GAP) // (_NARROWEST + _GAP)))
    each = (width - _GAP * (across - 1)) // across
    left = iter(found)
    while row := list(islice(left, across)):
        height = max(len(card.shown(each - _FRAME)) for card in row)
        drawn = [list(_drawn(card, each, height)) for card in row]
        for parts in zip(*drawn, strict=True):
            yield tuple(_joined(parts)), ""


def _joined(parts: Sequence[Sequence[Span]]) -> Iterator[Span]:
    for place, spans in enumerate(parts):
        if place:
            yield " " * _GAP, ""
        yield from spans


def _drawn(card: Card, width: int, height: int) -> Iterator[list[Span]]:
    """Yield the lines of a card, with its frame."""
    mark = f" {card.mark} " if card.mark else ""
    room = width - len("+-  -+") - len(mark)
    head = _fitted(card.titled(width - _FRAME), room - 1)
    dashes = "-" * (room - cell_len(head))
    yield [("+- ", "dim"), (head, "bold"), (f" {dashes}", "dim"), (mark, card.style), ("-+", "dim")]
    lines = card.shown(width - _FRAME)
    for place in range(height):
        line = lines[place] if place < len(lines) else ""
        style = card.style if place == 0 else ""
        yield [("| ", "dim"), (set_cell_size(line, width - _FRAME), style), (" |", "dim")]
    yield [("+" + "-" * (width - 2) + "+", "dim")]


def _fitted(text: str, room: int) -> str:
    """Return a text cut to so many cells: letters of some scripts take two."""
    if cell_len(text) <= room:
        return text
    short = cut(text, room)
    return short if cell_len(short) <= room else set_cell_size(text, max(room, 0)).rstrip()


# ------------------------------------------------------------------------------------------------------------ contents


def _of_criterion(judgement: Judgement) -> Card:
    head, lines = printable(judgement.sentence, facts.LONGEST), (_number(judgement), _worth(judgement))
    return Card(head, lines, _reason(judgement), facts.STATES[judgement.state], STYLES[judgement.state])


def _number(judgement: Judgement) -> str:
    value, bounds = facts.value(judgement), facts.bounds(judgement)
    if not value:
        return "no figure"
    return f"{value}   {bounds}" if bounds else value


def _worth(judgement: Judgement) -> str:
    n = "" if judgement.n is None else f"n {facts.number(judgement.n)}"
    strip = "".join(_DAYS.get(part.mark, "-") if part.mark else _MARKS[part.state] for part in judgement.parts)
    return "   ".join(filter(None, (n, strip)))


def _reason(judgement: Judgement) -> str:
    """Return what of the reason fits on a card: how much is missing, else the first of it."""
    told = [printable(part, facts.LONGEST) for part in judgement.why.split("; ")]
    if judgement.parts:
        return told[0]
    missing = next((part for part in told if _SETTLES in part), "")
    return missing if judgement.state == "INCONCLUSIVE" and missing else told[0]


def _errors(summary: Summary) -> Iterator[str]:
    for side in ("new", "old", "both"):
        kinds = {name: cases for name, cases in summary.errors.items() if name.startswith(f"{side} ")}
        if kinds:
            first = max(kinds, key=lambda name: kinds[name])
            yield f"{side} {sum(kinds.values()):,}, mostly {printable(first.partition(' ')[2], facts.LONGEST)}"


def _latencies(summary: Summary) -> Iterator[str]:
    unit = unit_of(q.p95 for q in summary.latency.values())
    for side, q in summary.latency.items():
        p50, p95, p99 = (_short(unit.of(each)) for each in (q.p50, q.p95, q.p99))
        yield f"{side} p50 {p50} p95 {p95} p99 {p99} {unit.name}"
    parity = summary.latency_parity
    for it in () if parity is None else parity.quantiles:
        if it.name == "p95":
            bounds = [beside_old(bound) for bound in it.ratio_bounds]
            yield f"p95 of new {beside_old(it.ratio)}" + ("" if "-" in bounds else f"   {' to '.join(bounds)}")


def _short(latency: float) -> str:
    return f"{latency:.1f}" if latency < 1_000 else f"{latency:.0f}"  # noqa: PLR2004 - where a tenth says nothing


def _of_kpis(summary: Summary, subjects: Sequence[str]) -> Iterator[Card]:
    others = [kpi for kpi in summary.kpis if not any(f"kpi.{kpi.name} " in f"{each} " for each in subjects)]
    for kpi in others[:MOST_KPIS]:
        yield Card(f"kpi.{printable(kpi.name, facts.LONGEST)}", (sides(kpi), beside(kpi), f"n {kpi.n:,}"))


def _evidence(summary: Summary) -> Card:
    counts = summary.counts
    lines = (
        f"compared {counts.compared:,} of {counts.loaded:,}, errored {counts.errored:,}",
        f"skipped {counts.skipped:,}, deviating {counts.deviating:,}",
        f"noise {counts.noise:,}, waived {counts.waived:,}",
    )
    mark, style = ("complete", "") if summary.complete else ("not complete", "yellow")
    return Card("evidence", lines, "", mark, style)
