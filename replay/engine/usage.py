"""What rules did in a stored run: its answers compared anew, by the rules as they are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from replay.compare import Comparison, Pair, TracedBook
from replay.compare.hiding import narrowed
from replay.compare.scenario import steps_of
from replay.compare.scrutiny import Finding, hides_bodies, opened_by
from replay.compare.tracing import Trace
from replay.models import Result, RuleSpec


@dataclass(slots=True)
class Usage:
    """In how many cases each rule held, met a node, and had the last word; rules are told by their place."""

    cases: int = 0
    """How many cases were answered by new, and so compared anew."""
    held: Counter[int] = field(default_factory=Counter)
    met: Counter[int] = field(default_factory=Counter)
    judged: Counter[int] = field(default_factory=Counter)
    waived: Counter[str] = field(default_factory=Counter)
    largest: dict[int, Decimal] = field(default_factory=dict)
    """The largest number of old that each tolerance was asked about."""


def usage(specs: Sequence[RuleSpec], book: TracedBook, comparison: Comparison, results: Iterable[Result]) -> Usage:
    """Compare every case of a run anew by a book of these rules, and return what they did."""
    found = Usage()
    for result in results:
        if result.new is None:
            continue
        found.cases += 1
        for each in steps_of(result):
            compared = comparison.compare(Pair(each.case, each.old, each.new))
            found.waived.update({it.waived for it in compared.differences if it.waived})
            _count(found, specs, book.trace)
    return found


def _count(found: Usage, specs: Sequence[RuleSpec], trace: Trace) -> None:
    for index, spec in enumerate(specs):
        found.held[index] += trace.chose(spec)
        found.met[index] += trace.met(spec)
        found.judged[index] += trace.judged(spec)
    places = {id(spec): index for index, spec in enumerate(specs) if spec.within is not None}
    for ruling in trace.rulings:
        place, size = places.get(id(ruling.rule.spec)), _size(ruling.old)
        if place is not None and size is not None:
            found.largest[place] = max(size, found.largest.get(place, size))


def _size(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number.copy_abs() if number.is_finite() else None


def findings(specs: Sequence[RuleSpec], found: Usage) -> Iterator[Finding]:
    """Yield what a run shows of rules that reading them does not tell."""
    if not found.cases:
        return
    for index, spec in enumerate(specs):
        yield from _idle(index, spec, found)
        if not opened_by(specs, index):
            yield from _hiding(index, spec, found)
        yield from _too_wide(index, spec, found)


def _idle(index: int, spec: RuleSpec, found: Usage) -> Iterator[Finding]:
    cases = f"{found.cases:,} cases"
    if not found.held[index]:
        yield Finding(index, "unused", f"held for none of {cases}", "is its on, tag or where still right?")
    elif not found.met[index]:
        fact = f"matched nothing in {found.held[index]:,} of {cases}"
        yield Finding(index, "unused", fact, "is its location still right? if so, take it out")
    elif not found.judged[index]:
        fact = f"matched in {found.met[index]:,} of {cases}, and a later rule had the last word in all of them"
        yield Finding(index, "shadowed", fact, "put it after that one, or take it out")
    elif spec.waive is not None and spec.name not in found.waived:
        fact = f"waived nothing: what it stands for differs in none of {cases}"
        yield Finding(index, "unused", fact, "take it out")


def _hiding(index: int, spec: RuleSpec, found: Usage) -> Iterator[Finding]:
    if hides_bodies(spec) and narrowed(spec) and found.held[index]:
        whole = found.held[index] == found.cases
        fact = f"hides the bodies of {found.held[index]:,} of {found.cases:,} cases"
        yield Finding(index, "hides", fact, "name what may differ, as in body.took_ms", grave=whole)


def _too_wide(index: int, spec: RuleSpec, found: Usage) -> Iterator[Finding]:
    largest, given = found.largest.get(index), spec.within
    for tolerance in given if isinstance(given, list | tuple) else [given]:
        if largest and isinstance(tolerance, int | Decimal) and Decimal(tolerance) >= largest:
            fact = f"within {tolerance} is as wide as the values themselves: the largest was {largest}"
            yield Finding(index, "wide", fact, "take the largest distance that you would accept")
