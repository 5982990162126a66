"""Values as they were at one moment: as they are where nothing can change them, pickled, or copied deeply.

One pickle of the arguments is the copy that the other side gets, and what they were for whoever examines the call.
"""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import enum
import fractions
import pickle
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, EllipsisType, FunctionType, ModuleType, NoneType, NotImplementedType
from typing import Any, Final

from replay.experiment.calls import Frozen
from replay.experiment.outside import contain
from replay.experiment.tracebacks import name_of

MOST_BYTES: Final = 4 * 2**20
MOST_ITEMS: Final = 64
"""Of a tuple that is looked through for what could change."""
TOO_LARGE: Final = f"it takes more than {MOST_BYTES // 2**20} MB"
_COPIED_SIZE: Final = 1024
"""What a deep copy is taken to be: nothing tells."""

LASTING: Final = frozenset({
    NoneType, bool, int, float, complex, str, bytes, range, EllipsisType, NotImplementedType, object,
    decimal.Decimal, fractions.Fraction, uuid.UUID, FunctionType, BuiltinFunctionType, ModuleType,
    dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone,
})  # fmt: skip
"""Exact types of which no value can be changed, or of which a copy would not be the same thing."""


_UNCHANGING: Final = frozenset({tuple, frozenset})
_HOLDING: Final = frozenset({tuple, frozenset, dict})


class UnfitError(Exception):
    """A value of which no copy can be had; the message says why, as an end of a sentence."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """A value that nothing changes."""

    value: Any

    @property
    def size(self) -> int:
        """Return about how many bytes its texts take."""
        return sum(len(one) for one in _parts(self.value, _HOLDING) if isinstance(one, str | bytes))

    def thaw(self) -> Any:
        """Return the value itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Packed:
    """A pickled value."""

    data: bytes

    @property
    def size(self) -> int:
        """Return how many bytes it takes."""
        return len(self.data)

    def thaw(self) -> Any:
        """Return a copy of the value. Raise UnfitError where it cannot be read back."""
        try:
            return pickle.loads(self.data)  # noqa: S301 - this process wrote it
        except BaseException as error:  # noqa: BLE001 - classes may raise anything
            contain(error)
            raise UnfitError(f"its copy cannot be read back: {describe(error)}") from None


@dataclass(frozen=True, slots=True)
class Copied:
    """A deep copy that nobody else has."""

    value: Any

    @property
    def size(self) -> int:
        """Return a guess."""
        return _COPIED_SIZE

    def thaw(self) -> Any:
        """Return a copy of the copy. Raise UnfitError where there is none."""
        return _deeply(self.value)


def freeze(value: Any) -> Frozen:
    """Keep a value as it is now. Raise UnfitError where it is too large, or nothing makes a copy of it."""
    if is_lasting(value):
        return _lasting(value)
    try:
        return Packed(_pickled(value))
    except _TooLargeError:
        raise UnfitError(TOO_LARGE) from None
    except BaseException as error:  # noqa: BLE001 - classes may raise anything while they are pickled
        contain(error)
    return Copied(_deeply(value))


def freeze_with_copy(value: Any) -> tuple[Frozen, Any]:
    """Keep a value as it is now, and return a copy of it as well. Raise UnfitError where none can be had."""
    kept = freeze(value)
    try:
        return kept, kept.thaw()
    except UnfitError:  # a class that can be pickled and not read back, which other copies may do without
        kept = Copied(_deeply(value))
        return kept, kept.thaw()


def _lasting(value: Any) -> Lasting:
    kept = Lasting(value)
    if kept.size > MOST_BYTES:
        raise UnfitError(TOO_LARGE)
    return kept


def is_lasting(value: Any) -> bool:
    """Tell whether nothing can change a value, so that both sides may have it as it is."""
    kind = type(value)
    if kind in LASTING:
        return True
    if kind is tuple or kind is frozenset:
        return all(type(one) in LASTING or _is_one_of_a_kind(type(one)) for one in _parts(value, _UNCHANGING))
    return _is_one_of_a_kind(kind)


def _is_one_of_a_kind(kind: type) -> bool:
    """Tell whether values of a type are members of an enumeration or classes, which are never copied."""
    return issubclass(kind, (enum.Enum, type))


def _parts(value: Any, unfolded: frozenset[type]) -> Iterator[Any]:
    """Yield what a value holds, through these types of collections; they are yielded where they hold too much."""
    waiting, left = [value], MOST_ITEMS
    while waiting:
        one = waiting.pop()
        if type(one) in unfolded and len(one) <= left:
            left -= len(one)
            waiting.extend(one.values() if type(one) is dict else one)
        else:
            yield one


def describe(error: BaseException) -> str:
    """Return type and message of an exception on one line, whatever its own `__str__` does."""
    try:
        text = " ".join(str.__getitem__(str(error), slice(200)).split())
    except BaseException as worse:  # noqa: BLE001 - classes may raise anything there
        contain(worse)
        text = ""
    return f"{name_of(error)}: {text}" if text else name_of(error)


def reason_of(error: BaseException) -> str:
    """Return why a value is unfit; of any other exception what it is."""
    return str(error) if type(error) is UnfitError else describe(error)


class _TooLargeError(Exception):
    """More bytes than are kept."""


class _Limited:
    """Takes the bytes of a pickle, up to a limit."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._left = MOST_BYTES

    def write(self, part: bytes) -> None:
        self._left -= len(part)
        if self._left < 0:
            raise _TooLargeError
        self.parts.append(bytes(part))


def _pickled(value: Any) -> bytes:
    taken = _Limited()
    pickle.Pickler(taken, 5).dump(value)
    return b"".join(taken.parts)


def _deeply(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except BaseException as error:  # noqa: BLE001 - classes may raise anything
        contain(error)
        raise UnfitError(describe(error)) from None
