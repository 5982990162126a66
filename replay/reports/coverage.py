"""What traffic shows and goldens lack, and which captured cases would mend that: for the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from replay.counting import counted
from replay.documents.json_text import json_text
from replay.inert import printable
from replay.models import Coverage, Facet, Lack, RouteCoverage, Suggested, Suggestion
from replay.reports.facts import LONGEST
from replay.reports.page import Line, columns, title, wrapped, write_lines

VERSION: Final = 1
"""The version of what `--json` prints."""

_FEW: Final = 3
"""Lacking facets of a route, or of a suggestion, that are named unless all are asked for."""
_ROUTES: Final = 12
_ALL: Final = "replay coverage --all"


def write_coverage(out: TextIO, found: Coverage, *, whole: bool = False, width: int | None = None) -> None:
    """Write how much of each route the goldens show, and what weighs most of what they lack."""
    room = columns(width)
    write_lines(out, _coverage_lines(found, room, whole=whole), room)


def _coverage_lines(found: Coverage, width: int, *, whole: bool) -> Iterator[Line]:
    yield from _headline(found, width)
    routes = found.routes if whole else found.routes[:_ROUTES]
    for each in routes:
        yield from _route_lines(each, width, whole=whole)
    if (more := len(found.routes) - len(routes)) > 0:
        yield "", ""
        yield from wrapped(f"... and {counted(more, 'further route')}: {_ALL}", width, style="dim")
    if found.covered < found.facets:
        yield "", ""
        yield from wrapped("next: replay suggest  to see which captured cases would show most of it", width)


def _headline(found: Coverage, width: int) -> Iterator[Line]:
    share = 100 * found.covered / found.facets if found.facets else 100.0
    shown = f"the goldens show {found.covered:,} of {found.facets:,} facets ({_floored(share)}) of"
    where = f"{counted(len(found.routes), 'route')}"
    yield from wrapped(f"{shown} {where}", width, style="bold")
    few = f"{counted(found.cases, 'captured case')}, {found.alike:,} of them in all like one golden or another"
    yield from wrapped(f"{few}; {counted(found.goldens, 'golden')}", width)
    if found.unanswered:
        fact = f"nothing tells what {counted(found.unanswered, 'golden')} are answered"
        yield from wrapped(f"{fact}: run them first, for their answers to count", width, style="yellow")
    if found.beyond:
        yield from wrapped(f"{found.beyond:,} facets were not told apart: too many", width, style="yellow")


def _floored(share: float) -> str:
    """Return a percentage that never looks like all where it is not."""
    return f"{int(share * 10) / 10:g}%"


def _route_lines(each: RouteCoverage, width: int, *, whole: bool) -> Iterator[Line]:
    yield "", ""
    style = "green" if not each.lacks else "bold"
    yield from wrapped(printable(each.route, LONGEST), width, style=style, hang=2)
    goldens = counted(each.goldens, "golden")
    sums = f"{counted(each.cases, 'case')}, {goldens}, {each.covered:,} of {counted(each.facets, 'facet')}"
    yield from wrapped(sums, width, "  ")
    told = [f"{_of(lack)}, as in {printable(lack.example, LONGEST)}" for lack in each.lacks]
    yield from _listed(told, width, "  ", whole=whole)


def _listed(told: Sequence[str], width: int, indent: str, *, whole: bool) -> Iterator[Line]:
    named = told if whole else told[:_FEW]
    for each in named:
        yield from wrapped(f"- {each}", width, indent, hang=2)
    if len(told) > len(named):
        yield f"{indent}  and {len(told) - len(named):,} more", "dim"


def _of(lack: Lack) -> str:
    return f"{worded(lack.facet)}: {counted(lack.cases, 'case')}"


def worded(facet: Facet) -> str:
    """Return a facet in harmless words; what is no word of its own is told by its kind."""
    what = printable(facet.what, LONGEST)
    words: Mapping[str, str] = {
        "route": "no golden goes there",
        "status": f"status {what}",
        "value": f"{what} (one of few)",
        "size": f"size of {what}",
        "hot key": f"hot key, {what}",
    }
    return words.get(facet.kind, what)


def write_suggested(out: TextIO, found: Suggested, *, whole: bool = False, width: int | None = None) -> None:
    """Write the cases to promote, the most telling first, each with what it adds."""
    room = columns(width)
    write_lines(out, _suggested_lines(found, room, whole=whole), room)


def _suggested_lines(found: Suggested, width: int, *, whole: bool) -> Iterator[Line]:
    if not found.lacking:
        yield "nothing to suggest: the goldens show all that the traffic does", "green"
        return
    reached = f"show {found.reached:,} of the {counted(found.lacking, 'facet')} that the goldens lack"
    yield from wrapped(f"{counted(len(found.cases), 'captured case')} {reached}", width, style="bold")
    if len(found.cases) < found.with_all:
        yield from wrapped(f"{counted(found.with_all, 'case')} would show them all: --n {found.with_all}", width)
    for number, each in enumerate(found.cases, 1):
        yield from _suggestion_lines(number, each, width, whole=whole)
    yield from title("next")
    example = printable(found.cases[0].id, LONGEST)
    yield from wrapped(f"replay run --only '{example}'  to see what both sides answer", width, "  ", hang=2)
    yield from wrapped(f"replay promote '{example}'  to make it a golden", width, "  ", hang=2)


def _suggestion_lines(number: int, each: Suggestion, width: int, *, whole: bool) -> Iterator[Line]:
    yield "", ""
    yield from wrapped(f"{number}. {printable(each.id, LONGEST)}", width, style="bold", hang=3)
    session = f", in session {printable(each.session, LONGEST)}" if each.session is not None else ""
    alike = f"; {counted(each.alike, 'captured case')} alike" if each.alike > 1 else ""
    yield from wrapped(f"{printable(each.route, LONGEST)}{session}{alike}", width, "   ")
    yield from wrapped(f"adds {counted(len(each.adds), 'facet')}", width, "   ")
    yield from _listed([_of(lack) for lack in each.adds], width, "   ", whole=whole)


# ---------------------------------------------------------------------------------------------------------------- JSON


def write_json_coverage(out: TextIO, found: Coverage) -> None:
    """Write it for programs."""
    out.write(json_text({"version": VERSION, **_coverage(found)}) + "\n")


def write_json_suggested(out: TextIO, found: Suggested) -> None:
    """Write it for programs."""
    cases = [
        {
            "id": each.id,
            "route": each.route,
            "session": each.session,
            "alike": each.alike,
            "adds": list(_json_lacks(each.adds, routed=True)),
        }
        for each in found.cases
    ]
    figures = {"lacking": found.lacking, "reached": found.reached, "with_all": found.with_all}
    out.write(json_text({"version": VERSION, **figures, "cases": cases}) + "\n")


def _coverage(found: Coverage) -> dict[str, Any]:
    routes = [
        {
            "route": each.route,
            "cases": each.cases,
            "goldens": each.goldens,
            "facets": each.facets,
            "covered": each.covered,
            "lacks": list(_json_lacks(each.lacks)),
        }
        for each in found.routes
    ]
    figures = {
        name: getattr(found, name)
        for name in ("facets", "covered", "cases", "alike", "goldens", "unanswered", "beyond")
    }
    return {**figures, "routes": routes}


def _json_lacks(lacks: Iterable[Lack], *, routed: bool = False) -> Iterator[dict[str, Any]]:
    for each in lacks:
        route = {"route": each.facet.route} if routed else {}
        yield {**route, "kind": each.facet.kind, "what": each.facet.what, "cases": each.cases, "example": each.example}
