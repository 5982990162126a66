"""What a run would need and has, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, TextIO

from replay.counting import counted
from replay.inert import printable
from replay.reports.facts import LONGEST, number, share
from replay.reports.page import Line, columns, title, wrapped, write_lines

_STYLES: Final = {"enough": "green", "too few": "yellow", "not told": "dim"}
_WIDTH: Final = 11


class Sized(Protocol):
    """How many cases there are, and what they are worth."""

    total: int

    def effective(self) -> float:
        """Return how many independent cases they are worth."""


class Selected(Protocol):
    """The cases that would be sent, and how many would not."""

    goldens: int
    skipped: int

    @property
    def traffic(self) -> Sized:
        """Return the cases of the traffic."""


class Foretold(Protocol):
    """What a criterion needs."""

    @property
    def sentence(self) -> str:
        """Return the criterion."""

    @property
    def standing(self) -> str:
        """Return `enough`, `too few` or `not told`."""

    @property
    def rate(self) -> float:
        """Return which share of the cases is expected to depart."""

    @property
    def needs(self) -> int | None:
        """Return how many independent cases it takes."""

    @property
    def each(self) -> str:
        """Return of what each one takes so many; empty for all together."""

    @property
    def why(self) -> str:
        """Return what there is to say beside the number."""


_LACKING: Final = {True: "TOO FEW", False: "NOT TOLD"}
"""What is to be said where the cases are not enough: by whether they are too few for any criterion."""


def is_enough(found: Sequence[Foretold]) -> bool:
    """Tell whether the cases are enough for every criterion of which that can be told, and for one at least."""
    told = [each for each in found if each.standing != "not told"]
    return bool(told) and all(each.standing == "enough" for each in told)


def write_forecast(out: TextIO, selected: Selected, found: Sequence[Foretold], source: str) -> None:
    """Print whether the cases are enough, then what each criterion needs."""
    width = columns(None)
    write_lines(out, _lines(selected, found, source, width), width)


def _lines(selected: Selected, found: Sequence[Foretold], source: str, width: int) -> Iterator[Line]:
    word = "ENOUGH" if is_enough(found) else _LACKING[any(each.standing == "too few" for each in found)]
    yield word, "bold green" if is_enough(found) else "bold yellow"
    yield from wrapped(f"nothing was sent; expected: {printable(source, LONGEST)}", width, style="dim")
    yield from title("Selected")
    for line in _selected(selected):
        yield from wrapped(line, width, "  ", hang=2)
    yield from title("Criteria")
    for each in found:
        yield from _criterion(each, width)


def _selected(selected: Selected) -> Iterator[str]:
    traffic = selected.traffic
    if selected.goldens:
        yield counted(selected.goldens, "golden")
    if traffic.total:
        worth = traffic.effective()
        depend = f", worth {number(round(worth, 1))}: cases of one session depend on each other"
        yield f"{counted(traffic.total, 'case')} of the traffic{depend if worth < traffic.total else ''}"
    if selected.skipped:
        yield f"{counted(selected.skipped, 'case')} would be skipped: `replay run --dry-run` says why"


def _criterion(each: Foretold, width: int) -> Iterator[Line]:
    head = f"{each.standing:<{_WIDTH}}{printable(each.sentence, LONGEST)}"
    yield from wrapped(head, width, "  ", _STYLES[each.standing], hang=_WIDTH)
    indent = "  " + " " * _WIDTH
    for line in _told(each):
        yield from wrapped(line, width, indent)


def _told(each: Foretold) -> Iterator[str]:
    if each.needs is not None:
        of_each = f" in each {each.each}" if each.each else ""
        expected = f" if {share(each.rate)} of them depart" if each.rate else " if none departs"
        yield f"needs {counted(each.needs, 'independent case')}{of_each}{expected}"
    if each.why:
        yield printable(each.why, LONGEST)
