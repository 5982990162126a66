"""What pydantic says about a document, told as place, fact and remedy."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from replay.documents.strict_yaml import Document
from replay.documents.text import shown
from replay.errors import DocumentError

Model = TypeVar("Model", bound=BaseModel)
Location = Sequence[str | int]
_SHAPES: Final = {
    "model_type": "must be a mapping", "dict_type": "must be a mapping", "mapping_type": "must be a mapping",
    "tuple_type": "must be a list", "list_type": "must be a list",
}  # fmt: skip
"""What people write, in the place of what Python calls it."""
_REMEDIES: Final = {
    "string_type": "put it in quotes",
    "bool_parsing": "write true or false", "bool_type": "write true or false",
    "tuple_type": "write [one, two], or a line with `- ` for each",
    "list_type": "write [one, two], or a line with `- ` for each",
    "model_type": "write {key: value}, or `key: value` on lines of their own",
    "dict_type": "write {key: value}, or `key: value` on lines of their own",
    "int_parsing": "write digits, as in 42", "int_type": "write digits, as in 42",
}  # fmt: skip
_OF_PYTHON: Final = re.compile(r"(tuple|list|dict|set|frozenset|function-[a-z]+|[a-z]+-[a-z]+)\[")
"""How pydantic names the alternatives of a key, between what people wrote."""
_FOREIGN: Final = {
    "url": ("path",), "uri": ("path",), "target": ("path", "url"), "params": ("query",),
    "body": ("json", "text", "file"), "data": ("json", "text", "form"),
    "response": ("expect",), "assert": ("expect",), "expected": ("expect",),
    "ignore": ("compare",), "rules": ("compare",), "criteria": ("cut_when",), "captures": ("traffic",),
    "control": ("old",), "baseline": ("old",), "primary": ("old",), "left": ("old",),
    "candidate": ("new",), "secondary": ("new",), "right": ("new",),
}  # fmt: skip
"""What other tools, and other places, call a key; of the names beside it those are told that are known at this one."""


def validated(document: Document, model: type[Model]) -> Model:
    """Return a mapping document as this model; raise DocumentError, with line and column, where it does not fit."""
    try:
        return model.model_validate(document.mapping())
    except ValidationError as error:
        raise invalid(document, error, model) from None


def invalid(document: Document, error: ValidationError, model: type[BaseModel] | None = None) -> DocumentError:
    """Return the first fault that pydantic found as an error with line and column; the model gives names to suggest."""
    fault = _first(error)
    place = document.place(fault["loc"], key=fault["type"] == "extra_forbidden")
    fact, hint = explain(error, model)
    return DocumentError(fact, place=place, hint=hint)


def explain(error: ValidationError, model: type[BaseModel] | None = None) -> tuple[str, str | None]:
    """Return the first fault that pydantic found as a fact and a hint, for documents whose line is known otherwise."""
    fault = _first(error)
    location = fault["loc"]
    name = shown(str(location[-1])) if location else "the document"
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{name}'", _suggestion(str(location[-1]), model, location)
    if fault["type"] == "missing":
        return f"key '{name}' is missing", f"add `{name}:`"
    fact = _SHAPES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    hint = _REMEDIES.get(fault["type"])
    return f"{_dotted(location)}: {_shown_fact(fact)}", hint


def _first(error: ValidationError) -> ErrorDetails:
    """Return the fault to tell: an unknown key before all, since a misspelled one is also said to be missing."""
    faults = error.errors(include_url=False, include_input=False)
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def _shown_fact(fact: str) -> str:
    """Return a message in lower case where it is pydantic's own, and without what a terminal must not see."""
    plain = fact[:1].lower() + fact[1:].partition(", unable to ")[0] if fact.startswith("Input ") else fact
    return "".join(char if char.isprintable() else "?" for char in plain)


def _dotted(location: Location) -> str:
    told = (part for part in location if isinstance(part, int) or not _OF_PYTHON.match(part))
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in told)
    return text.removeprefix(".") or "the document"


def _suggestion(name: str, model: type[BaseModel] | None, location: Location) -> str | None:
    known = sorted({key for found in _models_at(model, location[:-1]) for key in _keys(found)})
    if not known:
        return None
    meant = [f"'{key}'" for key in _FOREIGN.get(name, ()) if key in known]
    near = [f"'{key}'" for key in difflib.get_close_matches(name, known, n=1, cutoff=0.6)]
    names = " or ".join(meant or near)
    return f"did you mean {names}?" if names else f"known keys: {', '.join(known)}"


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _models_at(model: type[BaseModel] | None, location: Location) -> list[type[BaseModel]]:
    """Return the models that stand at a location; indices, and names that pydantic gives to union members, stay put."""
    models = [model] if model else []
    for part in location:
        inner = [found for outer in models for found in _models_in(_keys(outer).get(str(part)))]
        models = inner or models
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
