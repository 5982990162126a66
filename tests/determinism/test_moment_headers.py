"""The headers that carry instant, seed and case."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.determinism.headers import moment_headers, read_case, read_instant, read_seed, traceparent, write_case

LEAP = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)


def test_both_sides_get_the_same_headers() -> None:
    assert moment_headers("a", LEAP, 7, "c-1") == moment_headers("a", LEAP, 7, "c-1")


def test_the_instant_is_written_in_utc_without_needless_microseconds() -> None:
    berlin = LEAP.astimezone(timezone(timedelta(hours=1)))
    assert dict(moment_headers("a", berlin, 7, "c"))["Replay-Time"] == "2024-02-29T23:59:59Z"


def test_without_an_instant_no_time_is_sent() -> None:
    assert [name for name, _ in moment_headers("a", None, 7, "c")] == ["Replay-Seed", "Replay-Case", "traceparent"]


def test_a_trace_id_stands_for_itself() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert traceparent(trace).split("-")[1] == trace


def test_two_long_ids_that_differ_at_the_end_stay_apart_when_cut() -> None:
    first, second = write_case("x" * 5000 + "a"), write_case("x" * 5000 + "b")
    assert len(first) <= 512
    assert first != second


@pytest.mark.parametrize("text", [None, "", "now", "2024-02-29", "2024-02-29T23:59:59", "1709251199"])
def test_what_is_no_instant_with_an_offset_is_none(text: str | None) -> None:
    assert read_instant(text) is None


@pytest.mark.parametrize("text", [None, "", "x", "1.5", "9" * 21, "٣"])
def test_what_is_no_seed_is_none(text: str | None) -> None:
    assert read_seed(text) is None


@given(st.text(max_size=80), st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**32 - 1), st.text(max_size=40))
def test_what_is_sent_can_be_read_again_and_fits_in_a_header(
    case_id: str, instant: datetime, seed: int, correlation_id: str
) -> None:
    headers = dict(moment_headers(case_id, instant, seed, correlation_id))
    assert read_instant(headers["Replay-Time"]) == instant
    assert read_seed(headers["Replay-Seed"]) == seed
    assert read_case(headers["Replay-Case"]) == case_id
    assert re.fullmatch("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01", headers["traceparent"])
    assert all(re.fullmatch("[!-~]*", value) for value in headers.values())
