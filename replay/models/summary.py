"""What is known of a run at its end, beside its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from replay.models.cases import Intake
from replay.models.kpis import Kpi
from replay.models.latencies import LatencyParity
from replay.models.names import Side
from replay.models.results import Difference


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums that every report prints.

    loaded = compared + errored + skipped, and compared = matched + deviating + noise + waived.
    """

    loaded: int = 0
    compared: int = 0
    matched: int = 0
    deviating: int = 0
    noise: int = 0
    waived: int = 0
    errored: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which cases depart: a location for any item, the kind of difference there, and the change.

    `change` is as much of it as takes few values: statuses, types, what was done to a value. Who failed stands in
    place of a location.
    """

    at: str
    kind: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Deviating or failing cases with one cause, told by what they have in common. Each case belongs to one."""

    title: str
    cases: int
    example: str
    locations: tuple[str, ...]
    kinds: tuple[str, ...]
    sample: Difference | None = None
    ids: tuple[str, ...] = ()
    """The first few ids; `cases` counts them all."""
    promotable: str | None = None
    """A case of the traffic among them, which could become a golden."""
    ways: tuple[Way, ...] = ()
    """How every one of its cases departs; the first one tells them from the cases of later causes."""
    sometimes: Mapping[str, int] = field(default_factory=dict)
    """In how many of its cases other ways were seen as well, in words."""
    routes: Mapping[str, int] = field(default_factory=dict)
    """How many of its cases went where, the most frequented routes; the empty name stands for the rest."""
    followers: int = 0
    """How many of its cases only came after a failure in their session."""


@dataclass(frozen=True, slots=True)
class SideInfo:
    """What stood behind a side in a run."""

    target: str
    clock: Literal["frozen", "not frozen", "recorded"]
    clock_note: str = ""
    last_answer: str | None = None
    """The case after which a side that died gave no answer any more."""
    version: str = ""
    """Which version it was: the label that was given, else what its answers say; empty where nobody says."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """How many answers named which version, in the order in which they turned up; those beyond 20 under `...`."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latencies of one side in milliseconds, over `n` exchanges."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a run's traffic showed of one UTC day, `YYYY-MM-DD`, which is that of its recorded time."""

    day: str
    n: int
    """Cases that were compared, or that new alone failed."""
    deviating: int
    """How many of them deviate or failed on new."""
    unproven: int
    """Further cases, that old or both sides failed."""
    latency: Mapping[Side, Quantiles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure is distributed over `n` places where it was taken; NaN where there is none."""

    n: int
    least: float
    median: float
    mean: float
    most: float
    tenth: float | None = None
    """A tenth of the places lie at or below it."""
    steps: tuple[int, ...] = ()
    """How many places lie in each of ten equal steps of the measure's scale, the lowest first."""
    none: int = 0
    """Places where it could not be taken; they are not among the `n`."""
    few: int = 0
    """How many of the `n` rest on fewer than `FEW_ITEMS` items, and so prove little."""
    items: float | None = None
    """The median number of items that it rests on."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many cases old answered in one way and new in another: a status, a kind of error, or `value`."""

    old: str
    new: str
    cases: int


@dataclass(frozen=True, slots=True)
class Pacing:
    """How well a timetable was kept: cases a second, and milliseconds. None is what too few cases cannot tell."""

    name: str
    planned: float | None
    achieved: float | None
    late: Quantiles | None
    """How much later than planned cases were begun."""
    latency: Mapping[Side, Quantiles] = field(default_factory=dict)
    """Latencies from the planned moment, which hide no waiting."""


@dataclass(frozen=True, slots=True)
class NoiseRate:
    """How often old differs from itself at one place of a route, and how often new does from old."""

    route: str
    at: str
    old_differs: int
    old_asked: int
    """Further askings of old on this route."""
    new_differs: int
    new_asked: int
    """Cases of this route that were asked again, so that new can be held against them."""
    refused: str = ""
    """Why new's differences here are no noise, or not all of them."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What asking old again showed; the places where old differs from itself most often come first."""

    times: int
    cases: int
    """Cases that were asked again."""
    askings: int
    failed: int
    """Askings that came to no answer that could be compared."""
    unsafe: int
    """Cases that were sent, and not asked again since their method may change something."""
    rates: tuple[NoiseRate, ...] = ()
    unlisted: int = 0
    """Further places."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is known of a run that an experiment in a program made, on one UTC day."""

    name: str
    over: bool
    """Whether its day is, so that no more calls come."""
    chosen: Mapping[Side, int] = field(default_factory=dict)
    """How often the program used which side's answer."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many compared calls are in no run, by why."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a report needs to know of a run beside its results."""

    run: str
    started: datetime
    finished: datetime | None
    complete: bool
    old: SideInfo
    new: SideInfo
    counts: Counts
    decision: str | None = None
    owner: str | None = None
    seed: int = 0
    intake: tuple[Intake, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    latency: Mapping[Side, Quantiles] = field(default_factory=dict)
    measures: Mapping[str, Spread] = field(default_factory=dict)
    accepted: Mapping[str, int] = field(default_factory=dict)
    """How many cases each rule or default called equal although their bytes differ."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many cases were not sent, or not compared at all, by reason."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """How many cases failed, by `side kind`."""
    categories: Mapping[str, int] = field(default_factory=dict)
    """How many cases deviate or fail in each way, by category."""
    statuses: tuple[StatusCount, ...] = ()
    waived: Mapping[str, int] = field(default_factory=dict)
    """In how many cases each waiver accepted a difference, by its rule."""
    warnings: tuple[str, ...] = ()
    pacing: Pacing | None = None
    warmed: int = 0
    """How many cases were sent beforehand, and are in no other figure."""
    noise: Noise | None = None
    """None where old was not asked again."""
    days: tuple[DayFigures, ...] = ()
    """The traffic by day, the earliest first."""
    ended_because: str = ""
    """Why the run did not complete; empty where it did."""
    kpis: tuple[Kpi, ...] = ()
    latency_parity: LatencyParity | None = None
    """None where too few cases of the traffic were timed to say anything."""
    experiment: Experiment | None = None
    """None for a run that was sent."""
