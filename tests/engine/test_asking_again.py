"""Who is asked when, what is learned of old's further answers, and in what parts values differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare import Comparison, rule_book
from replay.engine.again import LONGEST_VALUE, MOST_CHARACTERS, MOST_KEPT, Learner, askings, may_repeat
from replay.engine.outcome import Referee
from replay.engine.parts import Part, parts_of
from replay.engine.sides import parties
from replay.models import (
    Case,
    Difference,
    DifferenceKind,
    Expectation,
    Failure,
    Observation,
    Order,
    Request,
    RuleSpec,
    TargetSpec,
)

JSON = (("content-type", "application/json"),)
OLD, NEW = parties({"old": TargetSpec(url="http://a"), "new": TargetSpec(url="http://b")}, concurrency=1).values()
CASE = Case("c", "traffic", "d:1", Request(path="/a"))


def answer(body: str, status: int = 200, **more: Any) -> Observation:
    return Observation(status, JSON, body.encode(), **more)


def learner(*rules: RuleSpec) -> Learner:
    return Learner(Referee(Comparison(rule_book(rules), {"old": "http://old:1", "new": "http://new:2"})))


def order(seed: int, times: int = 3, name: Order = "random") -> list[str]:
    return [f"{party.side}{nth}" for party, nth in askings((OLD, NEW), times, name, seed)]


# -------------------------------------------------------------------------------------------------------- who, and when


@given(
    seed=st.integers(0, 2**32 - 1), times=st.integers(1, 20), name=st.sampled_from(["random", "old-first", "together"])
)
@settings(max_examples=50)
def test_new_is_asked_once_and_old_so_many_times_more(seed: int, times: int, name: Order) -> None:
    found = order(seed, times, name)
    assert sorted(found) == sorted(["new0", "old0", *(f"old{n}" for n in range(1, times + 1))])
    assert found == order(seed, times, name)


def test_every_asking_has_the_same_chance_to_come_first() -> None:
    first = Counter(order(seed)[0] for seed in range(5_000))
    assert set(first) == {"old0", "old1", "old2", "old3", "new0"}
    assert all(count == pytest.approx(1_000, abs=150) for count in first.values())


def test_old_first_keeps_the_answer_that_counts_in_front_and_draws_the_rest() -> None:
    found = {tuple(order(seed, 2, "old-first")) for seed in range(200)}
    assert {each[0] for each in found} == {"old0"}
    assert len(found) == 6


@pytest.mark.parametrize(("method", "may"), [("GET", True), ("head", True), ("POST", False), ("DELETE", False)])
def test_only_what_changes_nothing_is_asked_again(method: str, *, may: bool) -> None:
    assert may_repeat(Case("c", "traffic", "d:1", Request(method))) is may


# ------------------------------------------------------------------------------------------------------------- learning


def test_each_further_answer_is_held_against_the_first() -> None:
    found = learner().learned(
        CASE, answer('{"a": 1, "b": 1}'), [answer('{"a": 1, "b": 2}'), answer('{"a": 1, "b": 1}')]
    )
    assert [[(each.at, each.old, each.new) for each in one] for one in found.answers] == [[("body.b", 1, 2)], []]
    assert (found.failed, found.unlisted) == (0, 0)


def test_the_rules_of_the_run_hold_for_further_answers_too() -> None:
    found = learner(RuleSpec(at="body.b", within=2)).learned(CASE, answer('{"b": 1}'), [answer('{"b": 2}')])
    assert found.answers == ((),)


@pytest.mark.parametrize(
    "bad",
    [
        Observation(error=Failure("timeout")),
        answer('{"a": 2}', 500),
        answer('{"a": 2}', 404),
        answer('{"a": '),
        answer('{"a": 2}', error=Failure("incomplete_body")),
    ],
)
def test_an_asking_that_fails_is_counted_and_proves_nothing(bad: Observation) -> None:
    found = learner().learned(CASE, answer('{"a": 1}'), [bad, answer('{"a": 1}')])
    assert (found.answers, found.failed) == (((),), 1)


def test_a_link_to_old_itself_is_no_noise() -> None:
    there = Observation(302, (("location", "http://old:1/b"),))
    assert learner().learned(CASE, there, [there]).answers == ((),)


def test_an_intended_change_that_old_does_not_show_is_no_noise() -> None:
    rule = RuleSpec(at="body.a", map=((1, 2),), must=True, on="GET /a")
    found = learner(rule).learned(CASE, answer('{"a": 1}'), [answer('{"a": 1}')])
    assert [part for one in found.answers for each in one for part in parts_of(each)] == []


def test_what_a_golden_expects_of_new_is_not_asked_of_old() -> None:
    golden = Case("g", "golden", "g", Request(path="/a"), expect=Expectation(body=b'{"a": 9}'))
    found = learner().learned(golden, answer('{"a": 1}'), [answer('{"a": 2}')])
    assert [each.against for one in found.answers for each in one] == ["old"]


def test_what_is_kept_is_bounded() -> None:
    def items(n: int, length: int) -> Observation:
        return answer(str([f"{n}" + "x" * length for _ in range(1_500)]).replace("'", '"'))

    many = learner().learned(CASE, items(1, 5), [items(2, 5)])
    assert len(many.answers[0]) <= MOST_KEPT
    assert len(many.answers[0]) + many.unlisted > MOST_KEPT
    large = learner().learned(CASE, items(1, 1_000), [items(2, 1_000), items(3, 1_000)])
    assert sum(len(str(each.old)) + len(str(each.new)) for one in large.answers for each in one) <= MOST_CHARACTERS
    huge = learner().learned(CASE, items(1, LONGEST_VALUE), [items(2, LONGEST_VALUE)])
    assert (huge.answers, huge.unlisted > 0) == (((),), True)


# ---------------------------------------------------------------------------------------------------------------- parts


def parts(old: Any, new: Any, at: str = "body.x", kind: DifferenceKind = "value", note: str = "") -> list[Part]:
    return list(parts_of(Difference(at, kind, old, new, "default", note=note)))


def test_a_number_is_one_part_for_any_item() -> None:
    assert parts(1, 2, "body.items[3].n") == [Part("body.items[*].n", "body.items[3].n", 1, 2)]


def test_of_a_text_each_word_that_differs_is_a_part_known_by_the_words_around_it() -> None:
    found = parts("took 1.5ms for 20 rows of tea", "took 1.7ms for 20 rows of rye")
    assert [(each.place, each.old, each.new) for each in found] == [
        ("body.x | took {} for #", "1.5ms", "1.7ms"),
        ("body.x | rows of {}", "tea", "rye"),
    ]


def test_texts_of_other_words_are_one_part() -> None:
    assert [each.place for each in parts("a b c", "d e")] == ["body.x"]


def test_lines_are_known_by_their_numbers() -> None:
    found = parts("a 1\nb\nc 1\n", "a 2\nb\nc 3\n", "body", "text", "lines 7 to 9 of 20")
    assert [(each.place, each.spot) for each in found] == [("body | a {}", "body:7:2"), ("body | c {}", "body:9:2")]


def test_words_of_a_long_line_are_known_by_where_they_stand_in_it() -> None:
    whole = parts("one two 3 four", "one two 5 four", "body", "text", "line 4 of 9")
    shown = parts("two 3 four", "two 5 four", "body", "text", "line 4 of 9, from character 9 on")
    assert [each.spot for each in shown] == [each.spot for each in whole] == ["body:4:8"]


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("a 1\n", "a 2\nb\n", "line 1 of 9, now 2 lines"),
        ("a 1\n", "a 2\n", "new stops at line 1 of 9"),
        ("a 1\n", "b c 2\n", "line 1 of 9"),
        ("a 1\n" * 12, "a 2\n" * 12, "lines 1 to 12 of 90"),
        ("a" * 4_000, "b" * 4_000, "line 1 of 9"),
        ("a 1\n", "a 2\n", "from line 1 of 9 on, now 9 lines: too large to align"),
    ],
)
def test_a_text_of_which_not_all_that_differs_is_at_hand_is_never_noise(old: str, new: str, note: str) -> None:
    assert parts(old, new, "body", "text", note) == []


def test_bytes_are_never_noise_since_nobody_can_tell_how_far_they_are_apart() -> None:
    there = replace(answer("a"), headers=(("content-type", "image/png"),))
    found = learner().learned(CASE, there, [replace(there, body=b"b")])
    assert [(each.at, parts_of(each)) for one in found.answers for each in one] == [("body", ())]


def test_a_challenge_differs_by_its_parameters_whatever_their_order() -> None:
    old = 'Digest realm="a", nonce="x1", opaque="y1", stale=FALSE'
    new = 'Digest realm="a", opaque="y1", nonce="x2", stale=false'
    at = "headers.www-authenticate"
    assert [(each.place, each.new) for each in parts(old, new, at, "header")] == [(f"{at} | digest nonce={{}}", "x2")]
    assert len(parts(old, new.replace('realm="a"', 'realm="b"'), at, "header")) == 2
