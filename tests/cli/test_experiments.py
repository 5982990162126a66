"""Runs of experiments, judged by a cron or CI: while they grow, day by day, and never GO where calls were lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.cli.experiments import ExperimentJudge, newest_of_each, runs_of
from replay.engine.experiments import Inquest, judged_experiment
from replay.engine.grouping import Grouping
from replay.experiment.calls import Loss, Outcome, Setup
from replay.experiment.storing import Stored
from replay.models import UNPROVEN, OutcomeName
from replay.store import RunRecord, SqliteStore
from replay.verdict import parse_criteria
from tests.experiment.outcomes import DRAFT, MONDAY, day_of_outcomes, outcome_of
from tests.experiment.outcomes import keep as keep_in

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

STORE = Path(".replay/runs.sqlite")
DAY = timedelta(days=1)
ENOUGH = 400
"""Calls of a day that settle `deviation < 1%`, by bounds that hold at every look."""
SETTINGS = """
owner: shop-oncall
groups:
  needs-draft: {tag: needs-draft}
cut_when:
  - deviation < 1% on needs-draft for 3 days
"""


def keep(outcomes: Iterable[Outcome], *, losses: Iterable[Loss] = ()) -> None:
    """Have a process of the program keep calls, and end."""
    keep_in(STORE, outcomes, losses)


def days(*deviating: int, number: int = ENOUGH, setup: Setup = DRAFT) -> list[Outcome]:
    """Return calls of so many days, with so many deviating ones on each."""
    found: list[Outcome] = []
    for place, bad in enumerate(deviating):
        found += day_of_outcomes(number, at=MONDAY + place * DAY, deviating=bad, setup=setup)
    return found


def judged(*, at: timedelta, criterion: str = "deviation < 1%") -> RunRecord:
    """Judge all open runs at some time after the beginning of the first day, and return the newest."""
    with SqliteStore.open(STORE) as kept:
        bench = ExperimentJudge(kept, MONDAY + at, sentences=[criterion])
        (newest,) = bench.judged(runs_of(kept), named=False).values()
    return newest


def state_of(record: RunRecord) -> str:
    assert record.verdict is not None
    return record.verdict.state


@pytest.mark.parametrize("criterion", ["deviation < 1%", "errors <= old", "availability >= old - 0.5pp"])
@pytest.mark.usefixtures("desk")
def test_calls_that_nobody_could_judge_are_never_go(criterion: str) -> None:
    untold = [outcome_of("skipped", at=MONDAY + timedelta(minutes=minute)) for minute in range(40)]
    untold = [replace(each, result=replace(each.result, flags=(UNPROVEN,))) for each in untold]
    keep([*days(0, number=3_000), *untold])
    record = judged(at=DAY, criterion=criterion)
    assert record.verdict is not None
    assert record.verdict.state == "INCONCLUSIVE"
    assert "40 cases of which nobody can tell what came of them" in record.verdict.criteria[0].why


@pytest.mark.usefixtures("desk")
def test_calls_for_which_there_was_no_room_only_make_the_sample_smaller() -> None:
    keep([*days(0, number=3_000), *(outcome_of("skipped", at=MONDAY + timedelta(minutes=it)) for it in range(40))])
    assert state_of(judged(at=DAY)) == "GO"


# -------------------------------------------------------------------------------------------------------- days in a row


def test_three_days_in_a_row_are_go_and_each_day_is_a_run(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS.replace("< 1%", "< 0.1%"))
    keep(days(0, 0, 0, number=3_700))
    ended = desk.cli("judge")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "GO")
    assert "Mon 25 Nov ok, Tue 26 ok, Wed 27 ok" in ended.out
    assert "flip the flag of needs-draft" in ended.out
    assert [line.split()[1] for line in desk.cli("history").out.splitlines() if "needs-draft-" in line] == ["3,700"] * 3


def test_a_day_that_fails_begins_the_row_anew(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 40, 0, 0))
    ended = desk.cli("judge")
    assert ended.code == 3
    assert "2 of 3 days in a row hold" in ended.out
    assert "Mon 25 Nov ok, Tue 26 fails, Wed 27 ok, Thu 28 ok" in ended.out


def test_the_day_that_fails_last_is_no_go(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 40))
    assert desk.cli("judge").code == 1


def test_a_new_version_of_new_begins_with_a_clean_sheet(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0))
    keep(day_of_outcomes(ENOUGH, at=MONDAY + 2 * DAY, setup=replace(DRAFT, version="v3")))
    ended = desk.cli("judge")
    assert (ended.code, "1 of 3 days in a row" in ended.out) == (3, True)
    assert "other version" in ended.out


def test_where_nothing_names_the_version_the_report_says_so(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 0, setup=Setup("needs-draft")))
    assert "nothing names the version of new" in " ".join(desk.cli("judge").out.split())


def test_other_runs_of_the_store_are_no_days_of_an_experiment(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\ndecision: experiment needs-draft\n", goldens=2)
    desk.cli("run")
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 0))
    ended = desk.cli("judge", "--experiment", "needs-*")
    assert (ended.code, "by 3 runs" in ended.out) == (0, True)


# ------------------------------------------------------------------------------------------------------- while it grows


def test_a_run_is_judged_as_often_as_one_likes_while_its_day_lasts() -> None:
    keep(day_of_outcomes(100))
    first = judged(at=timedelta(hours=23, minutes=30))
    keep(day_of_outcomes(ENOUGH))
    second = judged(at=timedelta(hours=23, minutes=40))
    assert [first.state, second.state] == ["running", "running"]
    assert [state_of(first), state_of(second)] == ["INCONCLUSIVE", "GO"]
    assert second.summary is not None
    assert second.summary.experiment is not None
    assert not second.summary.experiment.over


def test_the_bounds_hold_at_every_look_also_once_the_day_is_over() -> None:
    # 299 clean ones would be enough for one who looks once.
    keep(day_of_outcomes(330))
    assert state_of(judged(at=2 * DAY)) == "INCONCLUSIVE"
    keep(day_of_outcomes(70))
    assert state_of(judged(at=2 * DAY)) == "GO"


def test_what_cannot_be_judged_while_it_grows_is_decided_when_the_day_is_over() -> None:
    keep(day_of_outcomes(3_000))
    criterion = "p95 <= old + 10%"
    growing = judged(at=timedelta(hours=23), criterion=criterion)
    over = judged(at=2 * DAY, criterion=criterion)
    assert growing.verdict is not None
    assert "this is decided once it is whole" in growing.verdict.criteria[0].why
    assert (state_of(growing), state_of(over)) == ("INCONCLUSIVE", "GO")


def test_a_day_under_way_breaks_no_row_and_counts_nothing_yet() -> None:
    keep([*days(0, 0, 0), *day_of_outcomes(20, at=MONDAY + 3 * DAY)])
    newest = judged(at=3.5 * DAY, criterion="deviation < 1% for 3 days")
    assert newest.verdict is not None
    assert (newest.verdict.state, "still under way" in newest.verdict.criteria[0].why) == ("GO", True)


def test_calls_that_come_after_a_day_was_judged_have_it_judged_again() -> None:
    keep(days(0, 0))
    judged(at=3 * DAY)
    keep([outcome_of("deviation", at=MONDAY + timedelta(hours=23, minutes=59)) for _ in range(40)])
    with SqliteStore.open(STORE) as kept:
        ExperimentJudge(kept, MONDAY + 4 * DAY, sentences=["deviation < 1%"]).judged(runs_of(kept), named=False)
        states = {record.id: state_of(record) for record in kept.runs()}
    assert list(states.values()) == ["GO", "NO-GO"]


def test_a_day_that_was_judged_is_left_alone_the_next_time() -> None:
    keep(days(0, 0))
    judged(at=3 * DAY)
    with SqliteStore.open(STORE) as kept:
        first = runs_of(kept)[0]
        ExperimentJudge(kept, MONDAY + 4 * DAY, sentences=["deviation < 50%"]).judged(runs_of(kept), named=False)
        assert runs_of(kept)[0] == first


def test_criteria_that_were_changed_after_a_look_are_told() -> None:
    keep(day_of_outcomes(ENOUGH))
    assert judged(at=timedelta(hours=23)).before == ()
    newest = judged(at=timedelta(hours=23), criterion="deviation < 5%")
    assert newest.verdict is not None
    assert [(it.before, it.after) for it in newest.verdict.changes] == [("deviation < 1%", "deviation < 5%")]


def test_a_program_that_writes_faster_than_is_judged_keeps_no_judgement_from_its_end() -> None:
    keep(day_of_outcomes(500))
    more = iter(day_of_outcomes(1_000, deviating=1_000))
    sink, seen = Stored(STORE), count(1)

    def write(_outcome: OutcomeName, _n: int = 1) -> None:
        if next(seen) % 50 == 0:
            for outcome in islice(more, 100):
                sink.take(outcome)
            sink.flush()

    with SqliteStore.open(STORE) as kept:
        terms = Inquest(parse_criteria(["deviation < 1%"]), MONDAY + timedelta(hours=23), Grouping({}, ()))
        record = judged_experiment(kept, runs_of(kept)[0], terms, write)
    assert record.summary is not None
    assert (record.summary.counts.loaded, state_of(record)) == (500, "GO")
    assert state_of(judged(at=2 * DAY)) == "NO-GO"


# ----------------------------------------------------------------------------------------------------- never a false GO


def test_a_run_with_lost_calls_is_never_go(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 0), losses=[Loss("needs-draft", MONDAY + 2.5 * DAY, "more calls came than could be examined", 1)])
    ended = desk.cli("judge")
    assert ended.code == 3
    assert "it did not complete: lost 1 call: more calls came than could be examined" in ended.out
    assert "replay run --resume" not in ended.out


def test_a_lost_call_of_an_earlier_day_breaks_the_row(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 0), losses=[Loss("needs-draft", MONDAY + 1.5 * DAY, "the disk is full", 1)])
    ended = desk.cli("judge")
    assert (ended.code, "1 of 3 days in a row" in ended.out) == (3, True)


def test_losses_of_which_only_the_experiment_is_known_count_for_all_runs_of_that_day(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0, 0, 0))
    keep([], losses=[Loss("needs-draft", MONDAY + 2.5 * DAY, "the call could not be examined", 7)])
    ended = desk.cli("judge")
    assert ended.code == 3
    with SqliteStore.open(STORE) as kept:
        counted = [record for record in runs_of(kept) if record.summary and record.summary.counts.loaded]
    assert [record.state for record in counted] == ["complete", "complete", "incomplete"]


def test_zero_compared_is_never_go(desk: Desk) -> None:
    keep([outcome_of("skipped") for _ in range(ENOUGH)])
    ended = desk.cli("judge", "--criterion", "deviation < 1%")
    assert (ended.code, "no case was compared" in ended.out or "no traffic was compared" in ended.out) == (3, True)


def test_disagreements_of_a_flood_count_though_nothing_of_them_is_kept(desk: Desk) -> None:
    bare = [outcome_of("deviation") for _ in range(50)]
    bare = [replace(it, result=replace(it.result, differences=()), bare=True) for it in bare]
    keep([*day_of_outcomes(ENOUGH), *bare])
    ended = desk.cli("judge", "--criterion", "deviation < 1%")
    assert (ended.code, "compared 450 = matched 400 + deviating 50" in ended.out) == (1, True)


def test_a_process_that_ended_without_a_word_is_told(desk: Desk) -> None:
    sink = Stored(STORE)
    sink.take(outcome_of())
    sink.flush()
    keep(days(0))
    told = " ".join(desk.cli("judge", "--criterion", "deviation < 1%").out.split())
    assert "1 of 2 processes did not say that they had written all" in told
    assert "counted as if they were bad: 1 case of which nobody can tell what came of them" in told


@pytest.mark.parametrize("criterion", ["deviation < 1%", "errors <= old"])
@pytest.mark.parametrize(("killed", "state"), [(0, "GO"), (1, "GO"), (40, "INCONCLUSIVE")])
@pytest.mark.usefixtures("desk")
def test_a_process_that_ended_without_a_word_counts_as_a_call_that_nobody_could_judge(
    criterion: str, killed: int, state: str
) -> None:
    keep(days(0, number=3_000))
    for _ in range(killed):
        sink = Stored(STORE)
        sink.take(outcome_of())
        sink.flush()
    assert state_of(judged(at=DAY + timedelta(hours=1), criterion=criterion)) == state
    assert state_of(judged(at=timedelta(hours=20), criterion=criterion)) == "GO"


@pytest.mark.parametrize("group", ['{where: "request.json.size > 3"}', "{on: 'POST /**', by: body.kind}"])
def test_a_group_of_which_bodies_tell_is_refused_since_agreeing_calls_have_none(desk: Desk, group: str) -> None:
    Path("replay.yaml").write_text(f"groups:\n  large: {group}\ncut_when:\n  - deviation < 1% on large\n")
    keep(days(3))
    ended = desk.cli("judge")
    assert (ended.code, "groups.large" in ended.err, "tag: NAME" in ended.err) == (2, True, True)


def test_the_calls_of_another_experiment_belong_to_another_group(desk: Desk) -> None:
    Path("replay.yaml").write_text("groups:\n  pricing: {tag: pricing}\ncut_when:\n  - deviation < 1% on pricing\n")
    keep(days(0))
    assert desk.cli("judge").code == 3


# --------------------------------------------------------------------------------------------------- which, and by what


def test_each_experiment_has_its_own_gate_where_there_is_one_of_its_name(desk: Desk) -> None:
    gates = "cut_when:\n  needs-draft: [deviation < 1%]\n  pricing: [deviation < 50%]\n  pr: [goldens pass]\n"
    Path("replay.yaml").write_text(gates)
    keep([*days(0), *days(100, setup=replace(DRAFT, name="pricing"))])
    ended = desk.cli("judge")
    assert ended.code == 0
    assert sorted(ended.err.splitlines()[-2:]) == ["needs-draft: GO", "pricing: GO"]


def test_the_worst_of_several_experiments_decides(desk: Desk) -> None:
    keep([*days(0), *days(100, setup=replace(DRAFT, name="pricing"))])
    assert desk.cli("judge", "--criterion", "deviation < 1%").code == 1
    assert desk.cli("judge", "--criterion", "deviation < 1%", "--experiment", "needs-draft").code == 0


def test_one_run_is_judged_by_its_id(desk: Desk) -> None:
    keep(days(40, 0))
    with SqliteStore.open(STORE) as kept:
        first = runs_of(kept)[0]
    assert desk.cli("judge", first.id, "--criterion", "deviation < 1%").code == 1


def test_of_runs_that_are_named_each_decides_and_not_the_newest_alone(desk: Desk) -> None:
    keep(days(40, 0))
    with SqliteStore.open(STORE) as kept:
        first, last = (record.id for record in runs_of(kept))
    ran = desk.cli("judge", first, last, "--criterion", "deviation < 1%")
    assert (ran.code, ran.err.splitlines()[-2:]) == (1, [f"{first}: NO-GO", f"{last}: GO"])
    refused = desk.cli("judge", first, last, "--criterion", "deviation < 1%", "--report", "json:-")
    assert (refused.code, "cannot hold several runs" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (("--experiment", "nothing"), "there is no experiment called nothing"),
        (("--experiment", "needs-draft", "some-run"), "--experiment and RUN both say what to judge"),
        (("--experiment", "needs-draft", "--gate", "none"), "unknown gate 'none'"),
        (("--gate", "a", "--criterion", "deviation < 1%"), "--criterion and --gate both say what to judge by"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, arguments: tuple[str, ...], fact: str) -> None:
    keep(days(0))
    ended = desk.cli("judge", *arguments)
    assert (ended.code, fact in ended.err) == (2, True)


def test_several_experiments_do_not_fit_into_one_file(desk: Desk) -> None:
    keep([*days(0), *days(0, setup=replace(DRAFT, name="pricing"))])
    ended = desk.cli("judge", "--report", "json:r.json")
    assert (ended.code, "needs-draft, pricing" in ended.err) == (2, True)


def test_a_run_of_an_experiment_and_another_one_are_not_judged_together(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\n", goldens=2)
    desk.cli("run")
    keep(days(0))
    with SqliteStore.open(STORE) as kept:
        ids = [record.id for record in kept.runs()]
    assert desk.cli("judge", *ids).code == 2


# ------------------------------------------------------------------------------------------------------- other commands


def test_a_run_that_was_never_judged_names_the_command_that_does(desk: Desk) -> None:
    keep(days(0))
    ended = desk.cli("report")
    assert (ended.code, "`replay judge --experiment needs-draft` does" in ended.err) == (2, True)


def test_the_report_says_that_it_was_an_experiment_and_who_was_chosen(desk: Desk) -> None:
    keep(day_of_outcomes(ENOUGH, new=30))
    desk.cli("judge", "--criterion", "deviation < 1%")
    ended = desk.cli("report")
    told = " ".join(ended.out.split())
    assert (ended.code, "of 400 calls that were compared it used old's answer in 370, new's answer in 30" in told) == (
        0,
        True,
    )
    assert "old: shop.rules:needs_draft; clock: not frozen, it ran in the program" in told
    assert "other rules" not in told


def test_the_report_warns_where_the_settings_say_something_else_by_now(desk: Desk) -> None:
    Path("replay.yaml").write_text(SETTINGS)
    keep(days(0))
    desk.cli("judge")
    assert "the settings say now" not in desk.cli("report").out
    Path("replay.yaml").write_text(SETTINGS.replace("1%", "2%"))
    assert "the settings say now: deviation < 2%" in " ".join(desk.cli("report").out.split())


def test_the_json_report_keeps_to_its_schema(desk: Desk) -> None:
    keep(day_of_outcomes(ENOUGH, new=30, deviating=2))
    desk.cli("judge", "--criterion", "deviation < 1%", "--report", "json:r.json")
    report: dict[str, Any] = json.loads(Path("r.json").read_text())
    assert report["experiment"] == {
        "name": "needs-draft",
        "over": True,
        "chosen": {"old": 370, "new": 30},
        "lost": {},
    }
    assert len(report["results"]) == ENOUGH


def test_resuming_leaves_the_runs_of_experiments_alone(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\n", goldens=2)
    keep(days(0))
    ended = desk.cli("run", "--resume")
    assert (ended.code, "the store holds no run that could go on" in ended.err) == (2, True)


def test_a_plan_takes_no_experiment_for_the_last_run(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\n", goldens=2)
    keep(days(100))
    desk.cli("judge", "--criterion", "deviation < 1%")
    assert "25%" not in desk.cli("plan").out


def test_purging_takes_runs_of_experiments_with_it(desk: Desk) -> None:
    keep(days(0, 0))
    assert desk.cli("purge", "--before", "2024-11-26").code == 0
    with SqliteStore.open(STORE) as kept:
        assert [record.started.day for record in newest_of_each(kept.runs()).values()] == [26]


def test_a_run_that_another_version_kept_is_no_traceback(desk: Desk) -> None:
    keep(days(0))
    with SqliteStore.open(STORE) as kept:
        (record,) = kept.runs()
        kept.keep_record(replace(record, settings={**record.settings, "experiment": {"name": "needs-draft"}}))
    for command in ("judge", "drift"):
        ended = desk.cli(command)
        assert (ended.code, "another version of replay" in ended.err) == (2, True)


# ----------------------------------------------------------------------------------------------------- several machines


def test_what_several_machines_saw_of_a_day_is_one_run(desk: Desk) -> None:
    # Neither has calls enough by itself.
    keep_in("1.sqlite", day_of_outcomes(250))
    keep_in("2.sqlite", day_of_outcomes(250, new=10))
    stores = ("--store", "1.sqlite", "--store", "2.sqlite")
    desk.cli("judge", "--store", "1.sqlite", "--criterion", "deviation < 1%")
    assert desk.cli("merge", "--experiment", "*", *stores, "--into", "all.sqlite").code == 0
    ended = desk.cli("judge", "--store", "all.sqlite", "--criterion", "deviation < 1%")
    assert ended.code == 0
    assert "of 500 calls that were compared it used old's answer in 490, new's answer in 10" in " ".join(
        ended.out.split()
    )


def test_what_was_lost_on_one_machine_is_lost_of_the_whole(desk: Desk) -> None:
    keep_in("1.sqlite", day_of_outcomes(ENOUGH))
    keep_in("2.sqlite", day_of_outcomes(1), [Loss("needs-draft", MONDAY + timedelta(hours=2), "too many", 3)])
    stores = ("--store", "1.sqlite", "--store", "2.sqlite")
    desk.cli("merge", "--experiment", "needs-draft", *stores, "--into", "all.sqlite")
    ended = desk.cli("judge", "--store", "all.sqlite", "--criterion", "deviation < 1%")
    assert (ended.code, "lost 3 calls: too many" in ended.out) == (3, True)


def test_a_store_that_is_named_twice_counts_once(desk: Desk) -> None:
    keep_in("1.sqlite", day_of_outcomes(1), [Loss("needs-draft", MONDAY + timedelta(hours=2), "too many", 3)])
    stores = ("--store", "1.sqlite", "--store", str(Path("1.sqlite").absolute()))
    assert desk.cli("merge", "--experiment", "*", *stores, "--into", "all.sqlite").code == 0
    ended = desk.cli("judge", "--store", "all.sqlite", "--criterion", "deviation < 1%")
    assert (ended.code, "lost 3 calls: too many" in ended.out) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (("--store", "1.sqlite"), "--experiment needs a store of its own"),
        (("--store", "1.sqlite", "--into", "1.sqlite"), "there is a file already"),
        (("--store", "1.sqlite", "--into", "2.sqlite", "a-run"), "--experiment joins all runs"),
        (("--store", "none.sqlite", "--into", "2.sqlite"), "there is no store yet"),
    ],
)
def test_experiments_are_joined_in_a_new_store_alone(desk: Desk, arguments: tuple[str, ...], fact: str) -> None:
    keep_in("1.sqlite", day_of_outcomes(1))
    ended = desk.cli("merge", "--experiment", "*", *arguments)
    assert (ended.code, fact in ended.err) == (2, True)
    assert not Path("2.sqlite").exists()
