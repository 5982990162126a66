"""The sums at the end, and whether a side still answers."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.engine import tally
from replay.engine.pulse import PATIENCE, SILENCE, Pulse
from replay.models import (
    MISSING,
    Case,
    CaseError,
    CaseKind,
    Difference,
    Failure,
    Observation,
    OutcomeName,
    Request,
    Result,
    Timing,
)

OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)


def case(number: int, kind: CaseKind = "traffic") -> Case:
    return Case(f"c-{number}", kind, f"d:{number}", Request())


def result(number: int, outcome: OutcomeName = "deviation", *at: str) -> Result:
    differences = tuple(Difference(each, "value", 1, MISSING, "default") for each in at)
    error = CaseError("new", "status") if outcome.endswith("error") else None
    return Result(case(number), outcome, differences=differences, error=error)


# ----------------------------------------------------------------------------------------------------------------- sums


@given(outcomes=st.lists(st.sampled_from(OUTCOMES)), not_sent=st.integers(0, 9))
@settings(max_examples=60)
def test_no_case_is_lost_in_the_sums(outcomes: list[OutcomeName], not_sent: int) -> None:
    counts = tally(result(n, outcome) for n, outcome in enumerate(outcomes)).counts(not_sent)
    assert counts.loaded == len(outcomes) + not_sent
    assert counts.loaded == counts.compared + counts.errored + counts.skipped
    assert counts.compared == counts.matched + counts.deviating + counts.noise + counts.waived


@pytest.mark.parametrize(("status", "told"), [(302, "3xx"), (308, "3xx"), (404, "4xx"), (200, ""), (304, "")])
def test_matches_that_say_little_of_the_services_are_told(status: int, told: str) -> None:
    def answered(number: int, status: int) -> Result:
        return replace(result(number, "match"), old=Observation(status), new=Observation(status))

    half = [*(answered(n, status) for n in range(5)), *(answered(n, 200) for n in range(5, 10))]
    shown = " ".join(tally(half).warnings())
    assert (f"5 of 10 matching cases were answered with {told} by both sides" in shown) == bool(told)
    assert tally([*half, answered(10, 200)]).warnings() == ()


def test_a_clock_is_frozen_only_where_every_answer_says_so() -> None:
    frozen = Observation(200, clock_frozen=True)
    silent = Observation(200)
    failed = Observation(error=Failure("refused"))

    def observed(*observations: Observation) -> bool:
        results = (replace(result(n, "match"), new=each) for n, each in enumerate(observations))
        return tally(results).frozen("new")

    assert observed(frozen, failed, frozen)
    assert not observed(frozen, silent)
    assert not observed(failed)
    assert not observed()


def test_latencies_are_those_of_whole_answers() -> None:
    whole = Observation(200, timing=Timing(5.0))
    cut = Observation(200, error=Failure("timeout"), timing=Timing(10_000.0))
    sums = tally(replace(result(n, "match"), old=each) for n, each in enumerate([whole, whole, cut]))
    assert sums.latency()["old"].n == 2
    assert sums.latency()["old"].p99 == pytest.approx(5.0, rel=0.05)
    assert "new" not in sums.latency()


# ---------------------------------------------------------------------------------------------------------------- pulse


def felt(*observations: Observation) -> Pulse:
    pulse = Pulse("new")
    for number, observation in enumerate(observations):
        pulse.feel(case(number), observation)
    return pulse


ANSWER, REFUSED = Observation(200), Observation(error=Failure("refused"))


def test_a_side_is_silent_after_a_few_cases_and_gone_after_many() -> None:
    assert not felt(ANSWER, *[REFUSED] * (SILENCE - 1)).silent
    assert felt(ANSWER, *[REFUSED] * SILENCE).silent
    assert not felt(ANSWER, *[REFUSED] * (PATIENCE - 1)).gone
    assert felt(ANSWER, *[REFUSED] * PATIENCE).gone


def test_one_answer_shows_that_a_side_is_there() -> None:
    pulse = felt(*[REFUSED] * (PATIENCE - 1), ANSWER, REFUSED)
    assert not pulse.silent
    assert pulse.last_answer == f"c-{PATIENCE - 1}"


def test_the_story_names_the_last_case_that_was_answered() -> None:
    assert "after case c-1" in felt(ANSWER, ANSWER, REFUSED).story
    assert "from the first case on" in felt(REFUSED).story


@pytest.mark.parametrize("kind", ["status", "exception", "incomplete_body", "protocol", "decode"])
def test_a_side_that_answers_wrongly_is_there(kind: str) -> None:
    broken = Observation(error=Failure(kind))  # type: ignore[arg-type]
    assert not felt(*[broken] * (2 * PATIENCE)).silent
