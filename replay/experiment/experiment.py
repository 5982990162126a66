"""The experiment: what a program calls instead of the old function."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from replay.errors import SettingsError
from replay.experiment.afterwards import run_chosen_first
from replay.experiment.answers import Answers
from replay.experiment.asynchronous_generators import await_items_of_both, await_items_of_chosen_first
from replay.experiment.breaker import Breaker, Duration, Guard
from replay.experiment.callbacks import taking_arguments
from replay.experiment.calls import Setup, Sink
from replay.experiment.coroutines import await_both, await_chosen_first
from replay.experiment.crew import Crew, away_after
from replay.experiment.deciding import Deciding, Switch
from replay.experiment.dual_call import Asked, Clone, Terms
from replay.experiment.equality import equality_of
from replay.experiment.generators import go_through_both, go_through_chosen_first
from replay.experiment.inline import run_both
from replay.experiment.kinds import Kind, Mode, is_method, kind_of, place_of
from replay.experiment.known import Known
from replay.experiment.preparing import prepared
from replay.experiment.references import Reference, found_at, reference_to
from replay.experiment.requirements import (
    require_answers,
    require_breaker,
    require_callbacks,
    require_flags,
    require_mode,
    require_name,
    require_share,
    require_side,
    require_specs,
    require_switches,
    require_text,
)
from replay.experiment.sides import Sides, Within, within
from replay.experiment.sinks import require_sinks
from replay.experiment.tracebacks import leave_out
from replay.experiment.trial import Trial

if TYPE_CHECKING:
    from typing_extensions import ParamSpec
    from typing_extensions import TypeVar as Defaulting

    from replay.models import Side

    P = ParamSpec("P", default=...)
    R = Defaulting("R", default=Any)
else:
    from typing import ParamSpec

    P = ParamSpec("P")
    R = TypeVar("R")

F = TypeVar("F", bound=Callable[..., Any])

RUNNERS: Final[Mapping[tuple[Kind, str], Callable[[Asked], Any]]] = {
    ("function", "inline"): run_both,
    ("function", "after"): run_chosen_first,
    ("coroutine function", "inline"): await_both,
    ("coroutine function", "after"): await_chosen_first,
    ("generator function", "inline"): go_through_both,
    ("generator function", "after"): go_through_chosen_first,
    ("asynchronous generator function", "inline"): await_items_of_both,
    ("asynchronous generator function", "after"): await_items_of_chosen_first,
}


class Experiment(Generic[P, R]):
    """Runs the old and the new function on the same calls; a flag says whose answer is used.

    The caller gets what the chosen side returned or raised, and nothing of the other side, of the comparison, of
    callbacks or of where outcomes go.
    """

    __name__: str

    def __init__(
        self,
        name: str,
        old: Callable[P, R] | None = None,
        new: Callable[..., Any] | None = None,
        *,
        use_new: Switch = False,
        enabled: Switch = True,
        sample: float = 1.0,
        key: Callable[..., Any] | None = None,
        only_if: Callable[..., Any] | None = None,
        mode: Mode = "inline",
        budget: Duration | None = None,
        breaker: Breaker | None = Breaker(),  # noqa: B008 - it never changes
        clone: Clone | None = None,
        watch: bool = False,
        compare: Sequence[Mapping[str, Any]] = (),
        mask: Sequence[Mapping[str, Any]] = (),
        clean: Callable[[Any], Any] | None = None,
        equal: Callable[[Any, Any], Any] | None = None,
        known: Sequence[Known] = (),
        raises: tuple[type[BaseException], ...] = (),
        context: Callable[..., Mapping[str, Any]] | None = None,
        to: Sequence[Sink] | None = None,
        raise_on_mismatch: bool = False,
        version: str = "",
    ) -> None:
        """Take both functions, or have them by the decorators `old` and `new`. Raise SettingsError for nonsense.

        `use_new` says whose answer is used, `enabled`, `sample` (a share, sticky by `key`) and `only_if` which calls
        are compared: callbacks get the arguments of the call, or nothing where they take none. `compare` and `mask`
        are as in replay.yaml; `raises` names exceptions that are answers, where all others are failures. `budget` is
        the time of the other side: what is beyond it counts for the `breaker`, and ends coroutines.
        """
        require_name(name)
        require_share(name, sample)
        require_mode(name, mode)
        require_answers(name, known, raises)
        require_specs(name, {"compare": compare, "mask": mask})
        require_breaker(name, breaker)
        require_flags(name, {"watch": watch, "raise_on_mismatch": raise_on_mismatch})
        require_text(name, "version", version)
        if to is not None:
            require_sinks(to, f"experiment {name}: to")
        callbacks = {"key": key, "only_if": only_if, "clone": clone, "clean": clean, "equal": equal, "context": context}
        require_callbacks(name, callbacks)
        require_switches(name, {"use_new": use_new, "enabled": enabled})
        equality = equality_of(clean, equal, known, raises)
        setup = prepared(Setup(name, tuple(compare), tuple(mask), version=version, equality=equality))
        answers = Answers(clean, equal, tuple(known), raises, show=setup.equal_too)
        guard = Guard(breaker, budget)
        crew = Crew(away_after(guard.budget_ns))
        told = None if context is None else taking_arguments(context)
        to = None if to is None else tuple(to)  # whoever adds one to a list later would have it miss calls that agree
        self._terms = Terms(setup, answers, clone, watch, told, to, strictly=raise_on_mismatch, guard=guard, crew=crew)
        self._guard = self._terms.guard
        self._mode = mode
        self._deciding = Deciding(
            name, use_new=use_new, enabled=enabled, sample=sample, key=key, only_if=only_if, tell=self._tell
        )
        self._old: Callable[..., Any] | None = None
        self._new: Callable[..., Any] | None = None
        self._sides: Sides | None = None
        self._known_at: Reference | None = None
        self._run: Callable[[Asked], Any] = run_both
        if old is not None:
            self.old(old)
        if new is not None:
            self.new(new)

    # ------------------------------------------------------------------------------------------------- both sides

    def old(self, function: F) -> F:
        """Take the old function; as a decorator, leave it as it is."""
        require_side(self.name, "old", function)
        self._old = function
        functools.update_wrapper(cast("Any", self), function, updated=())
        self._join()
        return function

    def new(self, function: F) -> F:
        """Take the new function; as a decorator, leave it as it is."""
        require_side(self.name, "new", function)
        self._new = function
        self._join()
        return function

    def _join(self) -> None:
        if self._old is None or self._new is None:
            return
        kind, other = kind_of(self._old), kind_of(self._new)
        if kind != other:
            hint = "both sides have to be called in the same way"
            raise SettingsError(f"old is a {kind} and new a {other}", place=f"experiment {self.name}", hint=hint)
        self._run = RUNNERS[kind, self._mode]
        self._require_here(kind)
        self._settle(self._old, self._new, as_is=int(is_method(self._old)))
        self._sides = Sides(self._old, self._new)

    def _require_here(self, kind: Kind) -> None:
        """Raise SettingsError for what only makes sense where both sides run here and now."""
        inline = self._mode == "inline"
        if self._terms.watch and not (inline and kind == "function"):
            hint = "use clone=, or leave it out: arguments are copied then"
            raise SettingsError("watch goes with functions that run inline", place=f"experiment {self.name}", hint=hint)
        if self._terms.strictly and not (inline and kind in {"function", "coroutine function"}):
            hint = "the pytest plugin fails tests whose experiments disagreed, of any kind"
            fact = "raise_on_mismatch goes with functions and coroutine functions that run inline"
            raise SettingsError(fact, place=f"experiment {self.name}", hint=hint)

    def _settle(self, old: Callable[..., Any], new: Callable[..., Any], *, as_is: int) -> None:
        """Make ready what goes with every call."""
        parameters = functools.partial(old, None) if as_is else old
        setup = replace(self._terms.setup, parameters=parameters, old=place_of(old), new=place_of(new))
        self._terms = replace(self._terms, setup=setup, as_is=as_is)

    @property
    def name(self) -> str:
        """Return what the experiment is called."""
        return self._terms.setup.name

    def trial(self, **named: Any) -> Trial:
        """Return a trial, for code that is not one function; what is named is told, and given to callbacks."""
        return Trial(self.name, self._played_in_trial, named)

    def _played_in_trial(self, kind: Kind, sides: Sides, named: Mapping[str, Any]) -> Any:
        self._require_here(kind)
        terms = self._terms
        context = terms.context or (lambda **named: named)
        terms = replace(terms, clone=terms.clone or (lambda args, kwargs: (args, kwargs)), context=context)
        try:
            asked = self._asked(sides, (), dict(named), terms)
            return RUNNERS[kind, self._mode](asked) if isinstance(asked, Asked) else asked(**named)
        except BaseException as error:
            leave_out(error)
            raise

    # -------------------------------------------------------------------------------------------------- as a method

    def __set_name__(self, owner: type, name: str) -> None:
        self._known_at = owner.__module__, f"{owner.__qualname__}.{name}"
        if self._old is not None and self._new is not None:
            self._settle(self._old, self._new, as_is=1)

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., R]:
        return self if instance is None else MethodType(self, instance)

    @property
    def _is_coroutine(self) -> object:
        """Have `asyncio.iscoroutinefunction` tell what is called, as web frameworks do, before Python 3.12."""
        found = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)
        return found if self._is_awaited else None

    @property
    def _is_coroutine_mark(self) -> object:
        """Have `inspect.iscoroutinefunction` tell what is called, since Python 3.12."""
        return getattr(inspect, "_is_coroutine_mark", None) if self._is_awaited else None

    @property
    def _is_awaited(self) -> bool:
        return self._old is not None and kind_of(self._old) == "coroutine function"

    def __reduce__(self) -> tuple[Callable[[str, str], Any], Reference]:
        """Be pickled by where it stands, as functions are. Raise PicklingError where that is in no module."""
        return found_at, reference_to(self, self._known_at)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"<Experiment {self.name}>"

    # ------------------------------------------------------------------------------------------------------- a call

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return or raise what the chosen side does."""
        try:
            asked = self._asked(self._sides, args, kwargs, self._terms)
            return cast("R", self._run(asked) if isinstance(asked, Asked) else asked(*args, **kwargs))
        except BaseException as error:
            leave_out(error)
            raise

    def _asked(
        self, sides: Sides | None, args: tuple[Any, ...], kwargs: dict[str, Any], terms: Terms
    ) -> Asked | Callable[..., Any]:
        """Return what is to be compared, or the function that is called alone."""
        if sides is None:
            hint = "give old= and new=, or use the decorators @experiment.old and @experiment.new"
            raise SettingsError("it lacks a side", place=f"experiment {self.name}", hint=hint)
        outer = within.get()
        if outer is not None:
            played = self._played(outer)
            if played is not None:
                return sides.of(played)
        side = self._deciding.side(args, kwargs)
        key = self._deciding.wants(args, kwargs) if outer is None or outer.compares else None
        if key is None or (self._guard.is_open and not self._guard.lets_through()):
            return sides.of(side)
        return Asked(terms, sides, Within(self, side, chosen=True, outer=outer), args, kwargs, key)

    def _played(self, outer: Within | None) -> Side | None:
        """Return the side of this experiment that is running: what it calls again is that side too."""
        while outer is not None:
            if outer.experiment is self:
                return outer.side
            outer = outer.outer
        return None

    def _tell(self, callback: str, what: str) -> None:
        """Tell what is wrong with a callback: at most once a second, since it may do so on every call."""
        self._terms.tell(callback, f"`{callback}` {what}")
