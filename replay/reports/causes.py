"""What a report for people says of the causes of deviations, in lines of plain and harmless text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from replay.causes import also, worded
from replay.counting import counted
from replay.documents.showing import shown_change
from replay.inert import printable
from replay.models import Cluster, Counts, Difference
from replay.reports.facts import LONGEST

FULL: Final = 3
"""Causes that are shown with an example's values."""
BRIEF: Final = 20
"""Causes after those that get one line."""
_MOST: Final = 5
"""Ways, routes and ids of one cause that are told."""
_NAME: Final = 60
"""Characters of one of them."""
_LEAST: Final = 20
"""Columns below which a note is cut to nothing that one could read."""
_STOPS: Final = re.compile(r"^(?:old|new) stops (?=at )")
"""What of a note the title of its cause says already."""


def causes_sum(clusters: tuple[Cluster, ...], counts: Counts) -> str:
    """Return how many causes there are of how many cases, and the warning where the sum does not add up."""
    cases, told = counts.deviating + counts.errored, sum(each.cases for each in clusters)
    line = f"{counted(len(clusters), 'cause')} of {counted(cases, 'case')}"
    line += f" = deviating {counts.deviating} + errored {counts.errored}; each case is counted in one"
    return line if cases == told else f"{line}; they hold {told:,}, so this sum does not add up"


def facts_of(cluster: Cluster) -> Iterator[str]:
    """Yield where the cases of a cause went, what else is in all or some of them, and what a few are called."""
    more = "always with it" if cluster.cases > 1 else "with it"
    # The title tells the first way, and what a session has in common is no difference that one could see.
    yield from _line("on ", _numbered(cluster.routes, cluster.cases))
    yield from _line(f"{more}: ", [worded(way) for way in cluster.ways[1:]])
    yield from _line("in some: ", _numbered(cluster.sometimes, cluster.cases))
    example = f"for example {printable(cluster.example, 2 * _NAME)}"
    others = [each for each in cluster.ids if each != cluster.example]
    yield next(_line(f"{example}; also ", others, hidden=cluster.cases - 1 - len(others)), example)


def _line(start: str, names: Sequence[str], hidden: int = 0) -> Iterator[str]:
    """Yield the first of the names on one line, and how many more there are."""
    if names:
        rest = len(names[_MOST:]) + hidden
        shown = ", ".join(printable(name, _NAME) for name in names[:_MOST])
        yield start + shown + (f" and {rest:,} more" if rest > 0 else "")


def _numbered(numbers: Mapping[str, int], cases: int) -> list[str]:
    """Return each name with its number, where that is not all of them; the empty name stands for the rest."""
    return [f"{name or 'elsewhere'} ({number:,})" if number < cases else name for name, number in numbers.items()]


def remark(cluster: Cluster, room: int) -> str:
    """Return what to add to a title, an example and a colon, on `room` characters; empty where there is too little.

    Where the example stops or what its values are, as far as the title does not say so; else where all cases went;
    else what goes with it.
    """
    became = "" if cluster.sample is None else _became(cluster.sample, room)
    title, route, others = printable(cluster.title), next(iter(cluster.routes), ""), also(cluster.ways)
    remarks = (
        became if became not in title else "",
        f"on {printable(route)}" if len(cluster.routes) == 1 and route and route not in cluster.title else "",
        f"also {others}" if others else "",
    )
    return next((each for each in remarks if each and len(each) <= room), "")


def named(place: int, clusters: Sequence[Cluster]) -> str:
    """Return which cause of how many it is that a case belongs to, in words; `place` counts from 0."""
    cluster = clusters[place]
    return f"{place + 1} of {len(clusters):,}: {printable(cluster.title, LONGEST)} ({counted(cluster.cases, 'case')})"


def tells_more(cluster: Cluster) -> bool:
    """Tell whether the example's values say more than the title, which tells both statuses."""
    return cluster.sample is not None and cluster.sample.kind != "status"


def _became(sample: Difference, room: int) -> str:
    if sample.kind == "status":
        return ""
    if sample.kind == "text" and sample.note:
        told = printable(_STOPS.sub("", sample.note), max(room, _LEAST))
        return told if len(told) <= room else ""
    return shown_change(sample.old, sample.new, room)


def rest(clusters: tuple[Cluster, ...]) -> str | None:
    """Return the line for the causes that are not printed."""
    hidden = len(clusters) - FULL - BRIEF
    if hidden <= 0:
        return None
    cases = sum(each.cases for each in clusters[FULL + BRIEF :])
    return f"... and {hidden:,} more of {counted(cases, 'case')}; `--report json:FILE` holds them all"
