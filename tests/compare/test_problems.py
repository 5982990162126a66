"""The same refusal for another reason is a category of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from replay.compare import Compared
from replay.models import Expectation

Compare = Callable[..., Compared]
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("old", "new", "kind", "expected"),
    [
        ({"errors": {"a": "too short"}}, {"errors": {"b": "too short"}}, "application/json", "validation"),
        ({"errors": ["a"]}, {"errors": ["a", "b"]}, "application/json", "validation"),
        ({"error": "a"}, {"error": {"code": 1}}, "application/json", "validation"),
        ({"detail": [{"loc": ["a"]}]}, {"detail": [{"loc": ["b"]}]}, "application/json", "validation"),
        ({"invalid-params": [1]}, {"invalid-params": [2]}, "application/json", "validation"),
        ({"violations": [1]}, {}, "application/json", "validation"),
        ({"title": "a"}, {"title": "b"}, PROBLEM, "validation"),
        ({"title": "a"}, {"title": "b"}, "application/json", "value"),
        ({"errors_total": 1}, {"errors_total": 2}, "application/json", "value"),
        ({"balance": 1}, {"balance": 2}, PROBLEM, "value"),
        ({"data": {"errors": 1}}, {"data": {"errors": 2}}, "application/json", "value"),
    ],
)
def test_what_two_refusals_complain_of_differs_by_validation(
    compare: Compare, old: Any, new: Any, kind: str, expected: str
) -> None:
    for statuses in ((422, 422), (404, 404)):
        assert {it.kind for it in compare(old, new, kind=kind, statuses=statuses).differences} == {expected}


@pytest.mark.parametrize("statuses", [(200, 200), (200, 422), (422, 200), (500, 500)])
def test_an_answer_that_is_no_refusal_has_no_validation(compare: Compare, statuses: tuple[int, int]) -> None:
    found = compare({"errors": 1}, {"errors": 2}, statuses=statuses).differences
    assert "validation" not in {it.kind for it in found}


def test_a_refusal_that_a_golden_expects_is_held_to_its_reasons(compare: Compare) -> None:
    expect = Expectation(status=422, body=b'{"errors": 1}')
    found = compare({"errors": 1}, {"errors": 2}, expect=expect, statuses=(422, 422)).differences
    assert [(it.kind, it.against) for it in found] == [("validation", "expect")]
