"""The JSON Schemas of what users write, generated from the models that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replay.cases.capture import HEADER, VERSION
from replay.cases.golden import Golden
from replay.cases.record import RecordSpec

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, dict[str, Any]]:
    """Return each schema by the name of its file in `replay/schemas/`."""
    return {"golden.json": _golden(), "capture.json": _capture()}


def _golden() -> dict[str, Any]:
    return {"$schema": _DRAFT, **Golden.model_json_schema(by_alias=True)}


def _capture() -> dict[str, Any]:
    """Return the schema of one line: the first is the header, each other one a record."""
    record = RecordSpec.model_json_schema(by_alias=True)
    definitions = record.pop("$defs")
    header = {"type": "object", "required": [HEADER], "properties": {HEADER: {"const": VERSION}}}
    return {"$schema": _DRAFT, "title": "A line of a capture", "anyOf": [header, record], "$defs": definitions}
