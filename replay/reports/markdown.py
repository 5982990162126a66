"""The report for a pull request's comment, in GitHub's Markdown; what a service said can neither format nor mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from replay.counting import counted
from replay.documents.showing import shown_pair
from replay.inert import printable
from replay.models import Cluster, Judgement, Result, Summary, Verdict
from replay.reports import causes, facts, steps
from replay.reports.kpis import kpi_lines
from replay.reports.latency import latency_lines, latency_table
from replay.reports.matrix import by_class, is_remarkable
from replay.reports.noise import noise_lines

_SIGNS: Final = {"GO": "✅", "NO-GO": "❌", "INCONCLUSIVE": "⚠️"}
_VALUE: Final = 400
_BRIEF: Final = 120
_CELL: Final = 300


class MarkdownReport:
    """Writes the verdict, the criteria, the sums, the causes of deviations, and what to do next."""

    def write(self, out: TextIO, summary: Summary, results: Iterable[Result], verdict: Verdict) -> None:  # noqa: ARG002
        """Write the report to `out`. The results are not iterated: what is shown of them is in the summary."""
        out.writelines(f"{line}\n" for line in _lines(summary, verdict))


def _lines(summary: Summary, verdict: Verdict) -> Iterator[str]:
    yield f"## {_SIGNS[verdict.state]} {verdict.state}"
    yield ""
    if summary.decision:
        yield f"**{escaped(summary.decision)}**"
        yield ""
    yield escaped(facts.overview(verdict, summary))
    yield ""
    for line in (*facts.ending(summary), *facts.afterthoughts(verdict)):
        yield f"**{escaped(line)}**"
        yield ""
    yield from _criteria(verdict)
    yield from _bullets("KPIs", kpi_lines(summary.kpis))
    yield from _causes(summary)
    yield from _bullets("Cases", [*facts.sums(summary.counts), *facts.troubles(summary), *facts.intake(summary.intake)])
    yield from _statuses(summary)
    yield from _bullets("Experiment", facts.experiment(summary.experiment))
    yield from _bullets("Sides", [*facts.sides(summary), *facts.latencies(summary)])
    yield from _latencies(summary)
    yield from _bullets("Waived, and so not counted", facts.waivers(summary.waived))
    yield from _bullets("Where old differs from itself", noise_lines(summary.noise))
    yield from _bullets("Measures", facts.measurements(summary.measures))
    yield from _bullets("Counted as equal although bytes differ", facts.acceptances(summary.accepted))
    yield from _bullets("Warnings", summary.warnings)
    yield from _next(summary, verdict)


def _criteria(verdict: Verdict) -> Iterator[str]:
    if not verdict.criteria:
        yield "No criterion was judged, so nothing was proved."
        yield ""
        return
    yield "| criterion | | evidence | why |"
    yield "|---|---|---|---|"
    yield from (_row(judgement) for judgement in verdict.criteria)
    yield ""
    for judgement in verdict.criteria:
        yield from _bullets(f"Parts of {code(judgement.sentence)}", facts.parts(judgement))


def _row(judgement: Judgement) -> str:
    state = f"{_SIGNS[judgement.state]} {facts.STATES[judgement.state]}"
    why = escaped(printable(judgement.why, _CELL))
    sentence = code(judgement.sentence).replace("|", "\\|")
    return f"| {sentence} | {state} | {facts.evidence(judgement)} | {why} |"


def _statuses(summary: Summary) -> Iterator[str]:
    if not is_remarkable(summary.statuses):
        return
    heading, *rows = by_class(summary.statuses)
    yield "### Statuses"
    yield ""
    yield _cells(heading)
    yield "|---" * len(heading) + "|"
    yield from map(_cells, rows)
    yield ""
    yield from (f"{escaped(line)}\n" for line in facts.changes(summary.statuses))


def _latencies(summary: Summary) -> Iterator[str]:
    parity = summary.latency_parity
    if parity is None:
        return
    first, *rest = latency_lines(parity)
    heading, *rows = latency_table(parity)
    yield from ("### Latency parity", "", escaped(first), "", _cells(heading), "|---" * len(heading) + "|")
    yield from map(_cells, rows)
    yield ""
    yield from (f"- {escaped(line.strip())}" for line in rest[len(rows) + 1 :])
    yield ""


def _cells(row: list[str]) -> str:
    return "| " + " | ".join(map(escaped, row)) + " |"


def _bullets(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(facts.shortened(lines))
    if found:
        yield f"### {title}"
        yield ""
        yield from (f"- {escaped(line)}" for line in found)
        yield ""


def _causes(summary: Summary) -> Iterator[str]:
    clusters = summary.clusters
    if not clusters:
        return
    yield "### Causes"
    yield ""
    yield escaped(causes.causes_sum(clusters, summary.counts))
    yield ""
    for place, cluster in enumerate(clusters[: causes.FULL], start=1):
        yield from _cause(place, cluster)
    for place, cluster in enumerate(clusters[causes.FULL :][: causes.BRIEF], start=causes.FULL + 1):
        remark = causes.remark(cluster, _BRIEF)
        example = f"for example {code(cluster.example)}" + (f": {code(remark)}" if remark else "")
        yield f"{place}. {_named(cluster)}, {example}"
    rest = causes.rest(clusters)
    if rest:
        yield ""
        yield escaped(rest)
    yield ""


def _named(cluster: Cluster) -> str:
    return f"{code(cluster.title)} ({counted(cluster.cases, 'case')})"


def _cause(place: int, cluster: Cluster) -> Iterator[str]:
    yield f"{place}. {_named(cluster)}"
    yield ""
    yield from (f"   - {escaped(line)}" for line in causes.facts_of(cluster))
    sample = cluster.sample
    if sample is not None and causes.tells_more(cluster):
        old, new = shown_pair(sample.old, sample.new, _VALUE)
        rule = printable(sample.rule, _CELL)
        yield ""
        block = [f"@ {printable(sample.at, _CELL)}", f"- {old}", f"+ {new}"]
        if sample.note:
            block.append(f"# {printable(sample.note, _CELL)}")
        block.append(f"# judged by {rule}")
        yield from (f"   {line}" for line in fenced(block, "diff"))
    yield ""


def _next(summary: Summary, verdict: Verdict) -> Iterator[str]:
    yield "### What to do next"
    yield ""
    for command, purpose in steps.next_steps(summary, verdict):
        yield f"- {code(command)}: {escaped(purpose)}"


def code(text: str) -> str:
    """Return the text as a code span; nothing in it ends the span."""
    shown = printable(text, _CELL) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    edge = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{edge}{shown}{edge}{ticks}"


def fenced(lines: list[str], language: str) -> list[str]:
    """Return the lines as a code block; nothing in them ends the block."""
    fence = "`" * max(3, max(map(_longest_run, lines), default=0) + 1)
    return [f"{fence}{language}", *lines, fence]


def escaped(text: str) -> str:
    """Return the text so that it formats, links and mentions nothing."""
    plain = re.sub(
        r"[\\`*_{}\[\]|~$]|^\s*(?:[-+>=]|\d+(?=[.)]))", lambda match: _backslashed(match[0]), printable(text)
    )
    plain = plain.replace("&", "&amp;").replace("<", "&lt;")
    # A zero-width space keeps GitHub from notifying people, and from linking what looks like an address or an issue.
    return re.sub(r"[@#]|:(?=//)|(?<=\bwww)\.", lambda match: match[0] + "&#8203;", plain, flags=re.IGNORECASE)


def _backslashed(mark: str) -> str:
    return f"{mark}&#8203;" if mark[-1].isdigit() else f"{mark[:-1]}\\{mark[-1]}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
