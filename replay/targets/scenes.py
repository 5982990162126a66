"""A scenario on one side: its steps one after the other, each with what that side's own earlier answers held.

Decisions:

- The first step that fails ends the scenario on this side, and is its error: an answer that counts as one, a capture
  that finds nothing (`capture`), a poll that runs out of time or pages without an end (`until`).
- What is captured never leaves its side. A link that is followed is followed on the side that gave it.
- Waiting for a poll or to settle is no latency; a step's timing is that of its last exchange.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from jsonpath.exceptions import JSONPathRecursionError

from replay.documents import dump_json, parse_json
from replay.errors import InputError
from replay.expressions import document_of, header_map, parse_expression
from replay.locations import compile_query, limited, parse_location
from replay.models import (
    MISSING,
    Case,
    Done,
    Failed,
    Failure,
    Json,
    Missing,
    Observation,
    Played,
    Poll,
    Request,
    Step,
    Timing,
    Walk,
)
from replay.placeholders import filled, require_no_secrets
from replay.targets.base import Errands, Moment, Target, observed
from replay.wire.clock import now_ns

_COOKIE: Final = re.compile(r"(?i:headers\.set-cookie)(?:\.(?P<plain>[^.\[\]]+)|\['(?P<quoted>[^']+)'\])")
"""Where one cookie is captured from, by its name."""

Fails = Callable[[Case, Observation], Failure | None]
"""Tells whether an answer to a step counts as that side's failure."""


class Scenes:
    """Plays scenarios on one side, over its target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._errands = Errands()

    def begin(self, case: Case, moment: Moment, fails: Fails, done: Done, failed: Failed) -> None:
        """Play one scenario, and hand on what the side did; `failed` is called for what is no side's doing."""
        play = _Play(self._target, case, moment, fails)
        self._errands.begin(play.whole(), done, failed)

    async def close(self) -> None:
        """Break off what is being played; nobody is told."""
        await self._errands.close()


class _EndError(Exception):
    """A step that cannot go on, told as the side's failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class _Play:
    """One scenario under way on one side."""

    target: Target
    case: Case
    moment: Moment
    fails: Fails
    values: dict[str, Json] = field(default_factory=dict)

    async def whole(self) -> Observation:
        """Play every step up to the end, or to the first that fails."""
        played: list[Played] = []
        for step in self.case.steps:
            if step.settle:
                await asyncio.sleep(step.settle)
            one = await self._step(step)
            played.append(one)
            if one.seen.error is not None:
                break
        return _together(played)

    async def _step(self, step: Step) -> Played:
        asked = _Asked(step.name)
        try:
            self.moment = _advanced(self.moment, step.advance)
            if step.until is not None:
                await self._poll(step, step.until, asked)
            elif step.pages is not None:
                await self._walk(step, step.pages, asked)
            else:
                await self._exchange(step, step.request, asked)
            captured = {} if step.pages is not None else self._captured(step, asked.seen)
        except _EndError as end:
            return Played(step.name, replace(asked.seen, error=end.failure), asked.captured, asked.times)
        return Played(step.name, asked.seen, {**asked.captured, **captured}, asked.times)

    async def _poll(self, step: Step, poll: Poll, asked: _Asked) -> None:
        holds, since = parse_expression(poll.holds), now_ns()
        while True:
            request = await self._exchange(step, step.request, asked)
            if holds.holds(_document(request, asked.seen)):
                return
            if (now_ns() - since) / 1e9 + poll.every > poll.within:
                times = "once" if asked.times == 1 else f"{asked.times} times"
                fact = f"{poll.holds} did not hold within {poll.within:g} s, asked {times}"
                raise _EndError(Failure("until", fact))
            await asyncio.sleep(poll.every)

    async def _walk(self, step: Step, pages: Walk, asked: _Asked) -> None:
        going_on, items, request = parse_expression(pages.going_on), [], step.request
        while True:
            sent = await self._exchange(step, request, asked)
            items += _items(asked.seen, pages.join)
            if not going_on.holds(_document(sent, asked.seen)):
                break
            if asked.times == pages.most:
                raise _EndError(Failure("until", f"there are further pages after {pages.most}"))
            asked.captured = self._captured(step, asked.seen)
            request = pages.further or step.request
        asked.seen = _joined(asked.seen, pages.join, items)

    async def _exchange(self, step: Step, request: Request, asked: _Asked) -> Request:
        """Send one request of a step, and return it as it was sent."""
        case = self.case.at_step(step)
        try:
            sent = filled(request, self.values)
            require_no_secrets(sent, request)
            seen = await observed(self.target, replace(case, request=sent), self.moment)
            self.moment = replace(self.moment, goes_on=True)
        except (InputError, ValueError) as error:
            # Nothing but a captured value can make a request that was checked one that cannot be sent.
            fact = error.fact if isinstance(error, InputError) else str(error)
            raise _EndError(Failure("capture", f"what was captured cannot be sent here: {fact}")) from None
        asked.seen, asked.times = seen, asked.times + 1
        failure = seen.error or self.fails(replace(case, request=sent), seen)
        if failure is not None:
            raise _EndError(failure)
        return sent

    def _captured(self, step: Step, seen: Observation) -> dict[str, Json]:
        if not step.capture:
            return {}
        document, found = answer_document(seen), {}
        for name, location in step.capture.items():
            cookie = _COOKIE.fullmatch(location)
            if cookie is None:
                value = found_at(document, location)
            else:
                value = cookie_value(seen, cookie["plain"] or cookie["quoted"])
            if value is MISSING or value is None or isinstance(value, dict | list):
                what = "nothing" if value is MISSING else "null" if value is None else "no single value"
                raise _EndError(Failure("capture", f"there is {what} at {location} to capture '{name}' from"))
            found[name] = value
        self.values |= found
        return found


@dataclass(slots=True)
class _Asked:
    """What came of one step so far."""

    step: str
    seen: Observation = field(default_factory=Observation)
    captured: dict[str, Json] = field(default_factory=dict)
    times: int = 0


def _together(played: Sequence[Played]) -> Observation:
    """Return one observation for a whole scenario."""
    last, seen = played[-1], [it.seen for it in played]
    error = last.seen.error and replace(last.seen.error, message=f"step {last.step}: {last.seen.error.message}")
    timings = [it.timing for it in seen if it.timing is not None]
    latency, queued = sum(it.latency_ms for it in timings), sum(it.queued_ms for it in timings)
    clocks = [it.clock_frozen for it in seen]
    return Observation(
        status=last.seen.status,
        error=error,
        timing=Timing(latency, queued_ms=queued) if timings else None,
        clock_frozen=None if None in clocks else all(clocks),
        retries=sum(it.retries for it in seen),
        steps=tuple(played),
    )


def _advanced(moment: Moment, seconds: float) -> Moment:
    if not seconds or moment.instant is None:
        return moment
    try:
        return replace(moment, instant=moment.instant + timedelta(seconds=seconds))
    except OverflowError:
        raise _EndError(Failure("exception", "the clock cannot be moved beyond the year 9999")) from None


# ------------------------------------------------------------------------------------------------------------- answers


def _body(seen: Observation) -> Json | Missing:
    parsed = parse_json(seen.body)
    return parsed.value if parsed.ok else MISSING


def answer_document(seen: Observation) -> dict[str, Json]:
    """Return an answer as locations see it; its body is there if it is JSON, or a text."""
    body = _body(seen)
    if body is MISSING:
        body = seen.body.decode("utf-8", "replace")
    return {"status": seen.status, "headers": header_map(seen.headers), "body": body}


def _document(request: Request, seen: Observation) -> dict[str, Json]:
    """Return an answer as expressions see it."""
    return document_of(request, seen, answer_document(seen)["body"], None)


def cookie_value(seen: Observation, name: str) -> str | Missing:
    """Return the value of a cookie that an answer sets, or MISSING; of several of one name, the last."""
    pairs = [text.partition(";")[0].partition("=") for key, text in seen.headers if key.lower() == "set-cookie"]
    return next((value.strip() for said, _, value in reversed(pairs) if said.strip() == name), MISSING)


def found_at(document: Json, location: str) -> Json | Missing:
    """Return the first value at a location, or MISSING."""
    # Names of headers are in lower case there, whatever their case is in the settings.
    name = location.lower() if location.startswith("headers") else location
    query = name if name.startswith(("[", "..")) else f".{name}"
    try:
        with limited():
            return next((node.value for node in compile_query(f"${query}").finditer(document)), MISSING)
    except (RecursionError, JSONPathRecursionError, TimeoutError):
        return MISSING


def _items(seen: Observation, join: str) -> list[Json]:
    found = found_at(answer_document(seen), join)
    if not isinstance(found, list):
        raise _EndError(Failure("capture", f"there is no array at {join} to join"))
    return found


def _joined(seen: Observation, join: str, items: list[Json]) -> Observation:
    """Return the last page, with the items of all of them."""
    names = [next(iter(step.names)) for step in parse_location(join).steps][1:]
    whole = _put(_body(seen), names, items)
    return replace(seen, body=dump_json(whole).encode("utf-8", "surrogatepass"))


def _put(value: Json, names: Sequence[str], items: list[Json]) -> Json:
    return {**value, names[0]: _put(value[names[0]], names[1:], items)} if names else items
