"""Where the tokens of a stored case lie, and whether a rule has looked at one with more than equality in mind.

Equality survives tokens: equal secrets have equal ones. Whatever else a rule may ask, a token answers it otherwise than
the secret did that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from replay.compare import Pair
from replay.compare.tracing import Trace
from replay.engine.audit import within
from replay.engine.holding import Spot, holds_some, holds_token, spots_of
from replay.expressions import Expression
from replay.locations import general
from replay.models import SIDES, Difference, Expectation, Headers, Observation, Request, Result, RuleSpec
from replay.privacy import TOKEN

_EQUALITY: Final = frozenset({
    "at", "on", "where", "why", "tag", "ignore", "unordered", "match_by", "strict", "same_type", "allow", "waive",
    "renamed",
})  # fmt: skip
"""What a rule may say and still only ask whether values are equal, or whether they are text."""
_READING: Final = ("as_", "via")


@dataclass(frozen=True, slots=True)
class Marked:
    """Where a stored case holds tokens: in its request, in headers of its answers, in their bodies or the golden's."""

    request: tuple[Spot, ...] = ()
    headers: tuple[Spot, ...] = ()
    bodies: bool = False

    @property
    def answers(self) -> bool:
        """Tell whether anything that is compared holds one."""
        return bool(self.headers) or self.bodies

    def __bool__(self) -> bool:
        """Tell whether there is any at all."""
        return bool(self.request) or self.answers


def marked(result: Result) -> Marked:
    """Return where a case holds tokens; of a scenario, at any of its steps."""
    case = result.case
    played = [it.seen for side in (result.old, result.new) if side is not None for it in side.steps]
    expected = (case.expect, *(step.expect for step in case.steps))
    parts: list[Observation | Expectation] = [it for it in (result.old, result.new, *played) if it is not None]
    parts += [it for it in expected if it is not None]
    names = [name for part in parts for name in _named(part.headers)]
    bodies = [part.body for part in parts if part.body]
    request = tuple(spot for each in case.requests for spot in _of_request(each))
    return Marked(request, tuple(("headers", name) for name in names), any(map(holds_some, bodies)))


def _of_request(request: Request) -> Iterator[Spot]:
    yield from (("request", "headers", name) for name in _named(request.headers))
    if TOKEN.search(request.path):
        yield from (("request", "path"), ("request", "query"))
    if request.body and holds_some(request.body):
        yield from (("request", "json"), ("request", "text"))


@lru_cache(maxsize=1024)
def _named(headers: Headers) -> tuple[str, ...]:
    """Return the names of the fields that hold a token."""
    return tuple(name.lower() for name, value in headers if TOKEN.search(value))


def may_be_read(found: Marked, expressions: Iterable[Expression], pair: Pair) -> bool:
    """Tell whether one of these expressions may look at a token."""
    asked = list(expressions)
    spots = [*found.request, *found.headers]
    if any(it.may_read(spot) for it in asked for spot in spots):
        return True
    if not found.bodies or not any(it.may_read(("body",)) for it in asked):
        return False
    if pair.case.steps:  # whose answers nobody sees as one
        return True
    deeper = {("body", *spot) for side in SIDES for spot in spots_of(_body(pair, side), ())}
    return any(it.may_read(spot) for it in asked for spot in deeper)


def _body(pair: Pair, side: Any) -> Any:
    document = pair.document(side)
    return document.get("body") if pair.observation(side) is not None else None


def judged_otherwise(found: Marked, trace: Trace) -> bool:
    """Tell whether a rule looked at a token with more than equality in mind."""
    if found.bodies and any(getattr(spec, verb) for spec in trace.chosen for verb in _READING):
        return True
    if any(spec.schema_ is not None and trace.met(spec) for spec in trace.chosen):
        return True
    return any(
        not _asks_equality(it.rule.spec) and (holds_token(it.old) or holds_token(it.new)) for it in trace.rulings
    )


def _asks_equality(spec: RuleSpec) -> bool:
    return all(name in _EQUALITY for name in type(spec).model_fields if getattr(spec, name) not in (None, False))


def vanished(before: Sequence[Difference], after: Sequence[Difference], ruled: Sequence[str]) -> bool:
    """Tell whether a difference is gone for which no rule speaks: then it was between what the tokens stand for.

    `ruled` are the locations at which rules have judged.
    """
    left = {(it.at, it.against) for it in after}
    spoken = [general(at) for at in ruled]
    gone = [general(it.at) for it in before if (it.at, it.against) not in left]
    return any(not any(within(place, above) for above in spoken) for place in gone)
