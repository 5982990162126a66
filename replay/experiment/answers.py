"""How the answers of both sides stand to each other, by what the experiment says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from replay.experiment.agreement import agree
from replay.experiment.attributes import held_by
from replay.experiment.callbacks import NoTruthError, truth
from replay.experiment.calls import Frozen, Given, Relation
from replay.experiment.freezing import UnfitError, describe, freeze
from replay.experiment.known import Known
from replay.experiment.outside import contain
from replay.experiment.sides import Seen, message_of, raised, type_of
from replay.experiment.tracebacks import name_of
from replay.experiment.untold import parting

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Standing(NamedTuple):
    """What was found: the relation, its reason, and what each side gave, as it was."""

    relation: Relation
    reason: str
    old: Given
    new: Given


class Apart(NamedTuple):
    """How answers stand that do not plainly agree, as long as nobody says more."""

    relation: Relation
    reason: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What an experiment says of answers: how to clean and to compare them, and which differences are known."""

    clean: Callable[[Any], Any] | None = None
    equal: Callable[[Any, Any], Any] | None = None
    known: Sequence[Known] = ()
    raises: tuple[type[BaseException], ...] = ()
    show: bool = False
    """Whether equal answers are looked at as well."""

    def standing(
        self, old: Seen, new: Seen, arguments: Callable[[], Arguments], room: Callable[[Relation], bool]
    ) -> Standing:
        """Tell how two answers stand to each other. Neither is changed, and nothing of what callbacks raise gets out.

        `arguments` makes a copy of them for each callback that asks, `room` tells whether details would be looked at.
        """
        if self.failed(old) or self.failed(new):
            return self._told("differ", "", old, new, kept=room("differ"))
        if self._agree(old, new):
            return self._told("agreed", "", old, new, kept=self.show)
        apart = _apart_as_errors(old, new)
        if not self._asks and not room(apart.relation):
            return self._told(apart.relation, apart.reason, old, new, kept=False)
        try:
            return self._looked_at(old, new, arguments, apart)
        except UnfitError as error:
            return self._told("unfit", str(error), old, new, kept=False)

    @property
    def _asks(self) -> bool:
        return self.clean is not None or self.equal is not None or bool(self.known)

    def failed(self, seen: Seen) -> bool:
        """Tell whether a side raised what is no answer."""
        if seen.told is not None:
            return not seen.told.declared
        return seen.error is not None and not isinstance(seen.error, self.raises)

    @staticmethod
    def _agree(old: Seen, new: Seen) -> bool:
        if old.error is not None and new.error is not None:
            return _agree_as_errors(old.error, new.error)
        return old.error is None and new.error is None and agree(old.value, new.value)

    def as_it_was(self, side: str, seen: Seen) -> Callable[[], Seen]:
        """Keep what a side gave, which the program may change from now on; return what has a copy of it again.

        Raise UnfitError where no copy can be had. An exception that is no answer is kept as text alone.
        """
        wall, cpu = seen.wall_ns, seen.cpu_ns
        told = None if seen.error is None else raised(seen.error, self.raises)
        if told is not None and not told.declared:
            return lambda: Seen(None, Exception(), wall, cpu, told)
        try:
            kept = freeze(seen.result)
        except UnfitError as error:
            raise UnfitError(f"what {side} gave cannot be looked at: {error}") from None
        if told is None:
            return lambda: Seen(kept.thaw(), None, wall, cpu)
        return lambda: Seen(None, kept.thaw(), wall, cpu, told)

    def _looked_at(self, old: Seen, new: Seen, arguments: Callable[[], Arguments], apart: Apart) -> Standing:
        first, second = self._kept("old", old), self._kept("new", new)
        relation, reason = self._by_callbacks(old, new, (first, second), arguments)
        relation, reason = apart if relation == "differ" else (relation, reason)
        return Standing(relation, reason, self._given(old, first), self._given(new, second))

    def _kept(self, side: str, seen: Seen) -> Frozen | None:
        """Return what a side gave, as it is and cleaned. Nobody else is given the value itself: it is the caller's."""
        if seen.error is not None:
            return None
        _require_no_iterator(side, seen.value)
        try:
            kept = freeze(seen.value)
            return kept if self.clean is None else freeze(_asked("clean", self.clean, kept.thaw()))
        except UnfitError as error:
            raise UnfitError(f"what {side} returned cannot be looked at: {error}") from None

    def _by_callbacks(
        self, old: Seen, new: Seen, kept: tuple[Frozen | None, Frozen | None], arguments: Callable[[], Arguments]
    ) -> tuple[Relation, str]:
        def copies() -> tuple[Any, Any]:
            return _thawed(kept[0], old), _thawed(kept[1], new)

        values = old.error is None and new.error is None
        if values and self.clean is not None and agree(*copies()):
            return "agreed", ""
        if values and self.equal is not None:
            if _told_true("equal", self.equal, *copies()):
                return "agreed", ""
            relation: Relation = "unequal"
        else:
            relation = "differ"
        for each in self.known:
            args, kwargs = arguments()
            if _told_true("known", each.when, *copies(), *args, **kwargs):
                return "known", each.why
        return relation, ""

    def _told(self, relation: Relation, reason: str, old: Seen, new: Seen, *, kept: bool) -> Standing:
        if not kept:
            return Standing(relation, reason, self._given(old), self._given(new))
        try:
            return Standing(
                relation, reason, self._given(old, self._kept("old", old)), self._given(new, self._kept("new", new))
            )
        except UnfitError as error:
            if relation == "differ":  # one side failed: that holds whatever the other returned
                return self._told(relation, reason, old, new, kept=False)
            return self._told("unfit", str(error), old, new, kept=False)

    def _given(self, seen: Seen, kept: Frozen | None = None) -> Given:
        told = seen.told or (None if seen.error is None else raised(seen.error, self.raises))
        return Given(kept, told, seen.wall_ns, seen.cpu_ns)


def _agree_as_errors(old: BaseException, new: BaseException) -> bool:
    """Tell whether two exceptions that are answers are certainly the same: type, message and all that they hold.

    The message tells what the interpreter keeps beside the arguments, such as the name of a file that is not there.
    """
    try:
        return type(old) is type(new) and str(old) == str(new) and parting(held_by(old), held_by(new)) is None
    except BaseException as error:  # noqa: BLE001 - classes may raise anything there
        contain(error)
        return False


def _apart_as_errors(old: Seen, new: Seen) -> Apart:
    """Tell how two exceptions stand that do not agree: of one type and message, they are no match by their document."""
    if old.error is None or new.error is None:
        return Apart("differ", "")
    try:
        if (type_of(old.error), message_of(old.error)) != (type_of(new.error), message_of(new.error)):
            return Apart("differ", "")
        found = parting(held_by(old.error), held_by(new.error))
    except BaseException as error:  # noqa: BLE001 - likewise
        contain(error)
        found = None
    if found is None:
        return Apart("unfit", f"nobody can tell whether both raised the same {name_of(old.error)}")
    reason = found._replace(name=f"{name_of(old.error)}.{found.name}").reason
    return Apart("parted" if found.is_certain else "unfit", reason)


def _thawed(kept: Frozen | None, seen: Seen) -> Any:
    return freeze(seen.error).thaw() if kept is None else kept.thaw()


def _require_no_iterator(side: str, value: Any) -> None:
    kind = type(value)
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__") or hasattr(kind, "__await__"):
        raise UnfitError(f"{side} returned a {name_of(value)}, which can be gone through once only")


def _told_true(name: str, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    return bool(_asked(name, lambda: truth(callback(*args, **kwargs))))


def _asked(name: str, callback: Callable[..., Any], *args: Any) -> Any:
    """Ask one of the program's callbacks. Raise UnfitError where it raises."""
    try:
        return callback(*args)
    except NoTruthError as error:
        raise UnfitError(f"`{name}` {error}") from None
    except BaseException as error:  # noqa: BLE001 - a callback may raise anything
        contain(error)
        raise UnfitError(f"`{name}` raised {describe(error)}") from None
