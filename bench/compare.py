"""Comparing two documents, beside reading them and beside deepdiff, which knows exclusions by pattern as rules."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import date
from importlib import import_module
from typing import Any, Final

from bench.meter import Spread
from replay.compare import Comparison, Pair, rule_book
from replay.compare.findings import MOST_DIFFERENCES
from replay.models import Case, Observation, Request, RuleSpec

SIZE: Final = 11 * 1024
CHANGES: Final = 3
RULES: Final = 800
LARGE: Final = 10_000
_TODAY: Final = date(2024, 2, 29)
_LEAST_S: Final = 0.05
"""How long each is repeated for one figure: clocks of CPU time are coarse."""


class WrongAnswerError(Exception):
    """Something was measured that does not find the changes."""


@dataclass(frozen=True)
class Documents:
    """Two documents of which the second has some changes, as services send them."""

    name: str
    old: bytes
    new: bytes
    changes: int = CHANGES

    def unchanged(self) -> Documents:
        """Return the old one twice."""
        return Documents(self.name, self.old, self.old, changes=0)

    def pair(self) -> Pair:
        """Return both as answers to one case, not read yet."""
        return Pair(Case("it", "golden", "it", Request()), _answer(self.old), _answer(self.new))


def measure(*, repeats: int) -> dict[str, Any]:
    """Return the CPU time of each way to compare, and what could not be measured."""
    rows: list[dict[str, Any]] = []
    missing: dict[str, str] = {}
    for documents in (_orders(with_booleans=False), _orders(with_booleans=True)):
        ways, absent = _ways(documents)
        rows += _rows(documents.name, ways, repeats)
        missing |= absent
    rows += _rows(f"{LARGE:,} disjoint objects", {"replay": _compared(_disjoint(), 0)}, 1)
    return {"rows": rows, "missing": missing}


def _rows(name: str, ways: Mapping[str, Callable[[], object]], repeats: int) -> list[dict[str, Any]]:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            taken[way].append(_cpu_us(run))
    spreads = {way: Spread.of(values) for way, values in taken.items()}
    parsing = spreads.get(PARSING)
    return [
        {"documents": name, "way": way, "cpu_us": asdict(spread),
         "times_parsing": None if parsing is None else spread.median / parsing.median}
        for way, spread in spreads.items()
    ]  # fmt: skip


def _cpu_us(run: Callable[[], object]) -> float:
    """Return the microseconds of CPU time that one run takes, over as many as it needs to be measured."""
    count, began = 0, time.process_time()
    while time.process_time() - began < _LEAST_S:
        run()
        count += 1
    return (time.process_time() - began) / count * 1e6


PARSING: Final = "json.loads of both sides"
_WALK: Final = "replay, both sides parsed"


def _ways(documents: Documents) -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    ways: dict[str, Callable[[], object]] = {
        PARSING: lambda: (json.loads(documents.old), json.loads(documents.new)),
        f"{_WALK}, {RULES} rules": _compared(documents, RULES),
        f"{_WALK}, no rules": _compared(documents, 0),
        f"replay with parsing, {RULES} rules": _compared(documents, RULES, parsed=False),
        f"replay with parsing, {RULES} rules, equal bytes": _compared(documents.unchanged(), RULES, parsed=False),
    }
    try:
        deepdiff = import_module("deepdiff").DeepDiff
    except ImportError:
        return ways, {"deepdiff": "not installed"}
    old, new = json.loads(documents.old), json.loads(documents.new)
    patterns = [rf"root\['lines'\]\[\d+\]\['field{n}'\]" for n in range(RULES)]
    ways[f"deepdiff, both sides parsed, {RULES} patterns"] = lambda: deepdiff(old, new, exclude_regex_paths=patterns)
    ways["deepdiff, both sides parsed, no patterns"] = lambda: deepdiff(old, new)
    for way in ("deepdiff, both sides parsed, no patterns", f"deepdiff, both sides parsed, {RULES} patterns"):
        _demand(len(dict(ways[way]())["values_changed"]), CHANGES, way)  # type: ignore[call-overload]  # it is a dict
    return ways, {}


def _compared(documents: Documents, rules: int, *, parsed: bool = True) -> Callable[[], object]:
    """Return what compares the documents under so many rules. Raises WrongAnswerError if that misses a change."""
    specs = [RuleSpec(at=f"body.lines[*].field{n}", ignore=True) for n in range(rules)]
    comparison = Comparison(rule_book(specs), {"old": None, "new": None})
    pair = documents.pair()
    _demand(len(comparison.compare(pair).differences), documents.changes, f"replay with {rules} rules")
    # A new one each time: one that has compared these two before would know them again.
    if parsed:
        return lambda: comparison.on(_TODAY).compare(pair)
    return lambda: comparison.on(_TODAY).compare(documents.pair())


def _demand(found: int, changes: int, way: str) -> None:
    if found != changes:
        raise WrongAnswerError(f"{way} finds {found} differences, not {changes}")


def _answer(body: bytes) -> Observation:
    return Observation(status=200, headers=(("Content-Type", "application/json"),), body=body)


def _orders(*, with_booleans: bool) -> Documents:
    old: dict[str, Any] = {"id": 7, "total": 20.0, "lines": []}
    while len(json.dumps(old)) < SIZE:
        old["lines"].append(_line(len(old["lines"]), with_booleans=with_booleans))
    new = deepcopy(old)
    new["total"], new["lines"][20]["price"], new["lines"][40]["seller"]["name"] = 19.99, 3.5, "another"
    name = "11 KB of JSON" + (" with booleans" if with_booleans else "")
    return Documents(name, json.dumps(old).encode(), json.dumps(new).encode())


def _line(number: int, *, with_booleans: bool) -> dict[str, Any]:
    line = {"sku": f"A-{number:05}", "name": "one of the things that are sold", "price": number * 1.25, "stock": number}
    nested = {"tags": ["new", "blue"], "seller": {"id": number % 7, "name": f"seller {number % 7}"}}
    return {**line, **({"active": number % 3 == 0} if with_booleans else {}), **nested}


def _disjoint() -> Documents:
    sides = (
        [{"id": f"{side}{n}", "name": f"{side} {n}", "in": {"n": f"{side}{n}"}} for n in range(LARGE)] for side in "on"
    )
    old, new = (json.dumps(side).encode() for side in sides)
    return Documents("disjoint", old, new, changes=MOST_DIFFERENCES + 1)
