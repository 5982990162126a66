"""What a golden may say of an answer: status and body without what rules ignore, and what it then expects."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from replay.compare import Comparison, Pair, TracedBook
from replay.compare.scenario import at_step
from replay.curation.golden_text import answer_spec
from replay.curation.naming import named_answer
from replay.curation.promote import require_no_names
from replay.documents import canonical_json, dump_json, parse_json
from replay.locations import compile_query
from replay.models import Binding, Case, Expectation, Json, Observation
from replay.placeholders import filled_expectation


class Rules(NamedTuple):
    """The rules as they are now, watched, and what compares by them."""

    book: TracedBook
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Part:
    """One answer to a golden: the only one, or that to a step, with what was captured up to there on its side."""

    case: Case
    """As it is compared by itself: at its step, with what it expects so far."""
    answer: Observation
    captured: Mapping[str, Json]
    places: Mapping[str, str]
    """From where in an answer each name was captured."""

    @property
    def step(self) -> str:
        """Return the name of the step; empty for a golden of one request."""
        return self.case.step

    def departs(self, expect: Expectation | None, comparison: Comparison) -> tuple[str, ...]:
        """Return where the answer departs from an expectation, by the rules."""
        wanted = expect and filled_expectation(expect, self.captured) if self.step else expect
        found = comparison.compare(Pair(replace(self.case, expect=wanted), self.answer, self.answer)).differences
        places = dict.fromkeys(each.at for each in found if each.against == "expect")
        return tuple(at_step(self.step, at) if self.step else at for at in places)


def stated(part: Part, rules: Rules) -> dict[str, Any]:
    """Return what a golden may expect: without members that rules ignore, with names for what was captured.

    Each only where what is said is still met. Headers are those that it named before. Raise InputError where what is
    answered itself holds names.
    """
    said = _said(part, part.answer, rules)
    require_no_names(built(said), scenario=bool(part.step))
    handed = [(name, Binding(None, None, at=part.places[name], recorded=it)) for name, it in part.captured.items()]
    named = _said(part, named_answer(part.answer, handed), rules) if handed else said
    return said if part.departs(built(named), rules.comparison) else named


def _said(part: Part, answer: Observation, rules: Rules) -> dict[str, Any]:
    whole = answer_spec(answer)
    if "json" in whole:
        bare = whole | {"json": _without(whole["json"], _ignored(part.case, part.answer, rules))}
        whole = bare if not part.departs(built(bare), rules.comparison) else whole
    return _with_headers(whole, part.case.expect, answer)


def _ignored(case: Case, answer: Observation, rules: Rules) -> list[str]:
    """Return the places whose last word is a rule that ignores them, and below which nothing is compared again."""
    rules.comparison.compare(Pair(replace(case, expect=None), answer, answer))
    rulings = [(each.at, bool(each.rule.spec.ignore)) for each in rules.book.trace.rulings]
    judged = [at for at, ignored in rulings if not ignored]
    return [at for at, ignored in rulings if ignored and not any(_is_below(other, at) for other in judged)]


def _is_below(at: str, above: str) -> bool:
    return at.startswith((f"{above}.", f"{above}["))


def _without(value: Any, places: list[str]) -> Any:
    """Return a JSON value without the members at these places. Items of arrays stay: others would take their place."""
    document = {"body": value}
    found = [match for at in places if at.startswith("body") for match in _matches(at, document)]
    dropped = {parts for parts in found if len(parts) > 1 and isinstance(parts[-1], str)}
    return _copied(value, ("body",), dropped)


def _matches(at: str, document: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    try:
        return [tuple(match.parts) for match in compile_query(f"$.{at}").finditer(document)]
    except (ValueError, RecursionError):
        return []


def _copied(value: Any, at: tuple[str | int, ...], dropped: set[tuple[str | int, ...]]) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item, (*at, key), dropped) for key, item in value.items() if (*at, key) not in dropped}
    if isinstance(value, list):
        return [_copied(item, (*at, number), dropped) for number, item in enumerate(value)]
    return value


def built(stated: Mapping[str, Any]) -> Expectation:
    """Return what a file says is expected as it is compared."""
    body: bytes | None = None
    if "json" in stated:
        body = dump_json(stated["json"]).encode()
    elif "text" in stated:
        body = stated["text"].encode()
    elif "base64" in stated:
        body = base64.b64decode(stated["base64"])
    return Expectation(stated.get("status"), tuple(stated.get("headers", {}).items()), body)


def same_expectation(one: Expectation, other: Expectation) -> bool:
    """Tell whether two expectations say the same, their bodies as JSON where that is what they are."""
    alike = one.status == other.status and one.headers == other.headers
    return alike and (one.body == other.body or _same_json(one.body, other.body))


def _same_json(one: bytes | None, other: bytes | None) -> bool:
    if one is None or other is None:
        return False
    first, second = parse_json(one), parse_json(other)
    sound = first.ok and second.ok and not first.findings and not second.findings
    return sound and canonical_json(first.value) == canonical_json(second.value)


def _with_headers(said: dict[str, Any], before: Expectation | None, answer: Observation) -> dict[str, Any]:
    """Return what is said with the headers that the golden named before, as they are answered now."""
    names = [name for name, _ in before.headers] if before is not None else []
    headers = {name: value for name in names if (value := answer.header(name)) is not None}
    if not headers:
        return said
    rest = {key: value for key, value in said.items() if key != "status"}
    return {key: said[key] for key in ("status",) if key in said} | {"headers": headers} | rest
