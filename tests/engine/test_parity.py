"""Categories of differences and errors, and old's statuses beside new's."""

from __future__ import annotations

from typing import get_args

import pytest

from replay.engine import tally
from replay.engine.parity import MOST_PAIRS
from replay.models import (
    Case,
    CaseError,
    Difference,
    DifferenceKind,
    ErrorKind,
    Failure,
    Observation,
    OutcomeName,
    Request,
    Result,
    StatusCount,
)


def result(outcome: OutcomeName, *differences: Difference, error: ErrorKind | None = None) -> Result:
    failed = CaseError("new", error) if error else None
    return Result(Case("c", "traffic", "c", Request()), outcome, differences=differences, error=failed)


def difference(kind: DifferenceKind, waived: str = "") -> Difference:
    return Difference("body.a", kind, 1, 2, "default", waived=waived)


def test_cases_are_counted_once_for_each_category_that_they_show() -> None:
    sums = tally([
        result("deviation", difference("type"), difference("type"), difference("value")),
        result("deviation", difference("type")),
        result("new_error", difference("status"), error="status"),
    ])  # fmt: skip
    assert sums.parity.categories() == {"type": 2, "value": 1, "status": 1}


def test_what_is_waived_is_counted_by_its_waiver_and_in_no_category() -> None:
    sums = tally([
        result("waived", difference("value", "w")),
        result("deviation", difference("value", "w"), difference("value", "w"), difference("type")),
    ])  # fmt: skip
    assert sums.parity.categories() == {"type": 1}
    assert sums.waived == {"w": 2}


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_every_kind_of_error_has_a_category(kind: ErrorKind) -> None:
    (category,) = tally([result("new_error", error=kind)]).parity.categories()
    told = {"timeout", "status", "error_when", "decode", "exception", "capture"}
    assert category == (kind if kind in told else {"until": "timeout"}.get(kind, "transport"))


def pair(old: Observation | None, new: Observation | None) -> Result:
    return Result(Case("c", "traffic", "c", Request()), "match", old, new)


def test_statuses_are_counted_in_pairs_and_a_failure_by_its_kind() -> None:
    cut = Observation(200, error=Failure("incomplete_body"))
    sums = tally([
        pair(Observation(200), Observation(404)),
        pair(Observation(200), Observation(404)),
        pair(Observation(404), cut),
        pair(None, Observation(200)),
    ])  # fmt: skip
    assert sums.parity.statuses() == (StatusCount("200", "404", 2), StatusCount("404", "incomplete_body", 1))


def test_functions_have_no_statuses_unless_one_fails() -> None:
    value, failed = Observation(body=b"1"), Observation(error=Failure("exception"))
    assert tally([pair(value, value)]).parity.statuses() == ()
    assert tally([pair(value, value), pair(value, failed)]).parity.statuses() == (
        StatusCount("value", "exception", 1),
        StatusCount("value", "value", 1),
    )


def test_made_up_statuses_stay_bounded_and_count_on() -> None:
    sums = tally(pair(Observation(100 + n % 900), Observation(100 + n // 2)) for n in range(1500))
    found = sums.parity.statuses()
    assert len(found) == MOST_PAIRS + 1
    assert sum(it.cases for it in found) == 1500
