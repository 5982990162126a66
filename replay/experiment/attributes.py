"""What values of a program's classes hold as attributes, whatever the classes say of themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from types import MemberDescriptorType
from typing import Any, Final

HEAP: Final = 1 << 9
"""The flag of types that a program makes, and the interpreter does not."""


def fields_of(kind: type) -> Collection[str] | None:
    """Return the names of the fields of a dataclass, or of a class of attrs; None for any other."""
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        return [each.name for each in attributes]
    return [each.name for each in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None


def attributes_of(one: Any, bases: Iterable[type]) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a value by their names: those of its own, and what it keeps in slots of these classes."""
    yield from vars(one).items() if hasattr(one, "__dict__") else ()
    for base in bases:
        for name, member in vars(base).items():
            if type(member) is MemberDescriptorType:
                with suppress(AttributeError):  # a slot that was never set
                    yield name, member.__get__(one)


def held_by(error: BaseException) -> dict[str, Any]:
    """Return an exception's arguments and attributes: slots, and what the interpreter keeps, such as a file's name.

    What it was raised from, and what was being handled then, tell how a side came to its answer, and are no part of it.
    """
    bases = [base for base in type(error).__mro__ if base is not BaseException]
    return {"args": error.args, **dict(attributes_of(error, bases))}
