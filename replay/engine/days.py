"""The traffic of a run by the days on which it was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from replay.models import SIDES, DayFigures, Observation, Quantiles, Result, Side
from replay.verdict.days import MOST_DAYS, recorded_day
from replay.verdict.samples import COMPARED, GOOD
from replay.verdict.sketch import Sketch


@dataclass(slots=True)
class _Day:
    n: int = 0
    deviating: int = 0
    unproven: int = 0
    latency: dict[Side, Sketch] = field(default_factory=lambda: {side: Sketch() for side in SIDES})

    def add(self, result: Result) -> None:
        own = result.outcome == "new_error"
        self.n += own or result.outcome in COMPARED
        self.deviating += own or result.outcome == "deviation"
        self.unproven += result.outcome in ("old_error", "both_error")
        self._time("old", result.old)
        self._time("new", result.new)

    def _time(self, side: Side, observation: Observation | None) -> None:
        if observation is not None and observation.timing is not None and observation.error is None:
            self.latency[side].add(observation.timing.latency_ms)


class Days:
    """Sums by day, in memory that grows with the number of days."""

    def __init__(self) -> None:
        self._days: dict[date | None, _Day] = {}
        self.unlisted = 0
        """Cases of days beyond `MOST_DAYS`."""

    def add(self, result: Result) -> None:
        """Count a case of the traffic; what is sent again counts where it is no good any more."""
        if result.case.kind == "golden" or (result.case.turn > 1 and result.outcome in GOOD):
            return
        day = recorded_day(result.case)
        sums = self._days.get(day)
        if sums is None:
            if len(self._days) >= MOST_DAYS:
                self.unlisted += 1
                return
            sums = self._days[day] = _Day()
        sums.add(result)

    def figures(self, begun: date) -> tuple[DayFigures, ...]:
        """Return the days in order; what has no recorded time belongs to the day on which the run was `begun`."""
        days = {day: sums for day, sums in self._days.items() if day is not None}
        if (undated := self._days.get(None)) is not None:
            days[begun] = _joined(undated, days.get(begun))
        return tuple(_figures(day, days[day]) for day in sorted(days))


def _joined(one: _Day, other: _Day | None) -> _Day:
    if other is None:
        return one
    whole = _Day(one.n + other.n, one.deviating + other.deviating, one.unproven + other.unproven)
    for part in (one, other):
        for side in SIDES:
            whole.latency[side].merge(part.latency[side])
    return whole


def _figures(day: date, sums: _Day) -> DayFigures:
    latency: Mapping[Side, Quantiles] = {side: quantiles(sketch) for side, sketch in sums.latency.items() if sketch.n}
    return DayFigures(day.isoformat(), sums.n, sums.deviating, sums.unproven, latency)


def quantiles(sketch: Sketch) -> Quantiles:
    """Return the quantiles that reports print."""
    return Quantiles(sketch.n, *(sketch.quantile(q) for q in (0.5, 0.9, 0.95, 0.99)))
