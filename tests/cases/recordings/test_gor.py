"""GoReplay's files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from replay.cases import Source
from replay.models import Observation, Timing
from tests.cases.recordings.samples import SEPARATOR, gor, payload

Opened = Callable[..., Source]
GET = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_an_answer_is_found_by_its_requests_id_among_others(opened: Opened) -> None:
    file = gor(payload(1, "a", GET), payload(1, "b", GET), payload(2, "b", OK), payload(2, "a", OK.replace("ok", "no")))
    assert [case.recorded and case.recorded.body for case in opened(file)] == [b"no", b"ok"]


def test_instant_and_duration_come_from_both_heads(opened: Opened) -> None:
    [case] = opened(gor(payload(1, "a", GET), payload(2, "a", OK, 1709251199512500000)))
    assert case.freeze == datetime(2024, 2, 29, 23, 59, 59, 500_000, tzinfo=UTC)
    assert case.recorded == Observation(200, (("Content-Length", "2"),), b"ok", timing=Timing(12.5))


@pytest.mark.parametrize(
    ("file", "skipped"),
    [
        (gor(payload(2, "a", OK)), {"answer without a request": 1}),
        (gor(payload(1, "a", GET), payload(3, "a", OK)), {"answer of a replay": 1}),
        (gor(payload(1, "a", "GET /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort")), {"the request is cut": 1}),
        (gor(payload(1, "a", "nonsense\r\n\r\n")), {"malformed request": 1}),
        (gor(payload(1, "a", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n")), {"upgrade to another protocol": 1}),
        (gor(payload(1, "a", GET + GET)), {"several requests in one record": 1}),
        (
            gor(payload(1, "a", "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")),
            {"upgrade to another protocol": 1},
        ),
    ],
)
def test_what_cannot_be_replayed_is_counted_by_reason(file: bytes, skipped: dict[str, int], opened: Opened) -> None:
    source = opened(file)
    assert len(list(source)) == source.intake.loaded
    assert source.intake.skipped == skipped


def test_a_separator_within_a_body_parts_nothing(opened: Opened) -> None:
    body = b"x" + SEPARATOR + b"y"
    head = f"POST /a HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    file = payload(1, "a", head) + body + SEPARATOR + payload(1, "b", GET) + SEPARATOR
    assert [case.request.body for case in opened(file)] == [body, None]


def test_the_last_separator_may_be_missing(opened: Opened) -> None:
    file = gor(payload(1, "a", GET)) + payload(1, "b", GET)
    assert len(list(opened(file))) == 2


def test_chunked_bodies_are_joined_and_sent_with_a_length_of_their_own(opened: Opened) -> None:
    sent = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    [case] = opened(gor(payload(1, "a", sent)))
    assert (case.request.body, case.request.headers) == (b"abc", ())


def test_lines_that_end_with_lf_alone_and_a_missing_host_are_read(opened: Opened) -> None:
    [case] = opened(gor(payload(1, "a", "GET /a HTTP/1.1\nX-A: 1\n\n")))
    assert case.request.headers == (("X-A", "1"),)


def test_heads_of_three_and_of_four_fields_are_read(opened: Opened) -> None:
    file = f"1 a 1709251199500000000\n{GET}".encode() + SEPARATOR + f"1 b 1709251199500000000 0\n{GET}".encode()
    assert len(list(opened(file))) == 2


def test_an_absolute_target_calls_no_other_host(opened: Opened) -> None:
    [case] = opened(gor(payload(1, "a", "GET http://evil.test/a?b HTTP/1.1\r\nHost: evil.test\r\n\r\n")))
    assert (case.request.path, case.request.headers) == ("/a?b", ())


def test_an_answer_that_is_cut_is_no_recorded_answer(opened: Opened) -> None:
    [case] = opened(gor(payload(1, "a", GET), payload(2, "a", OK.replace("2", "9"))))
    assert case.recorded is None


def test_an_id_that_comes_again_is_another_request(opened: Opened) -> None:
    file = gor(payload(1, "a", GET), payload(1, "a", GET.replace("/a", "/b")), payload(2, "a", OK))
    assert [(case.request.path, case.recorded is not None) for case in opened(file)] == [("/a", False), ("/b", True)]


def test_the_last_separator_may_be_cut(opened: Opened) -> None:
    file = gor(payload(1, "a", GET))
    for gone in range(len(SEPARATOR)):
        assert [case.request.path for case in opened(file[: len(file) - gone])] == ["/a"]


def test_a_body_keeps_its_last_line_end_where_no_separator_follows(opened: Opened) -> None:
    [case] = opened(payload(1, "a", "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab\n"))
    assert case.request.body == b"ab\n"
