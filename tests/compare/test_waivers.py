"""Waivers: what they accept, what takes them back, and what they never hide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from replay.compare import Compared, Comparison, Pair, rule_book
from replay.compare.walk import Walk
from replay.errors import SettingsError
from replay.models import Case, Observation, Request, RuleSpec, WaiveSpec

Compare = Callable[..., Compared]

FOR_GOOD = {"until": "9999-12-31", "owner": "payments", "ticket": "PAY-7", "why": "rounding"}
OVER = FOR_GOOD | {"until": "2020-01-01"}


def waive(at: str, terms: dict[str, str] | None = None, **scope: str) -> dict[str, Any]:
    return {"at": at, "waive": terms or FOR_GOOD, **scope}


def waived(found: Compared) -> dict[str, bool]:
    return {it.at: bool(it.waived) for it in found.differences}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([waive("body.a")], {"body.a.x": True, "body.a.y": True, "body.b": False}),
        ([waive("body.a.x")], {"body.a.x": True, "body.a.y": False, "body.b": False}),
        ([waive("body")], {"body.a.x": True, "body.a.y": True, "body.b": True}),
        ([waive("body..x")], {"body.a.x": True, "body.a.y": False, "body.b": False}),
        # The last rule speaks.
        ([waive("body"), {"at": "body.b", "strict": True}], {"body.a.x": True, "body.a.y": True, "body.b": False}),
        ([{"at": "body.b", "strict": True}, waive("body")], {"body.a.x": True, "body.a.y": True, "body.b": True}),
        ([waive("body.b"), {"at": "body", "strict": True}], {"body.a.x": False, "body.a.y": False, "body.b": True}),
        ([waive("body.a"), {"at": "body.a", "strict": True}], {"body.a.x": False, "body.a.y": False, "body.b": False}),
        # Another rule goes on judging beneath.
        ([{"at": "body.b", "within": 5}, waive("body")], {"body.a.x": True, "body.a.y": True}),
        ([{"at": "body.a", "ignore": True}, waive("body")], {"body.b": True}),
        ([{"at": "body.a", "same_type": True}, waive("body.a.y")], {"body.a.y": True, "body.b": False}),
    ],
)
def test_a_waiver_reaches_down_until_a_later_rule_speaks(
    compare: Compare, rules: list[dict[str, Any]], expected: dict[str, bool]
) -> None:
    old, new = {"a": {"x": 1, "y": 1}, "b": 1}, {"a": {"x": 2, "y": "1"}, "b": 2}
    assert waived(compare(old, new, *rules)) == expected


def test_a_difference_carries_the_waiver_beside_the_rule_that_judged_it(compare: Compare) -> None:
    found = compare({"a": 1}, {"a": 9}, {"at": "body.a", "within": 1}, waive("body.a"))
    (difference,) = found.differences
    assert difference.rule == "at body.a, within: 1"
    assert difference.waived == ("at body.a, waive: {until: 9999-12-31, owner: payments, ticket: PAY-7, why: rounding}")


@pytest.mark.parametrize(
    ("at", "more", "found"),
    [
        ("status", {"statuses": (200, 404)}, "status"),
        ("headers.content-type", {"kinds": ("text/plain", "text/html")}, "headers.content-type"),
        ("headers.etag", {"headers": ((("ETag", "1"),), (("ETag", "2"),))}, "headers.etag"),
        ("body", {"kinds": ("text/plain",) * 2, "old": b"a", "new": b"b"}, "body"),
        ("body", {"kinds": ("image/png",) * 2, "old": b"a", "new": b"b"}, "body"),
        ("body", {"old": [1], "new": {"a": 1}}, "body"),
        ("body[*]", {"old": [1], "new": [1, 2]}, "body[1]"),
        ("body[*].gone", {"old": [{"gone": 1}], "new": [{}]}, "body[0].gone"),
    ],
)
def test_whatever_differs_at_its_place_is_waived(compare: Compare, at: str, more: dict[str, Any], found: str) -> None:
    assert waived(compare(more.pop("old", {}), more.pop("new", {}), waive(at), **more)) == {found: True}


def test_what_does_not_meet_a_schema_is_waived_too(compare: Compare) -> None:
    found = compare({"a": 1}, {"a": "x"}, {"at": "body.a", "schema": {"type": "number"}}, waive("body.a"))
    assert [(it.kind, bool(it.waived)) for it in found.differences] == [("schema", True), ("type", True)]


def test_a_waiver_compares_no_header_by_other_than_its_meaning(compare: Compare) -> None:
    kinds = "application/json", "Application/JSON; charset=utf-8"
    assert compare({}, {}, waive("headers.content-type"), kinds=kinds).differences == ()


def test_an_intended_change_that_is_absent_is_not_waived(compare: Compare) -> None:
    must = {"at": "body.a", "map": [[1, 2]], "must": True, "on": "GET /"}
    found = compare({}, {}, must, waive("body.a"))
    assert [(it.note, it.waived) for it in found.differences] == [("the intended change was not seen", "")]


def test_a_filter_has_to_hold_on_both_sides(compare: Compare) -> None:
    old, new = [{"k": "gift", "p": 1}, {"k": "toy", "p": 1}], [{"k": "gift", "p": 2}, {"k": "gift", "p": 2}]
    found = compare(old, new, waive("body[?@.k=='gift'].p"))
    assert waived(found) == {"body[0].p": True, "body[1].k": False, "body[1].p": False}


def test_an_expired_waiver_accepts_nothing_and_says_so(compare: Compare) -> None:
    (found,) = compare({"a": 1}, {"a": 2}, waive("body.a", OVER)).differences
    assert (found.waived, found.note) == ("", "a waiver of payments expired on 2020-01-01")


def test_where_one_of_two_waivers_has_expired_the_later_one_speaks(compare: Compare) -> None:
    assert waived(compare({"a": 1}, {"a": 2}, waive("body.a", OVER), waive("body"))) == {"body.a": True}
    assert waived(compare({"a": 1}, {"a": 2}, waive("body"), waive("body.a", OVER))) == {"body.a": False}


@pytest.mark.parametrize(("day", "holds"), [("2026-12-30", True), ("2026-12-31", True), ("2027-01-01", False)])
def test_a_waiver_holds_to_the_end_of_its_last_day(day: str, *, holds: bool) -> None:
    book = rule_book([RuleSpec.model_validate(waive("body.a", FOR_GOOD | {"until": "2026-12-31"}))])
    json = (("content-type", "application/json"),)
    answers = Observation(200, json, b'{"a": 1}'), Observation(200, json, b'{"a": 2}')
    comparison = Comparison(book, {"old": None, "new": None}).on(date.fromisoformat(day))
    found = comparison.compare(Pair(Case("c", "traffic", "c", Request()), *answers))
    assert waived(found) == {"body.a": holds}


@pytest.mark.parametrize("verb", [{"ignore": True}, {"within": 1}, {"schema": {}}, {"renamed": "b"}, {"strict": False}])
def test_a_waiver_takes_no_other_verb_beside_it(verb: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"has both waive and {next(iter(verb))}"):
        rule_book([RuleSpec.model_validate(waive("body.a") | verb)])


@pytest.mark.parametrize("missing", ["until", "owner", "why"])
def test_a_waiver_names_a_day_an_owner_and_a_reason(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        WaiveSpec.model_validate({key: value for key, value in FOR_GOOD.items() if key != missing})


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "2026-02-29", "20261231", "2026-12-31T00:00:00Z", 20261231])
def test_what_is_no_day_is_refused(day: object) -> None:
    with pytest.raises(ValidationError, match="is no day; write 2026-12-31"):
        WaiveSpec.model_validate(FOR_GOOD | {"until": day})


LEAVES = st.integers(0, 2) | st.sampled_from(["a", None])
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner), max_leaves=8
)
PLACES = st.sampled_from(["body", "body.x", "body..y", "body[*]", "body[0]", "body.*", "body[?@.x==1]"])


@given(DOCUMENTS, DOCUMENTS, st.lists(PLACES, max_size=3))
def test_waivers_hide_no_difference_and_make_none(compare: Compare, old: Any, new: Any, places: list[str]) -> None:
    def told(found: Compared) -> list[tuple[str, str, Any, Any]]:
        return [(it.at, it.kind, it.old, it.new) for it in found.differences]

    found = compare(old, new, *map(waive, places))
    assert told(found) == told(compare(old, new))
    assert all(it.waived for it in found.differences) or "body" not in places


def test_a_walk_that_is_told_no_day_takes_todays(compare: Compare) -> None:
    book = rule_book([])
    assert Walk(book.for_case(lambda _selection: True)).today >= date(2026, 1, 1)
    assert compare({}, {}).differences == ()
