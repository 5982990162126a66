"""What becomes of a case: the outcome, and who failed how."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from replay.compare import Comparison, rule_book
from replay.engine import Referee
from replay.engine.outcome import UNSEEN
from replay.expressions import parse_expression
from replay.models import Case, CaseError, Expectation, Failure, Observation, Request, Result, RuleSpec

REFEREE = Referee(Comparison(rule_book(()), {"old": None, "new": None}))
JSON = (("content-type", "application/json"),)


def judged(
    old: Observation | None, new: Observation, expect: Expectation | None = None, error_when: str | None = None
) -> Result:
    referee = Referee(REFEREE.comparison, parse_expression(error_when) if error_when else None)
    kind = "golden" if expect else "traffic"
    return referee.result(Case("c", kind, "c", Request(), expect=expect), old, new)  # type: ignore[arg-type]


def answer(status: int = 200, body: bytes = b'{"a": 1}') -> Observation:
    return Observation(status, JSON, body)


REFUSED = Observation(error=Failure("refused", "nobody there"))
FAILED = answer(500)


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        (answer(), answer(), "match"),
        (answer(), answer(body=b'{"a": 2}'), "deviation"),
        (answer(), answer(404), "deviation"),
        (answer(404), answer(404), "match"),
        (answer(), REFUSED, "new_error"),
        (REFUSED, answer(), "old_error"),
        (REFUSED, REFUSED, "both_error"),
        (answer(), FAILED, "new_error"),
        (FAILED, answer(), "old_error"),
        (FAILED, FAILED, "both_error"),
        (FAILED, REFUSED, "both_error"),
        (answer(), answer(body=b'{"a": 1'), "new_error"),
        (answer(body=b'{"a": 1'), answer(body=b'{"a": 1'), "both_error"),
        (answer(body=b'{"a": NaN}'), answer(body=b'{"a": NaN}'), "both_error"),
    ],
)
def test_an_error_names_the_outcome_and_else_the_differences_do(
    old: Observation, new: Observation, outcome: str
) -> None:
    assert judged(old, new).outcome == outcome


def test_both_failing_in_two_ways_is_told_with_both() -> None:
    error = judged(FAILED, REFUSED).error
    assert error is not None
    assert (error.side, error.kind) == ("both", "refused")
    assert "answered 500" in error.message
    assert "nobody there" in error.message


def test_differences_are_kept_beside_an_error() -> None:
    found = judged(answer(), FAILED)
    assert found.error == CaseError("new", "status", "answered 500")
    assert [each.at for each in found.differences] == ["status"]


def test_what_counts_as_an_error_can_be_said_in_an_expression() -> None:
    found = judged(answer(), answer(body=b'{"errors": ["x"]}'), error_when="body.errors")
    assert (found.outcome, found.error and found.error.kind) == ("new_error", "error_when")


def test_a_status_of_500_that_a_golden_expects_is_no_error() -> None:
    expect = Expectation(503)
    assert judged(answer(503), answer(503), expect).outcome == "match"
    assert judged(None, answer(503), expect).outcome == "match"
    assert judged(answer(503), answer(500), expect).outcome == "new_error"


def test_an_expectation_that_new_misses_is_a_deviation_though_old_misses_it_alike() -> None:
    found = judged(answer(), answer(), Expectation(body=b'{"a": 2}'))
    assert found.outcome == "deviation"
    assert found.differences[0].against == "expect"
    assert found.flags == ("drifted",)


# ------------------------------------------------------------------------------------------- waived, and nothing to see

TERMS = {"until": "2026-12-31", "owner": "o", "why": "w"}


def ruled(old: Observation, new: Observation, *rules: Mapping[str, object], day: str = "2026-12-31") -> Result:
    book = rule_book([RuleSpec.model_validate(rule) for rule in rules])
    referee = Referee(Comparison(book, {"old": None, "new": None})).on(date.fromisoformat(day))
    return referee.result(Case("c", "traffic", "c", Request()), old, new)


def test_a_case_is_waived_only_where_all_that_differs_is() -> None:
    old, new = answer(body=b'{"a": 1, "b": 1}'), answer(body=b'{"a": 2, "b": 2}')
    waive = {"at": "body.a", "waive": TERMS}
    assert ruled(old, new, waive).outcome == "deviation"
    assert ruled(old, new, waive, {"at": "body.b", "waive": TERMS}).outcome == "waived"
    assert ruled(old, old, waive).outcome == "match"


def test_a_waiver_holds_on_the_day_on_which_the_run_began() -> None:
    waive = {"at": "body", "waive": TERMS}
    assert ruled(answer(), answer(body=b'{"a": 2}'), waive).outcome == "waived"
    assert ruled(answer(), answer(body=b'{"a": 2}'), waive, day="2027-01-01").outcome == "deviation"


@pytest.mark.parametrize("new", [FAILED, REFUSED, answer(body=b'{"a": 1')])
@pytest.mark.parametrize("verb", [{"waive": TERMS}, {"ignore": True}])
def test_neither_a_waiver_nor_an_ignore_hides_an_error_of_new(verb: dict[str, object], new: Observation) -> None:
    found = ruled(answer(), new, {"at": "status", **verb}, {"at": "body", **verb})
    assert (found.outcome, found.skipped) == ("new_error", None)


def test_a_case_of_which_nothing_is_left_to_compare_proves_nothing() -> None:
    rules = {"at": "status", "ignore": True}, {"at": "body", "ignore": True}
    for new in (answer(), answer(404, b"[]")):
        found = ruled(answer(), new, *rules)
        assert (found.outcome, found.skipped) == ("skipped", UNSEEN)
        assert found.new is new


def test_what_is_left_of_it_may_still_deviate() -> None:
    rules = {"at": "status", "ignore": True}, {"at": "body", "ignore": True}
    text = Observation(200, (("content-type", "text/plain"),), b"x")
    assert ruled(answer(), text, *rules).outcome == "deviation"
