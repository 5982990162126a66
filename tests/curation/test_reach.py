"""A case that rules do not reach is found to be the same with them and without them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare import Comparison, rule_book
from replay.curation.reach import reach_of
from replay.engine import Referee
from replay.models import Acceptance, Case, CaseError, Difference, Observation, Request, Result, RuleSpec

VALUE = st.recursive(
    st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c", "a b"]), inner, max_size=3)
    ),
    max_leaves=12,
)
AT = st.sampled_from([
    "body", "body.a", "body.b", "body['a b']", "body.a.b", "body.b[*]", "body.a[*].b", "body.a[0]", "body..c", "body.*",
    "body.a.*.b", "headers.etag", "headers['X-A']", "status",
])  # fmt: skip
RULE = st.builds(
    lambda at, verb: RuleSpec.model_validate({"at": at, **verb}),
    AT,
    st.sampled_from([{"ignore": True}, {"within": 1}, {"unordered": True}, {"map": [[1, 2]]}, {"strict": True}]),
)
DOCUMENT = st.fixed_dictionaries({}, optional={"a": VALUE, "b": VALUE, "a b": VALUE, "c": VALUE})


def answer(document: Any, etag: str) -> Observation:
    headers = (("Content-Type", "application/json"), ("ETag", etag), ("X-A", etag))
    return Observation(200, headers, json.dumps(document).encode())


def judged(case: Case, old: Observation, new: Observation, rules: list[RuleSpec]) -> Result:
    return Referee(Comparison(rule_book(rules), {"old": None, "new": None})).result(case, old, new)


def wrong(result: Result) -> set[tuple[str, str]]:
    return {(it.at, it.kind) for it in result.differences}


@given(DOCUMENT, DOCUMENT, st.lists(RULE, max_size=3), RULE, st.sampled_from(["1", "2"]))
@settings(max_examples=400)
def test_what_is_not_reached_is_found_to_be_the_same(
    one: Any, other: Any, rules: list[RuleSpec], more: RuleSpec, etag: str
) -> None:
    case, old, new = Case("c", "traffic", "c", Request()), answer(one, "1"), answer(other, etag)
    before = judged(case, old, new, rules)
    after = judged(case, old, new, [*rules, more])
    if not reach_of([more])(before):
        assert wrong(before) == wrong(after)


def result(*places: str, accepted: tuple[str, ...] = (), error: CaseError | None = None) -> Result:
    found = tuple(Difference(at, "value", 1, 2, "default") for at in places)
    took = tuple(Acceptance(at, "rule") for at in accepted)
    return Result(Case("c", "traffic", "c", Request()), "deviation", differences=found, accepted=took, error=error)


@pytest.mark.parametrize(
    ("at", "found", "reached"),
    [
        ("body.a", result("body.a"), True),
        ("body.a", result("body.a.x[3]"), True),
        ("body.a.x", result("body.a"), True),
        ("body.a", result("body.ab"), False),
        ("body.a", result("body.b", accepted=("body.a[*]",)), True),
        ("body.items[*].v", result("body.items[3]"), True),
        ("body.items[*].v", result("body.items[?@.sku=='A'].w"), True),
        ("body.a[0]", result("body.a[1].x"), True),
        ("body['a b']", result("body['a b'].c"), True),
        ("body.a", result("steps.pay.body.a"), True),
        ("steps.pay.body.a", result("steps.read.body.b"), False),
        ("headers.etag", result("body.b"), True),
        ("body..a", result("body.b"), True),
        ("..a", result("body.b"), True),
        ("body.a", result("body.b", error=CaseError("new", "status")), True),
        ("body.a", result(*[f"body.b{n}" for n in range(100)]), True),
    ],
)
def test_a_rule_reaches_what_lies_on_its_way(at: str, found: Result, *, reached: bool) -> None:
    assert reach_of([RuleSpec.model_validate({"at": at, "ignore": True})])(found) is reached


def test_of_several_rules_one_that_reaches_is_enough() -> None:
    rules = [RuleSpec.model_validate({"at": at, "ignore": True}) for at in ("body.a", "body.b")]
    assert reach_of(rules)(result("body.b"))
    assert not reach_of(rules)(result("body.c"))
