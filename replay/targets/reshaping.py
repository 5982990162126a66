"""`via:` of a side: a team's own code reshapes what a side with another interface is sent, and what it answers.

Not to be taken for the rule of that name, which reads a body. It is a function from `Request` to `Request`, or a thing
that has `request(request)`, `answer(answer)` or both; `answer` takes and returns an `Observation`, of which status,
headers and body count. Both run in this process, between sending and sending: they have to be quick.

Whatever they raise or wrongly return is an error of the side, by their name: what could not be sent as it was meant
must not count as compared. A request that is reshaped into one that the side must not be sent is one as well.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any, Final

from replay.errors import InputError
from replay.models import Case, Done, Failed, Failure, Headers, Observation, Request, TargetSpec
from replay.targets.base import Around, Moment, Target
from replay.targets.permission import may_be_sent
from replay.wire import check_request

_LONGEST: Final = 200
_SERVER_ERROR: Final = 500


class Shape:
    """What stands behind a `via`. `load_own` has found it to be the project's own; raises what importing it raises."""

    def __init__(self, name: str) -> None:
        self.name = name
        module, _, attribute = name.partition(":")
        found: Any = reduce(getattr, attribute.split("."), importlib.import_module(module))
        request, answer = (getattr(found, part, None) for part in ("request", "answer"))
        several = callable(request) or callable(answer)
        self._request: Callable[..., Any] | None = request if several else found
        self._answer: Callable[..., Any] | None = answer

    @property
    def answers(self) -> bool:
        """Tell whether answers are reshaped as well."""
        return self._answer is not None

    def request(self, request: Request) -> Request | Failure:
        """Return the request that is sent instead, or why there is none."""
        if self._request is None:
            return request
        try:
            made = self._request(request)
            if not isinstance(made, Request):
                return self._failure(f"returned {_kind(made)}, and no Request")
            made = replace(made, headers=_pairs(made.headers))
            _require(made.body is None or isinstance(made.body, bytes), "its body has to be bytes or None")
            check_request(made)
        except InputError as error:
            return self._failure(f"returned a request that cannot be sent: {error.fact}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is not our code: whatever it raises is a finding
            return self._failure(f"raised {type(error).__name__}: {str(error)[:_LONGEST]}")
        return made

    def answer(self, seen: Observation) -> Observation:
        """Return what is compared instead of an answer; one that failed stays as it is: no shape makes it whole."""
        if self._answer is None or seen.error is not None or (seen.status or 0) >= _SERVER_ERROR:
            return seen
        try:
            made = self._answer(seen)
            if not isinstance(made, Observation):
                return replace(seen, error=self._failure(f"returned {_kind(made)}, and no Observation"))
            _require(isinstance(made.body, bytes), "its body has to be bytes")
            _require(made.status is None or isinstance(made.status, int), "its status has to be a number")
            return replace(seen, status=made.status, headers=_pairs(made.headers), body=made.body)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            told = f"raised {type(error).__name__}: {str(error)[:_LONGEST]}"
            return replace(seen, error=self._failure(told))

    def _failure(self, fact: str) -> Failure:
        return Failure("exception", f"via {self.name} {fact}")


def _kind(made: object) -> str:
    return "nothing" if made is None else f"a {type(made).__name__}"


def _require(holds: bool, fact: str) -> None:  # noqa: FBT001 - an assertion that -O leaves in
    if not holds:
        raise TypeError(fact)


def _pairs(headers: Any) -> Headers:
    """Return header fields as they are kept; raise TypeError for what are none."""
    pairs = tuple((name, value) for name, value in headers)
    _require(all(isinstance(it, str) for pair in pairs for it in pair), "its headers have to be pairs of texts")
    return pairs


class Reshaped(Around):
    """A target behind a shape."""

    def __init__(self, target: Target, spec: TargetSpec) -> None:
        super().__init__(target)
        self._spec = spec
        self.shape = Shape(spec.via or "")
        self.name = f"{target.name} via {self.shape.name}"

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case in its new shape."""
        request = self.shape.request(case.request)
        if isinstance(request, Request) and not may_be_sent(self._spec, self.kind, request):
            made = f"made {request.method} of {case.request.method}, and this side is not writable"
            request = Failure("exception", f"via {self.shape.name} {made}")
        if isinstance(request, Failure):
            done(Observation(error=request))
            return
        sent = case if request is case.request else replace(case, request=request)
        self._target.begin(sent, moment, lambda seen: done(self.shape.answer(seen)), failed)
