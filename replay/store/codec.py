"""Results and runs as JSON documents and back, without loss; columns.py says how nouns become what JSON keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from replay.models import Result
from replay.store.base import RunRecord
from replay.store.columns import Beside, Collected, plan_of
from replay.store.values import decode_value, encode_value

_Noun = TypeVar("_Noun", Result, RunRecord)
_PLAIN: Final = 0
_ODD: Final = 1
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder()
_UNFIT: Final = (TypeError, ValueError, LookupError, AttributeError)
"""What comes of columns that are none of the noun's."""


def encode_results(results: Sequence[Result], collected: Collected) -> Any:
    """Return results, one at least, as a value for `dumped`; their headers and bodies are collected."""
    return plan_of(Result).write(list(results), collected)


def decode_results(columns: Any, count: int, beside: Beside) -> Callable[[int], Result]:
    """Return what makes each of the results that `encode_results` was given, by its position.

    Both raise ValueError for what holds none.
    """
    return _decoded(Result, columns, count, beside)


def encode_run(record: RunRecord) -> bytes:
    """Return the record as JSON."""
    return dumped(plan_of(RunRecord).write([record], Collected()))


def decode_run(data: bytes) -> RunRecord:
    """Return the record that `encode_run` was given. Raise ValueError for a document that holds none."""
    return _decoded(RunRecord, loaded(data), 1, Beside((), lambda _: b""))(0)


def dumped(value: Any) -> bytes:
    """Return what a plan made as UTF-8. Raise TypeError for what no plan makes."""
    try:
        return _ENCODER.encode([_PLAIN, value]).encode()
    except ValueError:
        # Lone surrogates have no UTF-8, and integers of thousands of digits no decimals: seldom, so all at once.
        return _ENCODER.encode([_ODD, encode_value(value)]).encode()


def loaded(data: bytes) -> Any:
    """Return what `dumped` was given, with lists for tuples. Raise ValueError for anything else."""
    form, value = _DECODER.decode(data.decode())
    return value if form == _PLAIN else decode_value(value)


def _decoded(kind: type[_Noun], columns: Any, count: int, beside: Beside) -> Callable[[int], _Noun]:
    hint: Any = kind
    try:
        make = plan_of(hint).read(columns, count, beside)
    except _UNFIT as error:
        raise _unfit(kind, error) from error

    def made(at: int) -> _Noun:
        try:
            noun: _Noun = make(at)
        except _UNFIT as error:
            raise _unfit(kind, error) from error
        return noun

    return made


def _unfit(kind: type[Any], error: Exception) -> ValueError:
    return ValueError(f"a stored {kind.__name__} does not fit its fields: {error}")
