"""Old's statuses beside new's, as readers and programs see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replay.models import StatusCount
from replay.reports.matrix import is_remarkable

if TYPE_CHECKING:
    from tests.reports.conftest import Run

STATUSES = (
    StatusCount("200", "200", 1480),
    StatusCount("200", "204", 2),
    StatusCount("200", "404", 9),
    StatusCount("404", "403", 4),
    StatusCount("404", "404", 30),
    StatusCount("500", "timeout", 1),
)


@pytest.fixture
def answered(run: Run) -> Run:
    return replace(run, summary=replace(run.summary, statuses=STATUSES, categories={"status": 14, "timeout": 1}))


def test_the_terminal_shows_classes_as_a_table_and_changes_by_code(
    answered: Run, report: Callable[[Run, str], str]
) -> None:
    text = report(answered, "terminal")
    assert (
        """
Statuses
  old \\ new    2xx  4xx  no answer
  2xx        1,482    9          .
  4xx            .   34          .
  5xx            .    .          1
  changed: 200 -> 404: 9, 404 -> 403: 4, 200 -> 204: 2, 500 -> timeout: 1
"""
        in text
    )
    assert "cases by category: status 14, timeout 1" in text


def test_markdown_has_the_same_table(answered: Run, report: Callable[[Run, str], str]) -> None:
    text = report(answered, "markdown")
    assert "| 2xx | 1,482 | 9 | . |\n| 4xx | . | 34 | . |\n" in text
    assert "200 -\\> 404: 9" in text or "200 -> 404: 9" in text


def test_the_json_report_has_each_pair_with_its_classes(answered: Run, report: Callable[[Run, str], str]) -> None:
    found = json.loads(report(answered, "json"))
    assert found["statuses"][5] == {
        "old": "500",
        "new": "timeout",
        "old_class": "5xx",
        "new_class": "no answer",
        "cases": 1,
    }
    assert sum(each["cases"] for each in found["statuses"]) == 1526
    assert found["categories"] == {"status": 14, "timeout": 1}


@pytest.mark.parametrize(
    ("pairs", "told"),
    [([("200", "200")], False), ([("200", "200"), ("304", "304")], False), ([("404", "404")], True),
     ([("200", "201")], True), ([("value", "value")], False), ([], False)],
)  # fmt: skip
def test_nothing_is_said_where_every_answer_was_given_alike(pairs: list[tuple[str, str]], *, told: bool) -> None:
    assert is_remarkable([StatusCount(old, new, 1) for old, new in pairs]) is told
