"""What a call that was compared is made of, from the caller's thread to where it is examined.

Nothing here may load what a service does not need: no model, no comparison, no store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from replay.models import Result, Side

Relation = Literal["agreed", "differ", "unequal", "parted", "known", "unfit"]
"""How two answers stand to each other, as far as the caller's thread could tell.

`agreed`: equal without any rule, or by the experiment's own `equal`; `differ`: the rules have the last word;
`unequal`: the experiment's own `equal` says so, and no rule makes it a match; `parted`: they differ in what no document
tells, so that no rule sees it; `known`: a known difference, with its
reason; `unfit`: nobody can tell, with the reason, which is never a match.
"""


DISAGREED: Final = frozenset({"deviation", "new_error", "old_error", "both_error"})
"""The outcomes of calls of which people want to know: a flood of them is told bare."""


class Frozen(Protocol):
    """A value as it was at one moment, whatever the program did with it later."""

    @property
    def size(self) -> int:
        """Return how many bytes it takes, roughly: a queue of calls is bounded by them too."""

    def thaw(self) -> Any:
        """Return a copy of the value. Raise UnfitError where there is none."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that a side raised, as text: the exception itself would keep frames, and all they hold, alive."""

    type: str
    """Its qualified name: `shop.errors.Refused`."""
    message: str
    traceback: str = ""
    declared: bool = False
    """Whether `raises` names it: then it is an answer, and no failure."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one side gave: a value (None where both agreed and nobody asked to see it) or what it raised."""

    value: Frozen | None = None
    raised: Raised | None = None
    wall_ns: int = 0
    cpu_ns: int = 0
    """The other side's CPU, where its breaker counts it; 0 elsewhere."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What an experiment says about comparing and telling, for those who examine its calls."""

    name: str
    rules: Sequence[Mapping[str, Any]] = ()
    """Rules as in `compare:` of replay.yaml."""
    masks: Sequence[Mapping[str, Any]] = ()
    """Masks as in `mask:` of replay.yaml."""
    parameters: Callable[..., Any] | None = None
    """The function whose signature names the arguments."""
    equal_too: bool = False
    """Whether some rule asks something of equal values, so that agreeing calls are examined as well."""
    old: str = ""
    """Where the old function stands, as `module:attribute`; empty where it is a block of code."""
    new: str = ""
    """The same of the new one."""
    version: str = ""
    """What the team calls the version of new that is put to the test; else the file that it stands in tells it."""
    equality: str = ""
    """A digest of what else says what counts as equal: `clean`, `equal`, `known` and `raises`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an experiment that was compared."""

    setup: Setup
    id: str
    """16 hexadecimal digits, drawn for this call."""
    at: float
    """When it began, in seconds since the epoch."""
    chosen: Side
    first: Side
    relation: Relation
    old: Given
    new: Given
    arguments: Frozen | None = None
    """Of (positional, named), before either side ran; None where nobody asked for them."""
    reason: str = ""
    """Why a difference is known, or why two answers cannot be compared; also what a side did to its arguments."""
    key: str = ""
    """What the sample sticks to; empty where nothing does."""
    trace: str = ""
    """The correlation id: of the current trace, if there is one."""
    context: Mapping[str, Any] = field(default_factory=dict)
    by_chance: bool = False
    """Whether nothing of the call itself is why nobody can judge it, as where there was no room for it: such calls are
    missing from the sample, where all others may hide anything."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that was examined: what is told of it, without secrets and personal data."""

    experiment: str
    at: datetime
    chosen: Side
    result: Result
    """As a run would have it: the case with the call's id and arguments, the outcome's name, the timings of both."""
    context: Mapping[str, Any]
    unlisted: int = 0
    """How many disagreements of this experiment were told bare since the last one that was not."""
    bare: bool = False
    """Whether this is one of too many disagreements: what it is called holds, and nothing else of it is told."""
    unreplayable: str = ""
    """Why its arguments cannot be written down, so that it can be told and not be replayed."""
    setup: Setup | None = None
    """What its experiment says: which functions and rules the outcome is evidence about."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Compared calls of which a sink is told nothing else: whatever is said of that experiment rests on less."""

    experiment: str
    at: datetime
    """When it was noticed."""
    reason: str
    calls: int


class Sink(Protocol):
    """Where outcomes go. A thread of its own hands them over, one after the other; what is raised is counted there.

    One that has no use for calls that plainly agree says so by an attribute, `agreeing = False`: a service whose sinks
    all do so never examines such a call. One whose `flush` could not bring everything to where it goes raises, or says
    so by an attribute `unwritten`: it is asked again, also where nothing else comes.
    """

    def take(self, outcome: Outcome) -> None:
        """Take one outcome in, of agreeing calls too."""

    def lose(self, loss: Loss) -> None:
        """Take note of calls that were not told. What raises is told again, until it does not."""

    def flush(self) -> None:
        """Bring what was taken to where it goes: nothing more may come for a while."""

    def close(self) -> None:
        """Flush, and let go of everything; `take` may come again, and begins anew."""

    def forked(self) -> None:
        """Forget what is open, without closing it: it belongs to the process that this one was forked from."""
