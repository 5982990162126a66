"""What to do next, as commands to type: the first of them stands right under the verdict."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from replay.errors import CHANGED
from replay.inert import printable
from replay.models import NOT_WRITABLE, NOTHING_EXPECTED, SIDES, UNREACHABLE, Side, Summary, Verdict
from replay.reports.facts import LONGEST

MORE: Final = "replay run --traffic"
"""The step for whoever needs more cases."""
Step = tuple[str, str]
"""A command, and what it does."""


def first_step(summary: Summary, verdict: Verdict) -> str:
    """Return what to do next, on one line."""
    if verdict.state == "GO":
        return _warned(len(summary.warnings)) + _after_go(summary, verdict)
    steps = next_steps(summary, verdict)
    more = [step for step in steps if verdict.state == "INCONCLUSIVE" and step == _more(summary)]
    # What has to be mended stands first among the steps, and nothing asks for more cases then.
    command, purpose = (more if summary.complete and more else steps)[0]
    return f"{command}  to {purpose}"


def next_steps(summary: Summary, verdict: Verdict) -> list[Step]:
    """Return commands to type next, each with what it does."""
    mending = list(_mending(summary))
    steps = list(mending)
    if not summary.complete and summary.experiment is None:
        changed = summary.ended_because.endswith(CHANGED)
        again = ("replay run", "begin anew: what it read has changed")
        steps.append(again if changed else ("replay run --resume", "go on where this run stopped"))
    if summary.clusters:
        example = _argument(summary.clusters[0].example)
        steps.append((f"replay show {example}", "see the first cause's example in full"))
    promotable = next((cluster.promotable for cluster in summary.clusters if cluster.promotable), None)
    if promotable:
        steps.append((f"replay promote {_argument(promotable)}", "keep a surprise as a golden"))
    if not mending and any(_lacks_cases(each.why) for each in verdict.criteria if each.state == "INCONCLUSIVE"):
        steps.append(_more(summary))
    steps.append((f"replay report {_argument(summary.run)}", "print this report again"))
    return steps


def _warned(number: int) -> str:
    return f"read the {'warning' if number == 1 else f'{number:,} warnings'} below; then " if number else ""


def _lacks_cases(why: str) -> bool:
    return "would settle it" in why or "no traffic was" in why


def _after_go(summary: Summary, verdict: Verdict) -> str:
    if verdict.gate:
        return f"the gate {printable(verdict.gate, LONGEST)} is open"
    if summary.experiment is not None:
        return f"flip the flag of {printable(summary.experiment.name, LONGEST)}"
    return f"{printable(summary.owner, LONGEST)} says go" if summary.owner else "cut over"


def _mending(summary: Summary) -> Iterator[Step]:
    """Yield what has to be mended before a run can compare anything; nothing where it compared some."""
    if summary.counts.compared or summary.experiment is not None:
        return
    if silent := [side for side in SIDES if _is_silent(summary, side)]:
        yield "replay doctor", f"see why there is no answer from {' and '.join(silent)}: {', '.join(_why(summary))}"
    if any(reason.endswith(NOT_WRITABLE) for reason in summary.skipped):
        yield "replay run --writable both", "send the cases that may change something, where both sides may be changed"
    if NOTHING_EXPECTED in summary.skipped:
        yield "replay run --old URL", "compare with an old side, or write `expect:` into the goldens"


def _is_silent(summary: Summary, side: Side) -> bool:
    """Tell whether no case got any answer of a side since it could not be reached at all."""
    failures = {f"{who} {kind}" for who in (side, "both") for kind in UNREACHABLE}
    return side not in summary.latency and not failures.isdisjoint(summary.errors)


def _why(summary: Summary) -> list[str]:
    kinds = (name.partition(" ")[2] for name in summary.errors)
    return [kind for kind in dict.fromkeys(kinds) if kind in UNREACHABLE]


def _more(summary: Summary) -> Step:
    if summary.experiment is None:
        return f"{MORE} FILE", "bring as much more as the criteria ask for"
    return f"replay judge --experiment {_argument(summary.experiment.name)}", "judge it again when more calls came"


def _argument(text: str) -> str:
    """Return a text as one argument of a shell's command, and never as an option."""
    return ("-- " if text.startswith("-") else "") + shlex.quote(printable(text))
