"""What says what counts as equal in an experiment beside its rules, told apart by a digest: code, and not only names.

What was found under one `equal` is no evidence under another.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import CodeType, NoneType
from typing import Any, Final

from replay.experiment.kinds import place_of
from replay.experiment.known import Known


def equality_of(
    clean: Callable[..., Any] | None,
    equal: Callable[..., Any] | None,
    known: Sequence[Known],
    raises: Sequence[type[BaseException]],
) -> str:
    """Return a digest of all of it; empty where there is nothing, so that answers are compared by their values."""
    named = [(name, function) for name, function in (("clean", clean), ("equal", equal)) if function is not None]
    named += [(f"known {each.why}", each.when) for each in known]
    parts = [f"{name} {place_of(function)} {_code(function)}" for name, function in named]
    parts += [f"raises {each.__module__}.{each.__qualname__}" for each in raises]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16] if parts else ""


def _code(function: Callable[..., Any]) -> str:
    """Return what a function does, as far as its own code tells; of a class or a builtin its name alone does."""
    if isinstance(function, functools.partial):
        return f"{_code(function.func)} {_spelled(function.args)} {_spelled(dict(sorted(function.keywords.items())))}"
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return "" if code is None else repr(list(_steps(code)))


def _spelled(value: object) -> str:
    """Return a value as every process of a program spells it: an address in it would give each a run of its own."""
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_spelled, value))})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_spelled(name)}: {_spelled(one)}' for name, one in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_spelled, value)))}}}"
    if type(value) in _PLAIN:
        return repr(value)
    return f"{place_of(value)} {_code(value)}" if callable(value) else place_of(type(value))


_PLAIN: Final = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, Decimal, Fraction, date, datetime, timedelta}
)


def _steps(code: CodeType) -> Iterator[object]:
    """Yield instructions, names and constants: not where it stands, which every line before it moves."""
    yield code.co_code
    yield code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _steps(constant)
        else:
            yield sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)
