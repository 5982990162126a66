"""Outcomes as the examiner would make them, for tests of what lasts of experiments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from replay.experiment.calls import Loss, Outcome, Setup
from replay.experiment.storing import Stored
from replay.models import Case, Difference, Observation, OutcomeName, Request, Result, Side, Timing

DRAFT = Setup("needs-draft", old="shop.rules:needs_draft", new="shop.rules:needs_draft_v2", version="v2")
MONDAY = datetime(2024, 11, 25, tzinfo=UTC)
_JSON = (("content-type", "application/json"),)


def outcome_of(
    name: OutcomeName = "match",
    *,
    at: datetime = MONDAY,
    chosen: Side = "old",
    setup: Setup = DRAFT,
    id: str = "",  # noqa: A002 - the glossary's word
    arguments: bytes = b'{"size": 3}',
) -> Outcome:
    """Return a call that came out so; of one that agrees nothing is kept but its times."""
    bare = name in ("match", "skipped")
    case = Case(
        id=f"{setup.name}-{id or token_hex(8)}",
        kind="traffic",
        identity="",
        request=Request("POST", f"/{setup.name}", () if bare else _JSON, None if bare else arguments),
        freeze=at,
        tags=(setup.name,),
    )
    old, new = (_seen(b"" if bare else body) for body in (b"true", b"false"))
    differences = (Difference("body", "value", True, False, "default"),) if name == "deviation" else ()
    result = Result(case, name, old, new, differences, skipped="it has no document" if name == "skipped" else None)
    return Outcome(setup.name, at, chosen, result, {}, setup=setup)


def _seen(body: bytes) -> Observation:
    return Observation(headers=_JSON if body else (), body=body, timing=Timing(0.05))


def day_of_outcomes(
    number: int, *, at: datetime = MONDAY, deviating: int = 0, new: int = 0, setup: Setup = DRAFT
) -> list[Outcome]:
    """Return so many calls over a day, the last ones deviating, the first ones answered by new."""
    step = timedelta(hours=23) / max(number, 1)
    return [
        outcome_of(
            "deviation" if index >= number - deviating else "match",
            at=at + index * step,
            chosen="new" if index < new else "old",
            setup=setup,
        )
        for index in range(number)
    ]


def keep(path: Path | str, outcomes: Iterable[Outcome], losses: Iterable[Loss] = ()) -> None:
    """Have a process of a program keep calls in a store, and end."""
    sink = Stored(path)
    for outcome in outcomes:
        sink.take(outcome)
    for loss in losses:
        sink.lose(loss)
    sink.close()
