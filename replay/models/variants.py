"""Hostile variants of real cases, and what both sides made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from replay.models.cases import Case, Request
from replay.models.results import Result
from replay.models.summary import Way


@dataclass(frozen=True, slots=True)
class Variant:
    """A request with one thing in it that is hostile: of which kind, where, and what it is in words."""

    kind: str
    at: str
    what: str
    request: Request


@dataclass(frozen=True, slots=True)
class Shown:
    """A variant of a case, and what both sides answered."""

    variant: Variant
    result: Result


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Variants on which the sides part in one way that the real case does not show; the one to show comes first.

    `confirmed` is whether that one showed it when it was sent again.
    """

    way: Way
    shown: tuple[Shown, ...]
    confirmed: bool

    @property
    def kinds(self) -> Counter[str]:
        """Return how many of its variants are of which kind."""
        return Counter(each.variant.kind for each in self.shown)


@dataclass(frozen=True, slots=True)
class Varied:
    """What came of the variants of one case: how many of each kind were sent, and how many more there are."""

    case: Case
    sent: Mapping[str, int]
    left_out: int
    most: int
    """How many of each kind were made at most; of a large request there may be more."""
    known: tuple[Way, ...]
    """The ways in which the case departs as it is."""
    disagreements: tuple[Disagreement, ...]
    why: str = ""
    """Why it was cut short; empty where it was not."""
