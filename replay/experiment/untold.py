"""What answers hold that none of their documents tells: the rules, which see documents alone, cannot judge it.

Of an exception that is all but its type and message; of a dataclass what is no field; of a pydantic model what is
private, or left out where it is written down; of what is gone through as a list, all but its items. Where two answers
part in such a thing alone, they are no match.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from types import NoneType
from typing import Any, Final, NamedTuple

from replay.experiment.agreement import agree
from replay.experiment.attributes import HEAP, attributes_of, fields_of
from replay.experiment.outside import contain

_PLAIN: Final = frozenset({
    NoneType, bool, int, float, str, bytes, decimal.Decimal, uuid.UUID, dt.date, dt.datetime, dt.timedelta,
})  # fmt: skip

Held = Mapping[str, Any]
"""What is in no document, by a name that says where it stands."""


class Parting(NamedTuple):
    """Where two answers part, and whether they certainly do; else nobody can tell."""

    name: str
    is_certain: bool

    @property
    def reason(self) -> str:
        """Return in words why two answers are no match."""
        if self.is_certain:
            return f"{self.name} is another one, which no document tells"
        return f"nobody can tell whether {self.name} is the same, which no document tells"


def parting(old: Held, new: Held) -> Parting | None:
    """Return where two answers part in what no document tells; None where they certainly do not."""
    doubts: list[str] = []
    for name in {**old, **new}:
        if name not in old or name not in new:
            doubts.append(name)
        elif old[name] is not new[name] and not agree(old[name], new[name]):
            if _part(old[name], new[name]):
                return Parting(name, is_certain=True)
            doubts.append(name)
    return Parting(doubts[0], is_certain=False) if doubts else None


def _part(old: Any, new: Any) -> bool:
    """Tell whether two values are certainly others: plain ones that no rule would take for equal."""
    if type(old) is tuple and type(new) is tuple:
        return len(old) != len(new) or any(map(_part, old, new))
    if type(old) not in _PLAIN or type(new) not in _PLAIN:
        return False
    return bool(old != new and old == old and new == new)  # noqa: PLR0124 - a number that is none equals nothing


# --------------------------------------------------------------------------------------------------------------- values


def first_untold(old: Any, new: Any) -> Parting | None:
    """Return where two values, whose documents are alike, part beyond them; None where they certainly do not."""
    try:
        found = parting(held_beyond(old), held_beyond(new))
    except BaseException as error:  # noqa: BLE001 - classes may raise anything where they are looked at
        contain(error)
        return Parting("an attribute that cannot be read", is_certain=False)
    return found and found._replace(name=found.name.partition(" ")[0])


def held_beyond(value: Any) -> dict[str, Any]:
    """Return what is in no document of a value, which has one: so it neither holds itself nor is without end."""
    found: dict[str, Any] = {}
    waiting = deque([value])
    while waiting:
        one = waiting.popleft()
        kind = type(one)
        if kind in _PLAIN and kind is not dt.datetime:
            continue
        told, beyond = _apart(one)
        waiting.extend(told)
        number = len(found)
        found.update({f"{kind.__qualname__}.{name} {number}": held for name, held in beyond.items()})
    return found


def _apart(one: Any) -> tuple[Iterable[Any], dict[str, Any]]:
    """Return what a document tells of a value, in parts, and what it does not."""
    if isinstance(one, (type, enum.Enum)):
        return [], {}
    if hasattr(one, "tolist"):
        return [], _of_array(one)
    if isinstance(one, (dt.datetime, dt.time)):
        return [], {**_beyond(one, ()), **_of_moment(one)}
    if hasattr(one, "__pydantic_private__"):
        return _of_model(one)
    names = fields_of(type(one))
    if names is not None:
        return [getattr(one, name) for name in sorted(names)], _beyond(one, names)
    return _parts(one), _beyond(one, ())


def _parts(one: Any) -> Iterable[Any]:
    """Return what a collection tells of itself, in the same order wherever it tells the same."""
    if isinstance(one, Mapping):
        return [value for _, value in sorted(one.items(), key=_name)]
    return one if isinstance(one, Iterable) and not isinstance(one, (str, bytes)) else []


def _name(member: tuple[Any, Any]) -> str:
    return str(member[0])


def _beyond(one: Any, names: Collection[str]) -> dict[str, Any]:
    """Return what a value of a class of the program's holds apart from these."""
    bases = [base for base in type(one).__mro__ if base.__flags__ & HEAP]
    held = {name: value for name, value in attributes_of(one, bases) if name not in names}
    return {name: value for name, value in held.items() if not _is_derived(type(one), name)} | _hidden(one)


def _hidden(one: Any) -> dict[str, Any]:
    """Return the text itself where its class shows another one, as for a secret."""
    if not isinstance(one, str) or str(one) == str.__str__(one):
        return {}
    return {"text": str.__str__(one)}


def _of_array(one: Any) -> dict[str, Any]:
    """Return of an array of NumPy what its list lacks: with nothing in it, how wide it would be."""
    shape = getattr(one, "shape", ())
    return {"shape": shape} if type(shape) is tuple and len(shape) > 1 and 0 in shape else {}


def _of_moment(one: dt.datetime | dt.time) -> dict[str, Any]:
    """Return of an hour that a clock shows twice which of both it is, where no offset tells it."""
    return {"fold": 1} if one.fold and one.utcoffset() is None else {}


def _is_derived(kind: type, name: str) -> bool:
    """Tell whether an attribute is made of the others when it is first asked for, as one side may have done."""
    return isinstance(getattr(kind, name, None), cached_property)


def _of_model(one: Any) -> tuple[list[Any], dict[str, Any]]:
    private: Mapping[str, Any] = one.__pydantic_private__ or {}
    extra: Mapping[str, Any] = getattr(one, "__pydantic_extra__", None) or {}
    left_out = {name for name, field in type(one).model_fields.items() if field.exclude}
    told = [value for name, value in vars(one).items() if name not in left_out]
    beyond = {name: value for name, value in vars(one).items() if name in left_out}
    return [*told, *extra.values()], {**beyond, **private}
