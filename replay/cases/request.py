"""What a golden or a capture says about the request, and the request that is sent for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, quote_plus

from pydantic import Field, PlainValidator, field_validator, model_validator

from replay.cases.content import read_file
from replay.cases.fields import (
    Body,
    HeaderPairs,
    Pairs,
    Scalar,
    content_type,
    is_token,
    require_one_body,
    scalar_text,
)
from replay.cases.multipart import Part, boundary_of, encode
from replay.errors import DocumentError
from replay.models import Headers, Request

RAW_PATH: Final = re.compile(r"[!-~]*")
"""What may stand in a path as it is sent."""
BODY_TYPES: Final = {
    "json_": "application/json",
    "text": "text/plain; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}
"""The content type that a body gets where the headers state none, by the field that gives it."""


class PartSpec(Body):
    """One part of a multipart form: `text`, `json`, `base64` or `file`."""

    filename: str | None = Field(default=None, description="The file name that the part states.")
    content_type: str | None = Field(default=None, description="The content type that the part states.")
    file: str | None = Field(default=None, description="A file beside the golden that holds the content.")

    def stated(self) -> tuple[str, ...]:
        """Return the names of the fields that give the content."""
        return (*super().stated(), *(("file",) if self.file is not None else ()))

    @field_validator("content_type")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("holds a control character")
        return value

    @model_validator(mode="after")
    def _one_content(self) -> PartSpec:
        require_one_body(self.stated())
        return self

    def part(self, name: str, folder: Path | None) -> Part:
        """Return the part with its content."""
        content = _body_beside(self.file, folder) if self.file is not None else self.content()
        return Part(name, content or b"", self.filename, self.content_type)


Parts = tuple[tuple[str, PartSpec], ...]
PartsInput = dict[str, Scalar | PartSpec] | list[tuple[str, Scalar | PartSpec]]


def _read_parts(value: Any) -> Parts:
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = [_named(item) for item in value]
    else:
        raise ValueError("must be a mapping of parts, or [name, part] pairs")  # noqa: TRY004 - pydantic's contract
    return tuple((scalar_text(name), _part_spec(part)) for name, part in pairs)


def _named(item: Any) -> tuple[Any, Any]:
    if isinstance(item, Mapping) and "name" in item:
        return item["name"], {key: value for key, value in item.items() if key != "name"}
    if not isinstance(item, list | tuple) or len(item) != 2:  # noqa: PLR2004 - a pair has two ends
        raise ValueError("must be a mapping of parts, or a list of [name, part] pairs")
    return item[0], item[1]


def _part_spec(part: Any) -> PartSpec:
    if isinstance(part, PartSpec):
        return part
    return PartSpec.model_validate(part if isinstance(part, Mapping) else {"text": scalar_text(part)})


class RequestSpec(Body):
    """The request of a case: method, path, headers, and at most one body."""

    method: str = Field(default="GET", description="The method, in the case in which it is sent.")
    path: str = Field(default="/", description="The path, raw, with its query; sent as written.")
    query: Pairs | None = Field(default=None, description="The query, percent-encoded for you; a list repeats its key.")
    headers: HeaderPairs = Field(default=(), description="A mapping, or [name, value] pairs in order.")
    form: Pairs | None = Field(default=None, description="A body in application/x-www-form-urlencoded.")
    multipart: Annotated[Parts, PlainValidator(_read_parts, json_schema_input_type=PartsInput)] | None = Field(
        default=None, description="A body in multipart/form-data: text, or {filename, content_type, text|base64|file}."
    )
    file: str | None = Field(default=None, description="A file beside the golden that holds the body.")

    def stated(self) -> tuple[str, ...]:
        """Return the names of the fields that give a body."""
        rest = (("form", self.form), ("multipart", self.multipart), ("file", self.file))
        return (*super().stated(), *(name for name, value in rest if value is not None))

    @field_validator("method")
    @classmethod
    def _token(cls, method: str) -> str:
        if not is_token(method):
            raise ValueError(f"{method!a} is no method; write GET, POST or another token")
        return method

    @field_validator("path")
    @classmethod
    def _raw(cls, path: str) -> str:
        if path != "*" and not path.startswith("/"):
            raise ValueError("must begin with /; the host is the target's business, never the case's")
        if not RAW_PATH.fullmatch(path):
            raise ValueError("holds a space, a control character or one beyond ASCII; percent-encode it (%20)")
        return path

    @model_validator(mode="after")
    def _fits(self) -> RequestSpec:
        require_one_body(self.stated())
        if self.query is not None and "?" in self.path:
            raise ValueError("query stands beside a path that has one; keep one of them")
        if self.path == "*" and self.method != "OPTIONS":
            raise ValueError("path * is for OPTIONS only; begin with /")
        return self

    def build(self, folder: Path | None = None) -> Request:
        """Return the request as it is sent, with a content type for the body where the headers state none.

        `folder` is where `file` bodies are looked for; raise DocumentError for one that lies elsewhere, or without it.
        """
        stated = self.stated()
        if stated == ("multipart",):
            return self._with_parts(folder)
        body = self._body(folder)
        kind = BODY_TYPES.get(stated[0]) if stated else None
        return Request(self.method, self._target(), self._headers(kind), body)

    def _target(self) -> str:
        return f"{self.path}?{_encoded(self.query, plus=False)}" if self.query else self.path

    def _headers(self, kind: str | None) -> Headers:
        if kind is None or content_type(self.headers) is not None:
            return self.headers
        return (*self.headers, ("Content-Type", kind))

    def _body(self, folder: Path | None) -> bytes | None:
        if self.file is not None:
            return _body_beside(self.file, folder)
        if self.form is not None:
            return _encoded(self.form, plus=True).encode()
        return self.content()

    def _with_parts(self, folder: Path | None) -> Request:
        parts = [spec.part(name, folder) for name, spec in self.multipart or ()]
        boundary = _stated_boundary(self.headers) or boundary_of(parts)
        headers = self._headers(f"multipart/form-data; boundary={boundary}")
        return Request(self.method, self._target(), headers, encode(parts, boundary))


def _encoded(pairs: tuple[tuple[str, str], ...], *, plus: bool) -> str:
    encode_one = quote_plus if plus else quote
    return "&".join(f"{encode_one(name, safe='')}={encode_one(value, safe='')}" for name, value in pairs)


def _stated_boundary(headers: Headers) -> str | None:
    found = re.search(r'boundary="?([^";\s]+)', content_type(headers) or "", re.IGNORECASE)
    return found.group(1) if found else None


def beside(name: str, folder: Path | None) -> bytes:
    """Return what a file in a golden's folder holds. Raise DocumentError for one that lies elsewhere."""
    if folder is None:
        raise DocumentError("a capture names a file", hint="captures hold their bodies: text, json or base64")
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise DocumentError(f"file {name!a} cannot be read: {error}") from None
    if not inside:
        raise DocumentError(f"file {name!a} lies outside the golden's folder", hint="keep it beside the golden")
    return read_file(path, str(path))


def _body_beside(name: str, folder: Path | None) -> bytes:
    """Return the same; the place of what is wrong is that of the golden that names the file, so the fact names it."""
    try:
        return beside(name, folder)
    except DocumentError as error:
        fact = error.fact if error.place is None else f"file {name!a} {error.fact}"
        raise DocumentError(fact, hint=error.hint) from None
