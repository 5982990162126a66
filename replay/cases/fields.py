"""The kinds of field that requests, expectations and records are made of: pairs, texts, bodies."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator

from replay.documents import dump_json
from replay.documents.numbers import number_text
from replay.models import Headers, Spec
from replay.placeholders import spelled

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")

Scalar = str | int | float | bool
ListPairs = dict[str, Scalar | list[Scalar]] | list[tuple[str, Scalar]]
"""What users write for headers, queries and forms: a mapping, where a list repeats its key, or pairs in order."""


def scalar_text(value: Any) -> str:
    """Return text as it is, a number as it was written, true and false as JSON's words; else raise ValueError."""
    try:
        return spelled(value)
    except ValueError:
        raise ValueError('must be text, a number, true or false; an empty value is written ""') from None


def read_pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Return a mapping or a list of pairs as pairs of text; in a mapping, a list repeats its key."""
    return tuple(_pairs(value))


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            for one in item if isinstance(item, list) else [item]:
                yield scalar_text(name), scalar_text(one)
    elif isinstance(value, list | tuple):
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair has two ends
                raise ValueError("must be a mapping, or a list of [name, value] pairs")
            yield scalar_text(pair[0]), scalar_text(pair[1])
    else:
        raise ValueError("must be a mapping, or a list of [name, value] pairs")  # noqa: TRY004 - pydantic's contract


def is_token(text: str) -> bool:
    """Return whether a text may name a method or a header."""
    return _TOKEN.fullmatch(text) is not None


def is_one_line(text: str) -> bool:
    """Return whether a text holds nothing that could end the line of its header."""
    return text.isprintable() or _CONTROL.search(text) is None


def read_headers(value: Any) -> Headers:
    """Return header fields in the order given; raise ValueError for whatever could break out of its line."""
    headers = read_pairs(value)
    for name, text in headers:
        if not is_token(name):
            raise ValueError(f"header name {name!a} is no token; it holds letters, digits and !#$%&'*+.^_`|~-")
        if not is_one_line(text):
            raise ValueError(f"header {name} holds a control character; one field is one line")
    return headers


def content_type(headers: Headers) -> str | None:
    """Return the content type that these header fields state."""
    return next((value for name, value in headers if name.lower() == "content-type"), None)


def read_base64(value: Any) -> bytes:
    """Return the bytes that base64 spells, in one line or several; raise ValueError for anything else."""
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _name(value: Any) -> Any:
    return number_text(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


Pairs = Annotated[tuple[tuple[str, str], ...], PlainValidator(read_pairs, json_schema_input_type=ListPairs)]
HeaderPairs = Annotated[Headers, PlainValidator(read_headers, json_schema_input_type=ListPairs)]
Base64 = Annotated[bytes, PlainValidator(read_base64, json_schema_input_type=str)]
Name = Annotated[str, BeforeValidator(_name, json_schema_input_type=str | int)]
"""Text that other tools often write as a number."""

_SIMPLE: Final = ("json_", "text", "base64")


class Body(Spec):
    """At most one of three ways to write a body."""

    json_: Any = Field(default=None, alias="json", description="A JSON body; numbers are sent as they are written.")
    text: str | None = Field(default=None, description="A text body, sent in UTF-8.")
    base64: Base64 | None = Field(default=None, description="A body of any bytes.")

    def stated(self) -> tuple[str, ...]:
        """Return the names of the fields that give a body; `json: null` is one."""
        given = ("json_" in self.model_fields_set, self.text is not None, self.base64 is not None)
        return tuple(name for name, is_given in zip(_SIMPLE, given, strict=True) if is_given)

    def content(self) -> bytes | None:
        """Return the bytes of the body, or None without one. Raise ValueError or TypeError for what is no JSON."""
        if "json_" in self.model_fields_set:
            return dump_json(self.json_).encode()
        if self.text is not None:
            return self.text.encode()
        return self.base64


def require_one_body(names: tuple[str, ...]) -> None:
    """Raise ValueError where more than one of the fields that give a body is stated."""
    if len(names) > 1:
        given = " and ".join(name.rstrip("_") for name in names)
        raise ValueError(f"{given} are both a body; keep one")
