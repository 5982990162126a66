"""A case that is refused is sent again, after a while, and some day given up as that side's error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from replay.models import Case, Expectation, Failure, Observation, Request, RetrySpec, TargetSpec
from replay.targets.base import Moment, observed
from replay.targets.http import HttpTarget
from replay.targets.retry import Retries, retry_after

if TYPE_CHECKING:
    from tests.targets.conftest import Answer, Asked, Script, Scripted

Serve = Callable[["Script"], AbstractContextManager["Scripted"]]
MOMENT = Moment(datetime(2024, 2, 29, tzinfo=UTC), 7)


def busy(times: int, status: int = 429, **headers: str) -> Script:
    """Return what refuses so many requests, and then answers."""
    left = [(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"busy")] * times

    def answer(_asked: Asked) -> Answer:
        return left.pop() if left else (200, {"Replay-Clock": "frozen"}, b"ok")

    return answer


def case_of(method: str = "GET", path: str = "/x", expect: Expectation | None = None) -> Case:
    return Case(path, "golden", path, Request(method, path), expect=expect)


def spec_of(url: str, **retry: Any) -> TargetSpec:
    return TargetSpec.model_validate({"url": url, "retry": {"wait": "10ms", "cap": "50ms", **retry}})


def send(spec: TargetSpec, *cases: Case, at_once: bool = False) -> list[Observation]:
    async def scenario() -> list[Observation]:
        target = HttpTarget(spec, connections=2)
        await target.start()
        if at_once:
            seen = list(await asyncio.gather(*[observed(target, case, MOMENT) for case in cases]))
        else:
            seen = [await observed(target, case, MOMENT) for case in cases]
        await target.close()
        return seen

    return asyncio.run(scenario())


def test_a_refused_case_is_sent_again_until_it_is_answered(scripted: Serve) -> None:
    with scripted(busy(3)) as service:
        (seen,) = send(spec_of(service.url), case_of())
    assert (seen.status, seen.body, seen.error, seen.retries) == (200, b"ok", None, 3)
    assert seen.clock_frozen is True
    assert len(service.asked) == 4


def test_a_case_that_stays_refused_is_an_error_that_says_so_and_keeps_the_answer(scripted: Serve) -> None:
    with scripted(busy(9)) as service:
        (seen,) = send(spec_of(service.url, times=2), case_of())
    assert seen.error == Failure("status", "still 429 after 2 retries")
    assert (seen.status, seen.body, seen.retries) == (429, b"busy", 2)
    assert len(service.asked) == 3


def test_an_answer_at_once_is_no_retry(scripted: Serve) -> None:
    with scripted(busy(0)) as service:
        (seen,) = send(spec_of(service.url), case_of())
    assert seen.retries == 0


def test_a_side_without_retry_is_asked_once(scripted: Serve) -> None:
    with scripted(busy(1)) as service:
        (seen,) = send(TargetSpec(url=service.url), case_of())
    assert (seen.status, seen.error, seen.retries, len(service.asked)) == (429, None, 0, 1)


@pytest.mark.parametrize(("method", "status", "times"), [
    ("POST", 429, 2), ("DELETE", 503, 2), ("POST", 502, 1), ("DELETE", 504, 1), ("GET", 502, 2), ("GET", 504, 2),
])  # fmt: skip
def test_what_may_have_been_done_is_not_done_again(method: str, status: int, times: int, scripted: Serve) -> None:
    with scripted(busy(1, status)) as service:
        send(spec_of(service.url, on=[429, 502, 503, 504]), case_of(method))
    assert len(service.asked) == times


def test_a_status_that_a_golden_expects_is_an_answer_and_no_refusal(scripted: Serve) -> None:
    with scripted(busy(1)) as service:
        (seen,) = send(spec_of(service.url), case_of(expect=Expectation(429)))
    assert (seen.status, seen.error, len(service.asked)) == (429, None, 1)


def test_a_service_that_is_not_there_is_not_asked_again() -> None:
    start = time.monotonic()
    (seen,) = send(spec_of("http://127.0.0.1:1", wait="5s", cap="5s"), case_of())
    assert seen.error is not None
    assert (seen.error.kind, seen.retries) == ("refused", 0)
    assert time.monotonic() - start < 2


# ---------------------------------------------------------------------------------------------------------------- waits


def test_the_wait_that_the_service_asks_for_is_kept(scripted: Serve) -> None:
    with scripted(busy(1, Retry_After="1")) as service:
        (seen,) = send(spec_of(service.url, cap="5s"), case_of())
    first, second = (asked.at for asked in service.asked)
    assert 1 <= second - first < 3
    assert seen.timing is not None
    assert seen.timing.latency_ms < 500
    assert seen.timing.queued_ms > 990


def test_a_wait_of_years_is_capped(scripted: Serve) -> None:
    for asked_for in ("999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"):
        with scripted(busy(2, Retry_After=asked_for)) as service:
            start = time.monotonic()
            (seen,) = send(spec_of(service.url), case_of())
        assert seen.status == 200
        assert 0.1 <= time.monotonic() - start < 5


def test_without_a_word_the_wait_doubles_up_to_the_cap(scripted: Serve) -> None:
    with scripted(busy(4)) as service:
        send(spec_of(service.url, wait="40ms", cap="100ms"), case_of())
    waits = [later.at - earlier.at for earlier, later in pairwise(service.asked)]
    for wait, least in zip(waits, (0.04, 0.08, 0.1, 0.1), strict=True):
        assert least <= wait < least * 1.5 + 1


@pytest.mark.parametrize(("headers", "seconds"), [
    ({}, None),
    ({"Retry-After": ""}, None),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "-3"}, None),
    ({"Retry-After": "1.5"}, None),
    ({"Retry-After": "٣"}, None),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 +99999999999999"}, None),
    ({"Retry-After": "0"}, 0.0),
    ({"retry-after": " 120 "}, 120.0),
    ({"Retry-After": "9" * 400}, float("inf")),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:00 GMT"}, 60.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:29:00 GMT"}, 0.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "today"}, 0.0),
])  # fmt: skip
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Observation(429, tuple(headers.items()))) == seconds


def test_a_date_without_another_is_measured_from_now() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    found = retry_after(Observation(429, (("Retry-After", later),)))
    assert found is not None
    assert 90 < found <= 100


@pytest.mark.parametrize("before", [0, 1, 50, 99])
def test_no_wait_is_longer_than_the_cap(before: int) -> None:
    def never(*_: object) -> None:
        """Send nothing."""

    retries = Retries(RetrySpec(wait=timedelta(seconds=1), cap=timedelta(seconds=3), times=100), never)
    for headers in ((), (("Retry-After", "9" * 400),)):
        assert 1 <= retries.pause(Observation(429, headers), before) <= 3


# ---------------------------------------------------------------------------------------------------------- other cases


def test_a_case_that_waits_holds_up_no_other(scripted: Serve) -> None:
    refused: list[str] = []

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/busy") and refused.count(asked.path) == 0:
            refused.append(asked.path)
            return 429, {"Retry-After": "1"}, b""
        return 200, {}, b"ok"

    cases = [case_of(path=path) for path in ("/busy/1", "/busy/2", "/1", "/2", "/3")]
    with scripted(answer) as service:
        seen = send(spec_of(service.url, cap="1s"), *cases, at_once=True)
    assert [each.status for each in seen] == [200] * 5
    assert {asked.path for asked in service.asked[:5]} == {case.id for case in cases}
    assert service.asked[4].at - service.asked[0].at < 0.5


def test_a_retry_counts_against_the_rate(scripted: Serve) -> None:
    with scripted(busy(3, Retry_After="0")) as service:
        spec = spec_of(service.url).model_copy(update={"rate": 20.0})
        send(spec, case_of())
    assert service.asked[-1].at - service.asked[0].at >= 3 / 20 - 0.04


def test_closing_ends_every_wait_and_sends_nothing_more(scripted: Serve) -> None:
    async def scenario(url: str) -> float:
        target = HttpTarget(spec_of(url, wait="200ms", cap="1s"))
        waiting = asyncio.ensure_future(observed(target, case_of(), MOMENT))
        await asyncio.sleep(0.1)
        start = time.monotonic()
        await target.close()
        took = time.monotonic() - start
        await asyncio.sleep(0.4)
        waiting.cancel()
        return took

    with scripted(busy(9)) as service:
        assert asyncio.run(scenario(service.url)) < 0.1
    assert len(service.asked) == 1


# ------------------------------------------------------------------------------------------------------------- settings


def test_an_empty_retry_is_the_default() -> None:
    spec = RetrySpec.model_validate({})
    assert (spec.on, spec.times, spec.wait, spec.cap) == ((429, 503), 5, timedelta(seconds=1), timedelta(seconds=30))


@pytest.mark.parametrize("retry", [{"on": []}, {"on": ["429"]}, {"on": [99]}, {"times": 0}, {"times": 1000},
                                   {"wait": 1}, {"until": "5s"}])  # fmt: skip
def test_a_retry_that_makes_no_sense_is_refused(retry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RetrySpec.model_validate(retry)
