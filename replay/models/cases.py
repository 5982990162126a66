"""What is replayed: requests, what they should be answered, and the reader's account of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from replay.models.making import quickly_made
from replay.models.names import CaseKind, Headers, Json
from replay.models.observations import Observation, first_header
from replay.models.rules import RuleSpec

_MEMBER: Final = re.compile(r"[.\[\]']+")


@quickly_made
@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `path` is the raw target with its query, sent as written; `body` is None where there is none."""

    method: str = "GET"
    path: str = "/"
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return first_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What new must answer, as a curator approved it; None is left to the comparison with old."""

    status: int | None = None
    headers: Headers = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """A step is sent again, `every` so many seconds, until an expression holds; for at most `within` seconds."""

    holds: str
    every: float
    within: float


@dataclass(frozen=True, slots=True)
class Walk:
    """While an expression holds for a page, there is a further one; the items at `join` of all pages are one answer."""

    going_on: str
    most: int
    """How many pages there are at most."""
    join: str
    further: Request | None = None
    """What is sent for each page after the first; None is the step's own request, with what was captured meanwhile."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a scenario; `{{names}}` in it stand for what each side's earlier answers held.

    `advance` and `settle`, in seconds, come before the request: by how much the frozen clock moves on for it and for
    all later ones, and for how long nothing is sent.
    """

    name: str
    request: Request
    capture: Mapping[str, str] = field(default_factory=dict)
    """From a name to where its value stands in the answer."""
    advance: float = 0.0
    settle: float = 0.0
    until: Poll | None = None
    pages: Walk | None = None
    expect: Expectation | None = None
    rules: tuple[RuleSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """A value that each side handed out by a name of its own, and later requests used again: both mean one thing.

    `recorded` is what the recording says in its place; `at` and `by` are where in which case's answer it stood, and
    `used` where in which later requests.
    """

    old: Json
    new: Json
    at: str = ""
    by: str = ""
    recorded: Json = None
    used: tuple[str, ...] = ()
    same: bool = True
    """Whether the two are taken for one thing where answers are compared; each side is sent its own in any case."""

    @property
    def member(self) -> str:
        """Return the member name under which it was handed out."""
        return _MEMBER.split(self.at)[-1]


@quickly_made
@dataclass(frozen=True, slots=True)
class Case:
    """One replayable input, and what its source says about replaying it.

    `id` is what people read and type; `identity` is what seeds and `--resume` rest on: a golden's id, else the
    source's digest and the record number. `place` is FILE or FILE:LINE.
    """

    id: str
    kind: CaseKind
    identity: str
    request: Request
    place: str = ""
    correlation_id: str = ""
    freeze: datetime | None = None
    seed: int | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    title: str = ""
    why: str = ""
    rules: tuple[RuleSpec, ...] = ()
    expect: Expectation | None = None
    recorded: Observation | None = None
    turn: int = 1
    """The how-manieth time this is that the run sends the case."""
    tick: bool | None = None
    """Whether the clock runs on from the instant; None is for the settings to say."""
    steps: tuple[Step, ...] = ()
    """The steps of a scenario, whose `request` is that of the first one."""
    step: str = ""
    """The name of the step, where this is one step of a scenario and not a case of its own."""

    bound: tuple[Binding, ...] = ()
    """What each side named itself in this case or before it in its session, as far as it is known and turns up here."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return all that is sent for the case, in order."""
        if not self.steps:
            return (self.request,)
        further = (it.pages.further for it in self.steps if it.pages is not None and it.pages.further is not None)
        return (*(it.request for it in self.steps), *further)

    def at_step(self, step: Step) -> Case:
        """Return one step as a case by itself: compared as the scenario says, and what the step says beats that."""
        return replace(
            self,
            request=step.request,
            rules=(*self.rules, *step.rules),
            expect=step.expect or self.expect,
            steps=(),
            step=step.name,
        )

    @property
    def bare(self) -> Case:
        """Return the case without what it expects, be it at a step."""
        return replace(self, expect=None, steps=tuple(replace(step, expect=None) for step in self.steps))

    @property
    def origin(self) -> str:
        """Return the identity that all turns of a case have in common."""
        return self.identity if self.turn == 1 else self.identity.removesuffix(f"\x1f{self.turn}")

    def again(self, turn: int) -> Case:
        """Return the case for another turn: known by the same id, and a result of its own."""
        # No identity holds a control character of its own, so that no two cases come to share one.
        return replace(self, turn=turn, identity=f"{self.origin}\x1f{turn}")


@dataclass(frozen=True, slots=True)
class Intake:
    """The reader's own account of one file: loaded + skipped = records read."""

    file: str
    loaded: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many records were passed over, by reason."""

    @property
    def read(self) -> int:
        """Return how many records the file held."""
        return self.loaded + sum(self.skipped.values())
