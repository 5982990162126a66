"""Verdicts over streams of results: above all, what is never GO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.models import Case, CaseKind, Judgement, OutcomeName, Request, Result, Verdict
from replay.verdict import Judge, default_criteria, parse_criteria
from replay.verdict.samples import Seen, Sizes
from replay.verdict.statistics import effective_n

OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
ALL = default_criteria(goldens=True, traffic=True)
GOLDENS, DEVIATION, ERRORS = ALL


def result(name: object, outcome: OutcomeName, *, kind: CaseKind = "traffic", session: str | None = None) -> Result:
    case = Case(id=f"case-{name}", kind=kind, identity=f"{kind}:{name}", request=Request(), session=session)
    return Result(case, outcome)


def traffic(count: int, outcome: OutcomeName = "match", *, first: int = 0) -> list[Result]:
    return [result(f"{outcome}-{number}", outcome) for number in range(first, first + count)]


def again(results: list[Result], turn: int = 2) -> list[Result]:
    return [replace(each, case=each.case.again(turn)) for each in results]


def goldens(*outcomes: OutcomeName) -> list[Result]:
    return [result(number, outcome, kind="golden") for number, outcome in enumerate(outcomes)]


def verdict(criteria: Iterable[str], results: Iterable[Result], *, complete: bool = True, reason: str = "") -> Verdict:
    judge = Judge(parse_criteria(list(criteria)))
    judge.add_all(results)
    return judge.verdict(complete=complete, reason=reason)


def judgement(criterion: str, results: Iterable[Result]) -> Judgement:
    (answer,) = verdict([criterion], results).criteria
    return answer


# the whole gate


def test_clean_goldens_and_598_clean_cases_are_go() -> None:
    answer = verdict(ALL, goldens("match") + traffic(598))
    assert (answer.state, answer.exit_code) == ("GO", 0)
    assert [each.state for each in answer.criteria] == ["GO", "GO", "GO"]


def test_one_failing_criterion_makes_the_verdict_no_go() -> None:
    answer = verdict(ALL, goldens("deviation") + traffic(10))
    assert (answer.state, answer.exit_code) == ("NO-GO", 1)
    assert [each.state for each in answer.criteria] == ["NO-GO", "INCONCLUSIVE", "INCONCLUSIVE"]


def test_one_open_criterion_makes_the_verdict_inconclusive() -> None:
    answer = verdict(ALL, goldens("match") + traffic(597))
    assert (answer.state, answer.exit_code) == ("INCONCLUSIVE", 3)


def test_a_verdict_names_its_gate() -> None:
    assert Judge(parse_criteria(["goldens pass"]), gate="pr").verdict().gate == "pr"


@pytest.mark.parametrize("criterion", [*ALL, "errors < 1%"])
def test_no_result_at_all_is_inconclusive(criterion: str) -> None:
    assert verdict([criterion], []).state == "INCONCLUSIVE"


def test_no_criterion_at_all_is_inconclusive_and_says_so() -> None:
    answer = verdict([], goldens("match") + traffic(598))
    assert (answer.state, answer.exit_code) == ("INCONCLUSIVE", 3)
    assert "no criterion" in answer.criteria[0].why


@pytest.mark.parametrize("criterion", [*ALL, "errors < 1%"])
@pytest.mark.parametrize("outcome", ["old_error", "both_error", "skipped"])
def test_cases_of_which_none_was_compared_are_never_go(criterion: str, outcome: OutcomeName) -> None:
    results = traffic(5000, outcome) + goldens(outcome)
    assert verdict([criterion], results).state == "INCONCLUSIVE"


@pytest.mark.parametrize("criterion", ALL)
def test_an_incomplete_run_is_never_go_and_says_why(criterion: str) -> None:
    answer = verdict([criterion], goldens("match") + traffic(598), complete=False, reason="new died after case-7")
    assert answer.state == "INCONCLUSIVE"
    assert answer.criteria[0].why.endswith("; the run did not complete: new died after case-7")


def test_an_incomplete_run_that_already_failed_stays_no_go() -> None:
    assert verdict([GOLDENS], goldens("deviation"), complete=False).state == "NO-GO"


@given(st.lists(st.sampled_from(OUTCOMES), max_size=40))
@settings(max_examples=60)
def test_fewer_than_598_cases_are_never_go_whatever_came_of_them(outcomes: list[OutcomeName]) -> None:
    results = [result(number, outcome) for number, outcome in enumerate(outcomes)]
    assert verdict([DEVIATION, ERRORS], results).state != "GO"


@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=12))
def test_goldens_pass_only_where_each_one_was_compared_and_is_right(outcomes: list[OutcomeName]) -> None:
    right = all(outcome in ("match", "noise", "waived") for outcome in outcomes)
    assert (verdict([GOLDENS], goldens(*outcomes)).state == "GO") == right


def test_asking_twice_gives_the_same_answer_and_going_on_is_allowed() -> None:
    judge = Judge(parse_criteria([DEVIATION]))
    judge.add_all(traffic(597))
    assert judge.verdict() == judge.verdict()
    judge.add_all([result("last", "match")])
    assert judge.verdict().state == "GO"


# repeats


def test_the_same_cases_again_add_no_evidence() -> None:
    assert judgement(DEVIATION, traffic(300) + again(traffic(300)) + again(traffic(300), 3)).n == 300


def test_a_repeated_deviation_counts_once() -> None:
    once = traffic(300) + traffic(1, "deviation")
    assert judgement(DEVIATION, once + again(once) + again(once, 3)).value == 1 / 301


def test_a_case_that_deviates_only_when_repeated_is_not_overlooked() -> None:
    worse = again([result("match-5", "deviation")])
    assert judgement(DEVIATION, traffic(598) + worse).state == "INCONCLUSIVE"


def test_a_golden_that_fails_only_when_repeated_fails() -> None:
    assert judgement(GOLDENS, goldens("match") + again(goldens("new_error"))).state == "NO-GO"


def test_a_golden_and_a_captured_case_of_one_name_are_two() -> None:
    assert verdict(ALL, goldens("match") + traffic(598)).state == "GO"


@given(st.lists(st.integers(0, 10**6), max_size=3000))
def test_what_was_seen_is_known_again_and_nothing_else(numbers: list[int]) -> None:
    seen, known = Seen(), Counter[int]()
    for number in numbers:
        assert seen.add(f"n{number}") == known[number]
        known[number] += 1


# goldens


@pytest.mark.parametrize("outcome", ["match", "noise", "waived"])
def test_a_golden_whose_differences_are_accepted_passes(outcome: OutcomeName) -> None:
    assert judgement(GOLDENS, goldens(outcome)).state == "GO"


def test_a_drifted_old_fails_nothing() -> None:
    case = result("drifted", "match", kind="golden").case
    assert judgement(GOLDENS, [Result(case, "match", flags=("drifted",))]).state == "GO"


@pytest.mark.parametrize("outcome", ["skipped", "old_error", "both_error"])
def test_a_golden_that_was_not_compared_leaves_it_open(outcome: OutcomeName) -> None:
    assert judgement(GOLDENS, goldens("match", outcome)).state == "INCONCLUSIVE"


def test_a_failing_golden_outweighs_one_that_was_not_compared() -> None:
    assert judgement(GOLDENS, goldens("skipped", "new_error", "match")).state == "NO-GO"


def test_the_goldens_that_fail_are_named_the_first_few_of_them() -> None:
    answer = judgement(
        GOLDENS, goldens("match", "deviation", "deviation", "deviation", "deviation", "deviation", "skipped")
    )
    assert answer.why == ("1 of 7 goldens pass; 5 deviating: case-1, case-2, case-3 and 2 more; 1 skipped: case-6")
    assert (answer.value, answer.n) == (1 / 7, 7)


def test_traffic_is_no_golden() -> None:
    assert judgement(GOLDENS, traffic(1000)).why == "0 of 0 goldens pass; no golden was compared"


# deviation


def test_one_case_short_asks_for_one_more() -> None:
    answer = judgement(DEVIATION, traffic(597))
    assert answer.state == "INCONCLUSIVE"
    assert "; 1 case more, all clean, would settle it" in answer.why


def test_one_deviation_needs_947_cases_in_all() -> None:
    assert judgement(DEVIATION, traffic(946) + traffic(1, "deviation")).state == "GO"
    short = judgement(DEVIATION, traffic(945) + traffic(1, "deviation"))
    assert short.state == "INCONCLUSIVE"
    assert "; 1 case more, all clean" in short.why


def test_too_many_deviations_are_no_go() -> None:
    answer = judgement(DEVIATION, traffic(900) + traffic(20, "deviation"))
    assert answer.state == "NO-GO"
    assert answer.value == 20 / 920


def test_what_only_new_fails_is_a_deviation() -> None:
    answer = judgement(DEVIATION, traffic(90) + traffic(10, "new_error"))
    assert (answer.state, answer.value) == ("NO-GO", 0.1)


@pytest.mark.parametrize("outcome", ["old_error", "both_error"])
def test_what_old_fails_counts_against_go_and_not_for_no_go(outcome: OutcomeName) -> None:
    answer = judgement(DEVIATION, traffic(600) + traffic(50, outcome))
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0)
    assert answer.interval is not None
    assert answer.interval[0] == 0
    assert answer.interval[1] > 50 / 650


@pytest.mark.parametrize("outcome", ["noise", "waived"])
def test_noise_and_waived_differences_are_no_deviation(outcome: OutcomeName) -> None:
    assert judgement(DEVIATION, traffic(598, outcome)).state == "GO"


def test_skipped_cases_are_no_evidence_and_are_said() -> None:
    answer = judgement(DEVIATION, traffic(400) + traffic(400, "skipped"))
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 400)
    assert "400 cases skipped" in answer.why


def test_goldens_are_no_traffic() -> None:
    answer = judgement(DEVIATION, [result(number, "match", kind="golden") for number in range(1000)])
    assert answer.state == "INCONCLUSIVE"
    assert answer.why == "no traffic was compared"


def test_sessions_shrink_the_evidence() -> None:
    cases = [result(number, "match", session=f"s{number // 3}") for number in range(1200)]
    answer = judgement(DEVIATION, cases)
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 400)
    assert "1,200 are worth 400" in answer.why


def test_one_endless_session_proves_nothing() -> None:
    assert judgement(DEVIATION, [result(number, "match", session="one") for number in range(5000)]).n == 1


@given(st.lists(st.none() | st.sampled_from("abc")))
def test_cases_without_session_are_sessions_of_their_own(sessions: list[str | None]) -> None:
    sizes = Sizes()
    for session in sessions:
        sizes.add(session)
    named = [sessions.count(name) for name in "abc"]
    assert sizes.effective() == pytest.approx(effective_n([*named, *[1] * sessions.count(None)]))


@given(st.lists(st.none() | st.sampled_from("abc")), st.lists(st.none() | st.sampled_from("abc")))
def test_sessions_are_worth_the_same_however_many_cases_are_taken_together(
    first: list[str | None], then: list[str | None]
) -> None:
    alone, together = Sizes(), Sizes()
    for session in first + then:
        alone.add(session)
    together.add_all(first)
    together.add_all(then)
    assert (together.total, together.effective(3)) == (alone.total, alone.effective(3))


@given(st.integers(0, 3), st.integers(0, 600), st.integers(1, 4))
@settings(max_examples=25)
def test_the_further_cases_that_are_asked_for_suffice(bad: int, clean: int, size: int) -> None:
    results = [result(number, "match", session=f"s{number // size}") for number in range(clean)]
    results += traffic(bad, "deviation")
    answer = judgement(DEVIATION, results)
    if answer.state == "INCONCLUSIVE" and "more, all clean" in answer.why:
        words = answer.why[: answer.why.index(" more, all clean")].split()
        further = int(words[-2].replace(",", ""))
        assert judgement(DEVIATION, results + traffic(further, first=10_000)).state == "GO"
        assert judgement(DEVIATION, results + traffic(further - 1, first=10_000)).state != "GO"


def test_the_bound_is_printed_so_that_it_differs_from_the_limit() -> None:
    assert "at most 0.4997%, within 0.5%" in judgement(DEVIATION, traffic(598)).why


def test_an_inclusive_limit_is_judged_alike() -> None:
    assert judgement("deviation <= 0.5%", traffic(598)).state == "GO"
    assert judgement("deviation <= 0.5%", traffic(597)).state == "INCONCLUSIVE"


# errors


def test_new_failing_where_old_does_not_is_no_go() -> None:
    answer = judgement(ERRORS, traffic(900) + traffic(20, "new_error"))
    assert (answer.state, answer.value) == ("NO-GO", 20 / 920)


def test_errors_need_as_many_clean_cases_as_deviation() -> None:
    assert judgement(ERRORS, traffic(598)).state == "GO"
    short = judgement(ERRORS, traffic(597))
    assert short.state == "INCONCLUSIVE"
    assert "; 1 case more, without errors, would settle it" in short.why


def test_the_margin_is_printed() -> None:
    assert "within the margin of 0.5pp" in judgement(ERRORS, traffic(598)).why


def test_the_margin_can_be_written() -> None:
    results = traffic(700) + traffic(3, "new_error")
    assert judgement(ERRORS, results).state == "INCONCLUSIVE"
    assert judgement("errors <= old + 2pp", results).state == "GO"


def test_old_failing_elsewhere_weighs_against_new_failing() -> None:
    results = traffic(9000) + traffic(100, "new_error") + traffic(100, "old_error")
    assert judgement(ERRORS, results).state == "GO"
    assert judgement(ERRORS, traffic(9000) + traffic(100, "new_error")).state == "NO-GO"


def test_failures_of_both_sides_are_no_evidence_that_new_is_no_worse() -> None:
    answer = judgement(ERRORS, traffic(100) + traffic(5000, "both_error"))
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 100)


def test_failures_of_both_sides_do_not_help_towards_no_go() -> None:
    alone = judgement(ERRORS, traffic(100) + traffic(6, "new_error"))
    shared = judgement(ERRORS, traffic(100) + traffic(6, "new_error") + traffic(900, "both_error"))
    assert (alone.state, shared.state) == ("NO-GO", "INCONCLUSIVE")


def test_deviating_cases_are_no_errors() -> None:
    assert judgement(ERRORS, traffic(598, "deviation")).state == "GO"


def test_sessions_shrink_the_evidence_on_errors_too() -> None:
    cases = [result(number, "match", session=f"s{number // 3}") for number in range(1200)]
    assert (judgement(ERRORS, cases).state, judgement(ERRORS, cases).n) == ("INCONCLUSIVE", 400)


def test_an_error_rate_by_itself_counts_new_alone() -> None:
    assert judgement("errors < 1%", traffic(598) + traffic(50, "old_error")).state == "GO"
    assert judgement("errors < 1%", traffic(598) + traffic(50, "new_error")).state == "NO-GO"


def test_an_error_rate_by_itself_is_never_proven_by_failures_of_both() -> None:
    assert judgement("errors < 1%", traffic(598) + traffic(50, "both_error")).state == "INCONCLUSIVE"


@given(st.dictionaries(st.sampled_from(OUTCOMES), st.integers(0, 900), max_size=8))
@settings(max_examples=20)
def test_a_go_survives_no_further_failure_of_old_turned_into_one_of_new(counts: dict[OutcomeName, int]) -> None:
    results = [each for outcome, count in counts.items() for each in traffic(count, outcome)]
    before = verdict([DEVIATION, ERRORS], results)
    worse = verdict([DEVIATION, ERRORS], results + traffic(40, "new_error", first=10_000))
    assert not (before.state != "GO" and worse.state == "GO")


@given(st.sampled_from(ALL), st.dictionaries(st.sampled_from(OUTCOMES), st.integers(0, 300), max_size=8))
@settings(max_examples=20)
def test_every_judgement_comes_with_its_evidence(criterion: str, counts: dict[OutcomeName, int]) -> None:
    results = [each for outcome, count in counts.items() for each in traffic(count, outcome)]
    answer = judgement(criterion, results)
    assert answer.sentence == criterion
    assert answer.why
    if answer.interval is not None and answer.value is not None:
        assert answer.interval[0] - 1e-9 <= answer.value <= answer.interval[1] + 1e-9


# confidence


def test_more_confidence_takes_more_cases() -> None:
    surer = f"{DEVIATION} at 99%"
    assert judgement(surer, traffic(919)).state == "GO"
    assert "; 1 case more, all clean" in judgement(surer, traffic(918)).why
    assert "with 99% confidence at most" in judgement(surer, traffic(919)).why


def test_more_confidence_takes_more_evidence_against_new_too() -> None:
    results = traffic(590) + traffic(8, "new_error")
    assert (judgement(DEVIATION, results).state, judgement(ERRORS, results).state) == ("NO-GO", "NO-GO")
    assert judgement(f"{DEVIATION} at 99.9%", results).state == "INCONCLUSIVE"
    assert judgement(f"{ERRORS} at 99.9%", results).state == "INCONCLUSIVE"


def test_more_confidence_takes_more_cases_without_errors() -> None:
    # Tango's bound is the larger one here: z² (1 - m) / m cases.
    assert judgement(f"{ERRORS} at 99%", traffic(1077)).state == "GO"
    assert "; 1 case more, without errors" in judgement(f"{ERRORS} at 99%", traffic(1076)).why
