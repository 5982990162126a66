"""What a failed write does to the rest of its session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replay.causes import Causes, Naming
from replay.causes.gathering import MOST_FAILURES, MOST_WAYS
from replay.models import Case, CaseError, Cluster, Difference, Observation, OutcomeName, Request, Result


def asked(number: int, session: str | None, request: str, old: int, new: int, **changed: Any) -> Result:
    """Return what became of one request: `POST /orders` was answered 201 by old and 500 by new."""
    method, path = request.split()
    case = Case(f"c-{number}", "traffic", f"d:{number}", Request(method, path), session=session)
    failed = new >= 500
    outcome: OutcomeName = "new_error" if failed else "deviation" if old != new else "match"
    differences = (Difference("status", "status", old, new, "default"),) if old != new else ()
    error = CaseError("new", "status") if failed else None
    found = Result(case, outcome, Observation(old), Observation(new), differences, error=error)
    return replace(found, **changed)


def session(name: str, first: int, *, created: int = 500, later: int = 404) -> list[Result]:
    return [
        asked(first, name, "GET /", 200, 200),
        asked(first + 1, name, "POST /orders", 201, created),
        *(asked(first + 2 + n, name, f"GET /orders/{first}", 200, later) for n in range(4)),
        asked(first + 6, name, f"POST /orders/{first}/payment", 200, 409),
    ]


def causes_of(results: list[Result]) -> list[tuple[str, int]]:
    return [(each.title, each.cases) for each in clusters_of(results)]


def clusters_of(results: list[Result]) -> tuple[Cluster, ...]:
    causes = Causes()
    for each in results:
        causes.add(each)
    return causes.clusters({each.case.identity: each for each in results}.get)


def test_a_write_that_fails_and_what_comes_after_it_are_one_cause() -> None:
    title = "POST /orders: only new failed, status 201 -> 500, and 5 requests of its session after it"
    assert causes_of(session("s", 0)) == [(title, 6)]


def test_many_sessions_that_begin_to_fail_alike_are_one_cause() -> None:
    found = [each for number in range(3) for each in session(f"s{number}", 10 * number)]
    title = "POST /orders: only new failed, status 201 -> 500, 3 times, and 15 requests after it in the same sessions"
    assert causes_of(found) == [(title, 18)]


def test_the_cause_is_shown_by_the_write_and_by_nothing_that_came_after_it() -> None:
    (found,) = clusters_of(session("s", 0))
    assert (found.example, found.followers, found.kinds) == ("c-1", 5, ("status",))
    assert found.sample is not None
    assert (found.sample.old, found.sample.new) == (201, 500)


def test_a_write_that_nothing_came_after_is_a_cause_like_others() -> None:
    assert causes_of([asked(1, "s", "POST /orders", 201, 500)]) == [("only new failed, status 201 -> 500", 1)]


def test_another_session_does_not_follow() -> None:
    found = [asked(1, "s", "POST /orders", 201, 500), asked(2, "t", "GET /orders/1", 200, 404)]
    assert len(causes_of(found)) == 2


def test_what_came_before_the_write_does_not_follow() -> None:
    found = [asked(1, "s", "GET /orders/1", 200, 404), asked(2, "s", "POST /orders", 201, 500)]
    assert len(causes_of(found)) == 2


def test_another_turn_of_a_session_is_another_session() -> None:
    later = asked(2, "s", "GET /orders/1", 200, 404)
    found = [asked(1, "s", "POST /orders", 201, 500), replace(later, case=later.case.again(2))]
    assert len(causes_of(found)) == 2


def test_what_fails_by_itself_does_not_follow() -> None:
    found = [asked(1, "s", "POST /orders", 201, 500), asked(2, "s", "GET /orders/1", 200, 503)]
    assert len(causes_of(found)) == 2


def test_a_reading_request_is_not_what_others_follow() -> None:
    found = [asked(1, "s", "GET /orders/1", 200, 500), asked(2, "s", "GET /orders/1", 200, 404)]
    assert len(causes_of(found)) == 2


@pytest.mark.parametrize(("later", "causes"), [(404, 1), (410, 1), (302, 2)])
def test_after_a_write_that_only_answers_differently_only_what_is_gone_follows(later: int, causes: int) -> None:
    order = Difference("body.id", "value", 17, "o-17", "default")
    written = asked(1, "s", "POST /orders", 201, 201, outcome="deviation", differences=(order,))
    assert len(causes_of([written, asked(2, "s", "GET /orders/17", 200, later)])) == causes


def test_the_same_write_that_fails_again_does_not_follow_itself() -> None:
    found = [asked(number, "s", "POST /orders", 201, 500) for number in range(3)]
    ((title, cases),) = causes_of([*found, asked(9, "s", "GET /orders/1", 200, 404)])
    assert (title.endswith("3 times, and 1 request after it in the same sessions"), cases) == (True, 4)


def test_sessions_without_number_neither_hide_a_failure_nor_lose_a_case() -> None:
    order = Difference("body.id", "value", 17, "o-17", "default")
    count = MOST_WAYS + MOST_FAILURES + 100
    many = [
        asked(number, f"s{number}", f"POST /shop_of_{number}_", 201, 201, outcome="deviation", differences=(order,))
        for number in range(count)
    ]
    found = [*many, asked(count, None, "GET /", 200, 500)]
    assert causes_of(found) == [
        ("only new failed, status 200 -> 500", 1),
        ('body.id: number -> string (17 -> "o-17")', count),
    ]


def test_a_follower_is_named_after_the_write() -> None:
    found = [*session("s", 0), asked(90, "t", "GET /orders/7", 200, 404)]
    clusters = clusters_of(found)
    naming = Naming(clusters)
    places = [naming.place(each) for each in found]
    assert places == [None, 0, 0, 0, 0, 0, 0, 1]
