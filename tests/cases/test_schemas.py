"""The published schemas are those of the models, and agree with the readers."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from replay.cases import TRAFFIC, schemas


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_schema_on_disk_is_current(name: str) -> None:
    """When this fails: write `schemas()` to `replay/schemas/` again, with `json.dumps(schema, indent=2)`."""
    stored = resources.files("replay").joinpath("schemas", name).read_text(encoding="utf-8")
    assert json.loads(stored) == schemas()[name]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


GOLDENS: list[tuple[dict[str, Any], bool]] = [
    ({"request": {}}, True),
    ({"request": {"path": "/", "query": {"a": [1, "b"]}, "headers": [["a", "b"]], "json": {"x": None}}}, True),
    ({"request": {"multipart": {"a": "b", "f": {"filename": "x", "base64": ""}}}}, True),
    ({"request": {}, "freeze": "2024-02-29", "compare": [{"at": "body", "as": "text", "schema": {}}]}, True),
    ({}, False),
    ({"request": {"pth": "/"}}, False),
    ({"request": {}, "title": 5}, False),
    ({"request": {}, "steps": []}, False),
]


@pytest.mark.parametrize(("golden", "sound"), GOLDENS)
def test_the_schema_of_goldens_knows_their_keys(golden: dict[str, Any], sound: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert jsonschema.Draft202012Validator(schemas()["golden.json"]).is_valid(golden) is sound


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ({"replay_capture": 1}, True),
        ({"id": 7, "request": {}, "at": "2024-02-29T00:00:00Z"}, True),
        ({"id": "x"}, False),
        ({"replay_capture": 2}, False),
    ],
)
def test_the_schema_of_captures_knows_header_and_records(line: dict[str, Any], sound: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert jsonschema.Draft202012Validator(schemas()["capture.json"]).is_valid(line) is sound


@pytest.mark.parametrize("name", sorted(TRAFFIC))
def test_every_format_of_traffic_says_what_it_reads(name: str) -> None:
    assert (TRAFFIC[name].__doc__ or "").strip()
