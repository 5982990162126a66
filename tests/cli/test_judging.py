"""`replay judge`: stored runs judged again by other rules and criteria, and nothing sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import replay
from replay.store import SqliteStore
from tests.cli.conftest import SETTINGS, Desk, Ended

STORE = Path(".replay/runs.sqlite")
DRIFTING = SETTINGS.replace("sides:new", "sides:regressed")


def reported(desk: Desk, *arguments: str) -> tuple[Ended, Any]:
    """Run a command with a JSON report, and return how it ended and what it reported."""
    ended = desk.cli(*arguments, "--report", "json:report.json")
    return ended, desk.report()


def traffic(desk: Desk, count: int = 3, name: str = "traffic.jsonl", first: int = 0) -> None:
    numbers = range(first, first + count)
    desk.capture(name, [{"id": f"c-{n}", "request": {"path": "/", "json": {"n": n}}} for n in numbers])


def test_a_run_is_judged_by_a_rule_that_was_written_later(desk: Desk) -> None:
    desk.project(settings=DRIFTING)
    assert desk.cli("run").code == 1
    desk.project("compare: [{at: body.n, within: 5}]\n", settings=DRIFTING)
    desk.write("sides.py", "raise SystemExit('nobody asks this code again')\n")
    ended, report = reported(desk, "judge")
    assert (ended.code, report["verdict"]) == (0, "GO")
    assert "the rules were changed after the first case was sent" in ended.out
    assert report["changes"] == [{"what": "rules", "before": None, "after": None}]
    assert desk.cli("report").out == ended.out
    assert "match  n/2" in desk.cli("show", "n/2").out


def test_what_was_judged_before_is_kept(desk: Desk) -> None:
    desk.project(settings=DRIFTING)
    desk.cli("run")
    assert desk.cli("judge", "--criterion", "errors <= 5%").code == 3
    with SqliteStore.open(STORE, create=False) as store:
        record = store.run()
        assert [each.state for each in record.before] == ["NO-GO"]
        assert record.begun_under.criteria == ("goldens pass",)
        (before,) = store.earlier(record.id)
        assert before.verdict is not None
        assert before.verdict.state == "NO-GO"


def test_criteria_that_were_edited_later_are_told_in_every_report(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass, deviation < 0.5%]\n", settings=DRIFTING)
    desk.cli("run")
    flags = [f"--report={kind}:report.{kind}" for kind in ("json", "junit", "markdown")]
    ended = desk.cli("judge", "--criterion", "deviation < 40%", *flags)
    change = "changed after the first case was sent: deviation < 0.5% -> deviation < 40%"
    gone = "taken out after the first case was sent: goldens pass"
    assert change in ended.out
    assert gone in ended.out
    junit = Path("report.junit").read_text("utf-8")
    assert change.replace("<", "&lt;").replace(">", "&gt;") in junit
    assert "deviation &lt; 0.5% -> deviation &lt; 40%" in Path("report.markdown").read_text("utf-8")
    assert desk.report()["changes"] == [
        {"what": "criterion", "before": "goldens pass", "after": None},
        {"what": "criterion", "before": "deviation < 0.5%", "after": "deviation < 40%"},
    ]


def test_it_is_the_beginning_that_counts_however_often_a_run_is_judged(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.cli("run")
    desk.cli("judge", "--criterion", "deviation < 40%")
    ended, report = reported(desk, "judge")
    assert (ended.code, report["changes"]) == (0, [])


def test_a_run_that_was_judged_by_other_criteria_and_then_gone_on_with_says_so(desk: Desk) -> None:
    cut_when = "traffic: c.jsonl\ncut_when: [deviation < %s]\n"
    desk.project(cut_when % "0.5%", goldens=0)
    desk.capture("c.jsonl", [*desk.requests(2), {"id": "bad", "reqest": {}}])
    desk.cli("run", "--no-check")
    desk.cli("judge", "--criterion", "deviation < 40%")
    desk.project(cut_when % "40%", goldens=0)
    ended, report = reported(desk, "run", "--no-check", "--resume")
    change = {"what": "criterion", "before": "deviation < 0.5%", "after": "deviation < 40%"}
    assert (ended.code, report["changes"]) == (3, [change])


def test_a_run_judged_by_rules_that_mean_the_same_comes_to_the_same(desk: Desk) -> None:
    rule = "compare: [{at: body.m, ignore: true, why: %s}]\n"
    desk.project(rule % "clock", settings=DRIFTING)
    _, before = reported(desk, "run")
    desk.project(rule % "the clock", settings=DRIFTING)
    _, after = reported(desk, "judge")
    assert {**after, "changes": []} == before


def test_a_collected_run_gets_its_verdict_later(desk: Desk) -> None:
    desk.project()
    assert desk.cli("run", "--collect").code == 0
    ended, report = reported(desk, "judge")
    assert (ended.code, report["verdict"], report["changes"]) == (0, "GO", [])
    assert desk.cli("report").out.startswith("GO\n")


def test_a_report_of_a_run_says_what_the_settings_say_by_now(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.cli("run")
    assert "Warnings" not in desk.cli("report").out
    desk.project("cut_when: [goldens pass, errors <= old]\ncompare: [{at: body.m, ignore: true}]\n")
    out = " ".join(desk.cli("report").out.split())
    assert "judged by: no such criterion; the settings say now: errors <= old; `replay judge` judges it by those" in out
    assert "judged by other rules than the settings have now" in out
    desk.cli("judge")
    assert "the settings say now" not in desk.cli("report").out


def test_a_report_survives_settings_that_make_no_sense_by_now(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    desk.write("replay.yaml", "cut_when: [godlens pass]\n")
    ended = desk.cli("report")
    assert ended.code == 0
    assert "is not known" in ended.out


def test_an_interrupted_run_is_never_go(desk: Desk) -> None:
    desk.project()
    traffic(desk, 30, "c.jsonl")
    with Path("c.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    assert desk.cli("run", "--traffic", "c.jsonl", "--no-check").code == 3
    ended, report = reported(desk, "judge", "--criterion", "errors <= 99%")
    assert (ended.code, report["complete"]) == (3, False)
    assert "the run did not complete: c.jsonl:32" in ended.out


def test_noise_is_judged_again_by_what_is_kept(desk: Desk) -> None:
    side = "def old(n=0):\n    return {'n': n, 'at': SystemRandom().random()}\n\nnew = old\n"
    desk.write("sides.py", f"from random import SystemRandom\n\n\n{side}")
    desk.write("replay.yaml", SETTINGS + "noise: 5\ncompare: [{at: body.n, ignore: true, why: a}]\n")
    traffic(desk, 30)
    _, before = reported(desk, "run", "--traffic", "traffic.jsonl", "--order", "together")
    assert before["counts"]["noise"] == 30
    desk.write("replay.yaml", SETTINGS + "noise: 5\ncompare: [{at: body.n, ignore: true, why: b}]\n")
    _, after = reported(desk, "judge")
    assert after["counts"] == before["counts"]
    assert after["noise"] == before["noise"]
    desk.write("replay.yaml", SETTINGS + "compare: [{at: body.at, ignore: true}]\n")
    _, ignored = reported(desk, "judge")
    assert ignored["counts"]["matched"] == 30


def test_a_run_is_judged_under_the_environment_that_it_was_made_in(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.write("replay.staging.yaml", "cut_when: [goldens pass, errors <= 5%]\n")
    desk.cli("run", "--env", "staging")
    _, report = reported(desk, "judge")
    assert report["changes"] == []
    assert "the settings say now" not in desk.cli("report").out
    desk.write("replay.other.yaml", "cut_when: [goldens pass]\n")
    _, report = reported(desk, "judge", "--env", "other")
    assert report["changes"] == [{"what": "criterion", "before": "errors <= 5%", "after": None}]
    assert "the settings say now" not in desk.cli("report").out


# ---------------------------------------------------------------------------------------------------------- several


def test_several_runs_have_one_verdict_and_each_its_own(desk: Desk) -> None:
    desk.project("cut_when: [deviation < 50%]\n")
    for name, first in (("a.jsonl", 100), ("b.jsonl", 200)):
        traffic(desk, 4, name, first)
        assert desk.cli("run", "--traffic", name).code == 3
    ids = run_ids()
    ended, report = reported(desk, "judge", *ids)
    assert (ended.code, report["verdict"], report["counts"]["loaded"], len(report["results"])) == (0, "GO", 8, 8)
    assert report["run"] == ", ".join(ids)
    assert desk.cli("report").out.startswith("INCONCLUSIVE\n")


def test_a_case_in_several_runs_is_evidence_once(desk: Desk) -> None:
    desk.project("cut_when: [deviation < 50%]\n")
    traffic(desk, 3)
    for _ in range(3):
        desk.cli("run", "--traffic", "traffic.jsonl")
    ended, report = reported(desk, "judge", *run_ids())
    assert (ended.code, report["criteria"][0]["n"], report["counts"]["loaded"]) == (3, 3, 9)


def test_a_case_that_fails_in_one_of_several_runs_fails(desk: Desk) -> None:
    desk.project(goldens=3)
    desk.write("flag", "")
    desk.write(
        "sides.py",
        "from pathlib import Path\n\n\ndef old(n=0):\n    return {'n': n}\n\n\n"
        "def new(n=0):\n    return {'n': n + Path('flag').read_text().count('x')}\n",
    )
    desk.cli("run")
    desk.write("flag", "x")
    desk.cli("run")
    desk.write("flag", "")
    desk.cli("run")
    assert reported(desk, "judge", *run_ids())[0].code == 1


def test_runs_of_different_versions_are_no_evidence_together(desk: Desk) -> None:
    desk.project()
    for version in ("1.0", "1.1"):
        desk.cli("run", "--label", f"new={version}")
    ended = desk.cli("judge", *run_ids())
    assert ended.code == 2
    assert "differ in: version of new" in ended.err


def test_runs_of_different_sides_are_no_evidence_together(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    desk.cli("run", "--new", "sides:regressed")
    ended = desk.cli("judge", *run_ids())
    assert ended.code == 2
    assert "differ in: new" in ended.err


def test_runs_of_different_code_are_no_evidence_together(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    desk.write("sides.py", Path("sides.py").read_text("utf-8") + "# changed\n")
    desk.cli("run")
    ended = desk.cli("judge", *run_ids())
    assert ended.code == 2
    assert "differ in: code of old, code of new" in ended.err


# ---------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--criterion", "deviaton < 1%"], "did you mean 'deviation'"),
        (["--criterion", "deviation < 1%", "--gate", "pr"], "--criterion and --gate"),
        (["--gate", "pr"], "unknown gate"),
        (["20990101"], "there is no run '20990101'"),
        (["--store", "none.sqlite"], "there is no store yet"),
        (["--report", "json:nowhere/r.json"], "the folder for this report is not there"),
    ],
)
def test_a_mistake_changes_nothing(desk: Desk, arguments: list[str], told: str) -> None:
    desk.project()
    before = desk.cli("run").out
    ended = desk.cli("judge", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert desk.cli("report").out == before


def test_a_run_that_was_never_closed_is_not_judged(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    with SqliteStore.open(STORE, create=False) as store:
        store.finish(store.run().id, "running", None, None)
    ended = desk.cli("judge")
    assert ended.code == 2
    assert "was never closed" in ended.err


def run_ids() -> list[str]:
    with SqliteStore.open(STORE, create=False) as store:
        return [record.id for record in store.runs()]


def test_json_of_a_judged_run_meets_its_schema(desk: Desk) -> None:
    schema = json.loads((Path(replay.__file__).parent / "schemas" / "report.json").read_text("utf-8"))
    desk.project()
    desk.cli("run")
    _, report = reported(desk, "judge", "--criterion", "errors <= old")
    jsonschema.validate(report, schema)
