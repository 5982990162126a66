"""Watched rules: what each of them judged, and that watching changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Compared, Comparison, Pair, TracedBook, traced_book
from replay.models import Case, Expectation, Observation, Request, RuleSpec

Compare = Callable[..., Compared]
KIND = (("content-type", "application/json"),)


def watched(
    old: Any, new: Any, *rules: dict[str, Any], expect: Expectation | None = None
) -> tuple[TracedBook, tuple[RuleSpec, ...], Compared]:
    specs = tuple(RuleSpec.model_validate(rule) for rule in rules)
    book = traced_book(specs)
    answers = (Observation(200, KIND, json.dumps(body).encode()) for body in (old, new))
    case = Case("c", "golden", "c", Request(), expect=expect)
    return book, specs, Comparison(book, {"old": None, "new": None}).compare(Pair(case, *answers))


def rulings(*args: Any) -> list[tuple[str, str, int]]:
    book, _, _ = watched(*args)
    return [(it.at, it.judged, it.rule.number) for it in book.trace.rulings]


def test_each_node_that_a_rule_judged_is_told_in_document_order() -> None:
    found = rulings(
        {"a": 1, "b": [{"k": 1, "v": 1}], "c": 1, "d": 1},
        {"a": 2, "b": [{"k": 1, "v": 5}], "c": 1, "d": 9},
        {"at": "body.a", "ignore": True},
        {"at": "body.b", "match_by": "k"},
        {"at": "body.b[*].v", "within": 1},
        {"at": "body.c", "strict": True},
        {"at": "body.d", "within": 8},
    )
    assert found == [
        ("body.a", "ignored", 0),
        ("body.b", "differs", 1),
        ("body.b[?@.k==1].v", "differs", 2),
        ("body.c", "equal", 3),
        ("body.d", "accepted", 4),
    ]


def test_what_a_waiver_accepts_is_told_as_waived() -> None:
    terms = {"until": "9999-12-31", "owner": "o", "why": "w"}
    rules = {"at": "body.a", "within": 1}, {"at": "body.a", "waive": terms}
    assert rulings({"a": 1}, {"a": 9}, *rules) == [("body.a", "waived", 0)]


def test_items_that_are_only_tried_against_each_other_are_not_told() -> None:
    old, new = {"t": [{"w": 1}, {"w": 5}]}, {"t": [{"w": 5.1}, {"w": 1.1}]}
    rules = {"at": "body.t", "unordered": True}, {"at": "body.t[*].w", "within": 0.5}
    assert {at.partition("[")[0] for at, _, _ in rulings(old, new, *rules)} == {"body.t"}


def test_answers_that_are_equal_to_the_byte_are_looked_at_too() -> None:
    assert rulings({"a": 1}, {"a": 1}, {"at": "body.a", "within": 1}) == [("body.a", "equal", 0)]


def test_what_a_golden_expects_is_told_once_and_apart() -> None:
    expect = Expectation(status=200, body=b'{"a": 1}')
    book, _, _ = watched({"a": 2}, {"a": 1}, {"at": "body.a", "within": 0}, expect=expect)
    assert [(it.at, it.against, it.judged) for it in book.trace.rulings] == [("body.a", "expect", "equal")]


@pytest.mark.parametrize(
    ("rule", "chose", "met", "judged"),
    [
        ({"at": "body.a", "within": 1}, True, True, True),
        ({"at": "body.zz", "within": 1}, True, False, False),
        ({"at": "body.b", "within": 1}, True, True, False),
        ({"at": "body.a", "within": 1, "on": "GET /elsewhere"}, False, False, False),
        ({"at": "body", "as": "json"}, True, True, True),
        ({"at": "body.old", "renamed": "new"}, True, True, True),
        ({"at": "body.b", "schema": {}}, True, True, True),
        ({"at": "body.a", "waive": {"until": "9999-12-31", "owner": "o", "why": "w"}}, True, True, True),
        ({"at": "body.gone", "within": 1}, True, True, True),
    ],
)
def test_a_trace_knows_which_rules_held_met_a_node_and_had_the_last_word(
    rule: dict[str, Any], *, chose: bool, met: bool, judged: bool
) -> None:
    old, new = {"a": 1, "b": 1, "old": 1, "gone": 1}, {"a": 2, "b": 1, "new": 1}
    book, specs, _ = watched(old, new, rule, {"at": "body.b", "strict": True})
    assert (book.trace.chose(specs[0]), book.trace.met(specs[0]), book.trace.judged(specs[0])) == (chose, met, judged)


LEAVES = st.integers(0, 2) | st.sampled_from(["a", None])
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner), max_leaves=8
)
RULES = st.sampled_from([
    {"at": "body", "ignore": True}, {"at": "body.x", "strict": True}, {"at": "body..y", "within": 1},
    {"at": "body.*", "unordered": True}, {"at": "body[*]", "same_type": True}, {"at": "body.z", "renamed": "x"},
    {"at": "body", "rank": {"overlap": 0.5}}, {"at": "body", "match_by": "x"},
])  # fmt: skip


@given(DOCUMENTS, DOCUMENTS, st.lists(RULES, max_size=3))
def test_watching_changes_nothing(compare: Compare, old: Any, new: Any, rules: list[dict[str, Any]]) -> None:
    _, _, seen = watched(old, new, *rules)
    unseen = compare(old, new, *rules, bases=(None, None))
    assert (seen.differences, seen.evidence) == (unseen.differences, unseen.evidence)
