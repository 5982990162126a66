"""What asking old again showed, in lines that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replay.counting import counted
from replay.documents.showing import shown_pair
from replay.inert import printable
from replay.models import Again, Noise, NoiseRate
from replay.reports.facts import LONGEST

MOST_RATES: Final = 8
"""Places that are shown."""
_VALUE: Final = 100


def noise_lines(noise: Noise | None) -> Iterator[str]:
    """Yield how often old was asked, and how often both sides differ from its first answer, the noisiest places first.

    Nothing where old was not asked again.
    """
    if noise is None:
        return
    times = "once" if noise.times == 1 else f"{noise.times} times"
    failed = f", {noise.failed:,} of which came to nothing and prove nothing" if noise.failed else ""
    yield f"old was asked {times} more at {counted(noise.cases, 'case')}: {noise.askings:,} further answers{failed}"
    if noise.unsafe:
        yield f"not asked again, since asking may change something: {counted(noise.unsafe, 'case')}"
    if not noise.rates:
        yield "it never differed from itself"
    yield from map(_rate, noise.rates[:MOST_RATES])
    hidden = len(noise.rates) - MOST_RATES
    if hidden > 0 or noise.unlisted:
        yield f"... and {max(0, hidden) + noise.unlisted:,} more places; `--report json:FILE` holds more of them"


def _rate(rate: NoiseRate) -> str:
    place = f"{printable(rate.route, LONGEST)} at {printable(rate.at, LONGEST)}"
    old = f"old differs in {rate.old_differs:,} of {rate.old_asked:,}"
    new = f"new in {rate.new_differs:,} of {rate.new_asked:,}"
    return f"{place}: {old}, {new}" + (f"; no noise: {printable(rate.refused, LONGEST)}" if rate.refused else "")


def again_lines(again: Again) -> Iterator[str]:
    """Yield what old said of one case when it was asked again, place by place."""
    found: dict[str, list[str]] = {}
    for differences in again.answers:
        for each in differences:
            said = found.setdefault(each.at, [])
            said.append(shown_pair(each.old, each.new, _VALUE)[1])
    for at, values in found.items():
        share = f"other than at first in {len(values)} of {len(again.answers)}"
        yield f"{printable(at, LONGEST)}: {share}: {', '.join(dict.fromkeys(values))}"
    same = sum(not differences for differences in again.answers)
    yield f"{counted(len(again.answers), 'further answer')}, {same} like the first"
    if again.failed:
        yield f"{counted(again.failed, 'asking')} came to nothing, or to another status: evidence of nothing"
    if again.unlisted:
        yield f"{counted(again.unlisted, 'difference')} not kept: too many, or too large"
