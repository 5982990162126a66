"""One case in full."""

from __future__ import annotations

import io
import re
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from replay.models import MISSING, Acceptance, Case, Difference, Measure, Observation, Request, Result, Timing
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


def test_the_instant_and_the_seed_of_a_case_are_told_where_they_are_known() -> None:
    result = deviating()
    known = replace(result, case=replace(result.case, freeze=datetime(2024, 2, 29, tzinfo=UTC), seed=7))
    assert "frozen at: 2024-02-29T00:00:00+00:00\nseed: 7\n" in shown(known)
    assert "frozen at" not in shown(result)
    ticking = replace(known, case=replace(known.case, tick=True))
    assert "frozen at: 2024-02-29T00:00:00+00:00, and running on\nseed: 7\n" in shown(ticking)
    assert "seed" not in shown(result)


def test_a_side_that_was_asked_again_says_how_often() -> None:
    result = deviating()
    text = shown(replace(result, old=replace(result.old or Observation(), retries=1)))
    assert "old  status 200, 2 bytes of application/json, 1.2 ms, sent again 1 time\n" in text
    assert text.count("sent again") == 1


def test_a_note_stands_below_the_id() -> None:
    out = io.StringIO()
    write_case(out, deviating(), width=80, notes=["1 of 3 with this id"])
    assert out.getvalue().startswith("deviation  order\n1 of 3 with this id\n")


def test_of_thousands_of_acceptances_and_measures_the_first_are_printed() -> None:
    accepted = tuple(Acceptance(f"body.k{number}", "default") for number in range(1_050))
    measures = tuple(Measure(f"body.k{number}", "rank.tau", 1.0) for number in range(51))
    text = shown(replace(deviating(), accepted=accepted, measures=measures))
    assert text.count(": default\n") == 50
    assert "  body.k49: default\n  ... and 1,000 more" in text
    assert text.count("rank.tau at") == 50
    assert "  ... and 1 more" in text


def with_bodies(old: bytes, new: bytes) -> Result:
    result = deviating(Difference("body", "text", "...", "....", "default", note="line 2 of 3"))
    assert result.old is not None
    return replace(result, old=replace(result.old, body=old), new=replace(result.old, body=new))


def test_lines_that_took_each_others_place_are_cut_where_they_do_not_differ() -> None:
    long = b"x" * 1_000
    text = shown(with_bodies(b"a\n" + long + b"old" + long, b"a\n" + long + b"new" + long))
    (removed,) = re.findall(r"^    -    2 (.*)$", text, re.MULTILINE)
    (added,) = re.findall(r"^    \+    2 (.*)$", text, re.MULTILINE)
    assert removed.index("xold") == added.index("xnew")


@pytest.mark.parametrize("line", [b"row\n", b"\x00", b"\n", b"\xff"])
def test_huge_bodies_are_told_where_they_part_and_take_little_memory(line: bytes) -> None:
    body = line * (20_000_000 // len(line))
    result = with_bodies(body + b"old\nlast\n", body + b"new\nlast\n")
    tracemalloc.start()
    try:
        text = shown(result)
        assert tracemalloc.get_traced_memory()[1] < len(body)
    finally:
        tracemalloc.stop()
    number = body.count(b"\n") + 1
    assert f"- old ({number + 1:,} lines)" in text
    assert re.search(rf"^    - *{number} .*old$", text, re.MULTILINE)
    assert re.search(rf"^    \+ *{number} .*new$", text, re.MULTILINE)
    assert len(text) < 50_000
