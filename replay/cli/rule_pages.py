"""What `replay rules` prints: for people on 80 columns, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TextIO

from replay.cli.present import CHANGED, TOKENS, Present
from replay.compare import Pair
from replay.compare.scenario import at_step, steps_of
from replay.compare.scrutiny import Finding
from replay.compare.tracing import Ruling
from replay.counting import counted
from replay.documents.json_text import json_text
from replay.documents.showing import shown_pair
from replay.engine.advice import Advice
from replay.engine.audit import Audit, Spot
from replay.engine.usage import Usage
from replay.inert import printable
from replay.models import MISSING, Difference, Observation, Result, RuleSpec
from replay.reports.facts import LONGEST
from replay.reports.page import Line, columns, title, wrapped, write_lines
from replay.store.base import RunRecord

_MOST_RULINGS: Final = 200
_MOST_SPOTS: Final = 8
_STYLES: Final = {"differs": "red", "waived": "yellow", "ignored": "yellow", "accepted": "green", "equal": "dim"}


@dataclass(frozen=True, slots=True)
class Named:
    """A finding with the rule that it speaks of, which may be a golden's own."""

    spec: RuleSpec
    finding: Finding
    golden: str = ""

    @property
    def where(self) -> str:
        """Return which rule it is, as people count."""
        number = f"rule {self.finding.index + 1}"
        return f"{number} of golden {self.golden}" if self.golden else number


# --------------------------------------------------------------------------------------------------------------- check


def write_check(out: TextIO, present: Present, record: RunRecord | None, used: Usage, found: Sequence[Named]) -> None:
    """Print what was found about the rules, and what to do about it."""
    width = columns(None)
    write_lines(out, _check(present, record, used, found, width), width)


def _check(
    present: Present, record: RunRecord | None, used: Usage, found: Sequence[Named], width: int
) -> Iterator[Line]:
    against = f"held against {counted(used.cases, 'case')} of run {record.id}" if record else "no run was stored yet"
    yield from wrapped(f"{counted(len(present.rules), 'rule')}, {against}", width)
    if record is not None and present.changed_since(record):
        yield from wrapped(CHANGED, width, style="dim")
    for each in found:
        yield from _found(each, present, width)
    yield "", ""
    grave = sum(each.finding.grave for each in found)
    if grave:
        yield from wrapped(f"{counted(grave, 'finding')} of whole bodies that nobody compares: exit code 1", width)
    elif found:
        yield from wrapped("No rule hides whole bodies unsaid; the rest is worth a look.", width)
    else:
        yield "Nothing was found.", ""


def _found(each: Named, present: Present, width: int) -> Iterator[Line]:
    finding = each.finding
    name = printable(present.clean(each.spec.name), LONGEST)
    yield "", ""
    style = "bold red" if finding.grave else "bold"
    yield from wrapped(f"{finding.problem:<9} {each.where}: {name}", width, "", style, hang=10)
    yield from wrapped(printable(present.clean(finding.fact), LONGEST), width, " " * 10)
    yield from wrapped(f"-> {printable(present.clean(finding.remedy), LONGEST)}", width, " " * 10, hang=3)


def write_check_json(
    out: TextIO, present: Present, record: RunRecord | None, used: Usage, found: Sequence[Named]
) -> None:
    """Print the same as JSON."""
    document = {
        "run": record.id if record else None,
        "cases": used.cases,
        "rules": len(present.rules),
        "findings": [
            {
                "rule": present.clean(each.spec.name),
                "number": each.finding.index + 1,
                "golden": each.golden or None,
                "problem": each.finding.problem,
                "grave": each.finding.grave,
                "fact": present.clean(each.finding.fact),
                "remedy": present.clean(each.finding.remedy),
            }
            for each in found
        ],
    }
    out.write(json_text(document, spread=True) + "\n")


# ------------------------------------------------------------------------------------------------------------- explain


@dataclass(frozen=True, slots=True)
class Explained:
    """A stored case, what becomes of it by the present rules, and what these said of each node."""

    stored: Result
    judged: Result
    rulings: Sequence[Ruling]


def explained(present: Present, stored: Result, answer: Observation) -> Explained:
    """Judge a stored case, which new answered so, by the present rules; a scenario step by step."""
    rulings: list[Ruling] = []
    for each in steps_of(stored):
        present.referee.comparison.compare(Pair(each.case, each.old, each.new))
        spoken = present.book.trace.rulings
        rulings += [replace(it, at=at_step(each.case.step, it.at)) for it in spoken] if each.case.step else spoken
    return Explained(stored, present.referee.result(stored.case, stored.old, answer), rulings)


def write_explanation(out: TextIO, present: Present, record: RunRecord, explained: Explained) -> None:
    """Print each node that a rule judged, then what the defaults judged."""
    width = columns(None)
    write_lines(out, _explanation(present, record, explained, width), width)


def _explanation(present: Present, record: RunRecord, explained: Explained, width: int) -> Iterator[Line]:
    stored, judged, rulings = explained.stored, explained.judged, explained.rulings
    was = "" if stored.outcome == judged.outcome else f", stored as {stored.outcome}"
    yield from wrapped(f"{judged.outcome}{was}  {printable(stored.case.id, LONGEST)}", width, style="bold", hang=2)
    yield from wrapped(f"run {record.id}; {CHANGED if present.changed_since(record) else 'by its own rules'}", width)
    yield from wrapped(TOKENS, width, style="dim")
    yield from title(f"Judged by rules: {counted(len(rulings), 'node')}")
    for ruling in rulings[:_MOST_RULINGS]:
        yield from _ruling(ruling, present, width)
    if len(rulings) > _MOST_RULINGS:
        yield f"  ... and {len(rulings) - _MOST_RULINGS:,} more; --json has them all", ""
    yield from _by_default(judged, rulings, width)


def _ruling(ruling: Ruling, present: Present, width: int) -> Iterator[Line]:
    head = f"{ruling.judged:<9} {printable(ruling.at, LONGEST)}"
    against = " (expected by the golden)" if ruling.against == "expect" else ""
    yield from wrapped(head + against, width, "  ", _STYLES[ruling.judged], hang=10)
    if ruling.judged != "equal":
        yield from _values(ruling.old, ruling.new, width)
    yield from wrapped(f"by {printable(present.clean(ruling.rule.name), LONGEST)}", width, " " * 12, "dim", hang=3)


def _values(old: Any, new: Any, width: int) -> Iterator[Line]:
    one, other = shown_pair(old, new, width - 16)
    yield f"{' ' * 12}old {one}", ""
    yield f"{' ' * 12}new {other}", ""


def _by_default(judged: Result, rulings: Sequence[Ruling], width: int) -> Iterator[Line]:
    yield from title("Everything else")
    differences, accepted = _defaults(judged, rulings)
    for difference in differences[:_MOST_RULINGS]:
        state = "waived" if difference.waived else "differs"
        yield from wrapped(f"{state:<9} {printable(difference.at, LONGEST)}", width, "  ", _STYLES[state], hang=10)
        yield from _values(difference.old, difference.new, width)
        rule = printable(difference.waived or difference.rule, LONGEST)
        yield from wrapped(f"by {rule}", width, " " * 12, "dim", hang=3)
    if len(differences) > _MOST_RULINGS:
        yield f"  ... and {len(differences) - _MOST_RULINGS:,} more; --json has them all", ""
    for at, rule in accepted[:_MOST_RULINGS]:
        yield from wrapped(f"accepted  {printable(at, LONGEST)}", width, "  ", _STYLES["accepted"], hang=10)
        yield from wrapped(f"by {printable(rule, LONGEST)}", width, " " * 12, "dim", hang=3)
    yield "  equal     everything else that is compared", "dim"


def _defaults(judged: Result, rulings: Sequence[Ruling]) -> tuple[list[Difference], list[tuple[str, str]]]:
    """Return the differences that no rule's node told, and what a default accepted."""
    names = {ruling.rule.name for ruling in rulings}
    told = {id(difference) for ruling in rulings for difference in ruling.differences if ruling.at == difference.at}
    differences = [it for it in judged.differences if id(it) not in told]
    return differences, [(it.at, it.rule) for it in judged.accepted if it.rule not in names]


def write_explanation_json(out: TextIO, present: Present, record: RunRecord, explained: Explained) -> None:
    """Print the same as JSON, with every node."""
    stored, judged, rulings = explained.stored, explained.judged, explained.rulings
    differences, accepted = _defaults(judged, rulings)
    document = {
        "run": record.id,
        "id": stored.case.id,
        "outcome": judged.outcome,
        "stored_outcome": stored.outcome,
        "rules_changed": present.changed_since(record),
        "rulings": [
            {"at": it.at, "judged": it.judged, **_sides(it.old, it.new), "rule": present.clean(it.rule.name),
             "against": it.against}
            for it in rulings
        ],
        "defaults": [
            *({"at": it.at, "judged": "waived" if it.waived else "differs", **_sides(it.old, it.new),
               "rule": present.clean(it.waived or it.rule), "against": it.against} for it in differences),
            *({"at": at, "judged": "accepted", "rule": present.clean(rule)} for at, rule in accepted),
        ],
    }  # fmt: skip
    out.write(json_text(document, spread=True) + "\n")


def _sides(old: Any, new: Any) -> dict[str, Any]:
    return {name: value for name, value in (("old", old), ("new", new)) if value is not MISSING}


# --------------------------------------------------------------------------------------------------------------- audit


def write_audit(out: TextIO, present: Present, record: RunRecord, audited: Audit, advice: Sequence[Advice]) -> None:
    """Print what was let through by which rule, what matters most first, and how narrow it could be."""
    width = columns(None)
    write_lines(out, _audit(present, record, audited, advice, width), width)


def _audit(present: Present, record: RunRecord, audited: Audit, advice: Sequence[Advice], width: int) -> Iterator[Line]:
    sums = f"planted {audited.planted:,} = seen {audited.planted - audited.passed:,} + let through {audited.passed:,}"
    yield from wrapped(f"{sums}, in {counted(audited.cases, 'case')} of run {record.id}", width, style="bold")
    if present.changed_since(record):
        yield from wrapped(CHANGED, width, style="dim")
    yield from wrapped(TOKENS, width, style="dim")
    needless = [each for each in advice if each.excess]
    if needless:
        yield from title("Wider than they have to be")
    for place, each in enumerate(needless, 1):
        yield from _hole(place, each, present, width)
    rest = [each for each in advice if not each.excess]
    if rest:
        yield from title("As wide as what differs in these cases")
    for each in rest:
        name = printable(present.clean(each.hole.rule), LONGEST)
        yield from wrapped(f"{each.hole.passed:>5,} let through by {name}", width, "  ", hang=6)
    if not advice:
        yield from title("No regression was let through.")


def _hole(place: int, each: Advice, present: Present, width: int) -> Iterator[Line]:
    hole = each.hole
    yield "", ""
    yield from wrapped(f"{place:>2}. {printable(present.clean(hole.rule), LONGEST)}", width, "  ", "bold", hang=4)
    at = counted(len(each.excess), "location")
    fact = f"lets {counted(each.weight[0], 'regression')} through at {at} where nothing has to differ"
    yield from wrapped(fact, width, " " * 6)
    worst = sorted(each.excess, key=lambda at: -hole.spots[at].passed.total())
    for name in worst[:_MOST_SPOTS]:
        yield from wrapped(f"{printable(name, LONGEST)}: {_passed(hole.spots[name])}", width, " " * 6, hang=2)
    if len(worst) > _MOST_SPOTS:
        yield f"      ... and at {len(worst) - _MOST_SPOTS:,} more", ""
    for remedy in each.remedies:
        yield from wrapped(f"-> {printable(present.clean(remedy), 2 * LONGEST)}", width, " " * 6, hang=3)


def _passed(spot: Spot) -> str:
    told = ", ".join(name for name, _ in spot.passed.most_common())
    return f"{told} (as in {printable(spot.example, LONGEST)})"


def write_audit_json(
    out: TextIO, present: Present, record: RunRecord, audited: Audit, advice: Sequence[Advice]
) -> None:
    """Print the same as JSON, with every location."""
    document = {
        "run": record.id,
        "cases": audited.cases,
        "planted": audited.planted,
        "let_through": audited.passed,
        "rules_changed": present.changed_since(record),
        "holes": [_hole_json(each, present) for each in advice],
    }
    out.write(json_text(document, spread=True) + "\n")


def _hole_json(each: Advice, present: Present) -> dict[str, Any]:
    return {
        "rule": present.clean(each.hole.rule),
        "let_through": each.hole.passed,
        "needless": each.weight[0],
        "locations": [
            {
                "at": at,
                "needless": at in each.excess,
                "example": spot.example,
                "planted": dict(spot.planted),
                "let_through": dict(spot.passed),
            }
            for at, spot in each.hole.spots.items()
            if spot.passed
        ],
        "differs": [{"at": at, "narrowest": need.verb()} for at, need in each.needs.items()],
        "remedies": [present.clean(remedy) for remedy in each.remedies],
    }
