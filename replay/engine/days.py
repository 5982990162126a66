"""The traffic of a run by the days on which it was recorded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from replay.models import SIDES, DayFigures, Observation, OutcomeName, Quantiles, Result, Side
from replay.verdict.days import MOST_DAYS, by_day
from replay.verdict.samples import COMPARED, GOOD
from replay.verdict.sketch import Sketch

_COMPARED: Final[Collection[OutcomeName]] = COMPARED | {"new_error"}
_DEVIATING: Final[Collection[OutcomeName]] = ("deviation", "new_error")
_UNPROVEN: Final[Collection[OutcomeName]] = ("old_error", "both_error")


@dataclass(slots=True)
class _Day:
    outcomes: Counter[OutcomeName] = field(default_factory=Counter)
    latency: dict[Side, Sketch] = field(default_factory=lambda: {side: Sketch() for side in SIDES})

    def add_all(self, results: Sequence[Result]) -> None:
        self.outcomes.update([each.outcome for each in results])
        self._time("old", [each.old for each in results])
        self._time("new", [each.new for each in results])

    def _time(self, side: Side, observations: Iterable[Observation | None]) -> None:
        whole = [each.timing for each in observations if each is not None and each.error is None]
        self.latency[side].add_all([timing.latency_ms for timing in whole if timing is not None])

    def of(self, outcomes: Iterable[OutcomeName]) -> int:
        return sum(self.outcomes[outcome] for outcome in outcomes)


class Days:
    """Sums by day, in memory that grows with the number of days."""

    def __init__(self) -> None:
        self._days = defaultdict[date | None, _Day](_Day)
        self.unlisted = 0
        """Cases of days beyond `MOST_DAYS`."""

    def add_all(self, results: Iterable[Result]) -> None:
        """Count the cases of the traffic; what is sent again counts where it is no good any more."""
        traffic = [each for each in results if each.case.kind != "golden"]
        counted = [each for each in traffic if each.case.turn == 1 or each.outcome not in GOOD]
        for day, several in by_day(counted).items():
            if day in self._days or len(self._days) < MOST_DAYS:
                self._days[day].add_all(several)
            else:
                self.unlisted += len(several)

    def figures(self, begun: date) -> tuple[DayFigures, ...]:
        """Return the days in order; what has no recorded time belongs to the day on which the run was `begun`."""
        days = {day: sums for day, sums in self._days.items() if day is not None}
        if (undated := self._days.get(None)) is not None:
            days[begun] = _joined(undated, days.get(begun))
        return tuple(_figures(day, days[day]) for day in sorted(days))


def _joined(one: _Day, other: _Day | None) -> _Day:
    if other is None:
        return one
    whole = _Day(one.outcomes + other.outcomes)
    for part in (one, other):
        for side in SIDES:
            whole.latency[side].merge(part.latency[side])
    return whole


def _figures(day: date, sums: _Day) -> DayFigures:
    latency: Mapping[Side, Quantiles] = {side: quantiles(sketch) for side, sketch in sums.latency.items() if sketch.n}
    n, deviating, unproven = sums.of(_COMPARED), sums.of(_DEVIATING), sums.of(_UNPROVEN)
    return DayFigures(day.isoformat(), n, deviating, unproven, latency)


def quantiles(sketch: Sketch) -> Quantiles:
    """Return the quantiles that reports print."""
    return Quantiles(sketch.n, *(sketch.quantile(q) for q in (0.5, 0.9, 0.95, 0.99)))
