"""The two sides of a run: what stands behind each, and what may be sent there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from replay.errors import TargetError
from replay.models import NOT_WRITABLE, NOTHING_EXPECTED, SIDES, Case, CaseKind, Request, Side, TargetSpec
from replay.selection import SAFE_METHODS
from replay.targets import build_target
from replay.targets.base import Target
from replay.targets.permission import may_be_sent
from replay.targets.recorded import RecordedTarget
from replay.targets.reshaping import Reshaped
from replay.targets.routing import route_for
from replay.targets.scenes import Scenes


@dataclass(frozen=True, slots=True)
class Party:
    """One side: its target, its settings, and its own base URL where it has one."""

    side: Side
    spec: TargetSpec
    target: Target
    scenes: Scenes

    @property
    def base(self) -> str | None:
        """Return the URL to which its links are relative."""
        return self.spec.base

    def allows(self, request: Request) -> bool:
        """Tell whether the request may be sent here: safe methods always, others where this side is writable."""
        if self.target.kind != "live" and not self.spec.routes:
            return True
        if request.method in SAFE_METHODS and not isinstance(self.target, Reshaped):
            return True
        return may_be_sent(self.spec, self.target.kind, self.sent(request))

    def sent(self, request: Request) -> Request:
        """Return what is really sent here, as far as it can be told beforehand."""
        made = self.target.shape.request(request) if isinstance(self.target, Reshaped) else request
        return made if isinstance(made, Request) else request


Parties = Mapping[Side, Party]


def parties(specs: Mapping[Side, TargetSpec], *, concurrency: int) -> dict[Side, Party]:
    """Make both targets, nothing started yet. Raise SettingsError for a spec that makes no sense."""
    return {side: _party(side, specs[side], concurrency) for side in SIDES if side in specs}


def _party(side: Side, spec: TargetSpec, concurrency: int) -> Party:
    target = build_target(spec, concurrency=_width(spec, concurrency))
    return Party(side, spec, target, Scenes(target))


def _width(spec: TargetSpec, concurrency: int) -> int:
    """Return how many connections or worker processes a side gets: more processes than cores would only wait."""
    return concurrency if spec.base else min(concurrency, os.cpu_count() or 1)


async def started(sides: Parties, stack: AsyncExitStack, turn: Callable[[Side], None] = lambda _side: None) -> None:
    """Start every target, and have the stack close it; `turn` is told whose turn it is.

    Raise TargetError, naming the side, where one cannot start.
    """
    for party in sides.values():
        turn(party.side)
        stack.push_async_callback(party.target.close)
        stack.push_async_callback(party.scenes.close)
        try:
            await party.target.start()
        except TargetError as error:
            raise TargetError(f"{party.side} cannot start: {error.fact}", place=error.place, hint=error.hint) from None


def asked(kind: CaseKind, sides: Parties) -> tuple[Party, ...]:
    """Return the sides that cases of a kind are sent to: goldens hold no recording, so what they expect stands for old.

    Old comes before new.
    """
    return tuple(party for party in sides.values() if not (kind == "golden" and party.target.kind == "recorded"))


def refusal(case: Case, parties: Sequence[Party]) -> str | None:
    """Return why a case must not or cannot be sent to these sides, or None."""
    requests = case.requests
    for party in parties:
        # A scenario is sent whole or not at all: half of one proves nothing.
        for request in requests:
            if not party.allows(request):
                return f"{request.method.upper()} is not sent to a live {party.side} {NOT_WRITABLE}"
        if isinstance(party.target, RecordedTarget) and not party.target.has(case):
            return f"nothing is recorded for {party.side}"
    if len(parties) == len(SIDES):
        return None
    found = [party.side for party in parties]
    if "new" not in found:
        return "a golden holds no recording of new"
    return None if "old" in found or _states_something(case) else NOTHING_EXPECTED


def _states_something(case: Case) -> bool:
    """Tell whether a golden can stand on its own: an expectation that states nothing would accept anything."""
    several = (case.expect, *(step.expect for step in case.steps))
    return any(it is not None and (it.status is not None or it.headers or it.body is not None) for it in several)


def host_of(party: Party, request: Request) -> str:
    """Return where a request of a side goes, for people."""
    route = route_for(party.spec, party.sent(request)) if party.spec.routes else None
    url = party.spec.url if route is None or route.url is None else route.url
    return urlsplit(url).netloc if url else party.spec.shown or party.target.name
