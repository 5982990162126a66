"""The smallest request that still shows a cause: its steps, query, headers and body, tried out on both sides."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from replay.causes import DEPARTING, ways_of
from replay.curation.reducing import fewest, smallest
from replay.documents import dump_json, parse_json
from replay.errors import InputError
from replay.models import Case, Headers, Request, Result, Way

TRIES: Final = 3
"""How often the case is asked to begin with; and, where it shows its cause but sometimes, everything else at most."""
CONFIRMED: Final = 2
"""How often the smallest one has to show it again."""

_KEPT: Final = frozenset({"host", "content-length", "content-type"})
"""Headers that nothing is gained by leaving out: those made anew at every sending, and what says how to read a body."""

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
    before: Size
    after: Size
    sends: int
    remembered: int
    """How many answers of an earlier try were taken."""
    flaky: bool
    why: str = ""
    interrupted: bool = False


class _OutOfSendsError(Exception):
    """So many cases were sent as may be."""


class Shrinker:
    """Shrinks one case. What was reached stands in `best` at any moment."""

    def __init__(self, case: Case, send: Send, *, sends: int, known: Known) -> None:
        """Take a case whose seed and instant are fixed; `send` sends one and compares, at most `sends` times."""
        self.best = replace(case, expect=None)
        self._before = case
        self._send = send
        self._most = sends
        self._known = known
        self._earlier = frozenset(known)
        self._sends = 0
        self._remembered = 0
        self._tries = 1
        self._way: Way | None = None
        self._last: Result | None = None

    def shrunk(self, wanted: Way | None = None) -> Shrunk:
        """Return the smallest case found that departs in the same way: the one wanted, else its weightiest.

        Raise InputError where it does not depart so by itself.
        """
        self._way = way = self._shown(wanted)
        why, confirmed, interrupted = "", False, False
        try:
            self._shrink()
            confirmed = self._confirmed()
        except _OutOfSendsError:
            why = f"{self._most} cases were sent: --sends says how many may be"
        except KeyboardInterrupt:
            why, interrupted = "it was interrupted", True
        return Shrunk(
            case=self.best,
            result=self._last if confirmed else None,
            way=way,
            before=Size.of(self._before),
            after=Size.of(self.best),
            sends=self._sends,
            remembered=self._remembered,
            flaky=self._tries > 1,
            why=why or ("" if confirmed else "the smallest case did not show it each time that it was sent again"),
            interrupted=interrupted,
        )

    def _shown(self, wanted: Way | None) -> Way:
        """Return the way to look for, having seen how reliably the case shows it."""
        found = [_ways(self._ask(self.best)) for _ in range(TRIES)]
        departing = [ways for ways in found if ways]
        way = wanted or (departing[0][0] if departing else None)
        shown = sum(way in ways for ways in found)
        if way is None or not shown:
            fact = f"'{self._before.id}' does not depart{' so' if departing else ''} where it is sent by itself"
            hint = "it depends on what came before it" if self._before.session is not None else "is it mended?"
            raise InputError(fact, place=self._before.place or None, hint=hint)
        self._tries = 1 if shown == TRIES else TRIES
        return way

    def _ask(self, case: Case) -> Result:
        if self._sends >= self._most:
            raise _OutOfSendsError
        self._sends += 1
        return self._send(replace(case, identity=f"{case.identity}\x1f{self._sends}"))

    def _shows(self, case: Case) -> bool:
        """Tell whether a smaller case still shows it, and keep it if so."""
        digest = _digest(case)
        if digest in self._known:
            self._remembered += digest in self._earlier
        else:
            self._known[digest] = any(self._departs(case) for _ in range(self._tries))
        if self._known[digest]:
            self.best = case
        return self._known[digest]

    def _departs(self, case: Case) -> bool:
        self._last = result = self._ask(case)
        return self._way in _ways(result)

    def _confirmed(self) -> bool:
        shown = [self._departs(self.best) for _ in range(CONFIRMED * self._tries)]
        return all(shown) if self._tries == 1 else any(shown)

    # --------------------------------------------------------------------------------------------- one part at a time

    def _shrink(self) -> None:
        if self.best.steps:
            fewest(self.best.steps, lambda some: bool(some) and self._shows(_with_steps(self.best, some)))
        for place in range(len(self.best.steps) or 1):
            for part in (self._query, self._headers, self._body):
                part(place)

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


def _ways(result: Result) -> tuple[Way, ...]:
    """Return the ways in which a case departs, the weightiest first; none where it does not."""
    return tuple(ways_of(result)) if result.outcome in DEPARTING else ()


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
    steps = [replace(step, request=request) if nth == place else step for nth, step in enumerate(case.steps)]
    return _with_steps(case, steps)


def _with_steps(case: Case, steps: Sequence[Any]) -> Case:
    return replace(case, steps=tuple(steps), request=steps[0].request)


def _digest(case: Case) -> str:
    """Return what tells what is sent for a case from what is sent for another."""
    sent = [(step.name, step.request) for step in case.steps] or [("", case.request)]
    return sha256(repr(sent).encode("utf-8", "surrogatepass")).hexdigest()
