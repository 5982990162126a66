"""What a capture or a golden holds, in the place of a live side."""

import asyncio
from dataclasses import replace

import pytest

from replay.models import Case, Expectation, Failure, Observation, Request
from replay.targets.base import Moment, observed
from replay.targets.recorded import RecordedTarget

BARE = Case(id="c", kind="traffic", identity="c", request=Request())
ANSWER = Observation(status=200, headers=(("a", "b"),), body=b"recorded")


def send(case: Case) -> Observation:
    return asyncio.run(observed(RecordedTarget(), case, Moment(None, 0)))


def test_a_captured_case_is_answered_with_what_was_recorded_to_the_byte() -> None:
    case = replace(BARE, recorded=ANSWER)
    assert RecordedTarget().has(case)
    assert send(case) is ANSWER


def test_a_recorded_failure_stays_a_failure() -> None:
    failed = Observation(error=Failure("timeout", "as it was"))
    assert send(replace(BARE, recorded=failed)).error == failed.error


def test_a_recording_beats_an_expectation() -> None:
    assert send(replace(BARE, recorded=ANSWER, expect=Expectation(status=500))) is ANSWER


@pytest.mark.parametrize("expect", [Expectation(status=204), Expectation(body=b"")])
def test_a_golden_answers_with_what_it_expects(expect: Expectation) -> None:
    case = replace(BARE, expect=expect)
    assert RecordedTarget().has(case)
    assert (send(case).status, send(case).body) == (expect.status, expect.body or b"")


@pytest.mark.parametrize("expect", [None, Expectation(), Expectation(headers=(("a", "b"),))])
def test_where_nothing_is_recorded_there_is_no_answer_and_never_an_empty_one(expect: Expectation | None) -> None:
    case = replace(BARE, expect=expect)
    assert not RecordedTarget().has(case)
    assert send(case).error is not None
