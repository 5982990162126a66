"""What is told of rules by reading them, and which locations lie within others."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare.covering import covers, covers_above
from replay.compare.scrutiny import scrutinise
from replay.locations import Machine, parse_location
from replay.models import RuleSpec

TODAY = date(2026, 11, 22)
IGNORE: dict[str, Any] = {"ignore": True}


def found(*rules: dict[str, Any], of_golden: bool = False) -> list[tuple[int, str, bool]]:
    specs = [RuleSpec.model_validate(rule) for rule in rules]
    return [(it.index, it.problem, it.grave) for it in scrutinise(specs, TODAY, of_golden=of_golden)]


def test_a_rule_for_one_step_says_nothing_of_the_same_place_in_another_step() -> None:
    one, two = ({"at": f"steps.{name}.body.total", "within": 1} for name in ("one", "two"))
    assert found(one, two) == []
    assert found(one, one) == [(0, "shadowed", False)]


@pytest.mark.parametrize("at", ["body", "body.*", "body..*", "*", "..*"])
def test_a_rule_that_ignores_whole_bodies_is_grave(at: str) -> None:
    assert found({"at": at, **IGNORE}) == [(0, "hides", True)]
    assert found({"at": at, **IGNORE}, of_golden=True) == [(0, "hides", True)]


def test_it_is_less_grave_for_certain_cases_and_a_reason_and_where_later_rules_look_again() -> None:
    scoped = {"at": "body", **IGNORE, "on": "GET /metrics"}
    assert found(scoped) == [(0, "hides", True)]
    assert found(scoped | {"why": "free text"}) == [(0, "hides", False)]
    assert found({"at": "body", **IGNORE, "why": "free text"}) == [(0, "hides", True)]
    assert found({"at": "body", **IGNORE, "why": "free text"}, of_golden=True) == [(0, "hides", False)]
    assert found(scoped | {"on": "/**", "why": "free text"}) == [(0, "hides", True)]
    assert found({"at": "body", **IGNORE}, {"at": "body.total", "strict": True}) == [(0, "hides", False)]
    assert found({"at": "body", **IGNORE}, {"at": "status", "strict": True}) == [(0, "hides", True)]


def test_whole_bodies_are_hidden_by_types_and_waivers_too() -> None:
    assert found({"at": "body", "same_type": True}) == [(0, "hides", True)]
    terms = {"until": "2026-12-31", "owner": "o", "why": "w"}
    assert found({"at": "body", "waive": terms}) == [(0, "hides", True)]


@pytest.mark.parametrize("at", ["body.a", "body[*].a", "body..took_ms", "status", "headers", "headers.*"])
def test_a_part_of_an_answer_may_be_ignored(at: str) -> None:
    assert found({"at": at, **IGNORE}) == []


@pytest.mark.parametrize(
    ("verb", "wide"),
    [
        ({"within": "100%"}, True), ({"within": "99%"}, False), ({"within": "1d"}, True), ({"within": "23h"}, False),
        ({"within": 10**9}, True), ({"within": [0.01, "200%"]}, True), ({"within": 0}, False),
        ({"matches": ".*"}, True), ({"matches": "(?s).+"}, True), ({"matches": r"\d+"}, False),
        ({"rank": {"overlap": 0}}, True), ({"rank": {"overlap": 0, "tau": -1}}, True),
        ({"rank": {"overlap": 0, "tau": 0.5}}, False), ({"rank": {"ndcg": 0, "gain": "g"}}, True),
    ],
)  # fmt: skip
def test_a_rule_that_allows_anything_is_told(verb: dict[str, Any], *, wide: bool) -> None:
    assert found({"at": "body.a", **verb}) == [(0, "wide", False)] * wide


def test_tau_alone_is_weak() -> None:
    assert found({"at": "body.a", "rank": {"tau": 0.8}}) == [(0, "weak", False)]
    assert found({"at": "body.a", "rank": {"tau": 0.8, "overlap": 0.5}}) == []


def test_a_waiver_that_has_expired_is_told() -> None:
    terms = {"until": "2026-11-21", "owner": "o", "why": "w"}
    assert found({"at": "body.a", "waive": terms}) == [(0, "expired", False)]
    assert found({"at": "body.a", "waive": terms | {"until": "2026-11-22"}}) == []


@pytest.mark.parametrize(
    ("first", "second", "shadowed"),
    [
        ({"at": "body.a", "within": 0}, {"at": "body.a", **IGNORE}, True),
        ({"at": "body.a", "within": 1}, {"at": "body.*", "strict": True}, True),
        ({"at": "body.a[*].b", "within": 1}, {"at": "body.a", **IGNORE}, True),
        ({"at": "body.a[*].b", "within": 1}, {"at": "body.a", "rank": {"overlap": 1}}, True),
        ({"at": "body.a[*].b", "within": 1}, {"at": "body.a", "match_by": "id"}, False),
        ({"at": "body.a", "within": 1}, {"at": "body.b", "strict": True}, False),
        ({"at": "body.a", "within": 1}, {"at": "body.a", "strict": True, "on": "GET /x"}, False),
        ({"at": "body.a", "within": 1, "on": "GET /x"}, {"at": "body.a", "strict": True, "on": "GET /x"}, True),
        ({"at": "body.a", "within": 1, "on": "GET /x"}, {"at": "body.a", "strict": True}, True),
        ({"at": "body.a", "renamed": "b"}, {"at": "body.a", "strict": True}, False),
        ({"at": "body.a", "schema": {}}, {"at": "body.a", "strict": True}, False),
        ({"at": "body.a", "within": 1}, {"at": "body.a", "schema": {}}, False),
    ],
)
def test_a_rule_that_can_never_have_a_say_is_told(
    first: dict[str, Any], second: dict[str, Any], *, shadowed: bool
) -> None:
    assert [it for it in found(first, second) if it[1] == "shadowed"] == [(0, "shadowed", False)] * shadowed


# ------------------------------------------------------------------------------------------------------------- covering

STEPS = st.sampled_from([".a", ".b", "[*]", ".*", "[0]", "..a", "..*", "['a','b']", "[?@.a==1]"])
PLACES = st.lists(STEPS, max_size=3).map(lambda steps: "body" + "".join(steps))
WALKS = st.lists(st.sampled_from(["a", "b", "c", 0, 1]), max_size=5)


def matches(at: str, walk: list[str | int]) -> bool:
    state = Machine([parse_location(at)]).start.key("body")
    for segment in walk:
        state = state.key(segment) if isinstance(segment, str) else state.index(segment)
    return bool(state.accepts)


@given(PLACES, PLACES, WALKS)
def test_a_location_that_covers_another_selects_each_of_its_nodes(one: str, other: str, walk: list[str | int]) -> None:
    if covers(one, other) and matches(other, walk):
        assert matches(one, walk)


@given(PLACES, PLACES, WALKS)
def test_a_location_above_another_selects_a_node_above_each(one: str, other: str, walk: list[str | int]) -> None:
    if covers_above(one, other) and matches(other, walk):
        assert any(matches(one, walk[:end]) for end in range(len(walk)))


@given(PLACES)
def test_a_location_without_a_filter_covers_itself(at: str) -> None:
    assert covers(at, at) or "?" in at
