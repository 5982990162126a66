"""What the cases of one cause show at the places that its title speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from replay.causes.ways import FAILED, OTHER, SESSION, UNLISTED
from replay.curation.orders import reordered
from replay.curation.spread import Spread
from replay.documents import canonical_json
from replay.locations import general
from replay.models import MISSING, Cluster, DifferenceKind, Result, Way
from replay.privacy import TOKEN
from replay.routes import route_of

MOST_CHANGES: Final = 10
"""Different changes of one place that a list of intended ones may hold; more are no intention."""
MOST_ROUTES: Final = 3
"""Routes that get a rule each; beyond, one rule speaks of all routes."""


@dataclass(slots=True)
class Sighting:
    """What was seen at one location."""

    at: str
    kind: DifferenceKind
    differences: int = 0
    spread: Spread = field(default_factory=Spread)
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Different pairs of values, a few more than may be listed."""
    unspeakable: bool = False
    """Whether a value was NaN or infinite, which no rule can name."""
    masked: bool = False
    """Whether a token stands there for a secret or for personal data."""
    expected: int = 0
    """How many of the differences are from what a golden expects."""

    def add(self, old: Any, new: Any, *, expected: bool) -> None:
        """Take one difference in."""
        self.differences += 1
        self.expected += expected
        self.spread.add(old, new)
        try:
            key = f"{_spelled(old)} {_spelled(new)}"
        except ValueError:
            self.unspeakable = True
            return
        self.masked = self.masked or TOKEN.search(key) is not None
        if len(self.changes) <= MOST_CHANGES:
            self.changes[key] = old, new


def _spelled(value: Any) -> str:
    return "" if value is MISSING else canonical_json(value)


@dataclass(slots=True)
class Sightings:
    """What the cases of a cause show. `places` are those that its title speaks of, by their general locations."""

    places: dict[str, Sighting]
    cases: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    goldens: set[str] = field(default_factory=set)
    """The ids of its goldens."""
    traffic: int = 0
    scenes: int = 0
    arrays: dict[str, bool] = field(default_factory=dict)
    """Arrays that differ, and whether both sides hold the same items in every case of the cause."""

    def add(self, result: Result) -> None:
        """Take one case of the cause in."""
        self.cases += 1
        self.routes[route_of(result.case.request)] += 1
        self.scenes += bool(result.case.steps)
        if result.case.kind == "golden":
            self.goldens.add(result.case.id)
        else:
            self.traffic += 1
        for each in result.differences:
            place = self.places.get(general(each.at))
            if place is not None and each.counts and each.kind == place.kind:
                place.add(each.old, each.new, expected=each.against == "expect")
        for at, alike in reordered(result):
            self.arrays[general(at)] = alike and self.arrays.get(general(at), True)

    @property
    def golden(self) -> str | None:
        """Return the golden whose file holds all cases of the cause; None where there are others."""
        files = {name.partition("#")[0] for name in self.goldens}
        return files.pop() if len(files) == 1 and not self.traffic else None

    @property
    def scopes(self) -> list[str | None]:
        """Return the routes that get a rule each; None alone where there are too many, or one is no route."""
        routes = sorted(self.routes)
        return [None] if self.scenes or len(routes) > MOST_ROUTES else [*routes]


def places_of(cluster: Cluster) -> list[Way]:
    """Return the ways that a rule could speak of: the one that tells the cause, and those that changed alike."""
    if not cluster.ways or not _has_place(cluster.ways[0]):
        return []
    lead = cluster.ways[0]
    return [lead, *(way for way in cluster.ways[1:] if (way.kind, way.change) == (lead.kind, lead.change))]


def _has_place(way: Way) -> bool:
    return way.at not in FAILED.values() and way.kind != SESSION and way not in (OTHER, UNLISTED)


def sightings(cluster: Cluster, results: Iterable[Result]) -> Sightings:
    """Return what the cases of a cause show."""
    found = Sightings({way.at: Sighting(way.at, way.kind) for way in places_of(cluster)})  # type: ignore[arg-type]
    for result in results:
        found.add(result)
    return found
