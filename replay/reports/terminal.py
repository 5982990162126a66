"""The report on the terminal: the verdict, why, what was seen, and what to do next, on a screen or two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from replay.counting import counted
from replay.documents.showing import shown_pair
from replay.inert import printable
from replay.models import Cluster, Judgement, Result, Summary, Verdict
from replay.reports import cards, causes, facts, steps
from replay.reports.kpis import kpi_lines
from replay.reports.latency import latency_lines
from replay.reports.matrix import by_class, is_remarkable, laid_out
from replay.reports.noise import noise_lines
from replay.reports.page import Line, columns, title, wrapped, write_lines

_STYLES: Final = {"GO": "bold green", "NO-GO": "bold red", "INCONCLUSIVE": "bold yellow"}
_INDENT: Final = "  "
_EXAMPLE: Final = ", e.g. "
_SHORTEST_EXAMPLE: Final = 8
_LONGEST_EXAMPLE: Final = 24


class TerminalReport:
    """Prints a run for a person: plain ASCII but for what the services answered, coloured on a terminal only."""

    def __init__(self, width: int | None = None) -> None:
        self._width = columns(width)

    def write(self, out: TextIO, summary: Summary, results: Iterable[Result], verdict: Verdict) -> None:  # noqa: ARG002
        """Write the report to `out`. The results are not iterated: what is shown of them is in the summary."""
        write_lines(out, self._lines(summary, verdict), self._width)

    def _lines(self, summary: Summary, verdict: Verdict) -> Iterator[Line]:
        yield from self._banner(summary, verdict)
        yield "", ""
        yield from cards.laid_out(cards.cards(summary, verdict), self._width)
        for line in filter(None, (cards.rest(verdict), cards.legend(verdict))):
            yield from self._wrapped(line, style="dim")
        yield from self._statuses(summary)
        yield from self._criteria(verdict)
        yield from self._section("KPIs", kpi_lines(summary.kpis))
        yield from self._causes(summary)
        yield from self._section("Cases", [*facts.sums(summary.counts), *facts.troubles(summary)])
        yield from self._section("Input", facts.intake(summary.intake))
        yield from self._section("Experiment", facts.experiment(summary.experiment))
        yield from self._section("Sides", [*facts.sides(summary), *facts.latencies(summary)])
        yield from self._section("Latency parity", latency_lines(summary.latency_parity))
        yield from self._section("Waived, and so not counted", facts.waivers(summary.waived), style="yellow")
        yield from self._section("Where old differs from itself", noise_lines(summary.noise))
        yield from self._section("Measures", facts.measurements(summary.measures))
        yield from self._section("Counted as equal although bytes differ", facts.acceptances(summary.accepted))
        warnings = (printable(warning, facts.LONGEST) for warning in summary.warnings)
        yield from self._section("Warnings", warnings, style="yellow")
        yield from self._next(summary, verdict)

    def _banner(self, summary: Summary, verdict: Verdict) -> Iterator[Line]:
        """Yield the verdict, why, and what to do; then what a reader must not miss, and of what it speaks."""
        yield verdict.state, _STYLES[verdict.state]
        yield from self._wrapped(facts.reason(verdict))
        yield from self._wrapped(f"next: {steps.first_step(summary, verdict)}", hang=6)
        for line in (*facts.ending(summary), *facts.afterthoughts(verdict)):
            yield from self._wrapped(line, style="yellow", hang=2)
        yield from self._decision(summary)
        yield from self._wrapped(facts.overview(verdict, summary), style="dim")

    def _decision(self, summary: Summary) -> Iterator[Line]:
        if summary.decision:
            yield from self._wrapped(printable(summary.decision, facts.LONGEST))
        if summary.owner:
            yield from self._wrapped(f"owner: {printable(summary.owner, facts.LONGEST)}", style="dim")

    def _criteria(self, verdict: Verdict) -> Iterator[Line]:
        yield from title("Criteria")
        if not verdict.criteria:
            yield from self._wrapped("there is none, so nothing was proved", _INDENT)
        for judgement in verdict.criteria:
            yield from self._criterion(judgement)

    def _criterion(self, judgement: Judgement) -> Iterator[Line]:
        state, style = facts.STATES[judgement.state], _STYLES[judgement.state].removeprefix("bold ")
        yield from self._wrapped(f"{state:<11}{printable(judgement.sentence, facts.LONGEST)}", _INDENT, 11, style)
        indent = _INDENT + " " * 11
        if facts.evidence(judgement):
            yield from self._wrapped(facts.evidence(judgement), indent)
        if judgement.why:
            yield from self._wrapped(printable(judgement.why, facts.LONGEST), indent)
        for line in facts.parts(judgement):
            yield from self._wrapped(line, indent, 2)

    def _statuses(self, summary: Summary) -> Iterator[Line]:
        if is_remarkable(summary.statuses):
            table = laid_out(by_class(summary.statuses))
            yield from self._section("Statuses", [*table, *facts.changes(summary.statuses)])

    def _causes(self, summary: Summary) -> Iterator[Line]:
        clusters = summary.clusters
        if not clusters:
            return
        yield from title("Causes")
        yield from self._wrapped(causes.causes_sum(clusters, summary.counts), _INDENT, 2)
        for place, cluster in enumerate(clusters[: causes.FULL], start=1):
            yield from self._cause(place, cluster)
        for place, cluster in enumerate(clusters[causes.FULL :][: causes.BRIEF], start=causes.FULL + 1):
            yield self._brief(place, cluster), ""
        rest = causes.rest(clusters)
        if rest:
            yield from self._wrapped(rest, _INDENT)

    def _brief(self, place: int, cluster: Cluster) -> str:
        """Return a cause on one line: its title, its size, an example, and what became of it where there is room."""
        lead, size = f"{_INDENT}{place:>2}. ", f" ({counted(cluster.cases, 'case')})"
        line = lead + printable(cluster.title, max(self._width - len(lead) - len(size), 1)) + size
        room = self._width - len(line) - len(_EXAMPLE)
        if room < _SHORTEST_EXAMPLE:
            return line
        line += _EXAMPLE + printable(cluster.example, min(room, _LONGEST_EXAMPLE))
        remark = causes.remark(cluster, self._width - len(line) - 2)
        return f"{line}: {remark}" if remark else line

    def _cause(self, place: int, cluster: Cluster) -> Iterator[Line]:
        heading = printable(cluster.title, 2 * self._width)
        yield from self._wrapped(f"{place:>2}. {heading} ({counted(cluster.cases, 'case')})", _INDENT, 4, "bold")
        indent = _INDENT + " " * 4
        for line in causes.facts_of(cluster):
            yield from self._wrapped(line, indent, 3)
        sample = cluster.sample
        if sample is None or not causes.tells_more(cluster):
            return
        name = "old" if sample.against == "old" else "expect"
        old, new = shown_pair(sample.old, sample.new, self._width - len(indent) - len(name) - 1)
        yield from self._wrapped(f"at {printable(sample.at, 2 * self._width)}", indent, 3)
        yield f"{indent}{name} {old}", "red"
        yield f"{indent}{'new':<{len(name)}} {new}", "green"
        if sample.note:
            yield from self._wrapped(printable(sample.note, 2 * self._width), indent)
        yield from self._wrapped(f"judged by {printable(sample.rule, 2 * self._width)}", indent, style="dim")

    def _next(self, summary: Summary, verdict: Verdict) -> Iterator[Line]:
        yield from title("What to do next")
        for command, purpose in steps.next_steps(summary, verdict):
            yield from self._wrapped(command, _INDENT, style="bold")
            yield from self._wrapped(purpose, _INDENT * 3)

    def _section(self, name: str, lines: Iterable[str], style: str = "") -> Iterator[Line]:
        for place, line in enumerate(facts.shortened(lines)):
            if place == 0:
                yield from title(name)
            yield from self._wrapped(line, _INDENT, 2, style)

    def _wrapped(self, text: str, indent: str = "", hang: int = 0, style: str = "") -> Iterator[Line]:
        return wrapped(text, self._width, indent, style, hang=hang)
