"""OpenTelemetry's spans."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from replay.cases import Source
from replay.errors import DocumentError
from tests.cases.recordings.samples import SPANS

Opened = Callable[..., Source]


def spans(*changes: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(SPANS)
    scope = document["resourceSpans"][0]["scopeSpans"][0]
    scope["spans"] = [scope["spans"][0] | each for each in changes]
    return document


def attributes(**pairs: str) -> list[dict[str, Any]]:
    return [{"key": name.replace("__", "."), "value": {"stringValue": value}} for name, value in pairs.items()]


def test_a_span_is_a_case_with_instant_trace_and_headers(opened: Opened) -> None:
    [case] = opened(json.dumps(spans({})).encode())
    assert (case.request.path, case.request.headers) == ("/a?b=1", (("accept", "*/*"),))
    assert (case.correlation_id, str(case.freeze)) == (
        "5b8efff798038103d269b633813fc60c",
        "2024-02-29 23:59:59.500000+00:00",
    )


def test_older_names_of_attributes_are_read(opened: Opened) -> None:
    old = attributes(http__method="GET", http__target="/a?b=1")
    [case] = opened(json.dumps(spans({"attributes": old, "kind": "SPAN_KIND_SERVER"})).encode())
    assert case.request.path == "/a?b=1"


@pytest.mark.parametrize("indent", [None, 2])
def test_documents_come_one_a_line_or_one_over_many_lines(indent: int | None, opened: Opened) -> None:
    document = json.dumps(spans({}, {}), indent=indent)
    assert len(list(opened(document.encode()))) == 2
    if indent is None:
        assert len(list(opened(f"{document}\n{document}\n".encode()))) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": 3}, "no server's span"),
        ({"attributes": attributes(rpc__system="grpc")}, "no HTTP span"),
        ({"attributes": attributes(http__request__method="POST", url__path="/a")}, "the body was not kept"),
        ({"attributes": attributes(http__request__method="GET")}, "no URL"),
        ({"attributes": None}, "no HTTP span"),
    ],
)
def test_what_cannot_be_replayed_is_counted_by_reason(change: dict[str, Any], reason: str, opened: Opened) -> None:
    source = opened(json.dumps(spans(change, {})).encode())
    assert len(list(source)) == 1
    assert source.intake.skipped == {reason: 1}


def test_a_line_that_is_no_document_is_told_or_counted(opened: Opened) -> None:
    file = json.dumps(spans({})).encode() + b'\n{"resourceSpans": [\n'
    with pytest.raises(DocumentError, match=":2: this is no sound JSON with resourceSpans"):
        list(opened(file))
    source = opened(file, skip_bad=True)
    assert (len(list(source)), source.intake.skipped) == (1, {"malformed": 1})


def test_documents_in_an_array_are_read_as_those_one_a_line(opened: Opened) -> None:
    assert len(list(opened(json.dumps([spans({}), spans({}, {})]).encode()))) == 3
    assert len(list(opened(json.dumps([spans({}), spans({})], indent=1).encode()))) == 2
    assert len(list(opened(gzip.compress(json.dumps([spans({})]).encode())))) == 1


def test_headers_are_named_as_their_convention_names_them(opened: Opened) -> None:
    for method, name, header in (("http__method", "x_a", "x-a"), ("http__request__method", "x_a", "x_a")):
        pairs = {method: "GET", "http__target": "/a", f"http__request__header__{name}": "1"}
        [case] = opened(json.dumps(spans({"attributes": attributes(**pairs)})).encode())
        assert case.request.headers == ((header, "1"),)


def test_a_method_that_the_convention_does_not_know_is_the_one_that_was_sent(opened: Opened) -> None:
    pairs = {"http__request__method": "_OTHER", "http__request__method_original": "PURGE", "url__path": "/a"}
    source = opened(json.dumps(spans({"attributes": attributes(**pairs)})).encode())
    assert list(source) == []
    assert source.intake.skipped == {"the body was not kept": 1}
