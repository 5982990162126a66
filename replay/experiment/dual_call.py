"""One call of an experiment while both sides are run: what they are given, and what becomes of what they gave."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replay.experiment.agreement import agree
from replay.experiment.answers import Answers, Arguments, Standing
from replay.experiment.breaker import Guard
from replay.experiment.calls import Call, Frozen, Given, Raised, Relation, Setup, Sink
from replay.experiment.crew import Crew
from replay.experiment.drawing import drawn_id
from replay.experiment.freezing import (
    Lasting,
    Packed,
    UnfitError,
    describe,
    freeze,
    freeze_with_copy,
    is_lasting,
    reason_of,
)
from replay.experiment.losses import Missed
from replay.experiment.notes import Notes
from replay.experiment.outside import contain
from replay.experiment.reporting import REPORTER, hand_over, has_room_for_details
from replay.experiment.sides import Seen, Sides, Within, context_apart, observed, other_of
from replay.experiment.traces import correlation_id

if TYPE_CHECKING:
    from replay.models import Side

Clone = Callable[[tuple[Any, ...], dict[str, Any]], Arguments]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an experiment says of each call that is compared."""

    setup: Setup
    answers: Answers
    clone: Clone | None = None
    watch: bool = False
    context: Callable[..., Any] | None = None
    sinks: Sequence[Sink] | None = None
    guard: Guard = field(default_factory=lambda: Guard(None, None))
    notes: Notes = field(default_factory=Notes)
    crew: Crew = field(default_factory=Crew)
    strictly: bool = False
    """Whether a disagreement is raised in the caller's face."""
    as_is: int = 0
    """How many leading arguments are passed as they are: the `self` of a method."""

    def note(self, *, failed: bool, took_ns: int = 0, cpu_ns: int = 0) -> None:
        """Count what the other side did, and tell where the breaker opens or closes by it."""
        told = self.guard.note(failed=failed, took_ns=took_ns, cpu_ns=cpu_ns)
        if told:
            self.tell(f"breaker {'opened' if self.guard.is_open else 'closed'}", told)

    def tell(self, kind: str, text: str) -> None:
        """Tell something of the experiment, and of none of its calls."""
        self.notes.tell(self.setup, self.sinks, kind, text)


@dataclass(slots=True)
class Asked:
    """A call that is to be compared: what was asked, and of which functions."""

    terms: Terms
    sides: Sides
    chosen: Within
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    key: str = ""

    @property
    def function(self) -> Callable[..., Any]:
        """Return the chosen side's function."""
        return self.sides.of(self.chosen.side)


def overdue(within_ns: int) -> Seen:
    """Return what a side did that did not come back in time: an error, whatever exceptions are answers."""
    told = Raised("TimeoutError", f"it did not come back within {within_ns / 1e6:g} ms")
    return Seen(None, TimeoutError(), within_ns, 0, told)


def begun(asked: Asked) -> DualCall | None:
    """Make both sides ready; where the other can be given nothing of its own, tell so and return None."""
    missed: list[Missed] = [(asked.terms.setup, asked.terms.sinks)]
    try:
        call = DualCall(asked)
        missed = call.untold
        return call if _prepared(asked, call) else None
    except BaseException as error:  # noqa: BLE001 - a lack of memory or stack: the caller has its own say of that
        REPORTER.losses.missed.extend(missed)
        if type(error) is not RecursionError:  # else nothing more can be called
            contain(error)
        return None


def _prepared(asked: Asked, call: DualCall) -> bool:
    try:
        call.prepare(asked.args, asked.kwargs)
    except BaseException as error:  # noqa: BLE001 - classes may raise anything while they are copied
        contain(error)
        call.give_up(reason_of(error))
        asked.terms.note(failed=True)
        return False
    return True


class DualCall:
    """A call of which both sides are run: the chosen one by the caller, the other one here."""

    __slots__ = (
        "_args", "_at", "_both", "_first", "_key", "_kwargs", "_sides", "_terms", "_trace", "_watched",
        "arguments", "changed", "chosen", "context", "left_apart", "mismatch", "untold",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        """Take note of what is asked, and when."""
        chosen = asked.chosen
        self._terms = asked.terms
        self._sides = asked.sides
        self._key = asked.key
        self._at = time.time()
        self._first = self.chosen = chosen.side
        self.context = context_apart(Within(chosen.experiment, other_of(chosen.side), chosen=False, outer=chosen.outer))
        self._trace = correlation_id({})
        self.arguments: Frozen | None = None
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        self._watched: Arguments | None = None
        self._both: tuple[Arguments, Arguments] | None = None
        """What the chosen side was given and its copy, where both can be changed."""
        self.untold: list[Missed] = [(asked.terms.setup, asked.terms.sinks)]
        """Emptied by whoever tells the call, which two threads may want to."""
        self.changed: list[Side] = []
        """Which sides changed the arguments that are watched, in the order in which they ran."""
        self.left_apart = False
        """Whether the arguments of both sides are certainly not the same any more."""
        self.mismatch: BaseException | None = None
        """What is raised in place of the answer, in tests that ask for it."""

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep what the arguments are. Raise UnfitError where the other side can be given none of its own."""
        self._args, self._kwargs = self._protected(args, kwargs)

    # --------------------------------------------------------------------------------------------------- arguments

    def _protected(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of the other side, and keep what they are now."""
        own, rest = args[: self._terms.as_is], args[self._terms.as_is :]
        if self._terms.clone is not None:
            return self._cloned(self._terms.clone, args, kwargs)
        if all(map(is_lasting, rest)) and all(map(is_lasting, kwargs.values())):
            self.arguments = Lasting((rest, kwargs))
            return args, kwargs
        try:
            if self._terms.watch:
                self._watched, self.arguments = (rest, kwargs), freeze((rest, kwargs))
                return args, kwargs
            self.arguments, (copies, named) = freeze_with_copy((rest, kwargs))
            self._both = (rest, kwargs), (copies, named)
        except UnfitError as error:
            raise UnfitError(f"its arguments cannot be copied: {error}; say how by `clone`") from None
        return (*own, *copies), named

    def _cloned(self, clone: Clone, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        try:
            copies, named = clone(args, kwargs)
            copies, named = tuple(copies), dict(named)
        except BaseException as error:  # noqa: BLE001 - a callback may raise anything
            contain(error)
            raise UnfitError(f"`clone` raised {describe(error)}") from None
        try:
            self.arguments = freeze((copies[self._terms.as_is :], named))
        except UnfitError:  # there is nothing to be told of them, and still something to be compared
            self.arguments = None
        return copies, named

    # ------------------------------------------------------------------------------------------------- both sides

    def run_other(self, *, first: bool) -> Seen:
        """Run the other side here and now."""
        function, args, kwargs = self.other(first=first)
        return observed(self.context, function, args, kwargs, cpu=self._terms.guard.counts_cpu)

    def other(self, *, first: bool) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return the function of the other side and what it is given, for whoever runs it."""
        if first:
            self._first = other_of(self.chosen)
        return self._sides.of(other_of(self.chosen)), self._args, self._kwargs

    def look(self, side: Side) -> None:
        """Take note of whether a side, which has just run, changed the arguments, where these are watched."""
        if self._watched is None or self.arguments is None:
            return
        try:
            now = freeze(self._watched)
            same = (type(now) is Packed and now == self.arguments) or agree(self.arguments.thaw(), self._watched)
        except UnfitError:
            same = False
        if not same and not self.changed:
            self.changed.append(side)

    def look_at_both(self) -> None:
        """Take note of whether both sides, which have just run, certainly left their arguments in different states.

        That is what a function is for which changes what it is given. Where they hold what nothing is known of, nobody
        can tell: a class may keep there what it has worked out, and one side may have asked for more than the other.
        """
        if self._both is None or agree(*self._both):
            return
        self.left_apart = all(agree(one, one) for one in self._both)

    # --------------------------------------------------------------------------------------------------- afterwards

    def settle(self, chosen: Seen, other: Seen, *, elsewhere: bool = False) -> None:
        """Compare what both sides gave, and hand the call over. Nothing that goes wrong on the way gets out.

        `elsewhere` says that the other side may still be running, in the call's own context.
        """
        answers = self._terms.answers
        try:
            failed = answers.failed(other) and not answers.failed(chosen)
            self._terms.note(failed=failed, took_ns=other.wall_ns, cpu_ns=other.cpu_ns)
            (self.context.copy() if elsewhere else self.context).run(self._settle, chosen, other)
        except BaseException as error:  # noqa: BLE001 - values and callbacks may raise anything
            contain(error)
            self.give_up(f"it could not be compared: {describe(error)}")

    def give_up(self, reason: str, *, by_chance: bool = False) -> None:
        """Hand the call over as one that nobody can judge; `by_chance` where nothing of the call itself is why."""
        try:
            self._hand_over(Standing("unfit", reason, Given(), Given()), by_chance=by_chance)
        except BaseException as error:  # noqa: BLE001 - a context of the program's own, a lack of memory or stack
            # As `miss` does, which cannot be called where the stack ends.
            REPORTER.losses.missed.extend(self.untold)
            self.untold.clear()
            if type(error) is not RecursionError:  # else nothing more can be called
                contain(error)

    def miss(self, error: BaseException) -> None:
        """Have the call counted as lost, where not enough is left of memory or the stack to hand it over."""
        REPORTER.losses.missed.extend(self.untold)
        self.untold.clear()
        if type(error) is not RecursionError:  # else nothing more can be called
            contain(error)

    def _settle(self, chosen: Seen, other: Seen) -> None:
        old, new = (chosen, other) if self.chosen == "old" else (other, chosen)
        found = self._terms.answers.standing(old, new, self._copies, self._has_room)
        if self.left_apart and found.relation in {"agreed", "differ", "parted"}:
            found = found._replace(relation="unequal", reason="old and new changed the arguments in different ways")
        self._hand_over(found if not self.changed else self._as_changed(found))

    def _as_changed(self, found: Standing) -> Standing:
        """Return how the answers stand where a side changed the arguments that both were given."""
        (side,) = self.changed
        if side == self._first:
            return found._replace(relation="unfit", reason=f"{side} changed the arguments before {other_of(side)} ran")
        if found.relation == "unfit":
            return found
        return found._replace(relation="unequal", reason=f"{side} changed the arguments, and {other_of(side)} did not")

    def _hand_over(self, found: Standing, *, by_chance: bool = False) -> None:
        try:
            missed = self.untold.pop()
        except IndexError:  # it was told as overdue, and came back after all
            return
        try:
            call = self._call(found, by_chance=by_chance)
            hand_over(call, self._terms.sinks)
        except BaseException:
            self.untold.append(missed)
            raise
        if self._terms.strictly:
            self._require_agreement(call)

    def _call(self, found: Standing, *, by_chance: bool) -> Call:
        told = found.relation != "agreed" or self._terms.setup.equal_too
        context = self._told_context() if told and self._has_room(found.relation) else {}
        return Call(
            setup=self._terms.setup,
            id=drawn_id(),
            at=self._at,
            chosen=self.chosen,
            first=self._first,
            relation=found.relation,
            old=found.old,
            new=found.new,
            arguments=self.arguments if told else None,
            reason=found.reason,
            key=self._key,
            trace=self._trace or (correlation_id(context) if context else ""),
            context=context,
            by_chance=by_chance,
        )

    def _require_agreement(self, call: Call) -> None:
        from replay.experiment.mismatch import MismatchError, require_agreement  # noqa: PLC0415 - tests alone ask for it

        try:
            require_agreement(call)
        except MismatchError as error:
            self.mismatch = error.with_traceback(None)

    def _has_room(self, relation: Relation) -> bool:
        return has_room_for_details(self._terms.setup, relation)

    def _copies(self) -> Arguments:
        """Return a copy of the arguments as they were, for a callback. Raise UnfitError where there is none."""
        if self.arguments is None:
            raise UnfitError("its arguments cannot be copied")
        args, kwargs = self.arguments.thaw()
        return (*self._args[: self._terms.as_is], *args), kwargs

    def _told_context(self) -> Mapping[str, Any]:
        if self._terms.context is None:
            return {}
        try:
            args, kwargs = self._copies()
            return dict(self._terms.context(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - a callback may raise anything
            contain(error)
            return {"context": f"could not be told: {describe(error)}"}
