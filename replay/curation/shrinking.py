"""The smallest request that still shows a cause: its steps, query, headers and body, tried out on both sides."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from replay.curation.dependence import Departure, absent, departures, is_closed, leading_to, without
from replay.curation.reducing import fewest, smallest
from replay.documents import dump_json, parse_json
from replay.errors import InputError, RunError
from replay.models import UNREACHABLE, Case, Headers, Request, Result, Step, Way

TRIES: Final = 3
"""How often the case is asked to begin with; and, where it shows its cause but sometimes, everything else at most."""
CONFIRMED: Final = 2
"""How often the smallest one has to show it again: each time that it is asked or, where it is flaky, of six times."""

_KEPT: Final = frozenset({"host", "content-length", "content-type"})
"""Headers that nothing is gained by leaving out: those made anew at every sending, and what says how to read a body."""

_REFUTED: Final = "the smallest case did not show it each time that it was sent again"

Send = Callable[[Case], Result]
Known = MutableMapping[str, bool]
"""What was found out before, by the digest of what is sent; a run that was cut off goes on by it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of a case."""

    steps: int
    query: int
    headers: int
    body: int
    """Bytes of all bodies."""

    @classmethod
    def of(cls, case: Case) -> Size:
        """Measure a case."""
        requests = case.requests
        return cls(
            steps=len(case.steps),
            query=sum(len(_query(it)) for it in requests),
            headers=sum(len(_shrinkable(it.headers)) for it in requests),
            body=sum(len(it.body or b"") for it in requests),
        )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What came of it. `why` says, where it was cut short, what it was by."""

    case: Case
    result: Result | None
    """What both sides answered to the smallest case; None where it was not confirmed."""
    way: Way
    step: str
    """The step of a scenario at which a side fails, if that is the way; else empty."""
    before: Size
    after: Size
    sends: int
    remembered: int
    """How many answers of an earlier try were taken."""
    flaky: bool
    why: str = ""
    interrupted: bool = False
    refuted: bool = False
    """The smallest case did not show it again: what was found out on the way is worth nothing."""


class _OutOfSendsError(Exception):
    """So many cases were sent as may be."""


class Shrinker:
    """Shrinks one case. What was reached stands in `best` at any moment."""

    def __init__(self, case: Case, send: Send, *, sends: int, known: Known) -> None:
        """Take a case whose seed and instant are fixed; `send` sends one and compares, at most `sends` times."""
        self.best = case.bare
        self._before = case
        self._send = send
        self._most = sends
        self._known = known
        self._earlier = frozenset(known)
        self._sends = 0
        self._remembered = 0
        self._tries = 1
        self._wanted: Departure | None = None
        self._last: Result | None = None
        self._heard = True

    def shrunk(self, at_step: str | None = None) -> Shrunk:
        """Return the smallest case found that departs as this one does, in its weightiest way; at a step, if asked.

        Raise InputError where it does not depart so by itself.
        """
        self._wanted = wanted = self._shown(at_step)
        why, confirmed, interrupted = "", False, False
        try:
            self._shrink(wanted)
            confirmed = self._confirmed()
            why = "" if confirmed else _REFUTED
        except _OutOfSendsError:
            why = f"{self._most} cases were sent: --sends says how many may be"
        except RunError as error:
            why = error.fact
        except KeyboardInterrupt:
            why, interrupted = "it was interrupted", True
        return Shrunk(
            case=self.best,
            result=self._last if confirmed else None,
            way=wanted.way,
            step=wanted.step if wanted.fails else "",
            before=Size.of(self._before),
            after=Size.of(self.best),
            sends=self._sends,
            remembered=self._remembered,
            flaky=self._tries > 1,
            why=why,
            interrupted=interrupted,
            refuted=why == _REFUTED,
        )

    def _shown(self, at_step: str | None) -> Departure:
        """Return the way to look for, having seen how reliably the case shows it."""
        results = [self._ask(self.best) for _ in range(TRIES)]
        if away := next(filter(None, map(absent, results)), ""):
            raise RunError(away, hint="is it started?")
        found = [departures(each) for each in results]
        here = [[each for each in several if at_step in (None, each.step)] for several in found]
        wanted = next((several[0] for several in here if several), None)
        if wanted is None:
            raise self._stays_equal(elsewhere=any(found))
        self._tries = 1 if all(wanted in several for several in found) else TRIES
        return wanted

    def _stays_equal(self, *, elsewhere: bool) -> InputError:
        fact = f"'{self._before.id}' does not depart{' at its last step' if elsewhere else ''}"
        alone = " where it is sent by itself" if not self._before.steps else ""
        hint = "it may be mended, or the run had other sides: name them by --old and --new"
        if self._before.session is not None and not self._before.steps:
            hint = "it may depend on what came before it: --session brings that"
        return InputError(f"{fact}{alone}", place=self._before.place or None, hint=hint)

    def _ask(self, case: Case) -> Result:
        if self._sends >= self._most:
            raise _OutOfSendsError
        self._sends += 1
        return self._send(replace(case, identity=f"{case.identity}\x1f{self._sends}"))

    def _shows(self, case: Case, *, again: bool = False) -> bool:
        """Tell whether a smaller case still shows it, also when it is asked `again`, and keep it if so."""
        digest = f"{_digest(case)}{'+' if again else ''}"
        if digest in self._known:
            self._remembered += digest in self._earlier
            shows = self._known[digest]
        else:
            shows = any(self._departs(case) for _ in range(self._tries))
            if shows or self._heard:
                self._known[digest] = shows
        self.best = case if shows else self.best
        return shows

    def _departs(self, case: Case) -> bool:
        result = self._ask(case)
        shows = self._wanted in departures(result)
        self._last = result if shows else self._last
        # Where nobody answered, nothing was found out that a later try could rest on.
        self._heard = result.error is None or result.error.kind not in UNREACHABLE
        return shows

    def _confirmed(self) -> bool:
        """Tell whether the smallest case shows it again, as often as is asked for."""
        asked, shown = 0, 0
        while shown < CONFIRMED and asked - shown < 1 + CONFIRMED * (self._tries - 1):
            asked += 1
            shown += self._departs(self.best)
        return shown == CONFIRMED

    # --------------------------------------------------------------------------------------------- one part at a time

    def _shrink(self, wanted: Departure) -> None:
        self._steps(wanted)
        for place in range(len(self.best.steps) or 1):
            for part in (self._pauses, self._query, self._headers, self._body):
                part(place)
        # What a step used that is smaller by now may not need what another one handed out.
        self._steps(wanted)

    def _steps(self, wanted: Departure) -> None:
        steps = self.best.steps
        if len(steps) > 1:
            needed = leading_to(wanted.step, steps)
            if len(needed) == len(steps) or not self._keeps(steps, needed):
                fewest(steps, partial(self._keeps, steps))

    def _keeps(self, steps: Sequence[Step], some: Sequence[Step]) -> bool:
        """Tell whether a scenario shows it with some of its steps, and keep it if so."""
        if not some or not is_closed(some):
            return False
        before, smaller = self.best, _with_steps(self.best, without(steps, some))
        # What is left out may have been done by the try before: only the second time it is missed.
        if self._shows(smaller) and self._shows(smaller, again=True):
            return True
        self.best = before
        return False

    def _pauses(self, place: int) -> None:
        if self.best.steps and (self.best.steps[place].advance or self.best.steps[place].settle):
            self._shows(_with_step(self.best, place, replace(self.best.steps[place], advance=0.0, settle=0.0)))

    def _try(self, place: int, request: Request) -> bool:
        return self._shows(_with_request(self.best, place, request))

    def _query(self, place: int) -> None:
        request = _request(self.best, place)
        head = request.path.partition("?")[0]

        def holds(some: Sequence[str]) -> bool:
            return self._try(place, replace(request, path=f"{head}?{'&'.join(some)}" if some else head))

        fewest(_query(request), holds)

    def _headers(self, place: int) -> None:
        request = _request(self.best, place)
        fixed = tuple(pair for pair in request.headers if pair[0].lower() in _KEPT)
        fewest(
            _shrinkable(request.headers),
            lambda some: self._try(place, replace(request, headers=(*fixed, *some))),
        )

    def _body(self, place: int) -> None:
        request = _request(self.best, place)
        if not request.body:
            return

        def holds(body: bytes | None) -> bool:
            headers = request.headers if body else _without_type(request.headers)
            return self._try(place, replace(request, headers=headers, body=body))

        if holds(None):
            return
        parsed = parse_json(request.body, spelled=True)
        if parsed.ok and not parsed.findings and holds(_json(parsed.value)):
            smallest(parsed.value, lambda value: holds(_json(value)))
        else:
            mark = b"&" if b"form-urlencoded" in _content_type(request) else b"\n"
            fewest(request.body.split(mark), lambda some: bool(some) and holds(mark.join(some)))


def _json(value: Any) -> bytes:
    return dump_json(value).encode("utf-8", "surrogatepass")


def _content_type(request: Request) -> bytes:
    return (request.header("content-type") or "").encode("utf-8", "replace")


def _query(request: Request) -> list[str]:
    return request.path.partition("?")[2].split("&") if "?" in request.path else []


def _shrinkable(headers: Headers) -> list[tuple[str, str]]:
    return [pair for pair in headers if pair[0].lower() not in _KEPT]


def _without_type(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != "content-type")


def _request(case: Case, place: int) -> Request:
    return case.steps[place].request if case.steps else case.request


def _with_request(case: Case, place: int, request: Request) -> Case:
    if not case.steps:
        return replace(case, request=request)
    return _with_step(case, place, replace(case.steps[place], request=request))


def _with_step(case: Case, place: int, step: Step) -> Case:
    return _with_steps(case, [*case.steps[:place], step, *case.steps[place + 1 :]])


def _with_steps(case: Case, steps: Sequence[Step]) -> Case:
    return replace(case, steps=tuple(steps), request=steps[0].request)


def _digest(case: Case) -> str:
    """Return what tells what is sent for a case from what is sent for another."""
    steps = [(step.name, step.request, step.advance, step.settle) for step in case.steps]
    return sha256(repr(steps or [("", case.request)]).encode("utf-8", "surrogatepass")).hexdigest()
