"""The stored calls of experiments, gathered by hour: one pass over the store, in memory that grows with the hours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

from replay.models import Bucket, Drift, DriftUnit, Result, Side
from replay.store.base import RunRecord
from replay.store.experiments import chosen_in, experiment_of
from replay.store.sqlite import SqliteStore
from replay.verdict.samples import COMPARED
from replay.verdict.statistics import lower_bound, upper_bound

DAYS_BY_HOUR: Final = 3
"""Of more days than these, hours are told only where somebody asks for them."""
_TWO_SIDED: Final = 0.975


@dataclass(slots=True)
class _Sums:
    n: int = 0
    disagreeing: int = 0
    unproven: int = 0
    skipped: int = 0
    chosen: Counter[Side] = field(default_factory=Counter)
    versions: dict[str, None] = field(default_factory=dict)

    def add(self, result: Result, version: str) -> None:
        own = result.outcome == "new_error"
        self.n += own or result.outcome in COMPARED
        self.disagreeing += own or result.outcome == "deviation"
        self.unproven += result.outcome in ("old_error", "both_error")
        self.skipped += result.outcome == "skipped"
        side = chosen_in(result.flags)
        if side is not None:
            self.chosen[side] += 1
        self.versions[version] = None

    def join(self, other: _Sums) -> None:
        self.n += other.n
        self.disagreeing += other.disagreeing
        self.unproven += other.unproven
        self.skipped += other.skipped
        self.chosen += other.chosen
        self.versions |= other.versions

    def bucket(self, begins: datetime) -> Bucket:
        k, n = self.disagreeing, self.n
        interval = (lower_bound(k, n, _TWO_SIDED), upper_bound(k, n, _TWO_SIDED)) if n else None
        told = tuple(version for version in self.versions if version)
        return Bucket(begins, n, k, self.unproven, self.skipped, dict(self.chosen), interval, told)


@dataclass(slots=True)
class _Course:
    """What one experiment did, by hour, and what of it was lost."""

    old: str = ""
    new: str = ""
    hours: defaultdict[datetime, _Sums] = field(default_factory=lambda: defaultdict(_Sums))
    lost: defaultdict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def drifts(
    store: SqliteStore,
    records: Iterable[RunRecord],
    unit: DriftUnit | None = None,
    since: datetime | None = None,
    watch: Callable[[], None] = lambda: None,
) -> list[Drift]:
    """Gather these runs of experiments, each by hour or by day; without a unit, by hour where it is a few days.

    Calls before `since` are left out. An experiment without any call and without losses since then is not told of.
    """
    courses: defaultdict[str, _Course] = defaultdict(_Course)
    for record in records:
        run = experiment_of(record)
        if run is None or (since is not None and run.day < since.astimezone(UTC).date()):
            continue
        course = courses[run.name]
        course.old, course.new = run.old or course.old, run.new or course.new
        course.lost[run.day].update(run.lost)
        version = record.labels.get("new") or record.fingerprint.get("code of new", "")[:7]
        for hour, result in _by_hour(store, record.id, since):
            course.hours[hour].add(result, version)
            watch()
    return [_drift(name, course, unit) for name, course in courses.items() if course.hours or any(course.lost.values())]


def _by_hour(store: SqliteStore, run: str, since: datetime | None) -> Iterator[tuple[datetime, Result]]:
    # As many as there are by now: who writes meanwhile may be quicker than this.
    for result in islice(store.results(run, bodies=False), store.count(run)):
        at = result.case.freeze
        if at is not None and (since is None or at >= since):
            yield at.astimezone(UTC).replace(minute=0, second=0, microsecond=0), result


def _drift(name: str, course: _Course, unit: DriftUnit | None) -> Drift:
    hours = course.hours
    if unit is None:
        few = not hours or max(hours) - min(hours) < timedelta(days=DAYS_BY_HOUR)
        unit = "hour" if few else "day"
    sums, whole = defaultdict[datetime, _Sums](_Sums), _Sums()
    for hour in sorted(hours):
        sums[hour if unit == "hour" else hour.replace(hour=0)].join(hours[hour])
        whole.join(hours[hour])
    buckets = tuple(each.bucket(begins) for begins, each in sums.items())
    first = buckets[0].begins if buckets else datetime.fromtimestamp(0, UTC)
    lost = {day: dict(reasons) for day, reasons in sorted(course.lost.items()) if reasons}
    return Drift(name, course.old, course.new, unit, whole.bucket(first), buckets, lost)
