"""Planted regressions: each one is one, the defaults let none through, and a rule that does is named with a remedy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Comparison, Pair, traced_book
from replay.compare.reading import How
from replay.engine import Referee
from replay.engine.advice import Advice, advise, without
from replay.engine.audit import MOST_PLANTED, Audit, Auditor, chosen
from replay.engine.planting import BODY, FIELD_GONE, HEADER, REGRESSIONS, STATUS, Planted, plantings
from replay.models import Case, Headers, Observation, Request, Result, RuleSpec

JSON: Headers = (("content-type", "application/json"),)
TODAY = date(2026, 11, 22)
BASES: dict[Any, str | None] = {"old": None, "new": None}


def answer(body: Any, headers: Headers = JSON, status: int | None = 200) -> Observation:
    return Observation(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def result(body: Any, old: Any = None, *, number: int = 1, path: str = "/", headers: Headers = JSON) -> Result:
    case = Case(f"c-{number}", "traffic", f"d:{number}", Request("GET", path))
    return Result(case, "match", answer(body if old is None else old, headers), answer(body, headers))


def planted(body: Any, headers: Headers = JSON, named: Iterable[str] = ()) -> list[Planted]:
    one = answer(body, headers)
    reading = Pair(result(body).case, one, one).reading("new", How(spelled=True))
    return list(plantings(one, reading, lambda _regression, _at: True, list(named)))


def audited(results: Iterable[Result], *rules: dict[str, Any]) -> tuple[Audit, list[Advice]]:
    specs = [RuleSpec.model_validate(rule) for rule in rules]
    book = traced_book(specs)
    auditor = Auditor(Referee(Comparison(book, BASES, TODAY)), lambda: book.trace, specs)
    results = list(results)
    for each in results:
        auditor.add(each)
    kept = {each.case.identity: each for each in results}
    advice = advise(auditor.audit, lambda wanted: [kept[it] for it in wanted], without(specs, {}, BASES, TODAY))
    return auditor.audit, advice


# ------------------------------------------------------------------------------------------------------------- planting

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False).map(float)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(DOCUMENTS)
def test_without_a_rule_every_regression_is_seen(document: Any) -> None:
    audit, advice = audited([result(document)])
    assert (audit.passed, advice) == (0, [])
    assert audit.planted > 0


def test_each_regression_is_planted_where_it_can_be() -> None:
    body = {"n": 1, "s": "a", "t": True, "l": [1, 2], "z": None}
    found = {(it.regression, it.at) for it in planted(body)}
    assert {regression for regression, at in found if at == "body.n"} == {
        "off by one",
        "another type",
        "null",
        FIELD_GONE,
    }
    assert {regression for regression, at in found if at == "body.s"} == {
        "another text", "another type", "null", FIELD_GONE,
    }  # fmt: skip
    assert {regression for regression, at in found if at == "body.l"} == {
        "two items swapped", "array emptied", "last item twice", "null", FIELD_GONE,
    }  # fmt: skip
    assert {regression for regression, at in found if at == "body.z"} == {FIELD_GONE}
    assert {regression for regression, _ in found} | {BODY} == set(REGRESSIONS)


def test_headers_are_changed_that_are_compared_or_named() -> None:
    headers = (*JSON, ("ETag", "1"), ("Date", "today"))
    assert [it.at for it in planted({}, headers) if it.regression == HEADER] == ["headers.content-type"]
    found = [it.at for it in planted({}, headers, ["etag"]) if it.regression == HEADER]
    assert found == ["headers.content-type", "headers.etag"]


def test_a_body_that_is_no_json_is_changed_as_a_whole() -> None:
    found = planted(b"<p>", (("content-type", "text/html"),))
    assert [(it.regression, it.answer.body) for it in found if it.at == "body"] == [(BODY, b"<p>x")]


def test_numbers_are_changed_exactly_or_not_at_all() -> None:
    found = {it.regression: it.answer.body for it in planted(b'{"n": 9007199254740993.10}') if it.at == "body.n"}
    assert found["off by one"] == b'{"n":9007199254740994.10}'
    assert "off by one" not in {it.regression for it in planted(b"[1e40]")}


def test_a_status_and_a_stream_of_documents_are_planted_into_as_well() -> None:
    found = planted(b'{"a": 1}\n{"a": 2}\n', (("content-type", "application/x-ndjson"),))
    assert [it.answer.status for it in found if it.regression == STATUS] == [201]
    swapped = next(it for it in found if it.regression == "two items swapped")
    assert swapped.answer.body == b'{"a":2}\n{"a":1}'


# ---------------------------------------------------------------------------------------------------------------- audit


def test_what_a_rule_lets_through_is_told_by_rule_and_location() -> None:
    audit, (advice,) = audited([result({"a": 1, "b": 1})], {"at": "body.a", "ignore": True})
    assert advice.hole.rule == "at body.a, ignore: true"
    assert {at: set(spot.passed) for at, spot in advice.hole.spots.items() if spot.passed} == {
        "body.a": {"off by one", "another type", "null", FIELD_GONE}
    }
    assert audit.passed == 4
    assert advice.remedies == ["nothing differs there in these cases: take it out"]


def test_a_rule_that_is_as_wide_as_what_differs_is_not_blamed() -> None:
    _, (advice,) = audited([result({"a": 2, "b": 1}, {"a": 1, "b": 1})], {"at": "body.a", "ignore": True})
    assert (advice.excess, advice.remedies) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "narrow"),
    [
        ({"t": 1.5, "x": 1}, {"t": 1.75, "x": 1}, "{at: body.m.t, within: 0.25}"),
        ({"t": "a", "x": 1}, {"t": "b", "x": 1}, "{at: body.m.t, same_type: true}"),
        ({"t": "a", "x": 1}, {"t": 1, "x": 1}, "{at: body.m.t, ignore: true}"),
        ({"t": "a", "x": 1}, {"x": 1}, "{at: body.m.t, ignore: true}"),
    ],
)
def test_the_narrowest_rule_that_would_do_is_proposed(old: Any, new: Any, narrow: str) -> None:
    results = [result({"m": new}, {"m": old})]
    _, (advice,) = audited(results, {"at": "body.m", "ignore": True})
    assert "body.m.x" in advice.excess
    assert advice.remedies == [f"all that it has to accept in these cases: {narrow}"]


def test_of_a_ranking_the_fields_that_nobody_compares_are_told() -> None:
    old = [{"id": 1, "s": 3, "p": 5}, {"id": 2, "s": 2, "p": 6}]
    new = [{"id": 2, "s": 9, "p": 6}, {"id": 1, "s": 8, "p": 5}]
    _, (advice,) = audited([result({"h": new}, {"h": old})], {"at": "body.h", "rank": {"by": "id", "overlap": 1}})
    assert "body.h[*].p" in advice.excess
    assert "body.h[*].s" not in advice.excess
    assert advice.remedies[0] == "to have it compared, add after it: {at: body.h[*].p, strict: true}"


def test_what_a_waiver_accepts_is_let_through_by_it() -> None:
    terms = {"until": "2026-11-22", "owner": "o", "why": "w"}
    _, (advice,) = audited([result({"a": 1, "b": 1})], {"at": "body.a", "waive": terms})
    assert advice.hole.rule.startswith("at body.a, waive:")
    _, none = audited([result({"a": 1, "b": 1})], {"at": "body.a", "waive": terms | {"until": "2026-11-21"}})
    assert none == []


def test_a_member_that_is_renamed_is_told_by_the_name_that_rules_use() -> None:
    rules = {"at": "body.a", "renamed": "b"}, {"at": "body.a", "ignore": True}
    _, (advice,) = audited([result({"b": 1}, {"a": 1})], *rules)
    assert advice.hole.rule == "at body.a, ignore: true"
    assert list(advice.hole.spots)[-1] == "body.a"


def test_the_widest_rule_comes_first() -> None:
    body = {"a": 1, "m": {"x": 1, "y": "b", "z": [1, 2]}}
    _, found = audited([result(body)], {"at": "body.a", "ignore": True}, {"at": "body.m", "ignore": True})
    assert [it.hole.rule for it in found] == ["at body.m, ignore: true", "at body.a, ignore: true"]


def test_a_rule_that_hides_whole_answers_lets_everything_of_them_through() -> None:
    rules = {"at": "*", "ignore": True, "on": "GET /"}, {"at": "body.a", "ignore": True, "on": "GET /no"}
    _, (advice,) = audited([result({"a": 1})], *rules)
    assert {"status", "body.a", "headers.content-type"} <= set(advice.excess)


def test_one_large_case_is_audited_in_part() -> None:
    audit, _ = audited([result({f"k{n}x": n for n in range(500)})])
    assert audit.planted == MOST_PLANTED


def test_a_case_that_failed_or_was_not_sent_is_passed_over() -> None:
    failed = replace(result({}), outcome="new_error")
    audit, _ = audited([failed, replace(failed, outcome="skipped", new=None)])
    assert (audit.cases, audit.planted) == (0, 0)


# --------------------------------------------------------------------------------------------------------------- sample


def test_the_same_seed_draws_the_same_cases_and_no_more_than_asked() -> None:
    results = [result({}, number=n, path=f"/{n}") for n in range(50)]
    drawn = chosen(results, 10, 1)
    assert len(drawn) == 10
    assert drawn == chosen(reversed(results), 10, 1) != chosen(results, 10, 2)
    assert chosen(results, 100, 1) == {it.case.identity for it in results}


def test_a_rare_kind_of_request_is_drawn_too() -> None:
    many = [result({}, number=n, path=f"/orders/{n}") for n in range(500)]
    rare = result({}, number=999, path="/invoices")
    assert "d:999" in chosen([*many, rare], 2, 0)
