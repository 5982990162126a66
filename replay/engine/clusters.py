"""What deviating cases have in common: the locations and kinds of their differences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from replay.compare.values import json_type
from replay.models import MISSING, Cluster, Difference, Result

MOST_WAYS: Final = 10_000
SHOWN_IDS: Final = 20
_ITEM: Final = re.compile(r"\[(?:\d+|\?(?:[^'\]]|'(?:\\.|[^'\\])*')*)\]")
_STOPS: Final = re.compile(r"(old|new) stops at line ")
_BECAME: Final = re.compile(r"(.+) became (.+)")
_FAILED: Final = {"old": "old failed", "new": "new failed", "both": "both failed"}


class Weight(IntEnum):
    """What readers need to see first: in this order, however many cases there are."""

    FAILURE = 0
    """A side failed, or answered with another status."""
    LOSS = 1
    """A text breaks off, under a status that says nothing of it."""
    CHANGE = 2


class Way(NamedTuple):
    """One way to depart: a location with its indices left out, the kind of difference there, and the change."""

    at: str
    kind: str
    change: str = ""
    """As far as it tells ways apart and takes few values: statuses, JSON types, which side breaks off."""

    @property
    def weight(self) -> Weight:
        """Return how early readers need to see it."""
        if self.kind == "status" or self.at in _FAILED.values():
            return Weight.FAILURE
        return Weight.LOSS if self.kind == "text" and self.change else Weight.CHANGE

    @property
    def title(self) -> str:
        """Return the way in words: `status 200 -> 404`, `body.rows[*]: type (array -> object)`."""
        if self.at in _FAILED.values():
            who = self.at if self.at == _FAILED["both"] else f"only {self.at}"
            return f"{who}: {self.kind}" + (f", {self.change}" if self.change else "")
        if self.kind == "status" and self.change:
            return f"{self.at} {self.change}"
        if self.kind == "text" and self.change:
            return f"{self.at}: {self.kind}, {self.change}"
        return f"{self.at}: {self.kind}" + (f" ({self.change})" if self.change else "")


OTHER: Final = Way("other locations", "value")


def general(at: str) -> str:
    """Return a location for any item: `body.items[3].id` and `body.items[?@.a==1].id` become `body.items[*].id`."""
    return _ITEM.sub("[*]", at)


@dataclass(slots=True)
class _Gathering:
    """The cases that differ in one way; `mark` is the sum of their hashes, so that equal sets can be told."""

    sample: Difference | None
    cases: int = 0
    mark: int = 0
    ids: list[str] = field(default_factory=list)
    promotable: str | None = None


class Clusters:
    """Gathers deviating cases; memory grows with the ways in which they differ, not with their number."""

    def __init__(self) -> None:
        self._gatherings: dict[Way, _Gathering] = {}

    def add(self, result: Result) -> None:
        """Take one result in; matches, noise and skipped cases are passed over."""
        if result.outcome not in ("deviation", "new_error", "old_error", "both_error"):
            return
        mark = int.from_bytes(blake2b(result.case.identity.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        for way, sample in _ways(result).items():
            self._gathering(way, sample, result).mark += mark

    def _gathering(self, way: Way, sample: Difference | None, result: Result) -> _Gathering:
        if way not in self._gatherings and len(self._gatherings) >= MOST_WAYS:
            way = OTHER
        found = self._gatherings.setdefault(way, _Gathering(sample))
        found.cases += 1
        # Where both sides fail, old's answer is nothing to hold new to.
        if found.promotable is None and result.case.kind == "traffic" and result.outcome != "both_error":
            found.promotable = result.case.id
        if len(found.ids) < SHOWN_IDS:
            found.ids.append(result.case.id)
        return found

    def clusters(self) -> tuple[Cluster, ...]:
        """Return the clusters: errors and changed statuses first, then texts that break off; the largest first of each.

        Ways that occur in exactly the same cases are one cluster.
        """
        together: dict[tuple[int, int], list[tuple[Way, _Gathering]]] = {}
        for way, found in self._gatherings.items():
            together.setdefault((found.cases, found.mark), []).append((way, found))
        # What weighs most names its cluster; sorting is stable, so that else the first that was seen does.
        clusters = [sorted(ways, key=lambda each: each[0].weight) for ways in together.values()]
        clusters.sort(key=lambda ways: (ways[0][0].weight, -ways[0][1].cases))
        return tuple(map(_cluster, clusters))


def _ways(result: Result) -> dict[Way, Difference | None]:
    """Return each way in which a result departs, an error first; of several differences of one way the first counts."""
    found: dict[Way, Difference | None] = {}
    if result.error is not None:
        found[Way(_FAILED[result.error.side], result.error.kind, _statuses(result))] = None
    for difference in result.differences:
        if difference.waived or difference.noise:
            continue
        found.setdefault(Way(general(difference.at), difference.kind, _change(difference)), difference)
    return found


def _statuses(result: Result) -> str:
    """Return both statuses where both sides answered, and not alike."""
    old, new = (it.status if it is not None else None for it in (result.old, result.new))
    return "" if old is None or new is None or old == new else f"{old} -> {new}"


def _change(difference: Difference) -> str:
    if difference.kind == "status":
        return _arrow(difference, *map(_spelled, (difference.old, difference.new)))
    if difference.kind == "text":
        stops = _STOPS.match(difference.note)
        return f"{stops[1]} stops early" if stops else ""
    if difference.kind == "type":
        # Of two bodies that are not both JSON, the note knows what they were read as.
        became = _BECAME.fullmatch(difference.note)
        return _arrow(difference, *(became.groups() if became else map(_type, (difference.old, difference.new))))
    return ""


def _arrow(difference: Difference, old: str, new: str) -> str:
    return f"{old} expected -> {new}" if difference.against == "expect" else f"{old} -> {new}"


def _spelled(status: object) -> str:
    return "missing" if status is MISSING else str(status)


def _type(value: object) -> str:
    return "missing" if value is MISSING else json_type(value)


def _cluster(ways: list[tuple[Way, _Gathering]]) -> Cluster:
    (first, gathering), more = ways[0], len(ways) - 1
    return Cluster(
        title=first.title + (f", and {more} more" if more else ""),
        cases=gathering.cases,
        example=gathering.ids[0],
        locations=tuple(dict.fromkeys(way.at for way, _ in ways)),
        kinds=tuple(dict.fromkeys(way.kind for way, _ in ways)),
        sample=next((it.sample for _, it in ways if it.sample is not None), None),
        ids=tuple(gathering.ids),
        promotable=gathering.promotable,
    )
