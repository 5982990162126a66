"""What is waived stays in sight in every report, with the rule that tells owner and day."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replay.models import Difference, Measure, Result, Spread

if TYPE_CHECKING:
    from tests.reports.conftest import Run

WAIVER = "at body.fee, waive: {until: 2026-12-31, owner: payments, why: rounding}"


@pytest.fixture
def waived(run: Run) -> Run:
    found: Result = run.results[0]
    difference = Difference("body.fee", "value", 1, 2, "default: values are equal", waived=WAIVER)
    results = (replace(found, outcome="waived", differences=(difference,)), *run.results[1:])
    return replace(run, results=results, summary=replace(run.summary, waived={WAIVER: 3}))


@pytest.mark.parametrize("kind", ["terminal", "markdown"])
def test_reports_for_people_tell_each_waiver_and_in_how_many_cases(
    waived: Run, report: Callable[[Run, str], str], kind: str
) -> None:
    text = " ".join(report(waived, kind).replace("\\", "").split())
    assert f"3 cases: {WAIVER}" in text


def test_the_json_report_marks_the_difference(waived: Run, report: Callable[[Run, str], str]) -> None:
    found = json.loads(report(waived, "json"))
    assert found["waived"] == {WAIVER: 3}
    (difference,) = found["results"][0]["differences"]
    assert (found["results"][0]["outcome"], difference["waived"]) == ("waived", WAIVER)


def test_a_golden_that_is_waived_passes_in_junit_and_says_why(waived: Run, report: Callable[[Run, str], str]) -> None:
    text = report(waived, "junit")
    assert f"waived by {WAIVER}" in text


# ------------------------------------------------------------------------------------------------------------- measures


def test_a_perfect_order_over_few_items_does_not_look_like_parity(run: Run, report: Callable[[Run, str], str]) -> None:
    spread = Spread(40, -0.2, 1.0, 0.9, 1.0, tenth=0.5, steps=(0, 0, 0, 0, 1, 0, 0, 9, 0, 30), none=3, few=25, items=2)
    text = report(replace(run, summary=replace(run.summary, measures={"rank.tau": spread})), "terminal")
    assert (
        """
  rank.tau: min -0.2, a tenth at most 0.5, median 1, mean 0.9, max 1 over 40;
    over 2 items at the median; 25 of 40 rest on fewer than 5 items and prove
    little; 3 had nothing to measure
    in tenths from -1 to 1: 0 0 0 0 1 0 0 9 0 30
"""
        in text
    )


def test_the_json_report_tells_on_how_many_items_a_figure_rests(run: Run, report: Callable[[Run, str], str]) -> None:
    measured = replace(run.results[1], measures=(Measure("body.hits", "rank.tau", 1.0, 2),))
    found = json.loads(report(replace(run, results=(measured,)), "json"))
    assert found["results"][0]["measures"] == [{"at": "body.hits", "name": "rank.tau", "value": 1.0, "items": 2}]
