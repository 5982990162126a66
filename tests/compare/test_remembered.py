"""Two answers that come again are found to be what they were found to be before, and no other two are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Comparison, Pair, rule_book, traced_book
from replay.compare.compared import Compared
from replay.compare.remembered import Remembered
from replay.compare.tracing import Trace
from replay.models import Case, Expectation, Headers, Observation, Request, RuleSpec, Side

BASES: Final[dict[Side, str | None]] = {"old": "http://old.test", "new": "http://new.test"}
JSON: Final[Headers] = (("Content-Type", "application/json"),)
LATER: Final[Headers] = (*JSON, ("Date", "later"))
MOVED: Final[Headers] = (*JSON, ("Location", "/a"))
TEXT: Final[Headers] = (("Content-Type", "text/plain"),)
IGNORED: Final = RuleSpec(at="body.at", ignore=True)
OTHERS: Final = (
    RuleSpec.model_validate({"at": "body.n", "within": 2}),
    RuleSpec(at="body.n", ignore=True, on="GET /b"),
    RuleSpec(at="body.n", ignore=True, where="request.path == '/b'"),
    RuleSpec(at="headers.date", ignore=True),
)

PAIRS: Final = [
    (Observation(200, JSON, b'{"at": 1, "n": 1}'), Observation(200, JSON, b'{"at": 2, "n": 2}')),
    (Observation(200, JSON, b'{"at": 1, "n": 1}'), Observation(404, LATER, b'{"at": 2, "n": 9}')),
    (Observation(200, MOVED, b"{}"), Observation(200, MOVED, b'{"at": NaN}')),
    (Observation(200, JSON, b""), Observation(200, TEXT, b"<p>")),
]
CASES = st.builds(
    Case,
    st.just("c"),
    st.just("traffic"),
    st.just("d:1"),
    st.builds(Request, st.sampled_from(["GET", "HEAD"]), st.sampled_from(["/a", "/b"])),
    rules=st.sampled_from([(), (RuleSpec(at="body.n", ignore=True),)]),
    expect=st.sampled_from([None, Expectation(404)]),
)


def comparison(*rules: RuleSpec) -> Comparison:
    return Comparison(rule_book(rules), BASES)


@given(
    several=st.lists(st.tuples(CASES, st.sampled_from(PAIRS)), min_size=2, max_size=20),
    rules=st.lists(st.sampled_from(OTHERS), max_size=2),
)
def test_what_was_compared_before_has_no_part_in_what_is_found(
    several: list[tuple[Case, tuple[Observation, Observation]]], rules: list[RuleSpec]
) -> None:
    one = comparison(IGNORED, *rules)
    for case, (old, new) in several:
        # By how it is written: NaN equals nothing.
        assert repr(one.compare(Pair(case, old, new))) == repr(
            comparison(IGNORED, *rules).compare(Pair(case, old, new))
        )


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (RuleSpec(at="body.n", ignore=True, on="GET /b/c"), JSON, JSON),
        (RuleSpec(at="body.n", ignore=True, where="request.path == '/b/c'"), JSON, JSON),
        (RuleSpec(at="body.n", ignore=True), (*JSON, ("Location", "/b/d")), (*JSON, ("Location", "d"))),
    ],
    ids=["a route", "an expression", "a link that is relative to what was asked"],
)
def test_what_a_case_asks_for_still_matters(rule: RuleSpec, old: Headers, new: Headers) -> None:
    one, two = answers({"n": 1}, old), answers({"n": 2}, new)
    same = comparison(rule)
    found = [same.compare(Pair(Case("c", "traffic", "d:1", Request(path=it)), one, two)) for it in ("/a/c", "/b/c")]
    assert [bool(it.differences) for it in found] == [True, False]


def answers(body: Any, headers: Headers = JSON) -> Observation:
    return Observation(200, headers, json.dumps(body).encode())


def times_compared(pairs: Sequence[tuple[Observation, Observation]]) -> int:
    """Return how many of these are not known from before."""
    remembered, times = Remembered(), 0

    def compare() -> Compared:
        nonlocal times
        times += 1
        return Compared()

    for old, new in pairs:
        remembered(old, new, compare)
    return times


def test_the_same_two_answers_are_compared_once() -> None:
    assert times_compared([(answers(1), answers(2)) for _ in range(9)]) == 1


@pytest.mark.parametrize("other", [(answers(2), answers(1)), (answers(1), answers(3)), (answers(1, LATER), answers(2))])
def test_other_answers_are_compared_anew(other: tuple[Observation, Observation]) -> None:
    assert times_compared([(answers(1), answers(2)), other]) == 2


def test_large_answers_are_not_kept_in_mind() -> None:
    assert times_compared([(answers("x" * 70_000), answers(2)) for _ in range(3)]) == 3


def test_few_answers_are_kept_in_mind() -> None:
    many = [(answers(number), answers(-1)) for number in range(100)]
    assert times_compared([*many, many[-1]]) == 100
    assert times_compared([*many, many[0]]) == 101


def test_whoever_watches_rules_sees_each_case() -> None:
    book = traced_book([IGNORED])
    watched = Comparison(book, BASES)
    case = Case("c", "traffic", "d:1", Request())
    for _ in range(2):
        book.trace = Trace()
        watched.compare(Pair(case, answers({"at": 1}), answers({"at": 2})))
        assert [it.judged for it in book.trace.rulings] == ["ignored"]
