"""Python values as JSON documents: in the words in which a function that is replayed takes and answers them."""

from __future__ import annotations

import inspect
import json
import marshal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from replay.errors import ReplayError
from replay.experiment.calls import Frozen, Raised
from replay.experiment.freezing import UnfitError, describe
from replay.models import Failure
from replay.targets.worker import JsonWriter, NotJsonError, described

MOST_BYTES: Final = 4 * 2**20


class NoDocumentError(ReplayError):
    """A value of which there is no JSON document."""


def document_of(value: object, at: str = "body") -> bytes:
    """Return a value as JSON. Raise NoDocumentError, with the reason, where it has none or a very large one."""
    return _plainly(value) or _written(value, at)


def _plainly(value: Any) -> bytes:
    """Return a value of which every part is of a built-in type as JSON, twenty times as fast; of any other nothing.

    `marshal` refuses what is of a class of the program's own, even one derived from a list: its document is another.
    """
    try:
        marshal.dumps(value)
        text = json.dumps(value).encode("ascii")
    except Exception:  # noqa: BLE001 - it is of another kind, or nested too deeply: what that is, is found by looking
        return b""
    return text if len(text) <= MOST_BYTES else b""


def _written(value: object, at: str) -> bytes:
    text = bytearray()

    def add(part: bytes) -> None:
        if len(text) + len(part) > MOST_BYTES:  # what is iterated over may have no end
            raise NoDocumentError(f"it is larger than {MOST_BYTES:,} bytes as JSON")
        text.extend(part)

    try:
        JsonWriter(add).write(value, at)
    except NoDocumentError:
        raise
    except NotJsonError as error:
        raise NoDocumentError(str(error)) from None
    except RecursionError:
        raise NoDocumentError("it holds itself, or is nested too deeply for JSON") from None
    except Exception as error:  # noqa: BLE001 - the value's own methods, which may raise anything
        raise NoDocumentError(f"it cannot be written as JSON: {describe(error)}") from None
    return bytes(text)


def thawed(value: Frozen, at: str = "body") -> bytes:
    """Return a frozen value as JSON. Raise NoDocumentError, with the reason, where it has none."""
    return document_of(_copy(value), at)


def _copy(value: Frozen) -> Any:
    try:
        return value.thaw()
    except UnfitError as error:
        raise NoDocumentError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the value's own methods, which may raise anything
        raise NoDocumentError(f"no copy of it can be made: {describe(error)}") from None


def failure_of(raised: Raised) -> Failure:
    """Return what a side raised as the failure that a replayed function would have."""
    return Failure("exception", described(raised.type.rpartition(".")[2], raised.message))


def answer_of(raised: Raised) -> bytes:
    """Return an exception that counts as an answer, as JSON."""
    return document_of({"raised": raised.type, "message": raised.message})


def arguments_of(arguments: Frozen, function: Callable[..., Any] | None) -> bytes:
    """Return the arguments of a call as a function that is replayed takes them.

    An object by the names of the parameters; where some have none, a list. Raise NoDocumentError where a call has
    arguments of both kinds, or one that is no JSON.
    """
    positional, named = _copy(arguments)
    return document_of(_bound(positional, named, function), "arguments")


def _bound(positional: Sequence[Any], named: Mapping[str, Any], function: Callable[..., Any] | None) -> object:
    if not positional:
        return dict(named)
    by_name = None if function is None else _by_name(positional, named, function)
    if by_name is not None:
        return by_name
    if named:
        raise NoDocumentError("some arguments have a name, and others none")
    return list(positional)


def _by_name(
    positional: Sequence[Any], named: Mapping[str, Any], function: Callable[..., Any]
) -> dict[str, Any] | None:
    """Return the arguments by name; None where a parameter takes none by name, or they do not fit."""
    try:
        bound = inspect.signature(function).bind(*positional, **named)
    except (TypeError, ValueError):  # some builtins have no signature
        return None
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL):
            return None
        found.update(value if kind is inspect.Parameter.VAR_KEYWORD else {name: value})
    return found
