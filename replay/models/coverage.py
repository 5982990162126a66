"""What traffic shows and goldens lack, and the cases that would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

FacetKind = Literal["route", "status", "hot key", "locale", "request", "response", "value", "type", "size"]

FACET_KINDS: Final[tuple[FacetKind, ...]] = (
    "route", "status", "hot key", "locale", "request", "response", "value", "type", "size",
)  # fmt: skip
"""In the order in which they are told."""


class Facet(NamedTuple):
    """One thing that cases of a route show: a status, a member that is null, a locale, the key of a hot tenant."""

    route: str
    kind: FacetKind
    what: str


@dataclass(frozen=True, slots=True)
class Lack:
    """A facet of the traffic that no golden shows: how many cases show it, and the id of one of them."""

    facet: Facet
    cases: int
    example: str


@dataclass(frozen=True, slots=True)
class RouteCoverage:
    """How much of a route's traffic the goldens show. `lacks` are in order of their weight, the heaviest first."""

    route: str
    cases: int
    goldens: int
    facets: int
    lacks: tuple[Lack, ...]

    @property
    def covered(self) -> int:
        """Return how many facets the goldens show."""
        return self.facets - len(self.lacks)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the traffic has that the goldens lack; the routes with the most traffic first."""

    routes: tuple[RouteCoverage, ...]
    cases: int
    """Captured cases that were looked at."""
    alike: int
    """Those of which route, status, types and shape are all shown by one golden or another."""
    goldens: int
    unanswered: int
    """Goldens of which nothing tells what they are answered: no expectation, and no run in the store."""
    beyond: int = 0
    """Facets that were not told apart, since there were too many."""

    @property
    def facets(self) -> int:
        """Return how many facets the traffic has."""
        return sum(each.facets for each in self.routes)

    @property
    def covered(self) -> int:
        """Return how many of them goldens show."""
        return sum(each.covered for each in self.routes)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A captured case that is worth a golden: `adds` is what neither goldens nor suggestions before it show."""

    id: str
    route: str
    session: str | None
    adds: tuple[Lack, ...]
    alike: int
    """How many captured cases have the same behavioural fingerprint: route, status, types and shape."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """The captured cases to promote, the most telling first."""

    cases: tuple[Suggestion, ...]
    lacking: int
    """Facets that the goldens lack."""
    with_all: int
    """How many cases show all that is lacking."""

    @property
    def reached(self) -> int:
        """Return how many of the lacking facets the suggested cases show."""
        return sum(len(each.adds) for each in self.cases)
