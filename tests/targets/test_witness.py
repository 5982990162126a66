"""A side's clock counts as frozen only where its answers show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from replay.models import Headers
from replay.targets.base import Moment
from replay.targets.witness import BY_DATE, DATELESS, NEAR, SILENT, UNMOVED, Witness

LEAP = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
LEAP_DATE = "Thu, 29 Feb 2024 23:59:59 GMT"


def clock(said: str) -> Headers:
    return (("replay-clock", said),)


def date(said: str) -> Headers:
    return (("Date", said),)


def seen(headers: Headers, instant: datetime = LEAP, *, tick: bool = False) -> tuple[bool | None, str]:
    witness = Witness()
    return witness.frozen(headers, Moment(instant, 7, tick)), witness.note


@pytest.mark.parametrize(
    "said", ["frozen", "Frozen", "frozen 2024-02-29T23:59:59Z", "frozen 2024-03-01T00:59:59+01:00"]
)
def test_a_service_that_says_so_is_believed(said: str) -> None:
    assert seen(clock(said)) == (True, "")


def test_an_answer_that_speaks_of_another_instant_is_not() -> None:
    why = "the service froze its clock at 2023-01-01T00:00:00Z, which is not the case's"
    assert seen(clock("frozen 2023-01-01T00:00:00Z")) == (False, why)


def test_a_refusal_says_why() -> None:
    assert seen(clock("refused, no proof")) == (False, "the service refused: no proof")


def test_a_refusal_counts_whatever_the_date_says() -> None:
    assert seen((*clock("refused, no proof"), *date(LEAP_DATE)))[0] is False


@pytest.mark.parametrize("headers", [(), date("yesterday"), date("Thu, 29 Feb 2024 23:59:58 GMT"), clock("")])
def test_a_service_that_shows_nothing_is_not_frozen(headers: Headers) -> None:
    assert seen(headers)[0] is False


def test_a_date_at_the_instant_shows_a_frozen_clock() -> None:
    assert seen(date(LEAP_DATE)) == (True, BY_DATE)


def test_a_date_is_whole_seconds() -> None:
    assert seen(date(LEAP_DATE), LEAP + timedelta(milliseconds=900))[0] is True


def test_a_clock_that_may_go_on_and_happens_to_be_at_the_instant_is_not_said_to_disobey() -> None:
    now = datetime.now(UTC)
    assert seen(date(format_datetime(now, usegmt=True)), now) == (False, NEAR)


def test_a_clock_that_is_elsewhere_than_at_an_instant_near_the_present_disobeys() -> None:
    now = datetime.now(UTC)
    assert seen(date(format_datetime(now, usegmt=True)), now - timedelta(minutes=1)) == (False, SILENT)


@pytest.mark.parametrize("headers", [(), date("yesterday")])
def test_answers_without_any_date_are_not_said_to_disobey(headers: Headers) -> None:
    assert seen(headers) == (False, DATELESS)


def test_what_is_known_best_is_told() -> None:
    witness, now = Witness(), datetime.now(UTC)
    told = []
    for headers in (date(format_datetime(now, usegmt=True)), (), date(LEAP_DATE), clock("refused, no proof"), ()):
        witness.frozen(headers, Moment(now, 7))
        told.append(witness.note)
    assert told == [NEAR, DATELESS, SILENT, *["the service refused: no proof"] * 2]


def test_a_date_that_runs_on_from_the_instant_will_do_where_clocks_tick() -> None:
    later = date("Fri, 01 Mar 2024 00:00:09 GMT")
    assert seen(later, tick=True)[0] is True
    assert seen(later)[0] is False


@pytest.mark.parametrize("said", ["Thu, 29 Feb 2024 23:59:58 GMT", "Fri, 01 Mar 2024 01:00:00 GMT", "nonsense"])
def test_a_date_before_the_instant_or_far_behind_it_will_not(said: str) -> None:
    assert seen(date(said), tick=True)[0] is False


def test_a_case_without_an_instant_says_nothing_of_a_clock() -> None:
    witness = Witness()
    assert witness.frozen(date(LEAP_DATE), Moment(None, 7)) is None
    assert witness.note == ""


def test_the_same_head_is_judged_anew_for_another_instant() -> None:
    witness, headers = Witness(), date(LEAP_DATE)
    other = Moment(LEAP + timedelta(days=1), 7)
    assert [witness.frozen(headers, moment) for moment in (Moment(LEAP, 7), other)] == [True, False]


def test_why_one_answer_was_refused_outweighs_that_another_said_nothing() -> None:
    witness = Witness()
    for headers in ((), clock("refused, no proof"), ()):
        witness.frozen(headers, Moment(LEAP, 7))
    assert witness.note == "the service refused: no proof"


@pytest.mark.parametrize(
    ("dates", "note"), [([LEAP_DATE] * 3, UNMOVED), ([LEAP_DATE, LEAP_DATE, "Sat, 02 Mar 2024 23:59:59 GMT"], BY_DATE)]
)
def test_dates_that_may_be_of_an_earlier_case_show_no_clock_that_moves(dates: list[str], note: str) -> None:
    instants = [LEAP + timedelta(days=n) for n in range(3)]
    witness = Witness(lambda: instants)
    seen = [witness.frozen(date(each), Moment(at, 7)) for each, at in zip(dates, instants, strict=True)]
    assert (seen, witness.note) == ([True] * 3, note)


def test_cases_of_one_instant_need_no_clock_that_moves() -> None:
    witness = Witness(lambda: [LEAP])
    assert [witness.frozen(date(LEAP_DATE), Moment(LEAP, 7)) for _ in range(3)] == [True] * 3
    assert witness.note == BY_DATE
