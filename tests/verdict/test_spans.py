"""Criteria over days and runs: what counts, what breaks a row, and what is never GO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from replay.errors import CriterionError
from replay.models import Case, CaseKind, Judgement, Observation, OutcomeName, Request, Result, Verdict
from replay.verdict import Judge, Terms, parse_criteria
from replay.verdict.cycles import CYCLES, next_of
from replay.verdict.past import NO_PAST, EarlierRun, Past
from replay.verdict.spans import LOOKS, confidence_of

WEEK = "deviation < 5% for 7 days"
ENOUGH = 60
"""Clean cases that show a deviation below 5%; 59 do."""
BEGUN = date(2026, 12, 24)
FIRST = date(2026, 11, 23)  # a Monday


def case(number: int, day: date | None, *, kind: CaseKind = "traffic", outcome: OutcomeName = "match") -> Result:
    freeze = None if day is None else datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Result(Case(f"{day}-{number}", kind, f"{kind} {day} {number}", Request(), freeze=freeze), outcome)


def of_day(day: date, count: int = ENOUGH, *, bad: int = 0) -> list[Result]:
    return [case(number, day, outcome="deviation" if number < bad else "match") for number in range(count)]


def of_days(first: int, last: int, count: int = ENOUGH) -> list[Result]:
    return [result for day in range(first, last) for result in of_day(FIRST + timedelta(days=day), count)]


def verdict(
    results: Iterable[Result],
    sentence: str = WEEK,
    *,
    past: Past = NO_PAST,
    begun: date = BEGUN,
    covering: tuple[str, ...] = (),
) -> Verdict:
    judge = Judge(parse_criteria([sentence], Terms(covering=covering)), begun=begun)
    judge.add_all(results)
    return judge.verdict(past=past)


def judged(results: Iterable[Result], sentence: str = WEEK, **more: object) -> Judgement:
    (answer,) = verdict(results, sentence, **more).criteria  # type: ignore[arg-type]
    return answer


def run_of(name: str, results: Sequence[Result], sentence: str = WEEK, *, unfit: str = "") -> EarlierRun:
    """Return a run as a later one finds it in the store."""
    found = verdict(results, sentence)
    days = tuple(dict.fromkeys(each.case.freeze.date().isoformat() for each in results if each.case.freeze))
    return EarlierRun(name, days, {(each.criterion, each.day): each.judgement for each in found.standings}, unfit)


def past(*runs: EarlierRun) -> Past:
    return Past("now", runs)


def marks(judgement: Judgement) -> list[str]:
    return [part.mark for part in judgement.parts]


# days


def test_seven_good_days_in_one_run_hold() -> None:
    answer = judged(of_days(0, 7))
    assert (answer.state, answer.value, answer.n, answer.unit) == ("GO", 7.0, 7.0 * ENOUGH, "days")
    assert marks(answer) == ["ok"] * 7


def test_six_good_days_ask_for_one_more() -> None:
    answer = judged(of_days(0, 6))
    assert answer.state == "INCONCLUSIVE"
    assert "6 of 7 days in a row hold: 2026-11-23 to 2026-11-28 by 1 run; 1 day more would settle it" in answer.why


def test_consecutive_days_are_the_same_and_spans_share_what_was_found() -> None:
    week = run_of("r1", of_days(0, 6), "deviation < 5% for 14 days")
    answer = judged(of_days(6, 7), "deviation < 5% for 7 consecutive days", past=past(week))
    assert answer.state == "GO"


def test_days_of_earlier_runs_count() -> None:
    runs = [run_of(f"r{day}", of_days(day, day + 1)) for day in range(6)]
    answer = judged(of_days(6, 7), past=past(*runs))
    assert answer.state == "GO"
    assert "by 7 runs" in answer.why


def test_a_day_needs_enough_evidence_by_itself() -> None:
    answer = judged([*of_days(0, 3), *of_days(3, 4, 58), *of_days(4, 8)])
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 4.0)
    assert marks(answer)[-5:] == ["open", "ok", "ok", "ok", "ok"]
    assert "it begins anew after 2026-11-26: it has too little evidence by itself" in answer.why


def test_a_day_without_traffic_breaks_the_row() -> None:
    answer = judged([*of_days(0, 3), *of_days(4, 8)])
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 4.0)
    assert marks(answer)[-5:] == ["none", "ok", "ok", "ok", "ok"]
    assert "it begins anew after 2026-11-26: it has no traffic that was compared" in answer.why


def test_a_gap_that_is_filled_later_is_none() -> None:
    runs = past(run_of("r1", of_days(0, 3)), run_of("r2", of_days(4, 7)))
    assert judged(of_days(3, 4), past=runs).state == "GO"


def test_a_day_of_this_run_that_fails_is_no_go_although_seven_good_ones_follow() -> None:
    answer = judged([*of_day(FIRST, bad=30), *of_days(1, 8)])
    assert answer.state == "NO-GO"
    assert answer.why.startswith("it fails on 2026-11-23: deviating: 30 of 60 cases")


def test_a_day_that_failed_in_an_earlier_run_begins_the_row_anew() -> None:
    failed = run_of("r1", [*of_days(0, 6), *of_day(FIRST + timedelta(days=6), bad=30)])
    answer = judged(of_days(7, 8), past=past(failed))
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 1.0)
    assert "it begins anew after 2026-11-29: it fails" in answer.why


def test_what_failed_once_has_failed_though_it_holds_when_tried_again() -> None:
    failed = run_of("r1", [*of_days(0, 6), *of_day(FIRST + timedelta(days=6), bad=30)])
    answer = judged(of_days(6, 7), past=past(failed))
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0.0)


def test_too_little_of_a_day_does_not_undo_what_another_run_has_shown() -> None:
    runs = past(run_of("r1", of_days(0, 7)), run_of("r2", of_days(2, 3, 5)))
    assert judged(of_days(7, 8), past=runs).state == "GO"


def test_trying_a_day_again_until_it_holds_shows_nothing() -> None:
    much = run_of("r1", [*of_days(0, 6), *of_day(FIRST + timedelta(days=6), 4000, bad=195)])
    again = [run_of(f"r{number}", of_day(FIRST + timedelta(days=6))) for number in range(2, 9)]
    answer = judged(of_days(7, 8), past=past(much, *again))
    assert (answer.state, marks(answer)[-2:]) == ("INCONCLUSIVE", ["open", "ok"])


def test_of_two_runs_with_as_much_of_a_day_the_first_has_the_say() -> None:
    first = run_of("r1", [*of_days(0, 6), *of_day(FIRST + timedelta(days=6), bad=1)])
    answer = judged(of_days(7, 8), past=past(first, run_of("r2", of_days(6, 7))))
    assert marks(answer)[-2:] == ["open", "ok"]


def test_a_row_says_where_nothing_tells_one_version_of_new_from_the_next() -> None:
    assert "nothing names the version of new" not in judged(of_days(0, 7)).why
    answer = judged(of_days(0, 7), past=Past("now", unversioned=True))
    assert answer.state == "GO"
    assert "nothing names the version of new, so a row may go over several" in answer.why


def test_days_judged_under_other_rules_do_not_count_and_the_remedy_is_named() -> None:
    runs = past(run_of("r1", of_days(0, 3), unfit="other rules"), run_of("r2", of_days(3, 6)))
    answer = judged(of_days(6, 7), past=runs)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 4.0)
    assert marks(answer) == ["other rules"] * 3 + ["ok"] * 4
    assert "what was judged otherwise counts after `replay judge r1`" in answer.why


def test_days_that_were_never_judged_by_the_criterion_do_not_count() -> None:
    runs = past(run_of("r1", of_days(0, 6), "deviation < 4% for 7 days"))
    answer = judged(of_days(6, 7), past=runs)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 1.0)
    assert "not judged" in marks(answer)


def test_another_version_begins_the_row_anew() -> None:
    runs = past(run_of("r1", of_days(0, 6), unfit="other version"))
    answer = judged(of_days(6, 7), past=runs)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 1.0)
    assert "another version was put to the test" in answer.why


def test_a_day_of_another_version_counts_once_this_one_was_put_to_the_test() -> None:
    runs = past(run_of("r1", of_days(0, 6), unfit="other version"))
    assert judged(of_days(0, 7), past=runs).state == "GO"


def test_days_are_those_of_utc() -> None:
    late = timedelta(hours=12)
    shifted = [
        replace(each, case=replace(each.case, freeze=each.case.freeze - late if each.case.freeze else None))
        for each in of_days(0, 7)
    ]
    assert judged(shifted).parts[-1].sentence == "2026-11-29"
    east = [
        replace(each, case=replace(each.case, freeze=datetime.fromisoformat("2026-11-30T01:00:00+02:00")))
        for each in of_day(FIRST)
    ]
    assert judged(east).parts[-1].sentence == "2026-11-29"


def test_the_instant_of_a_golden_is_no_day() -> None:
    goldens = [case(number, FIRST + timedelta(days=number), kind="golden") for number in range(7)]
    answer = judged(goldens, "goldens pass for 7 days")
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 1.0)
    assert answer.parts[-1].sentence == BEGUN.isoformat()


def test_goldens_are_no_day_of_the_traffic() -> None:
    assert judged([*of_days(0, 7), case(1, BEGUN, kind="golden")]).state == "GO"


def test_cases_without_recorded_time_belong_to_the_day_of_the_run() -> None:
    answer = judged([case(number, None) for number in range(ENOUGH)])
    assert [part.sentence for part in answer.parts] == [BEGUN.isoformat()]
    assert marks(answer) == ["ok"]


def test_a_recorded_day_that_is_not_over_has_to_show_more() -> None:
    today = FIRST + timedelta(days=6)
    few = judged(of_days(0, 7), begun=today)
    assert (few.state, few.value) == ("INCONCLUSIVE", 6.0)
    assert "2026-11-29 is still under way, and counts once it shows enough" in few.why
    assert marks(few)[-1] == "open"
    assert judged([*of_days(0, 6), *of_day(today, 90)], begun=today).state == "GO"


def test_a_day_that_is_not_over_and_open_breaks_no_row() -> None:
    assert judged([*of_days(0, 7), *of_days(7, 8, 5)], begun=FIRST + timedelta(days=7)).state == "GO"


def test_a_stray_case_of_tomorrow_breaks_no_row() -> None:
    today = FIRST + timedelta(days=7)
    going_on = [*of_day(today, 5), *of_day(today + timedelta(days=1), 1)]
    answer = judged([*of_days(0, 7), *going_on], begun=today)
    assert (answer.state, marks(answer)[-3:]) == ("GO", ["ok", "open", "open"])


def test_a_day_that_is_not_over_does_not_hide_that_yesterday_is_missing() -> None:
    today = FIRST + timedelta(days=8)
    answer = judged([*of_days(0, 7), *of_day(today, 5)], begun=today)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0.0)
    assert "it begins anew after 2026-11-30: it has no traffic that was compared" in answer.why


@pytest.mark.parametrize(
    "instant",
    [
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+05:00",
        "0001-01-01T00:00:00+00:00",
    ],
)
@pytest.mark.parametrize("count", [1, ENOUGH])
def test_a_clock_that_is_centuries_off_harms_nothing(instant: str, count: int) -> None:
    odd = [
        replace(each, case=replace(each.case, freeze=datetime.fromisoformat(instant))) for each in of_day(FIRST, count)
    ]
    assert judged(odd, covering=("month-end",)).state == "INCONCLUSIVE"


def test_a_day_that_is_not_over_and_fails_is_no_go() -> None:
    today = FIRST + timedelta(days=7)
    assert judged([*of_days(0, 7), *of_day(today, bad=30)], begun=today).state == "NO-GO"


@pytest.mark.parametrize("kind", ["golden", "traffic"])
def test_a_run_without_traffic_of_its_own_is_not_go_by_the_past_alone(kind: CaseKind) -> None:
    runs = past(run_of("r1", of_days(0, 7)))
    results = [case(1, None, kind="golden")] if kind == "golden" else []
    answer = judged(results, past=runs)
    assert (answer.state, answer.why) == ("INCONCLUSIVE", "no traffic was compared")


def test_a_day_of_which_nothing_was_compared_is_no_good_day() -> None:
    skipped = [case(number, FIRST + timedelta(days=7), outcome="skipped") for number in range(ENOUGH)]
    answer = judged([*of_days(0, 7), *skipped])
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0.0)
    assert marks(answer)[-1] == "none"


def test_days_too_many_to_be_judged_are_never_go() -> None:
    answer = judged([*[case(0, date(2000, 1, 1) + timedelta(days=day)) for day in range(1_100)], *of_days(0, 7)])
    assert answer.state == "INCONCLUSIVE"
    assert "that is never GO" in answer.why


def test_a_scope_and_a_confidence_hold_for_each_day() -> None:
    answer = judged(of_days(0, 7), "deviation < 5% for 7 days on GET /elsewhere at 99%")
    assert (answer.state, set(marks(answer))) == ("INCONCLUSIVE", {"none"})
    assert judged(of_days(0, 7), "deviation < 5% for 7 days at 99%").state == "INCONCLUSIVE"
    assert judged(of_days(0, 7, 90), "deviation < 5% at 99% for 7 days").state == "GO"


def test_a_day_fails_less_easily_the_more_days_there_are_in_a_run() -> None:
    alone = judged(of_day(FIRST, bad=8)).state
    among = judged([*of_day(FIRST, bad=8), *of_days(1, 6)]).state
    assert (alone, among) == ("NO-GO", "INCONCLUSIVE")


# runs


def test_three_runs_hold_where_each_one_does() -> None:
    runs = [run_of(name, of_day(FIRST), "deviation < 5% for 3 runs") for name in ("r1", "r2")]
    answer = judged(of_day(FIRST), "deviation < 5% for 3 runs", past=past(*runs))
    assert (answer.state, answer.value, answer.unit) == ("GO", 3.0, "runs")
    assert [part.sentence for part in answer.parts] == ["r1", "r2", "now"]


def test_two_runs_ask_for_one_more() -> None:
    answer = judged(
        of_day(FIRST),
        "deviation < 5% for 3 runs",
        past=past(run_of("r1", of_day(FIRST), "deviation < 5% for 3 runs")),
    )
    assert "2 of 3 runs in a row hold: r1 to now; 1 run more would settle it" in answer.why


def test_a_run_that_compared_nothing_is_none_of_the_runs_that_hold() -> None:
    sentence = "timeouts <= 5% for 2 runs"
    broken = [replace(each, new=Observation(500)) for each in (case(n, FIRST, outcome="new_error") for n in range(200))]
    before = verdict(broken, sentence)
    assert before.state == "INCONCLUSIVE"
    fine = [case(number, FIRST) for number in range(200)]
    answered = [replace(each, old=Observation(200), new=Observation(200)) for each in fine]
    assert judged(answered, sentence, past=past(run_of("r1", broken, sentence))).state == "INCONCLUSIVE"
    assert judged(answered, sentence, past=past(run_of("r1", answered, sentence))).state == "GO"


def test_what_a_run_is_doubted_for_is_doubted_by_later_runs_too() -> None:
    judge = Judge(parse_criteria(["deviation < 5% for 2 runs"]), begun=BEGUN)
    judge.add_all(of_day(FIRST, 200))
    found = judge.verdict(doubts=["no case showed the intended change"])
    assert [each.judgement.state for each in found.standings] == ["INCONCLUSIVE"]


def test_a_run_of_another_version_or_judged_otherwise_breaks_the_row() -> None:
    sentence = "deviation < 5% for 2 runs"
    for unfit in ("other version", "other rules"):
        answer = judged(
            of_day(FIRST, 120), sentence, past=past(run_of("r1", of_day(FIRST, 120), sentence, unfit=unfit))
        )
        assert (answer.state, answer.value) == ("INCONCLUSIVE", 1.0)
        assert marks(answer) == [unfit, "ok"]


def test_a_run_that_fails_is_no_go() -> None:
    assert judged(of_day(FIRST, bad=30), "deviation < 5% for 3 runs").state == "NO-GO"


def test_goldens_can_be_asked_to_pass_in_several_runs() -> None:
    goldens = [case(1, None, kind="golden")]
    assert judged(goldens, "goldens pass for 3 runs").value == 1.0


# waiting


def test_waiting_for_a_short_span_is_not_rewarded() -> None:
    for count, spans in ((1, "1 day"), (2, "2 days"), (3, "3 days"), (7, "7 days")):
        (criterion,) = parse_criteria([f"deviation < 5% for {spans}"])
        assert criterion.clause.span is not None
        error = 1 - confidence_of(criterion.clause.span, 0.95)
        assert LOOKS * error**count <= 0.05 * (1 + 1e-9)
    answer = judged(of_day(FIRST), "deviation < 5% for 1 day")
    assert answer.state == "INCONCLUSIVE"
    assert "each day has to hold with 99.986% confidence" in answer.why
    assert judged(of_day(FIRST, 180), "deviation < 5% for 1 day").state == "GO"


# cycles


def test_days_cover_what_they_have_to() -> None:
    cycles = ("weekday", "weekend", "month-end")
    week = judged(of_days(0, 7), covering=cycles)
    assert week.state == "INCONCLUSIVE"
    assert "no month-end is among them yet: the next is 2026-11-30" in week.why
    assert week.sentence == "deviation < 5% for 7 days covering weekday weekend month-end"
    assert judged(of_days(0, 8), covering=cycles).state == "GO"


def test_a_criterion_may_name_its_own_cycles() -> None:
    sentence = "deviation < 5% for 7 days covering month-end"
    assert judged(of_days(0, 7), sentence).state == "INCONCLUSIVE"
    assert judged(of_days(0, 8), sentence).state == "GO"


def test_a_criterion_with_its_cycles_reads_again_as_itself() -> None:
    terms = Terms(covering=("weekday", "month-end"))
    for written in (WEEK, f"{WEEK} covering weekend", f"{WEEK} covering month-end weekday", "goldens pass for 3 runs"):
        (criterion,) = parse_criteria([written], terms)
        (again,) = parse_criteria([criterion.sentence], terms)
        (elsewhere,) = parse_criteria([criterion.sentence])
        assert again.sentence == elsewhere.sentence == criterion.sentence
        assert again.cycles == elsewhere.cycles
        assert set(again.cycles) == set(criterion.cycles)


@pytest.mark.parametrize(
    ("sentence", "hint"),
    [
        ("deviation < 5% covering weekend", "only days cover a cycle"),
        ("deviation < 5% for 3 runs covering weekend", "only days cover a cycle"),
        ("deviation < 5% for 3 days covering weekends", "did you mean 'weekend'"),
        ("deviation < 5% for 3 days covering", "unknown cycle the end"),
    ],
)
def test_cycles_that_make_no_sense_are_refused(sentence: str, hint: str) -> None:
    with pytest.raises(CriterionError) as caught:
        parse_criteria([sentence])
    assert hint in f"{caught.value.fact} {caught.value.hint}"


def test_runs_cover_no_cycle() -> None:
    assert judged(of_day(FIRST), "deviation < 5% for 3 runs", covering=("weekend",)).sentence.endswith("for 3 runs")


@pytest.mark.parametrize(
    ("cycle", "after", "expected"),
    [
        ("month-end", date(2024, 2, 1), date(2024, 2, 29)),
        ("month-end", date(2026, 12, 31), date(2027, 1, 31)),
        ("weekend", date(2026, 11, 23), date(2026, 11, 28)),
        ("weekday", date(2026, 11, 27), date(2026, 11, 30)),
    ],
)
def test_the_next_day_of_a_cycle_is_found(cycle: str, after: date, expected: date) -> None:
    assert next_of(cycle, after) == expected
    assert CYCLES[cycle](expected)


# sentences


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("deviation < 5% for 7 days", "deviation < 5%"),
        ("deviation < 5% for  7 consecutive days at 99%", "deviation < 5% at 99%"),
        ("errors <= old for 1 run", "errors <= old"),
        ("deviation < 5% at 99%", "deviation < 5% at 99%"),
        ("deviation < 5% covering weekend for 7 days", "deviation < 5%"),
        ("deviation < 5% for 7 days on GET /days/*/runs", "deviation < 5% on GET /days/*/runs"),
        ("deviation < 5% on GET /days for 2 runs", "deviation < 5% on GET /days"),
        ("deviation < 5% for 7 days covering weekday month-end at 99%", "deviation < 5% at 99%"),
    ],
)
def test_a_criterion_without_its_span_is_what_its_days_are_kept_under(sentence: str, key: str) -> None:
    (criterion,) = parse_criteria([sentence])
    assert criterion.clause.unspanned == key


def test_the_sentence_of_the_decision_is_two_criteria_and_the_span_belongs_to_the_first() -> None:
    first, second = parse_criteria(["deviation < 0.5% for 7 consecutive days and errors <= old"])
    assert (first.sentence, second.sentence) == ("deviation < 0.5% for 7 consecutive days", "errors <= old")
    assert second.clause.span is None


def test_a_span_of_nothing_is_refused() -> None:
    with pytest.raises(CriterionError, match="no number of days or runs"):
        parse_criteria(["deviation < 5% for 0 days"])
