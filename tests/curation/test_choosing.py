"""What traffic shows and goldens lack, and which captured cases would mend it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.curation.choosing import coverage_of, suggested
from replay.curation.gathering import Gathering
from replay.models import Case, Coverage, Observation, Request

JSON_TYPE = (("content-type", "application/json"),)


def case(
    number: int, path: str = "/orders/1", answer: Any = None, *, status: int = 200, request: Any = None, **more: Any
) -> Case:
    """Return a captured case, with an answer of this JSON."""
    body = b"" if answer is None else json.dumps(answer).encode()
    sent = None if request is None else json.dumps(request).encode()
    asked = Request("GET" if sent is None else "POST", path, more.pop("headers", JSON_TYPE if sent else ()), sent)
    seen = Observation(status, JSON_TYPE if body else (), body)
    return Case(id=f"c-{number}", kind="traffic", identity="", request=asked, recorded=seen, **more)


def gathering(traffic: list[Case], goldens: list[Case] | None = None) -> Gathering:
    """Return it, closed."""
    found = Gathering()
    for each in goldens or []:
        found.add_golden(each, each.recorded)
    for each in traffic:
        found.add(each)
    found.close()
    return found


def lacking(traffic: list[Case], goldens: list[Case] | None = None) -> set[tuple[str, str]]:
    """Return what goldens lack, by kind and in words."""
    found = coverage_of(gathering(traffic, goldens))
    return {(lack.facet.kind, lack.facet.what) for route in found.routes for lack in route.lacks}


ORDINARY = case(0, answer={"state": "paid", "total": 3, "note": "some words of a note, at length"})


@pytest.mark.parametrize(
    ("rare", "facet"),
    [
        (
            case(1, answer={"state": "paid", "total": -3, "note": "x" * 30}),
            ("response", "body.total: a negative number"),
        ),
        (case(1, answer={"state": "paid", "total": 0, "note": "x" * 30}), ("response", "body.total: 0")),
        (case(1, answer={"state": "paid", "total": 1.5}), ("response", "body.total: a number with a fraction")),
        (case(1, answer={"state": "paid", "total": None}), ("response", "body.total: null")),
        (case(1, answer={"state": "paid"}), ("response", "body.total: missing")),
        (case(1, answer={"state": "größer"}), ("response", "body.state: a text beyond ASCII")),
        (case(1, answer={"state": ""}), ("response", "body.state: an empty text")),
        (case(1, answer={"state": " \t"}), ("response", "body.state: blanks")),
        (case(1, answer={"gift": True}), ("response", "body.gift: true")),
        (case(1, answer={"lines": []}), ("response", "body.lines: an empty array")),
        (case(1, answer={"lines": [{"n": 1}]}), ("response", "body.lines: an array of one")),
        (case(1, answer={"prices": {"A-00012": {"net": 1}}}), ("response", "body.prices.*.net: a number")),
        (case(1, answer={"a.b": 1}), ("response", "body['a.b']: a number")),
        (case(1, status=404), ("status", "404")),
        (case(1, "/orders/1?sort="), ("request", "request.query.sort: an empty text")),
        (case(1, "/orders/1?lang=tr"), ("locale", "lang: tr")),
        (case(1, headers=(("accept-language", "tr-TR,tr;q=0.9"),)), ("locale", "accept-language: tr-TR")),
        (case(1, "/other"), ("route", "")),
        (case(1, answer={"note": "x" * 20_000}), ("size", "response 10 to 100 KB")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_whatever_no_golden_shows_is_lacking(rare: Case, facet: tuple[str, str]) -> None:
    assert facet in lacking([ORDINARY, rare], [ORDINARY])
    assert facet not in lacking([ORDINARY, rare], [ORDINARY, rare])


def test_a_set_of_goldens_like_the_traffic_lacks_nothing() -> None:
    traffic = [case(n, f"/orders/{n}", {"n": n, "state": "paid"}) for n in range(1, 30)]
    found = coverage_of(gathering(traffic, traffic[:1]))
    assert [(route.route, route.cases, route.goldens, route.lacks) for route in found.routes] == [
        ("GET /orders/*", 29, 1, ())
    ]
    assert (found.alike, found.covered) == (29, found.facets)


def test_without_goldens_everything_is_lacking() -> None:
    found = coverage_of(gathering([ORDINARY]))
    assert (found.covered, found.alike, found.goldens) == (0, 0, 0)
    assert found.facets == len(found.routes[0].lacks) > 5


def test_a_member_counts_as_missing_even_in_the_first_case_of_all() -> None:
    first, others = case(0, answer={"a": 1}), [case(n, answer={"a": 1, "b": 2}) for n in range(1, 20)]
    assert ("response", "body.b: missing") in lacking([first, *others], [others[0]])


def test_nothing_is_missing_from_a_map() -> None:
    traffic = [case(n, answer={"by_name": {f"word{chr(97 + n % 26)}{chr(97 + n // 26)}": 1}}) for n in range(200)]
    assert {what for _, what in lacking(traffic) if "by_name" in what} == {"body.by_name.*: a number"}


def test_values_count_where_they_are_one_of_few() -> None:
    states = ["open", "paid", "sent"]
    few = [case(n, answer={"state": states[n % 3]}) for n in range(30)]
    assert lacking(few, [few[0]]) == {("value", "body.state: paid"), ("value", "body.state: sent")}
    many = [case(n, answer={"name": "Somebody " + chr(97 + n % 26)}) for n in range(300)]
    assert lacking(many, [many[0]]) == set()


def test_a_hot_key_is_one_that_much_of_a_route_has() -> None:
    traffic = [case(n, f"/users/{n if n % 4 else 17}") for n in range(1, 1_000)]
    assert lacking(traffic, [traffic[0]]) == {("hot key", "segment 2 of the path: 17")}
    assert lacking(traffic, [case(0, "/users/17")]) == set()


def test_a_key_that_grows_hot_late_is_found_among_thousands_of_others() -> None:
    traffic = [case(n, f"/users/{n}") for n in range(1, 5_000)] + [case(n, "/users/70000") for n in range(500)]
    assert ("hot key", "segment 2 of the path: 70000") in lacking(traffic)


def test_no_secret_is_taken_for_a_value_or_a_key() -> None:
    traffic = [case(n, "/login", request={"password": "hunter", "api_key": "abc-00012"}) for n in range(50)]
    told = repr(coverage_of(gathering(traffic)))
    assert "hunter" not in told
    assert "00012" not in told


def test_a_planted_rare_shape_is_suggested_with_what_it_adds() -> None:
    traffic = [case(n, f"/orders/{n}", {"n": n}) for n in range(500)]
    traffic[321] = case(321, "/orders/321", {"n": 321, "refund": {"rare": True}})
    found = suggested(gathering(traffic), 1)
    assert [each.id for each in found.cases] == ["c-321"]
    assert ("response", "body.refund.rare: true") in {(it.facet.kind, it.facet.what) for it in found.cases[0].adds}


def test_near_duplicates_are_told_by_their_fingerprint() -> None:
    traffic = [case(n, f"/orders/{n}", {"n": n + 1}) for n in range(40)] + [case(99, "/orders/99", {"m": 1})]
    found = suggested(gathering(traffic), 10)
    assert sorted((each.id == "c-99", each.alike) for each in found.cases) == [(False, 40), (True, 1)]


def test_facets_beyond_what_can_be_told_apart_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.curation.gathering.MOST_FACETS", 5)
    found = coverage_of(gathering([ORDINARY]))
    assert (0 < found.facets <= 5, found.beyond > 0) == (True, True)


DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from([0, -1, 1.5, None, True, "", "word", "größer", [], [1], {}]), max_size=3
)
TRAFFIC: st.SearchStrategy[list[tuple[str, dict[str, Any], int]]] = st.lists(
    st.tuples(st.sampled_from(["/a", "/b", "/c/17"]), DOCUMENTS, st.sampled_from([200, 404])), min_size=1, max_size=25
)


@settings(max_examples=150)
@given(TRAFFIC, st.integers(0, 3))
def test_suggested_cases_as_goldens_leave_nothing_lacking(
    traffic: list[tuple[str, dict[str, Any], int]], n_goldens: int
) -> None:
    cases = [case(n, path, answer, status=status) for n, (path, answer, status) in enumerate(traffic)]
    goldens = cases[:n_goldens]
    found = suggested(gathering(cases, goldens), 1_000)
    assert (len(found.cases), found.reached) == (found.with_all, found.lacking)
    chosen = {each.id for each in found.cases}
    after: Coverage = coverage_of(gathering(cases, goldens + [it for it in cases if it.id in chosen]))
    assert after.covered == after.facets


def test_routes_beyond_those_that_are_told_apart_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.curation.gathering.MOST_ROUTES", 2)
    words = ("apples", "pears", "plums", "figs", "plums", "apples")
    found = coverage_of(gathering([case(n, f"/{word}", {"a": n}) for n, word in enumerate(words)]))
    assert {each.route: each.cases for each in found.routes} == {
        "all other routes": 3, "GET /apples": 2, "GET /pears": 1,
    }  # fmt: skip
    assert found.cases == len(words)
