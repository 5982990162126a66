"""How the figures that rules measured are spread over all cases: eight bytes a figure, and no case forgotten."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from statistics import fmean, median
from typing import Final

from replay.locations import general
from replay.models import FEW_ITEMS, Measure, Spread

STEPS: Final = 10
MOST_PLACES: Final = 100
"""Locations of one measure that are told apart; rules name few, hostile keys many."""
_SCALES: Final = {"rank.tau": (-1.0, 1.0), "rank.common": None}
"""The ends of a measure's scale: 0 and 1 where nothing is said; None for counts, which have none."""


@dataclass(slots=True)
class _Figures:
    """The values of one measure, and on how many items each rests."""

    values: array[float] = field(default_factory=lambda: array("d"))
    items: array[int] = field(default_factory=lambda: array("L"))
    none: int = 0

    def add(self, measure: Measure) -> None:
        """Take one in; that there was nothing to measure is worth knowing too."""
        if measure.value is None:
            self.none += 1
            return
        self.values.append(measure.value)
        if measure.items is not None:
            self.items.append(measure.items)


class Spreads:
    """Gathers measures by name, and by location besides where a name stands at several."""

    def __init__(self) -> None:
        self._by_place: dict[str, dict[str, _Figures]] = {}

    def add(self, measure: Measure) -> None:
        """Take one figure in."""
        places, at = self._by_place.setdefault(measure.name, {}), general(measure.at)
        if at not in places and len(places) >= MOST_PLACES:
            at = "other locations"
        places.setdefault(at, _Figures()).add(measure)

    def spreads(self) -> Mapping[str, Spread]:
        """Return how each measure is distributed: `rank.tau`, and `rank.tau at body.hits` where there are several."""
        return dict(self._spreads())

    def _spreads(self) -> Iterator[tuple[str, Spread]]:
        for name, places in self._by_place.items():
            whole = _Figures()
            for found in places.values():
                whole.values.extend(found.values)
                whole.items.extend(found.items)
                whole.none += found.none
            yield name, _spread(name, whole)
            if len(places) > 1:
                yield from ((f"{name} at {at}", _spread(name, found)) for at, found in places.items())


def _spread(name: str, found: _Figures) -> Spread:
    values = found.values
    if not values:
        return Spread(0, nan, nan, nan, nan, none=found.none)
    return Spread(
        len(values),
        min(values),
        median(values),
        fmean(values),
        max(values),
        tenth=sorted(values)[(len(values) - 1) // STEPS],
        steps=_steps(values, _SCALES.get(name, (0.0, 1.0))),
        none=found.none,
        few=sum(count < FEW_ITEMS for count in found.items),
        items=median(found.items) if found.items else None,
    )


def _steps(values: array[float], scale: tuple[float, float] | None) -> tuple[int, ...]:
    if scale is None:
        return ()
    low, high = scale
    counts = [0] * STEPS
    for value in values:
        # The last step holds its upper end.
        counts[min(STEPS - 1, max(0, int((value - low) / (high - low) * STEPS)))] += 1
    return tuple(counts)
