"""The report for CI servers: goldens, traffic and criteria as JUnit test cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final, Literal, TextIO
from xml.sax.saxutils import escape, quoteattr

from replay.causes import Naming
from replay.counting import counted
from replay.documents.showing import shown_pair
from replay.inert import printable
from replay.models import Judgement, Observation, Result, Summary, Verdict
from replay.reports.causes import named
from replay.reports.facts import LONGEST, afterthoughts, ending, evidence, sums, troubles

MOST_TRAFFIC: Final = 1_000
"""Failing traffic cases that are listed one by one; CI servers choke on more."""

MOST_DIFFERENCES: Final = 20
"""Differences of one case that are told; the JSON report has them all."""

_VALUE: Final = 200
_TAGS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}

Trouble = Literal["failures", "errors", "skipped"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One `<testcase>`: a trouble of None has passed."""

    classname: str
    name: str
    seconds: float = 0.0
    trouble: Trouble | None = None
    message: str = ""
    type: str = ""
    text: str = ""

    def xml(self) -> str:
        head = (
            f"<testcase classname={_attribute(self.classname)} name={_attribute(self.name)} time={_time(self.seconds)}"
        )
        if self.trouble is None:
            out = f"<system-out>{_text(self.text)}</system-out>" if self.text else ""
            return f"    {head}>{out}</testcase>\n" if out else f"    {head}/>\n"
        tag = _TAGS[self.trouble]
        kind = "" if self.trouble == "skipped" else f" type={_attribute(self.type)}"
        body = f"<{tag} message={_attribute(self.message)}{kind}>{_text(self.text)}</{tag}>"
        return f"    {head}>\n      {body}\n    </testcase>\n"


@dataclass(slots=True)
class _Suite:
    """Test cases and their sums, which stand before them in the file."""

    name: str
    entries: list[_Entry] = field(default_factory=list)

    def sums(self) -> Counter[str]:
        found = Counter[str](entry.trouble for entry in self.entries if entry.trouble is not None)
        found["tests"] = len(self.entries)
        return found

    def seconds(self) -> float:
        return sum(entry.seconds for entry in self.entries)

    def xml(self, started: str) -> Iterator[str]:
        head = f"name={_attribute(self.name)} timestamp={_attribute(started)}"
        yield f"  <testsuite {head} {_sums(self.sums())} time={_time(self.seconds())}>\n"
        yield from (entry.xml() for entry in self.entries)
        yield "  </testsuite>\n"


class JunitReport:
    """Writes every golden, the traffic cases that fail, and each criterion with the verdict; never an empty file."""

    def write(self, out: TextIO, summary: Summary, results: Iterable[Result], verdict: Verdict) -> None:
        """Write the report to `out`; what it holds in memory is bounded by the goldens and `MOST_TRAFFIC`."""
        suites = [suite for suite in (*_cases(results, summary), _criteria(verdict, summary)) if suite.entries]
        total = sum((suite.sums() for suite in suites), Counter[str]())
        seconds = sum(suite.seconds() for suite in suites)
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write(f'<testsuites name="replay" {_sums(total)} time={_time(seconds)}>\n')
        for suite in suites:
            out.writelines(suite.xml(f"{summary.started.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"))
        out.write("</testsuites>\n")


def _cases(results: Iterable[Result], summary: Summary) -> tuple[_Suite, _Suite]:
    goldens, traffic = _Suite("goldens"), _Suite("traffic")
    outcomes: Counter[str] = Counter()
    unlisted = 0
    naming = Naming(summary.clusters)
    for result in results:
        place = naming.place(result)
        cause = "" if place is None else named(place, summary.clusters)
        if result.case.kind == "golden":
            goldens.entries.append(_golden(result, cause))
            continue
        outcomes[result.outcome] += 1
        if result.outcome in ("deviation", "new_error", "old_error", "both_error"):
            if len(traffic.entries) < MOST_TRAFFIC:
                traffic.entries.append(_entry(result, "traffic", result.case.id, cause))
            else:
                unlisted += 1
    if outcomes:
        traffic.entries.append(_traffic_sum(outcomes, unlisted, summary))
    return goldens, traffic


def _golden(result: Result, cause: str) -> _Entry:
    folder, _, name = result.case.id.rpartition("/")
    return _entry(result, ".".join(["goldens", *filter(None, folder.split("/"))]), name or result.case.id, cause)


def _entry(result: Result, classname: str, name: str, cause: str) -> _Entry:
    seconds = (_milliseconds(result.old) + _milliseconds(result.new)) / 1_000
    if result.outcome == "skipped":
        return _Entry(classname, name, seconds, "skipped", result.skipped or "not sent")
    text = "\n".join(_explained(result, cause))
    if result.error is not None:
        side = "both sides" if result.error.side == "both" else result.error.side
        message = f"{side} failed: {result.error.kind} {result.error.message}".rstrip()
        return _Entry(classname, name, seconds, "errors", message, result.error.kind, text)
    if result.outcome == "deviation":
        real = [each for each in result.differences if each.counts]
        first = next(iter(real), None)
        message = f"{counted(len(real), 'difference')}, the first at {first.at}" if first else "deviation"
        return _Entry(classname, name, seconds, "failures", message, first.kind if first else "deviation", text)
    if result.outcome != "match" and result.outcome not in ("noise", "waived"):
        return _Entry(classname, name, seconds, "errors", result.outcome, result.outcome, text)
    return _Entry(classname, name, seconds, text=text if result.differences else "")


def _explained(result: Result, cause: str) -> Iterator[str]:
    if result.case.title:
        yield printable(result.case.title, LONGEST)
    if result.case.why:
        yield f"why: {printable(result.case.why, LONGEST)}"
    if cause:
        yield f"cause {cause}"
    for each in result.differences[:MOST_DIFFERENCES]:
        old, new = shown_pair(each.old, each.new, _VALUE)
        expected = " (expected by the golden)" if each.against == "expect" else ""
        note = f"; {printable(each.note, LONGEST)}" if each.note else ""
        note += f"; waived by {printable(each.waived, LONGEST)}" if each.waived else ""
        note += f"; converged: {printable(each.converged, LONGEST)}" if each.converged else ""
        note += f"; noise: {printable(each.noise, LONGEST)}" if each.noise else ""
        yield f"{printable(each.at, LONGEST)}: {old} -> {new}{expected} ({printable(each.rule, LONGEST)}){note}"
    hidden = len(result.differences) - MOST_DIFFERENCES
    if hidden > 0:
        yield f"and {hidden:,} more"


def _traffic_sum(outcomes: Counter[str], unlisted: int, summary: Summary) -> _Entry:
    lines = [f"{name}: {number}" for name, number in outcomes.most_common()]
    text = "\n".join([*lines, *sums(summary.counts), *troubles(summary)])
    if unlisted:
        message = f"{counted(unlisted, 'more case')} failed than are listed here"
        return _Entry("traffic", "all traffic cases", trouble="failures", message=message, type="unlisted", text=text)
    return _Entry("traffic", "all traffic cases", text=text)


def _criteria(verdict: Verdict, summary: Summary) -> _Suite:
    entries = [_criterion(each) for each in verdict.criteria]
    said = "" if summary.complete else " The run did not complete."
    warnings = [f"warning: {each}" for each in summary.warnings]
    changes = (*ending(summary), *afterthoughts(verdict))
    text = "\n".join([f"exit code {verdict.exit_code}.{said}", *changes, *sums(summary.counts), *warnings])
    whole = Judgement("verdict", verdict.state, text)
    return _Suite("criteria", [*entries, _criterion(whole)])


def _criterion(judgement: Judgement) -> _Entry:
    text = "\n".join(filter(None, (evidence(judgement), judgement.why)))
    if judgement.state == "GO":
        return _Entry("criteria", judgement.sentence, text=text)
    # What could not be decided has to stop a pipeline like what failed, and be told apart from it.
    trouble: Trouble = "failures" if judgement.state == "NO-GO" else "errors"
    message = f"{judgement.state}: {judgement.sentence}"
    return _Entry("criteria", judgement.sentence, 0.0, trouble, message, judgement.state, text)


def _milliseconds(observation: Observation | None) -> float:
    return observation.timing.latency_ms if observation is not None and observation.timing is not None else 0.0


def _sums(sums: Counter[str]) -> str:
    return " ".join(f'{name}="{sums[name]}"' for name in ("tests", "failures", "errors", "skipped"))


def _time(seconds: float) -> str:
    return f'"{max(seconds, 0.0):.6f}"'


def _attribute(text: str) -> str:
    return quoteattr(printable(text, LONGEST))


def _text(text: str) -> str:
    return escape("\n".join(printable(line) for line in text.split("\n")))
