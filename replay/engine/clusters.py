"""What deviating cases have in common: the locations and kinds of their differences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from replay.models import Cluster, Difference, Result

MOST_KEYS: Final = 10_000
SHOWN_IDS: Final = 20
_ITEM: Final = re.compile(r"\[(?:\d+|\?(?:[^'\]]|'(?:\\.|[^'\\])*')*)\]")

Key = tuple[str, str]
"""A location with its indices left out, and the kind of difference there."""

OTHER: Final[Key] = ("other locations", "value")


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
        self._gatherings: dict[Key, _Gathering] = {}

    def add(self, result: Result) -> None:
        """Take one result in; matches, noise and skipped cases are passed over."""
        if result.outcome not in ("deviation", "new_error", "old_error", "both_error"):
            return
        mark = int.from_bytes(blake2b(result.case.identity.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        for key, sample in dict(_ways(result)).items():
            self._gathering(key, sample, result).mark += mark

    def _gathering(self, key: Key, sample: Difference | None, result: Result) -> _Gathering:
        if key not in self._gatherings and len(self._gatherings) >= MOST_KEYS:
            key = OTHER
        found = self._gatherings.setdefault(key, _Gathering(sample))
        found.cases += 1
        if found.promotable is None and result.case.kind == "traffic":
            found.promotable = result.case.id
        if len(found.ids) < SHOWN_IDS:
            found.ids.append(result.case.id)
        return found

    def clusters(self) -> tuple[Cluster, ...]:
        """Return the clusters, largest first; ways that occur in exactly the same cases are one cluster."""
        together: dict[tuple[int, int], list[tuple[Key, _Gathering]]] = {}
        for key, found in self._gatherings.items():
            together.setdefault((found.cases, found.mark), []).append((key, found))
        clusters = [_cluster(ways) for ways in together.values()]
        return tuple(sorted(clusters, key=lambda cluster: -cluster.cases))


def _ways(result: Result) -> Iterator[tuple[Key, Difference | None]]:
    """Yield each way in which a result departs, an error first; of several differences of one way the first counts."""
    if result.error is not None:
        yield (f"{result.error.side} failed", result.error.kind), None
    seen = set()
    for difference in result.differences:
        key = (general(difference.at), difference.kind)
        if key not in seen:
            seen.add(key)
            yield key, difference


def _cluster(ways: list[tuple[Key, _Gathering]]) -> Cluster:
    (first, gathering), more = ways[0], len(ways) - 1
    title = f"{first[0]}: {first[1]}" + (f", and {more} more" if more else "")
    return Cluster(
        title=title,
        cases=gathering.cases,
        example=gathering.ids[0],
        locations=tuple(key[0] for key, _ in ways),
        kinds=tuple(dict.fromkeys(key[1] for key, _ in ways)),
        sample=next((it.sample for _, it in ways if it.sample is not None), None),
        ids=tuple(gathering.ids),
        promotable=gathering.promotable,
    )
