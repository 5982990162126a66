"""One case in full."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

from replay.models import MISSING, Case, Difference, Observation, Request, Result, Timing
from replay.reports.case import write_case


def shown(result: Result, width: int = 80) -> str:
    out = io.StringIO()
    write_case(out, result, width=width)
    return out.getvalue()


def deviating(*differences: Difference) -> Result:
    request = Request("POST", "/orders?x=1", (("Authorization", "Bearer tok_abc"),), b'{"plan":"pro","price":9.90}')
    case = Case("order", "golden", "order", request, "goldens/order.yaml", "req-1", title="An order", why="INC-1")
    old = Observation(200, (("Content-Type", "application/json"),), b"{}", timing=Timing(1.25))
    return Result(case, "deviation", old, replace(old, status=201), differences)


def test_a_case_is_told_from_its_outcome_to_its_differences() -> None:
    result = deviating(Difference("status", "status", 200, 201, "default: statuses are equal"))
    assert (
        shown(result)
        == """\
deviation  order
An order
why: INC-1
from: goldens/order.yaml
correlation id: req-1

Request
  POST /orders?x=1
  Authorization: Bearer tok_abc
  {
    "plan": "pro",
    "price": 9.90
  }

Answers
  old  status 200, 2 bytes of application/json, 1.2 ms
  new  status 201, 2 bytes of application/json, 1.2 ms

1 difference
  status  (status)
    old 200
    new 201
    judged by default: statuses are equal
"""
    )


def test_values_of_several_lines_are_aligned_line_by_line() -> None:
    old: dict[str, Any] = {"a": 1, "b": [1, 2, 3], "c": Decimal("1.10")}
    text = shown(deviating(Difference("body", "value", old, {**old, "c": Decimal("1.1")}, "default")))
    assert '    -    8   "c": 1.10\n    +    8   "c": 1.1\n' in text


def test_a_text_is_shown_around_its_changes_with_line_numbers() -> None:
    old, new = ("".join(f"line {number}\n" for number in range(1, count + 1)) for count in (231, 41))
    result = deviating(Difference("body", "text", "line 42\n", "", "default", note="new stops at line 41 of 231"))
    assert result.old is not None
    bodies = (replace(result.old, body=body.encode()) for body in (old, new))
    text = shown(replace(result, old=next(bodies), new=next(bodies)))
    assert "- old (231 lines)" in text
    assert "+ new (41 lines)" in text
    assert "        41 line 41\n    -   42 line 42\n" in text
    assert len(text.split("\n")) < 100


def test_what_was_expected_is_called_so() -> None:
    text = shown(deviating(Difference("body.total", "value", 1, MISSING, "default", against="expect")))
    assert "    expect 1\n    new    missing\n" in text


def test_a_case_that_was_not_sent_says_why() -> None:
    text = shown(Result(Case("a", "golden", "a", Request()), "skipped", skipped="POST is not writable"))
    assert "skipped: POST is not writable" in text
    assert "old  was not asked" in text


def test_hostile_text_neither_moves_the_cursor_nor_widens_the_page(hostile_run: Any) -> None:
    for result in hostile_run.results:
        for line in shown(result).split("\n"):
            assert line.isprintable()
            assert len(line) <= 80


def test_huge_values_and_bodies_stay_readable() -> None:
    body = b"[" + b"1," * 400_000 + b"1]"
    old = [str(number) for number in range(3_000)]
    result = deviating(*[Difference("body", "value", old, list(reversed(old)), "default")] * 60)
    text = shown(replace(result, case=replace(result.case, request=Request(body=body))))
    assert "... and 10 more" in text
    assert len(text) < 500_000
