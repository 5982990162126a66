"""What a review shows: a cause with its example, the keys that make sense, and what would be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from replay.cli.reviewing import Action, Proposal, Review
from replay.counting import counted
from replay.curation.effects import Effect
from replay.curation.sightings import places_of
from replay.inert import printable
from replay.locations import general
from replay.models import Cluster, Difference, Result
from replay.reports.case import difference_lines
from replay.reports.causes import facts_of
from replay.reports.facts import LONGEST
from replay.reports.page import Line, columns, wrapped

KEYS: Final[Mapping[str, Action]] = {
    "p": "promote", "i": "ignore", "t": "tolerate", "u": "unordered", "m": "map", "w": "waive",
}  # fmt: skip
NAMES: Final[Mapping[Action, str]] = {
    "promote": "promote to a golden", "ignore": "ignore here", "tolerate": "tolerate", "unordered": "unordered",
    "map": "map", "waive": "waive until",
}  # fmt: skip
MEANINGS: Final[Mapping[Action, str]] = {
    "promote": "keep its simplest captured case as a golden, which deviates until this is settled",
    "ignore": "do not compare what stands at this place, on the routes of this cause",
    "tolerate": "let it differ by as much as it did here, or by what you say",
    "unordered": "compare the array as a bag",
    "map": "accept exactly these changes, from old's value to new's, as intended",
    "waive": "accept it for now: with an owner, a reason and a last day",
}
_ALWAYS: Final = ("s skip", "d details", "z undo", "q quit", "? help")
_MENU: Final = 4
"""Lines that the keys and what is typed take."""
_MOST_HIDDEN: Final = 5
_LEAST_LINES: Final = 12


def cause_page(review: Review, place: int, result: Result, *, whole: bool = False) -> Iterator[Line]:
    """Yield a cause with its example, as much as fits on the screen unless the `whole` is asked for."""
    width, height = columns(None), shutil.get_terminal_size().lines
    lines = list(_cause(review.clusters, place, result, width))
    room = max(height - _MENU, _LEAST_LINES)
    if whole or len(lines) <= room:
        yield from lines
        return
    yield from lines[: room - 1]
    yield f"... and {counted(len(lines) - room + 1, 'more line')}: d shows them", "dim"


def _cause(clusters: Sequence[Cluster], place: int, result: Result, width: int) -> Iterator[Line]:
    cluster = clusters[place]
    title = f"Cause {place + 1} of {len(clusters):,}: {printable(cluster.title, LONGEST)}"
    yield from wrapped(f"{title} ({counted(cluster.cases, 'case')})", width, style="bold", hang=2)
    for fact in facts_of(cluster):
        yield from wrapped(fact, width, "  ", hang=2)
    yield from difference_lines(_telling_first(cluster, result), width)


def _telling_first(cluster: Cluster, result: Result) -> Result:
    """Return the example with the differences first that its cause is told by."""
    places = {(way.at, way.kind) for way in places_of(cluster)}

    def others(each: Difference) -> bool:
        return not each.counts or (general(each.at), each.kind) not in places

    return replace(result, differences=tuple(sorted(result.differences, key=others)))


def menu(offers: Sequence[Action]) -> Iterator[Line]:
    """Yield the keys that make sense."""
    keys = [f"{key} {NAMES[action]}" for key, action in KEYS.items() if action in offers]
    width = columns(None)
    yield "", ""
    yield from wrapped(
        "  ".join(keys) if keys else "no rule and no golden would settle this", width, style="cyan", hang=2
    )
    yield from wrapped("  ".join(_ALWAYS), width, style="cyan")


def help_page(offers: Sequence[Action]) -> Iterator[Line]:
    """Yield what each key does."""
    width = columns(None)
    for key, action in KEYS.items():
        made = "" if action in offers else " (makes no sense for this cause)"
        yield from wrapped(f"{key}  {NAMES[action]}: {MEANINGS[action]}{made}", width, hang=3)
    for text in (
        "s  skip: go on to the next cause",
        "d  details: all lines of the example; `replay show ID` prints the whole case",
        "z  undo: take the last step back, and give its file what it held before",
        "q  quit: what is written stays written (Ctrl-C does the same)",
        "Nothing is written before you have seen it and said yes.",
    ):
        yield from wrapped(text, width, hang=3)


def proposal_page(review: Review, place: int, proposal: Proposal) -> Iterator[Line]:
    """Yield what a proposal would do, and the change of the file."""
    width = columns(None)
    yield "", ""
    if proposal.effect is not None:
        for text, style in effect_lines(review.clusters, place, proposal.effect):
            yield from wrapped(text, width, style=style, hang=2)
    for note in proposal.notes:
        yield from wrapped(printable(note, LONGEST), width, style="yellow", hang=2)
    for line in proposal.change.diff().splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        yield from ((part, style) for part in _folded(printable(line), width))


def _folded(line: str, width: int) -> Iterator[str]:
    """Yield a line of a diff in pieces that fit: nothing that is to be written is hidden from who says yes."""
    yield line[:width]
    rest = line[width:]
    while rest:
        yield "    " + rest[: width - 4]
        rest = rest[width - 4 :]


def effect_lines(clusters: Sequence[Cluster], place: int, told: Effect) -> Iterator[tuple[str, str]]:
    """Yield what a change does to the cases of a cause, and to all others."""
    eased = f", takes a part of the differences out of {told.eased:,}" if told.eased else ""
    more = f" (of {clusters[place].cases:,})" if told.cases < clusters[place].cases else ""
    style = "" if told.settled else "yellow"
    yield f"Settles {told.settled:,} of {counted(told.cases, 'case')}{more} of this cause{eased}.", style
    if told.untold:
        fact = "hold masked values that the rule would look at: only a run can tell"
        yield f"{counted(told.untold, 'case')} {fact}.", "yellow"
    for other, cases in told.hidden.most_common(_MOST_HIDDEN):
        name = f"cause {other + 1}, {printable(clusters[other].title, LONGEST)}"
        yield f"TOO WIDE? It also hides something in {cases:,} of {clusters[other].cases:,} of {name}.", "bold red"
    if len(told.hidden) > _MOST_HIDDEN:
        yield f"... and in {counted(len(told.hidden) - _MOST_HIDDEN, 'more cause')}.", "bold red"
    if told.spoiled:
        yield f"{counted(told.spoiled, 'case')} that are equal by another rule would deviate.", "bold red"
    if told.unseen:
        yield f"{counted(told.unseen, 'further case')} of the run were not looked at.", "yellow"
