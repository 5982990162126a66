"""Criteria about rankings: how far new's lists agree with old's, and what must not drop out of the mean."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest

from replay.errors import CriterionError
from replay.models import Case, Judgement, Measure, OutcomeName, Request, Result
from replay.verdict import Judge, parse_criteria


def ranked(
    name: object, *measures: Measure, outcome: OutcomeName = "match", path: str = "/search", session: str | None = None
) -> Result:
    case = Case(f"c{name}", "traffic", f"t:{name}", Request("GET", path), session=session)
    return Result(case, outcome, measures=measures)


def lists(
    values: Sequence[float | None], measure: str = "rank.overlap", limit: float | None = 0.5, of: str = "l"
) -> list[Result]:
    return [ranked(f"{of}{n}", Measure("body.hits", measure, value, 9, limit)) for n, value in enumerate(values)]


def judged(sentence: str, results: Iterable[Result]) -> Judgement:
    judge = Judge(parse_criteria([sentence]))
    judge.add_all(results)
    (answer,) = judge.verdict().criteria
    return answer


LUCK = random.Random(3)  # noqa: S311 - the same lists every time
SOME = [LUCK.choice((0.6, 0.8, 1.0)) for _ in range(400)]


@pytest.mark.parametrize(
    ("sentence", "state"),
    [
        ("rank.overlap >= 0.7", "GO"),
        ("rank.overlap >= 70%", "GO"),
        ("rank.overlap >= 0.9", "NO-GO"),
        ("rank.overlap >= 0.8", "INCONCLUSIVE"),
    ],
)
def test_the_mean_over_lists_is_held_against_its_limit(sentence: str, state: str) -> None:
    answer = judged(sentence, lists(SOME))
    assert answer.state == state
    assert answer.value == pytest.approx(sum(SOME) / len(SOME))


def test_lists_that_all_agree_prove_no_more_than_their_number() -> None:
    assert judged("rank.overlap >= 0.97", lists([1.0] * 400)).state == "GO"
    assert judged("rank.overlap >= 0.97", lists([1.0] * 60)).state == "INCONCLUSIVE"
    assert judged("rank.overlap >= 0.5", lists([1.0] * 29)).state == "INCONCLUSIVE"


def test_lists_of_one_session_are_worth_one_list() -> None:
    whole = [ranked(n, Measure("body", "rank.overlap", 1.0, 9, 0.5), session="s") for n in range(500)]
    assert judged("rank.overlap >= 0.5", whole).state == "INCONCLUSIVE"


def test_lists_of_one_case_depend_on_each_other() -> None:
    many = tuple(Measure(f"body.l{n}", "rank.overlap", 1.0, 9, 0.5) for n in range(50))
    assert judged("rank.overlap >= 0.5", [ranked(n, *many) for n in range(20)]).state == "INCONCLUSIVE"


def test_no_list_at_all_is_inconclusive_and_names_the_rule() -> None:
    answer = judged("rank.tau >= 0.5", [ranked(n) for n in range(900)])
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 0)
    assert "does a rule with `rank` ask for it?" in answer.why


@pytest.mark.parametrize("outcome", ["deviation", "new_error", "old_error", "both_error"])
@pytest.mark.parametrize("sentence", ["rank.overlap >= 0.9", "share of rank.overlap >= 90%"])
def test_cases_that_lost_their_list_do_not_leave_the_figure_alone(sentence: str, outcome: OutcomeName) -> None:
    lost = [ranked(f"lost{n}", outcome=outcome) for n in range(200)]
    assert judged(sentence, lists([1.0] * 800)).state == "GO"
    answer = judged(sentence, lists([1.0] * 800) + lost)
    assert answer.state == "INCONCLUSIVE"
    assert "200 cases without a list, where others on the route have one" in answer.why


def test_cases_elsewhere_have_no_list_to_lose() -> None:
    elsewhere = [ranked(f"e{n}", outcome="deviation", path="/basket") for n in range(900)]
    assert judged("rank.overlap >= 0.9", lists([1.0] * 800) + elsewhere).state == "GO"


def test_a_list_without_an_order_in_common_counts_at_its_worst() -> None:
    answer = judged("rank.tau >= 0.8", lists([1.0] * 800 + [None] * 200, "rank.tau"))
    assert answer.state == "INCONCLUSIVE"
    assert "200 lists with nothing to measure" in answer.why


def test_a_list_that_cannot_have_an_order_is_left_out() -> None:
    single = [ranked(f"s{n}", Measure("body.hits", "rank.tau", None, 1, 0.8, moot=True)) for n in range(800)]
    answer = judged("rank.tau >= 0.8", lists([1.0] * 400, "rank.tau") + single)
    assert (answer.state, answer.n) == ("GO", 400)


@pytest.mark.parametrize(("kept", "state"), [(960, "GO"), (905, "INCONCLUSIVE"), (850, "NO-GO")])
def test_the_share_of_lists_that_keep_their_rules_limit(kept: int, state: str) -> None:
    results = lists([0.9] * kept, "rank.tau", 0.8, "a") + lists([0.7] * (1_000 - kept), "rank.tau", 0.8, "b")
    answer = judged("share of rank.tau >= 0.9", results)
    assert (answer.state, answer.value, answer.unit) == (state, kept / 1_000, "share")
    assert answer.why.startswith(f"tau keeps its rule's limit in {kept} of 1,000 lists")


def test_a_rule_without_a_limit_leaves_the_share_open() -> None:
    answer = judged("share of rank.tau >= 50%", lists([1.0] * 900, "rank.tau") + lists([1.0], "rank.tau", None, "x"))
    assert answer.state == "INCONCLUSIVE"
    assert "1 lists are under a rule that sets no limit for tau" in answer.why


def gains(new: float, old: float, n: int) -> list[Result]:
    return [
        ranked(i, Measure("body", "rank.ndcg", new, 9, 0.5), Measure("body", "rank.ndcg_old", old, 9)) for i in range(n)
    ]


@pytest.mark.parametrize(("new", "state"), [(0.8, "GO"), (0.79, "GO"), (0.7, "NO-GO")])
def test_gain_is_held_against_olds_own(new: float, state: str) -> None:
    answer = judged("rank.ndcg >= old - 0.05", gains(new, 0.8, 900))
    assert answer.state == state
    assert answer.value == pytest.approx(new - 0.8)
    assert answer.why.startswith(f"old 0.8, new {new}")


@pytest.mark.parametrize(
    ("sentence", "fact", "hint"),
    [
        ("rank.overlp >= 0.5", "a ranking has no 'overlp'", "did you mean 'overlap'?"),
        ("rank.tau <= 0.5", "has a lower limit", "rank.tau >= 0.66"),
        ("rank.tau pass", "has a lower limit", "rank.tau >= 0.66"),
        ("share of rank.tau = 0.5", "has a lower limit", "rank.tau >= 90%"),
        ("rank.tau >= old", "compares new with old already", "rank.tau >= 0.66"),
        ("share of rank.ndcg >= old", "compares new with old already", "rank.ndcg >= 90%"),
        ("rank.ndcg >= old", "a margin is missing", "rank.ndcg >= old - 0.02"),
        ("rank.tau >= 1", "no sample can prove this", "below 1"),
        ("share of rank.tau >= 0%", "no sample can prove this", "above 0"),
        ("rank.tau >= 5ms", "this is no limit for a ranking", "rank.tau >= 0.66"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told_with_the_word(sentence: str, fact: str, hint: str) -> None:
    with pytest.raises(CriterionError) as caught:
        parse_criteria([sentence])
    assert fact in caught.value.fact
    assert "^" in caught.value.fact
    assert hint in (caught.value.hint or "")
