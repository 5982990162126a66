"""What is decided before anything is sent, and what is known of the sending once it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from replay.engine.outcome import Referee
from replay.engine.pacing import AsRoomAllows, Pace
from replay.models import Case, Intake, Order, OutcomeName, RecheckSpec, Result, Seeded, Side, TargetSpec
from replay.rebinding import Limit
from replay.sampling import Portion
from replay.services.git import Commit
from replay.store.base import RunRecord
from replay.verdict import Criterion


@dataclass(frozen=True, slots=True)
class Sending:
    """How cases are sent: under which seed and instant, how many at a time, when each, and who goes first.

    `instant` is for cases that bring none.
    """

    seed: int
    instant: datetime
    concurrency: int
    order: Order = "random"
    pace: Pace = field(default_factory=AsRoomAllows)
    warmup: int = 0
    """How many cases are sent beforehand, and not counted; only safe methods are."""
    workers: int = 1
    """From how many processes."""
    recheck: RecheckSpec | None = None
    """How often, and when, both sides are asked again at a safe case that deviates; None is never."""
    rebind: bool = True
    """Whether each side of a captured session is sent what it handed out itself, in place of what was recorded."""
    noise: int = 0
    """How many times more old is asked, to learn where it differs from itself."""
    tick: bool = False
    """Clocks run on from their instant, save where a case says otherwise."""
    seed_also: tuple[Seeded, ...] = ()
    """What is seeded besides `random` and NumPy."""


class Selected(Protocol):
    """The cases of a run, read anew at every iteration."""

    def __iter__(self) -> Iterator[Case]:
        """Yield the selected cases."""

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield one part: each case is in exactly one, and sessions stay whole."""

    @property
    def intakes(self) -> Sequence[Intake]:
        """Return the readers' own accounts."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What has to be known to start sides, beside their specs."""

    commits: Mapping[Side, Commit] = field(default_factory=dict)
    """Of which commit the files of a side are."""
    redact: Callable[[str], str] = lambda line: line
    """Takes secrets out of a line of output."""
    instant: datetime = field(default_factory=lambda: datetime.now(UTC))
    """At which commands begin."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided before anything is sent."""

    record: RunRecord
    cases: Selected
    sides: Mapping[Side, TargetSpec]
    referee: Referee
    criteria: Sequence[Criterion]
    sending: Sending
    total: int | None = None
    """How many results there will be, where that is known beforehand."""
    repeat: int | None = 1
    """How often every case is sent; None for again and again, until `seconds` are over."""
    seconds: float | None = None
    redact: Callable[[Sequence[Result], frozenset[str]], Sequence[Result]] = lambda results, _secrets: results
    """Takes secrets out of results: those known beforehand, and those that are only known at run time."""
    stage: Stage = field(default_factory=Stage)
    """What has to be known to start the sides that this tool starts."""
    secrets: tuple[str, ...] = ()
    """Which secrets are put into what is sent, and where they come from, in words."""
    warnings: tuple[str, ...] = ()
    """What makes the verdict by these criteria and rules worth less; what makes any so is in the record."""
    parting: Callable[[], str] = str
    """What is left to say once all is stored; empty where there is nothing."""

    def resumed(self, record: RunRecord) -> Plan:
        """Return the plan under the id and the instant of the run that it goes on with."""
        sending = replace(self.sending, instant=datetime.fromisoformat(record.settings["instant"]))
        # A waiver that held when the run began holds to its end, for all cases alike.
        return replace(self, record=record, sending=sending, referee=self.referee.on(record.started.date()))


class Watch(Protocol):
    """Is told what became of cases, as they end."""

    def __call__(self, outcome: OutcomeName, n: int = 1, /) -> None:
        """Take note of so many cases with this outcome."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How the sending went, as far as results do not tell it."""

    complete: bool = False
    ended_because: str = ""
    silent: Mapping[Side, str | None] = field(default_factory=dict)
    """The sides that gave no answer any more, each with the case after which."""
    clock_notes: Mapping[Side, str] = field(default_factory=dict)
    """Why a side's clock was not frozen, as far as its target knows."""
    beyond: Mapping[Limit, int] = field(default_factory=dict)
    """How many captured cases were beyond which bound of what is followed in sessions."""
    intakes: tuple[Intake, ...] = ()
    """The readers' accounts of what was read for sending."""
    targets: Mapping[Side, tuple[str, str]] = field(default_factory=dict)
    """What stood behind each side: its name and its kind."""
    results: int = 0
    """How many results were handed over to be kept."""
    warmed: int = 0
    begun: int = 0
    planned_seconds: float = 0.0
    """When the last case should have begun, after the first; 0 where nothing was planned."""
    spent_seconds: float = 0.0
    """When it did."""
