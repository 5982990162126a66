"""What a run has to say about itself, in lines of plain and harmless text that every report for people shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from replay.counting import counted
from replay.inert import printable
from replay.models import (
    FEW_ITEMS,
    SIDES,
    Counts,
    Experiment,
    Intake,
    Judgement,
    Quantiles,
    Side,
    SideInfo,
    Spread,
    StatusCount,
    Summary,
    Unit,
    Verdict,
)
from replay.reports.matrix import changed
from replay.reports.strip import strip_of
from replay.reports.units import unit_of

LONGEST: Final = 500
"""Characters of one text of unknown origin in a report for people."""

MOST_LINES: Final = 20
MOST_PARTS: Final = 10
_WHOLE_RATE: Final = 1_000
"""From so many cases a second on, nobody asks for a fraction of one."""
_NAMED: Final = 3
"""Criteria that are named under the verdict."""
_STAND: Final[Mapping[str, tuple[str, str]]] = {
    "NO-GO": ("fails", "fail"),
    "INCONCLUSIVE": ("is undecided", "are undecided"),
}
STATES: Final = {"GO": "holds", "NO-GO": "fails", "INCONCLUSIVE": "undecided"}
"""How one criterion stands. The verdict's own words are for the whole, so that nobody reads one for the other."""


def shortened(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first lines, and how many more there are: 10,000 files must not push the rest off the screen."""
    whole = list(lines)
    yield from whole[:MOST_LINES]
    if len(whole) > MOST_LINES:
        yield f"... and {len(whole) - MOST_LINES:,} more"


def sums(counts: Counts) -> list[str]:
    """Return the two sums, and what is wrong where one does not add up."""
    compared = f"compared {counts.compared}"
    lines = [
        f"loaded {counts.loaded} = {compared} + errored {counts.errored} + skipped {counts.skipped}",
        f"{compared} = matched {counts.matched} + deviating {counts.deviating} + noise {counts.noise}",
    ]
    lines[1] += f" + waived {counts.waived}"
    if counts.loaded != counts.compared + counts.errored + counts.skipped:
        lines.append("the first sum does not add up: cases were lost, so trust no figure of this run")
    if counts.compared != counts.matched + counts.deviating + counts.noise + counts.waived:
        lines.append("the second sum does not add up: outcomes were lost, so trust no figure of this run")
    return lines


def intake(files: tuple[Intake, ...]) -> Iterator[str]:
    """Yield the reader's own figure for each file."""
    for each in files:
        skipped = sum(each.skipped.values())
        reasons = f" ({_tally(each.skipped)})" if skipped else ""
        name = printable(each.file, LONGEST)
        yield f"{name}: loaded {each.loaded} + skipped {skipped} = {counted(each.read, 'record')} read{reasons}"


def experiment(it: Experiment | None) -> Iterator[str]:
    """Yield what a run is that an experiment in a program made; nothing where none did."""
    if it is None:
        return
    calls = counted(sum(it.chosen.values()), "call")
    used = ", ".join(f"{side}'s answer in {it.chosen.get(side, 0):,}" for side in SIDES)
    yield f"{printable(it.name, LONGEST)}, in a program: of {calls} that were compared it used {used}"
    if not it.over:
        yield "its day is not over: `replay judge` judges it again, by what came meanwhile"


def sides(summary: Summary) -> Iterator[str]:
    """Yield what stood behind each side, whether its clock was frozen, and after which case it fell silent."""
    for name, side in (("old", summary.old), ("new", summary.new)):
        version = f" ({printable(side.version, LONGEST)})" if side.version else ""
        yield f"{name}: {printable(side.target, LONGEST)}{version}; clock: {_clock(side)}"
        if side.last_answer is not None:
            yield f"{name} gave no answer any more after {printable(side.last_answer, LONGEST)}"


def _clock(side: SideInfo) -> str:
    return f"{side.clock}, {printable(side.clock_note, LONGEST)}" if side.clock_note else side.clock


def troubles(summary: Summary) -> Iterator[str]:
    """Yield errors by side and kind, deviating and failing cases by category, and why cases were skipped."""
    if summary.errors:
        yield f"errors: {_tally(summary.errors)}"
    if summary.categories:
        yield f"cases by category: {_tally(summary.categories)}"
    if summary.skipped:
        yield f"skipped: {_tally(summary.skipped)}"


def _tally(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{printable(name, LONGEST)} {number:,}" for name, number in ordered)


def acceptances(accepted: Mapping[str, int]) -> Iterator[str]:
    """Yield how many cases each rule or default called equal although bytes differ."""
    for rule, cases in sorted(accepted.items(), key=lambda item: (-item[1], item[0])):
        yield f"{counted(cases, 'case')}: {printable(rule, LONGEST)}"


def changes(statuses: tuple[StatusCount, ...]) -> Iterator[str]:
    """Yield the changes of statuses by code; nothing where there is none."""
    found = list(changed(statuses))
    if found:
        more = f", and {len(found) - MOST_LINES:,} more" if len(found) > MOST_LINES else ""
        yield f"changed: {', '.join(found[:MOST_LINES])}{more}"


def waivers(waived: Mapping[str, int]) -> Iterator[str]:
    """Yield in how many cases each waiver accepted a difference; its rule tells owner and day."""
    return acceptances(waived)


def measurements(measures: Mapping[str, Spread]) -> Iterator[str]:
    """Yield how the figures of each measure are spread, and how much they are worth."""
    for name, it in sorted(measures.items()):
        yield f"{printable(name, LONGEST)}: {_spread(it)}" + "".join(f"; {remark}" for remark in _remarks(it))
        if it.steps and it.n > 1:
            yield f"  in tenths from {_LOWEST.get(name.partition(' ')[0], 0)} to 1: {' '.join(map(str, it.steps))}"


_LOWEST: Final = {"rank.tau": -1}
"""Where the scale of a measure begins that does not begin at 0."""


def _spread(it: Spread) -> str:
    if not it.n:
        return "never measured"
    tenth = f"a tenth at most {number(it.tenth)}, " if it.tenth is not None and it.n > 1 else ""
    middle = f"{tenth}median {number(it.median)}, mean {number(it.mean)}"
    return f"min {number(it.least)}, {middle}, max {number(it.most)} over {it.n:,}"


def _remarks(it: Spread) -> Iterator[str]:
    """Yield what keeps figures from looking better than they are."""
    if it.items is not None:
        yield f"over {number(it.items)} items at the median"
    if it.few:
        yield f"{it.few:,} of {it.n:,} rest on fewer than {FEW_ITEMS} items and prove little"
    if it.none:
        yield f"{it.none:,} had nothing to measure"


def latencies(summary: Summary) -> Iterator[str]:
    """Yield what is known of both sides' latencies, and of the timetable if there was one."""
    yield from _by_side("latency", summary.latency)
    if summary.warmed:
        yield f"warmed up with {counted(summary.warmed, 'case')}, which count nowhere"
    pacing = summary.pacing
    if pacing is None:
        return
    yield from _by_side("from the planned moment", pacing.latency)
    planned = "at once" if pacing.planned is None and pacing.achieved else _rate(pacing.planned)
    rates = f"planned {planned}, achieved {_rate(pacing.achieved)}"
    late = f"; begun late by p50 {pacing.late.p50:.2f}, p99 {pacing.late.p99:.2f} ms" if pacing.late else ""
    yield f"timetable {printable(pacing.name, LONGEST)}: {rates} cases a second{late}"


def _by_side(name: str, latencies: Mapping[Side, Quantiles]) -> Iterator[str]:
    unit = unit_of(q.p95 for q in latencies.values())
    for side, q in latencies.items():
        p50, p95, p99 = (f"{unit.of(each):.1f}" for each in (q.p50, q.p95, q.p99))
        yield f"{name} of {side}: p50 {p50} p95 {p95} p99 {p99} {unit.name} (n {q.n:,})"


def _rate(per_second: float | None) -> str:
    """Return a rate with four significant digits, and large ones in whole numbers: 31,950 and not 3.195e+04."""
    if per_second is None:
        return "unknown"
    return f"{per_second:,.0f}" if per_second >= _WHOLE_RATE else f"{per_second:,.4g}"


def evidence(judgement: Judgement) -> str:
    """Return a criterion's value, its interval and what it rests on, as far as they are known."""
    low_high = bounds(judgement)
    n = "" if judgement.n is None else f"n {number(judgement.n)}"
    between = low_high and f"between {low_high.replace(' to ', ' and ')}"
    return ", ".join(filter(None, (value(judgement), between, n)))


def value(judgement: Judgement) -> str:
    """Return a criterion's number in its unit; empty where there is none."""
    return "" if judgement.value is None else _FIGURES[judgement.unit](judgement.value)


def bounds(judgement: Judgement) -> str:
    """Return a criterion's bounds as `LOW to HIGH`; empty where there are none."""
    if judgement.interval is None:
        return ""
    low, high = map(_FIGURES[judgement.unit], judgement.interval)
    return f"{low} to {high}"


def parts(judgement: Judgement) -> Iterator[str]:
    """Yield how the parts stand that were judged by themselves; those come first that keep the whole from holding.

    Days and runs come in their order, side by side.
    """
    if any(part.mark for part in judgement.parts):
        yield from strip_of(judgement.parts)
        return
    for part in judgement.parts[:MOST_PARTS]:
        found = evidence(part)
        yield f"{STATES[part.state]}: {printable(part.sentence, LONGEST)}" + (f", {found}" if found else "")
    hidden = judgement.parts[MOST_PARTS:]
    if hidden:
        failing = sum(part.state != "GO" for part in hidden)
        yield f"and {counted(len(hidden), 'more part')}, of which {failing:,} do not hold"


def _signed(number: float, unit: str) -> str:
    return f"{'+' if number > 0 else ''}{number + 0.0:.3g}{unit}"


def share(value: float) -> str:
    """Return a share of 1 as a percentage with three significant digits; close to the whole, those of the rest."""
    rest = math.ceil(-math.log10(1 - value)) if 0.9 < value < 1 else 1  # noqa: PLR2004 - where the first digit is a 9
    return f"{100 * value:.{2 + rest}g}%"


def number(value: float) -> str:
    """Return a figure with four significant digits; a whole one in full."""
    return f"{value:,.0f}" if math.isfinite(value) and value == int(value) else f"{value:.4g}"


_FIGURES: Final[Mapping[Unit, Callable[[float], str]]] = {
    "": number,
    "cases": number,
    "share": share,
    "pp": lambda value: _signed(100 * value, "pp"),
    "ms": lambda value: f"{value:.4g} ms",
    "ratio": lambda value: _signed(100 * (value - 1), "%"),
    "days": lambda value: f"{counted(int(value), 'day')} in a row",
    "runs": lambda value: f"{counted(int(value), 'run')} in a row",
}
"""How a value of each unit reads; a ratio as what new is above old or below."""


def overview(verdict: Verdict, summary: Summary) -> str:
    """Return the line under the verdict: gate, run, whether it completed, and the exit code."""
    gate = f"gate {printable(verdict.gate, LONGEST)}, " if verdict.gate else ""
    state = "" if summary.complete else ", not completed"
    return f"{gate}run {printable(summary.run, LONGEST)}{state}, exit code {verdict.exit_code}"


def ending(summary: Summary) -> Iterator[str]:
    """Yield why a run did not complete, as far as it is known."""
    if not summary.complete and summary.ended_because:
        yield f"it did not complete: {printable(summary.ended_because, LONGEST)}"


def afterthoughts(verdict: Verdict) -> Iterator[str]:
    """Yield what was written otherwise when the first case was sent, so that no reader takes it for a prediction."""
    for change in verdict.changes:
        before, after = (printable(text or "", LONGEST) for text in (change.before, change.after))
        if change.what == "rules":
            yield "the rules were changed after the first case was sent"
        elif change.before is None:
            yield f"added after the first case was sent: {after}"
        elif change.after is None:
            yield f"taken out after the first case was sent: {before}"
        else:
            yield f"changed after the first case was sent: {before} -> {after}"


def reason(verdict: Verdict) -> str:
    """Return in one sentence why the verdict is what it is: which criteria stand in its way."""
    if not verdict.criteria:
        return "no criterion was judged, so nothing was proved"
    ways = [each for each in verdict.criteria if each.state == verdict.state]
    if verdict.state == "GO":
        return f"{'the one criterion holds' if len(ways) == 1 else f'all {len(ways):,} criteria hold'}"
    named = "; ".join(printable(each.sentence, LONGEST) for each in ways[:_NAMED])
    more = f"; and {len(ways) - _NAMED:,} more" if len(ways) > _NAMED else ""
    of = counted(len(verdict.criteria), "criterion", "criteria")
    return f"{len(ways):,} of {of} {_STAND[verdict.state][len(ways) > 1]}: {named}{more}"
