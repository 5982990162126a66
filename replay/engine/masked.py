"""Where one side is masked already, the other is masked before they are compared: with the same key equal stays equal.

With another key nothing can be told of what tokens stand for: neither that it is equal nor that it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from replay.compare.base import Node
from replay.engine.holding import holds_some, holds_token
from replay.models import MISSING, Case, CaseError, Difference, Expectation, Observation, Result
from replay.privacy import DROPPED, TOKEN
from replay.privacy.masking import DROPPED_BODY

OTHER_KEY: Final = "what old answered is masked with another key"
WITHOUT_KEY: Final = "what old answered is masked, and this run has no key"
LOST: Final = "what old answered was dropped, since it could not be masked"
UNTELLABLE: Final = (OTHER_KEY, WITHOUT_KEY, LOST)
_SIGNS: Final = (b"tok_", b"999", b"0000", b"000 00", b"000-00", b"XXXX", b"(dropped: ")
"""What a body holds that holds tokens, save in base64: of captures that do not tell a key only these are looked at."""


@dataclass(frozen=True, slots=True)
class MaskedSides:
    """What a run knows of sides that are masked already."""

    redact: Callable[[Result], Result]
    key: str | None
    """The fingerprint of the run's key; None where it was made for this run."""
    recorded: bool = False
    """Whether old only says what was recorded."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """By which key each capture was masked that says so."""

    def speaks_of(self, case: Case, old: Observation | None) -> bool:
        """Tell whether what new is compared with holds tokens: a recorded answer, or what a golden expects."""
        if self.recorded and old is not None and case.kind == "traffic":
            return self._is_masked(old, told=_file(case) in self.keys)
        parts = [it.expect for it in case.steps] if case.steps else [case.expect]
        return case.kind == "golden" and any(self._is_masked(it, told=True) for it in parts if it is not None)

    def _is_masked(self, part: Observation | Expectation, *, told: bool) -> bool:
        body = part.body or b""
        if holds_some(body) if told else _shows_token(body):
            return True
        return any(TOKEN.search(value) for _, value in part.headers)

    def masked(self, case: Case, side: Observation) -> Observation:
        """Return what a side did as it would be kept."""
        return self.redact(Result(case, "skipped", new=side)).new or side

    def naming(self, case: Case) -> Case:
        """Return a case in which what each side named itself is told as it stands in masked answers."""
        return replace(case, bound=self.redact(Result(case, "skipped")).case.bound) if case.bound else case

    def settled(self, result: Result) -> Result:
        """Return a result, as old's error where nobody can tell whether sides differ: no match, and no deviation."""
        if DROPPED_BODY in (_body(result.old), _body(result.new)) and not result.error:
            return _untellable(result, LOST)
        counting = [it for it in result.differences if it.counts]
        if self._is_own(result.case) or not counting or result.error or not all(map(_may_be_equal, counting)):
            return result
        return _untellable(result, WITHOUT_KEY if self.key is None else OTHER_KEY)

    def _is_own(self, case: Case) -> bool:
        """Tell whether tokens of a case are of the run's own key, as far as anybody says."""
        return self.key is not None and self.keys.get(_file(case), self.key) == self.key


def _untellable(result: Result, reason: str) -> Result:
    return replace(result, outcome="old_error", error=CaseError("old", "decode", reason))


def _may_be_equal(difference: Difference) -> bool:
    """Tell whether a difference is between tokens, or what holds some: those of two keys differ for equal values."""
    sides = (difference.old, difference.new)
    return any(map(_holds, sides)) and all(_holds(it) or it is MISSING for it in sides)


def _holds(value: Node) -> bool:
    return holds_token(value) or value == DROPPED


def _body(side: Observation | None) -> bytes:
    return b"" if side is None else side.body


def _shows_token(body: bytes) -> bool:
    """Tell whether a token stands in a body, whole: services of their own have keys that begin with `tok_`."""
    return any(sign in body for sign in _SIGNS) and (
        b"(dropped: " in body or TOKEN.search(body.decode("utf-8", "replace")) is not None
    )


def _file(case: Case) -> str:
    return case.place.rpartition(":")[0]
