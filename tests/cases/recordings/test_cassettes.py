"""Cassettes of VCR, vcrpy and betamax."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from replay.cases import Source
from replay.errors import DocumentError

Opened = Callable[..., Source]


def interaction(**changes: Any) -> dict[str, Any]:
    request = {"method": "GET", "uri": "https://h/a", "headers": {"X-A": ["1", "2"], "Host": ["h"]}, "body": None}
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "ok"}}
    asked = {"request": request | changes.pop("request", {}), "response": response | changes.pop("response", {})}
    return asked | changes


def cassette(*interactions: Any, key: str = "interactions") -> bytes:
    return json.dumps({key: interactions, "version": 1}).encode()


def test_headers_that_are_lists_are_several_fields(opened: Opened) -> None:
    [case] = opened(cassette(interaction()))
    assert case.request.headers == (("X-A", "1"), ("X-A", "2"))


@pytest.mark.parametrize(
    "body",
    ["ok", {"string": "ok"}, {"encoding": "utf-8", "string": "ok"}, {"base64_string": b64encode(b"ok").decode()}],
)
def test_bodies_are_read_however_they_are_kept(body: Any, opened: Opened) -> None:
    [case] = opened(cassette(interaction(request={"method": "POST", "body": body}, response={"body": body})))
    assert case.request.body == b"ok"
    assert case.recorded is not None
    assert case.recorded.body == b"ok"


def test_betamax_tells_the_instant_in_utc(opened: Opened) -> None:
    [case] = opened(cassette(interaction(recorded_at="2024-02-29T23:59:59"), key="http_interactions"))
    assert str(case.freeze) == "2024-02-29 23:59:59+00:00"


@pytest.mark.parametrize("body", [gzip.compress(b"ok", mtime=0), gzip.compress(b"ok", mtime=0)[:-3], b"ok"])
def test_a_body_is_unpacked_where_it_can_be_and_kept_raw_where_not(body: bytes, opened: Opened) -> None:
    packed = b64encode(body).decode()
    text = (
        "interactions:\n- request: {body: null, headers: {}, method: GET, uri: 'http://h/a'}\n  response:\n"
        f"    body: {{string: !!binary '{packed}'}}\n    headers: {{Content-Encoding: [gzip], Content-Length: ['1']}}\n"
        "    status: {code: 200, message: OK}\nversion: 1\n"
    )
    [case] = opened(text.encode())
    plain = b"ok" if body == gzip.compress(b"ok", mtime=0) else body
    assert case.recorded is not None
    assert case.recorded.body == plain
    assert case.recorded.headers == (("Content-Length", str(len(plain))),)


@pytest.mark.parametrize("old", [b"- request: {method: GET}\n  response: {}\n", b'[{"request": {}, "response": {}}]'])
def test_old_formats_are_refused_by_name(old: bytes, opened: Opened) -> None:
    with pytest.raises(DocumentError, match="a cassette of an old format"):
        list(opened(old))


def test_a_cassette_without_interactions_holds_no_case(opened: Opened) -> None:
    source = opened(cassette())
    assert (list(source), source.intake.read) == ([], 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "malformed request"),
        ({"request": None}, "malformed request"),
        (interaction(request={"uri": None}), "malformed request"),
        (interaction(request={"uri": "ftp://h/a"}), "ftp: URL"),
        (interaction(request={"body": {"base64_string": "*"}}), "false base64"),
        (interaction(request={"body": 7}), "the body was not kept"),
        (interaction(request={"headers": {"A": ["b\r\nc"]}}), "malformed request"),
        (interaction(response={"status": {"code": 101}}), "upgrade to another protocol"),
    ],
)
def test_what_cannot_be_replayed_is_counted_by_reason(bad: Any, reason: str, opened: Opened) -> None:
    source = opened(cassette(bad, interaction()))
    assert len(list(source)) == 1
    assert source.intake.skipped == {reason: 1}


def test_tags_of_a_language_are_refused_and_nothing_is_run(opened: Opened) -> None:
    with pytest.raises(DocumentError, match="tag"):
        list(opened(b"interactions:\n- request: !!python/object/apply:os.getcwd []\n"))
