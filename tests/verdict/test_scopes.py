"""Criteria that speak of some cases, or of each part of them: above all, what is never GO."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from scipy.stats import binom

from replay.models import NO_VALUE, Case, CaseKind, Judgement, Membership, OutcomeName, Request, Result, Verdict
from replay.verdict import Judge, Terms, default_criteria, named_groups, parse_criteria
from replay.verdict.scopes import MOST_PARTS
from replay.verdict.statistics import corrected, lower_bound

TERMS = Terms(groups={"checkout": False, "money": False, "category": True})
DEVIATION, ERRORS = default_criteria(goldens=False, traffic=True)


def result(
    name: object,
    outcome: OutcomeName = "match",
    *,
    path: str = "/",
    method: str = "GET",
    groups: tuple[Membership, ...] = (),
    kind: CaseKind = "traffic",
) -> Result:
    case = Case(f"case-{name}", kind, f"{kind}:{name}", Request(method, path))
    return Result(case, outcome, groups=groups)


def several(
    count: int, outcome: OutcomeName = "match", *, path: str = "/", group: str = "", value: str = ""
) -> list[Result]:
    groups = (Membership(group, value or None),) if group else ()
    names = (f"{path} {group} {value} {outcome} {number}" for number in range(count))
    return [result(name, outcome, path=path, groups=groups) for name in names]


def verdict(sentence: str, results: Iterable[Result]) -> Verdict:
    judge = Judge(parse_criteria([sentence], TERMS))
    judge.add_all(results)
    return judge.verdict()


def judgement(sentence: str, results: Iterable[Result]) -> Judgement:
    (answer,) = verdict(sentence, results).criteria
    return answer


# on


def test_a_route_narrows_what_is_judged() -> None:
    results = several(598, path="/orders/1?full=1") + several(400, "deviation", path="/carts/1")
    assert judgement(f"{DEVIATION} on GET /orders/*", results).state == "GO"
    assert judgement(f"{DEVIATION} on /carts/*", results).state == "NO-GO"
    assert judgement(f"{DEVIATION} on POST /orders/*", results).state == "INCONCLUSIVE"


def test_a_group_narrows_what_is_judged() -> None:
    results = several(598, group="checkout") + several(400, "deviation", group="money") + several(50, "deviation")
    assert judgement(f"{DEVIATION} on checkout", results).state == "GO"
    assert judgement(f"{DEVIATION} on money", results).state == "NO-GO"


def test_a_criterion_prints_with_its_scope() -> None:
    assert judgement(f"{DEVIATION} on checkout", several(598, group="checkout")).sentence == f"{DEVIATION} on checkout"


@pytest.mark.parametrize("subject", ["goldens pass", DEVIATION, ERRORS, "errors < 1%"])
def test_a_scope_that_matches_no_case_is_never_go_and_is_named(subject: str) -> None:
    golden = result("g", kind="golden")
    answer = judgement(f"{subject} on checkout", [golden, *several(2000)])
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 0)
    assert answer.why == "no case of this run is in the group 'checkout'"


def test_goldens_can_be_narrowed_and_stay_apart_from_traffic() -> None:
    money = (Membership("money"),)
    results = [
        result("in", kind="golden", groups=money),
        result("out", "deviation", kind="golden"),
        result("sent", "deviation", groups=money),
    ]
    assert judgement("goldens pass on money", results).state == "GO"
    assert judgement(f"{DEVIATION} on money", results).value == 1.0


def test_a_skipped_golden_in_scope_leaves_it_open() -> None:
    money = (Membership("money"),)
    results = [result("a", kind="golden", groups=money), result("b", "skipped", kind="golden", groups=money)]
    assert judgement("goldens pass on money", results).state == "INCONCLUSIVE"


def test_the_groups_that_have_to_be_found_are_known() -> None:
    criteria = parse_criteria(
        ["goldens pass on money", "deviation < 1% per category on GET /x", "errors <= old per route"], TERMS
    )
    assert named_groups(criteria) == {"money", "category"}


# per


def test_every_part_has_to_hold() -> None:
    results = several(598, path="/a") + several(598, path="/b")
    answer = judgement(f"{DEVIATION} per route", results)
    assert answer.state == "GO"
    assert [(part.sentence, part.state) for part in answer.parts] == [("GET /a", "GO"), ("GET /b", "GO")]


def test_one_part_that_fails_fails_the_whole_and_comes_first() -> None:
    results = several(5000, path="/a") + several(30, "deviation", path="/b") + several(10, path="/c")
    answer = judgement(f"{DEVIATION} per route", results)
    assert answer.state == "NO-GO"
    assert [part.state for part in answer.parts] == ["NO-GO", "INCONCLUSIVE", "GO"]
    assert "not met by GET /b (deviating: 30 of 30 cases" in answer.why


def test_a_part_with_too_little_evidence_keeps_the_whole_from_go() -> None:
    results = several(5000, path="/a") + several(597, path="/b")
    answer = judgement(f"{DEVIATION} per route", results)
    assert answer.state == "INCONCLUSIVE"
    assert "open for GET /b" in answer.why
    assert "1 case more, all clean, would settle it" in answer.why


def test_a_part_of_which_nothing_was_sent_keeps_the_whole_from_go() -> None:
    results = several(598, path="/a") + several(3, "skipped", path="/b")
    assert judgement(f"{DEVIATION} per route", results).state == "INCONCLUSIVE"


def test_parts_are_values_of_a_group_and_other_cases_are_out_of_scope() -> None:
    results = several(598, group="category", value="shoes") + several(598, group="category", value="hats")
    results += several(90, "deviation")
    answer = judgement(f"{DEVIATION} per category", results)
    assert answer.state == "GO"
    assert {part.sentence for part in answer.parts} == {"shoes", "hats"}


def test_scope_and_parts_go_together() -> None:
    results = several(598, path="/orders/1") + several(598, path="/orders/1/lines") + several(9, "deviation", path="/x")
    answer = judgement(f"{DEVIATION} per route on /orders/**", results)
    assert (answer.state, len(answer.parts)) == ("GO", 2)


def test_no_part_at_all_is_never_go() -> None:
    answer = judgement(f"{DEVIATION} per category", several(2000))
    assert (answer.state, answer.why) == ("INCONCLUSIVE", "no traffic was sent that has a part")


def test_parts_of_which_none_has_a_value_are_never_go() -> None:
    clean = several(2000, group="category", value=NO_VALUE)
    answer = judgement(f"{DEVIATION} per category", clean)
    assert (answer.state, len(answer.parts)) == ("INCONCLUSIVE", 1)
    assert "no case has a value by which 'category' is divided" in answer.why
    assert judgement(f"{DEVIATION} per category", clean + several(598, group="category", value="hats")).state == "GO"
    bad = several(2000, "deviation", group="category", value=NO_VALUE)
    assert judgement(f"{DEVIATION} per category", bad).state == "NO-GO"


def test_goldens_are_no_part() -> None:
    goldens = [result(number, kind="golden", path="/golden") for number in range(700)]
    assert [part.sentence for part in judgement(f"{DEVIATION} per route", goldens + several(598, path="/a")).parts] == [
        "GET /a"
    ]


def test_more_parts_than_are_judged_are_never_go_and_are_said() -> None:
    results = [each for number in range(MOST_PARTS + 2) for each in several(3, group="category", value=f"v{number}")]
    answer = judgement("deviation < 99% per category at 80%", results)
    assert answer.state == "INCONCLUSIVE"
    assert "of more than 500 parts only the first ones are judged, and 6 cases of others are not" in answer.why
    assert len(answer.parts) == MOST_PARTS
    fewer = judgement("deviation < 99% per category at 80%", results[: 3 * MOST_PARTS])
    assert fewer.state == "GO"


def test_a_part_fails_only_with_the_confidence_that_so_many_parts_take() -> None:
    worse = several(95, path="/a") + several(3, "deviation", path="/a")
    assert judgement(f"{DEVIATION} per route", worse).state == "NO-GO"
    among = [
        each
        for number in range(49)
        for each in several(5, path=f"/part{'abcdefg'[number % 7]}/{'hijklmn'[number // 7]}")
    ]
    answer = judgement(f"{DEVIATION} per route", worse + among)
    assert len(answer.parts) == 50
    assert answer.state == "INCONCLUSIVE"
    assert "a part fails with 99.9% confidence alone, since 50 are judged side by side" in answer.why


def chance_of_failing(n: int, parts: int) -> float:
    """Return how probable it is that a part at its limit fails, by the exact distribution of what it shows."""
    fewest = next(k for k in range(n) if lower_bound(k, n, corrected(0.95, parts)) >= 0.005)
    return float(binom.sf(fewest - 1, n, 0.005))


@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_of_50_routes_at_the_limit_any_fails_in_at_most_5_of_100_runs(n: int) -> None:
    assert 1 - (1 - chance_of_failing(n, 50)) ** 50 <= 0.05
    assert 1 - (1 - chance_of_failing(n, 1)) ** 50 > 0.4, "without the correction it would be most of them"


def test_a_route_fails_exactly_where_the_corrected_bound_says() -> None:
    fewest = next(k for k in range(1000) if lower_bound(k, 1000, corrected(0.95, 50)) >= 0.005)
    among = [
        each for number in range(49) for each in several(1, path=f"/a{chr(97 + number % 7)}/b{chr(97 + number // 7)}")
    ]
    for bad, state in ((fewest, "NO-GO"), (fewest - 1, "INCONCLUSIVE")):
        results = several(1000 - bad, path="/it") + several(bad, "deviation", path="/it") + among
        assert judgement(f"{DEVIATION} per route", results).state == state
