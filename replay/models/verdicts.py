"""One criterion answered, and the answer to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from replay.models.names import VerdictState

Unit = Literal["", "share", "ratio", "ms", "pp", "cases", "days", "runs"]
"""A share or a ratio of 1 reads as a percentage; milliseconds, percentage points and cases as they are."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion, answered with its evidence. `interval` bounds the true value; `n` is what it rests on."""

    sentence: str
    state: VerdictState
    why: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    n: float | None = None
    unit: Unit = ""
    """What value and bounds are: a share of 1 reads as a percentage."""
    parts: tuple[Judgement, ...] = ()
    """What was judged by itself on the way: a part of the cases, a day or a run, its name as the sentence."""
    mark: str = ""
    """How a day or a run stands among others, in a word: ok, fails, open, none, or why it does not count."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a criterion stands by itself on one day of a run, `YYYY-MM-DD`, or with no day over the whole run."""

    criterion: str
    """The criterion without its span."""
    day: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Basis:
    """By what a run was judged: the criteria as text, the gate, the digest of the rules, and what came of it."""

    criteria: tuple[str, ...]
    gate: str | None = None
    rules: str = ""
    state: VerdictState | None = None
    """None where nothing was judged yet."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a verdict rests on that was not so when the first case was sent.

    Of a criterion, its text `before` and `after`: None where it was added, or taken out. Rules are told by no text.
    """

    what: Literal["criterion", "rules"]
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one gate: every criterion must hold."""

    state: VerdictState
    criteria: tuple[Judgement, ...]
    gate: str | None = None
    exit_code: int = 3
    changes: tuple[Change, ...] = ()
    """What was written otherwise when the first case was sent."""
    standings: tuple[Standing, ...] = ()
    """For later runs, whose criteria may span this one."""
