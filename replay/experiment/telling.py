"""A disagreement in words, and as fields: what a log shows of an outcome, cut to what a reader takes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replay.documents import parse_json
from replay.documents.showing import shown_pair
from replay.experiment.calls import Outcome
from replay.inert import printable
from replay.models import Difference, Json, Observation

MOST_DIFFERENCES: Final = 20
_SENTENCE: Final = 300
_CHANGE: Final = 60
_NAME: Final = 80
_MEMBERS: Final = 50


def sentence(outcome: Outcome) -> str:
    """Return what happened, on one line of a few hundred characters."""
    result = outcome.result
    if result.error is not None:
        who = "both sides" if result.error.side == "both" else result.error.side
        told = f"{who} failed: {result.error.message}"
    elif result.differences:
        told = _departure(result.differences)
    else:
        told = "old and new differ"
    return f"{printable(told, _SENTENCE)}; {outcome.chosen} was used{_more(outcome)}"


def _departure(differences: tuple[Difference, ...]) -> str:
    worst = next((each for each in differences if each.counts), differences[0])
    old, new = shown_pair(worst.old, worst.new, _CHANGE)
    if worst.note and old == new:
        return worst.note
    further = f", and at {len(differences) - 1:,} more" if len(differences) > 1 else ""
    return f"{printable(worst.at, _NAME)} is {old} in old and {new} in new{further}"


def _more(outcome: Outcome) -> str:
    return f" ({outcome.unlisted:,} more came before this)" if outcome.unlisted else ""


def fields(outcome: Outcome, limit: int) -> Mapping[str, Any]:
    """Return the fields of a disagreement: texts and numbers alone, save the lists of differences and of the context.

    Values are JSON as text, of at most `limit` characters around the first place where the sides differ: what one
    experiment answers is a number and what another does an object, and an index of logs takes one type a field.
    """
    result = outcome.result
    old, new = shown_pair(_value(result.old), _value(result.new), limit)
    return {
        "experiment": outcome.experiment,
        "outcome": result.outcome,
        "call": result.case.id,
        "correlation_id": _told(result.case.correlation_id),
        "chosen": outcome.chosen,
        "old": _answer(result.old, old),
        "new": _answer(result.new, new),
        "old_ms": _milliseconds(result.old),
        "new_ms": _milliseconds(result.new),
        "differences": [_difference(each, limit) for each in result.differences[:MOST_DIFFERENCES]],
        "differences_in_all": len(result.differences),
        "context": _context(outcome.context, limit),
        "unlisted": outcome.unlisted,
    }


def _told(text: str) -> str:
    return printable(text, _SENTENCE)


def _value(side: Observation | None) -> Json:
    if side is None or not side.body:
        return None
    parsed = parse_json(side.body)
    return parsed.value if parsed.ok else side.body.decode("utf-8", "replace")


def _answer(side: Observation | None, shown: str) -> str:
    """Return what a side answered, as it is shown; nothing where it was not kept."""
    if side is not None and side.error is not None:
        return _told(side.error.message)
    return shown if side is not None and side.body else ""


def _milliseconds(side: Observation | None) -> float | None:
    return None if side is None or side.timing is None else round(side.timing.latency_ms, 3)


def _difference(difference: Difference, limit: int) -> Mapping[str, str]:
    old, new = shown_pair(difference.old, difference.new, limit)
    rule, note = printable(difference.rule, limit), printable(difference.note, limit)
    at = printable(difference.at, limit)
    return {"at": at, "kind": difference.kind, "old": old, "new": new, "rule": rule, "note": note}


def _context(context: Mapping[str, Any], limit: int) -> Mapping[str, Any]:
    members = list(context.items())[:_MEMBERS]
    return {printable(name, _NAME): _member(value, limit) for name, value in members}


def _member(value: Any, limit: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return printable(value, limit) if isinstance(value, str) else shown_pair(value, value, limit)[0]
