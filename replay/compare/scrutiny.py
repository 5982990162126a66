"""What can be told of rules by reading them: those that hide whole bodies, allow anything, or never have a say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from replay.compare import COMPARATORS
from replay.compare.covering import covers, covers_above
from replay.compare.hiding import compares, hides_answer, narrowed, reaches
from replay.locations import limited, parse_location
from replay.models import RankSpec, RuleSpec, parse_duration

Problem = Literal["hides", "wide", "weak", "shadowed", "unused", "expired"]
_WIDEST: Final[Mapping[str, Decimal]] = {"%": Decimal(100), "number": Decimal(10) ** 9}
_LONGEST_SECONDS: Final = 86_400
_PROBES: Final = ("x", "0", "-1.5e3", "two words", "{}", "\u00fcnic\u00f6de", "2024-02-29T23:59:59Z")
"""Texts that have nothing in common: a pattern that they all match allows any."""
_NOTHING_ASKED: Final = {"overlap": 0, "tau": -1, "rbo": 0, "ndcg": 0}
_PRUNING: Final = ("ignore", "rank", "same_type")
"""Verbs that leave what is below to later rules only."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a rule that its author should know, and what to do. `index` is its place among the rules."""

    index: int
    problem: Problem
    fact: str
    remedy: str
    grave: bool = False


def scrutinise(specs: Sequence[RuleSpec], today: date, *, of_golden: bool = False) -> list[Finding]:
    """Return what is found by reading the rules alone, in their order. Waivers are held against `today`."""
    found = (_of_rule(specs, index, today, of_golden=of_golden) for index in range(len(specs)))
    return [finding for findings in found for finding in findings]


def _of_rule(specs: Sequence[RuleSpec], index: int, today: date, *, of_golden: bool) -> Iterator[Finding]:
    spec = specs[index]
    yield from _hiding(specs, index, scoped=of_golden or narrowed(spec))
    yield from (Finding(index, "wide", fact, remedy) for fact, remedy in _wide(spec))
    if spec.rank is not None:
        yield from _weak(index, spec.rank)
    yield from _shadowed(specs, index)
    if spec.waive is not None and not spec.waive.holds_on(today):
        fact = f"expired on {spec.waive.until}, and accepts nothing any more"
        yield Finding(index, "expired", fact, f"ask {spec.waive.owner}: a new day with a reason, or take it out")


# --------------------------------------------------------------------------------------------------------------- hiding


def hides_bodies(spec: RuleSpec) -> bool:
    """Tell whether a rule accepts whatever a body says: it stands on the whole of it, and compares no value."""
    return bool(spec.ignore or spec.waive or spec.same_type) and reaches(spec, "body")


def _hiding(specs: Sequence[RuleSpec], index: int, *, scoped: bool) -> Iterator[Finding]:
    spec = specs[index]
    if not hides_bodies(spec):
        return
    what = "whatever is answered" if hides_answer(spec) else "whatever a body says"
    does = "ignores" if spec.ignore else "waives" if spec.waive else "compares only the types of"
    if opened := opened_by(specs, index):
        fact = f"{does} {what}, but for what later rules name: {opened}"
        yield Finding(index, "hides", fact, "sure? what is new in a body goes unseen; name what may differ instead")
    elif scoped and spec.why:
        yield Finding(index, "hides", f"{does} {what}, in the cases that it speaks of", "see how many they are")
    else:
        hint = "name what may differ, as in body.took_ms" + ("; say why, if it has to be" if scoped else "")
        yield Finding(index, "hides", f"{does} {what}", hint, grave=True)


def opened_by(specs: Sequence[RuleSpec], index: int) -> int:
    """Return how many later rules compare anything of a body that this one accepts whole."""
    return sum(compares(it) and parse_location(it.at).root in (None, "body") for it in specs[index + 1 :])


# ----------------------------------------------------------------------------------------------------------------- wide


def _wide(spec: RuleSpec) -> Iterator[tuple[str, str]]:
    given = spec.within if isinstance(spec.within, list | tuple) else [spec.within]
    for tolerance in given:
        if tolerance is not None and _is_wide(tolerance):
            yield f"within {tolerance} allows almost any value", "take the largest distance that you would accept"
    if spec.matches is not None and _matches_anything(spec.matches):
        yield f"matches {spec.matches} allows any text", "write what it looks like, or same_type, which says so"
    if spec.rank is not None:
        limits = {name: getattr(spec.rank, name) for name in _NOTHING_ASKED if getattr(spec.rank, name) is not None}
        if limits and all(value <= _NOTHING_ASKED[name] for name, value in limits.items()):
            yield "rank asks for nothing: every list reaches its limits", "raise them, as to overlap: 0.66"


def _is_wide(tolerance: Any) -> bool:
    text = str(tolerance).strip()
    try:
        if text.endswith("%"):
            return Decimal(text[:-1]) >= _WIDEST["%"]
        return Decimal(text) >= _WIDEST["number"]
    except InvalidOperation:
        return parse_duration(text).total_seconds() >= _LONGEST_SECONDS


def _matches_anything(pattern: str) -> bool:
    try:
        with limited():
            return all(re.fullmatch(pattern, probe) for probe in _PROBES)
    except TimeoutError:
        return False


def _weak(index: int, rank: RankSpec) -> Iterator[Finding]:
    if rank.tau is not None and rank.overlap is None and rank.rbo is None:
        fact = "tau says nothing of items that one side alone has"
        yield Finding(index, "weak", fact, "add overlap: 0.66, or rbo: 0.7")


# ------------------------------------------------------------------------------------------------------------- shadowed


def _shadowed(specs: Sequence[RuleSpec], index: int) -> Iterator[Finding]:
    spec = specs[index]
    if _verb(spec) is None:
        return
    for place, later in enumerate(specs[index + 1 :], index + 1):
        verb = _verb(later)
        if verb is None or not _holds_wherever(later, spec):
            continue
        if covers(later.at, spec.at):
            fact = f"never has a say: rule {place + 1} stands on all of its nodes, and the last one wins"
        elif verb in _PRUNING and covers_above(later.at, spec.at):
            fact = f"never has a say: rule {place + 1} is later, and {verb} leaves what is below to rules after it"
        else:
            continue
        yield Finding(index, "shadowed", fact, f"put it after rule {place + 1}, or take it out")
        return


def _verb(spec: RuleSpec) -> str | None:
    # By identity: a tolerance of 0 is one, and equals False.
    return next((verb for verb in COMPARATORS if not any(getattr(spec, verb) is off for off in (None, False))), None)


def _holds_wherever(later: RuleSpec, spec: RuleSpec) -> bool:
    return not narrowed(later) or _scope(later) == _scope(spec)


def _scope(spec: RuleSpec) -> tuple[str | None, ...]:
    return spec.on, spec.tag, spec.where, parse_location(spec.at).scene
