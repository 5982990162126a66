"""Timeouts, availability and categories: above all, what is never GO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, get_args

import pytest

from replay.models import (
    UNPROVEN,
    Case,
    CaseError,
    CaseKind,
    Category,
    Difference,
    DifferenceKind,
    ErrorKind,
    Failure,
    Judgement,
    Observation,
    OutcomeName,
    Request,
    Result,
)
from replay.verdict import Judge, parse_criteria
from replay.verdict.categories import NAMES, categories_of

FINE = Observation(200)


def failed(kind: ErrorKind) -> Observation:
    return Observation(error=Failure(kind))


def result(number: object, old: Observation = FINE, new: Observation = FINE, kind: CaseKind = "traffic") -> Result:
    """Return a case whose sides fail where they show an error or answer with 500."""
    bad = [it.error is not None or it.status == 500 for it in (old, new)]
    outcomes: dict[tuple[bool, bool], OutcomeName] = {
        (False, False): "match",
        (False, True): "new_error",
        (True, False): "old_error",
        (True, True): "both_error",
    }
    case = Case(f"case-{number}", kind, f"{kind}:{number}", Request())
    outcome = outcomes[bad[0], bad[1]]
    side: Any = {"new_error": "new", "old_error": "old", "both_error": "both"}.get(outcome)
    told: ErrorKind = next((it.error.kind for it in (new, old) if it.error is not None), "status")
    return Result(case, outcome, old, new, error=CaseError(side, told) if side else None)


def several(count: int, old: Observation = FINE, new: Observation = FINE, name: str = "") -> list[Result]:
    return [result(f"{name}{old}{new}{number}", old, new) for number in range(count)]


def judgement(sentence: str, results: Iterable[Result]) -> Judgement:
    judge = Judge(parse_criteria([sentence]))
    judge.add_all(results)
    (answer,) = judge.verdict().criteria
    return answer


TIMEOUT, REFUSED, BROKEN = failed("timeout"), failed("refused"), Observation(500)


# what nobody could tell


@pytest.mark.parametrize("sentence", ["deviation < 1%", "errors < 1%", "availability >= 99%", "timeouts <= 1%",
                                      "category.value = 0", "category.value < 1%"])  # fmt: skip
def test_what_was_asked_and_could_not_be_compared_counts_for_go_as_if_it_were_bad(sentence: str) -> None:
    unsent = [replace(each, outcome="skipped", skipped="it writes") for each in several(300, name="unsent")]
    untold = [replace(each, flags=(UNPROVEN,)) for each in unsent]
    fine = several(3000)
    assert judgement(sentence, fine + unsent).state == "GO"
    answer = judgement(sentence, fine + untold)
    assert answer.state == "INCONCLUSIVE"
    assert "300 cases" in answer.why


# timeouts


def test_timeouts_are_those_of_new_alone() -> None:
    results = several(3000) + several(300, old=TIMEOUT) + several(300, new=BROKEN)
    assert judgement("timeouts <= 0.1%", results).state == "GO"
    answer = judgement("timeouts <= 0.1%", results + several(20, new=TIMEOUT))
    assert (answer.state, answer.value) == ("NO-GO", 20 / 3620)


def test_timeouts_of_both_sides_are_timeouts_of_new() -> None:
    assert judgement("timeouts <= 1%", several(500) + several(50, TIMEOUT, TIMEOUT)).state == "NO-GO"


def test_a_new_that_refuses_every_connection_is_not_quick() -> None:
    assert judgement("timeouts <= 0.1%", several(100) + several(5000, new=REFUSED)).state == "INCONCLUSIVE"
    assert judgement("timeouts <= old", several(100) + several(5000, new=REFUSED)).state == "INCONCLUSIVE"


@pytest.mark.parametrize("sentence", ["timeouts <= 1%", "timeouts <= old"])
def test_two_sides_that_both_answer_500_show_nothing_of_timeouts(sentence: str) -> None:
    assert judgement(sentence, several(1) + several(2000, BROKEN, BROKEN)).state == "INCONCLUSIVE"


def test_timeouts_beside_old_weigh_against_each_other() -> None:
    results = several(9000) + several(100, new=TIMEOUT, name="n")
    assert judgement("timeouts <= old", results).state == "NO-GO"
    answer = judgement("timeouts <= old", results + several(100, old=TIMEOUT))
    assert (answer.state, answer.value, answer.unit) == ("GO", 0.0, "pp")
    assert "100 timed out on new only and 100 on old only (0pp)" in answer.why


def test_that_nothing_timed_out_on_either_side_is_no_division_by_zero() -> None:
    assert judgement("timeouts <= old", several(598)).state == "GO"
    assert judgement("timeouts <= old", several(597)).state == "INCONCLUSIVE"
    assert "1 case more, without timeouts" in judgement("timeouts <= old", several(597)).why


# availability


def test_availability_is_what_is_left_of_errors() -> None:
    answer = judgement("availability >= 99.5%", several(598))
    assert (answer.state, answer.value, answer.unit) == ("GO", 1.0, "share")
    assert answer.interval is not None
    assert answer.interval[0] == pytest.approx(1 - 0.004997, abs=1e-6)
    assert answer.interval[1] == 1.0
    assert "answered by new: 598 of 598 cases (100%)" in answer.why
    assert "with 95% confidence at least 99.5003%, within 99.5%" in answer.why
    assert judgement("availability >= 99.5%", several(597)).state == "INCONCLUSIVE"


def test_a_new_that_fails_too_often_is_not_available() -> None:
    answer = judgement("availability >= 99.9%", several(900) + several(20, new=BROKEN))
    assert (answer.state, answer.value) == ("NO-GO", 900 / 920)
    assert "with 95% confidence at most 98." in answer.why


def test_failures_of_both_sides_show_no_availability_and_do_not_refute_it() -> None:
    assert judgement("availability >= 99%", several(2000) + several(100, BROKEN, BROKEN)).state == "INCONCLUSIVE"
    assert judgement("availability >= 99%", several(2000) + several(100, old=BROKEN)).state == "GO"


def test_availability_beside_old_is_the_mirror_image_of_errors() -> None:
    results = several(900) + several(20, new=BROKEN) + several(3, old=BROKEN)
    errors, availability = judgement("errors <= old + 1pp", results), judgement("availability >= old - 1pp", results)
    assert errors.state == availability.state
    assert availability.value == -(errors.value or 0)
    assert errors.interval is not None
    assert availability.interval == (-errors.interval[1], -errors.interval[0])


# categories


def differing(
    number: int, kind: DifferenceKind, outcome: OutcomeName = "deviation", *, waived: str = "", noise: str = ""
) -> Result:
    difference = Difference("body.a", kind, 1, 2, "default", waived=waived, noise=noise)
    return Result(Case(f"d{number}", "traffic", f"d{number}", Request()), outcome, FINE, FINE, (difference,))


def test_one_case_of_a_category_is_too_many_where_none_may_be() -> None:
    assert judgement("category.schema = 0", several(20)).state == "GO"
    answer = judgement("category.schema = 0", [*several(20), differing(1, "schema")])
    assert (answer.state, answer.value, answer.n, answer.unit) == ("NO-GO", 1.0, 21.0, "cases")
    assert judgement("category.schema = 0", [*several(20), differing(1, "value")]).state == "GO"


def test_a_count_says_what_it_is_worth() -> None:
    answer = judgement("category.schema = 0", several(20))
    assert "a count of this run alone: with 95% confidence at most 13.9% of all cases are so" in answer.why


def test_so_many_cases_may_be_allowed() -> None:
    results = [*several(20), *(differing(number, "schema") for number in range(3))]
    assert judgement("category.schema <= 3", results).state == "GO"
    assert judgement("category.schema < 3", results).state == "NO-GO"


def test_what_is_waived_or_noise_is_in_no_category() -> None:
    accepted = [differing(1, "schema", "noise", noise="seen"), differing(2, "schema", "waived", waived="by us")]
    assert judgement("category.schema = 0", [*several(9), *accepted]).state == "GO"


@pytest.mark.parametrize("name", NAMES)
def test_no_category_holds_over_nothing(name: str) -> None:
    for criterion in (f"category.{name} = 0", f"category.{name} < 1%"):
        assert judgement(criterion, []).state == "INCONCLUSIVE"
        assert judgement(criterion, several(5000, REFUSED, REFUSED)).state != "GO"
        assert judgement(criterion, [result(n, kind="golden") for n in range(999)]).state == "INCONCLUSIVE"


def test_what_failed_may_hide_a_difference_and_keeps_the_count_open() -> None:
    assert judgement("category.schema = 0", several(20) + several(1, new=REFUSED)).state == "INCONCLUSIVE"
    assert judgement("category.schema = 0", several(20) + several(1, old=REFUSED)).state == "INCONCLUSIVE"
    assert judgement("category.schema <= 1", several(20) + several(1, old=REFUSED)).state == "GO"


def test_how_new_failed_is_a_category_too() -> None:
    results = several(20) + several(1, new=REFUSED)
    assert judgement("category.transport = 0", results).state == "NO-GO"
    assert judgement("category.timeout = 0", results).state == "GO"


def test_a_share_of_a_category_is_judged_as_any_share() -> None:
    assert judgement("category.schema < 0.5%", several(598)).state == "GO"
    assert judgement("category.schema < 0.5%", several(597)).state == "INCONCLUSIVE"
    results = [*several(500), *(differing(number, "schema") for number in range(20))]
    assert judgement("category.schema < 0.5%", results).state == "NO-GO"


def test_every_category_can_be_asked_for() -> None:
    literal, kinds = get_args(Category)[-5:], set()
    for part in get_args(Category):
        kinds |= set(get_args(part)) or {part}
    assert set(NAMES) == kinds, literal
    assert categories_of(result(1)) == frozenset()
