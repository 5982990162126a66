"""KPIs as users meet them: defined in replay.yaml, judged in a run, printed in every report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

APP = """
def old(n=0):
    return {"outcome": "approved" if n % 10 else "declined", "fee": 0.1}


def new(n=0):
    if n % 100 == 7:
        raise RuntimeError("lost")
    return {"outcome": "approved" if n % 5 else "declined", "fee": 0.1 if n % 50 else None}


def long(request, answer):
    return len(answer["body"]["outcome"])
"""
SETTINGS = """
old: {function: "pay:old"}
new: {function: "pay:new"}
traffic: c.jsonl
freeze: 2024-02-29T23:59:59Z
cut_when: [deviation < 90%]
"""
REPORTS = ("--report", "json:report.json", "--report", "markdown:report.md", "--report", "junit:report.xml")


@pytest.fixture(autouse=True)
def _imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each folder's own `pay` imported: a process that replays has only one."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "pay", raising=False)


def project(desk: Desk, more: str, *, cases: int = 200) -> None:
    desk.write("pay.py", APP)
    desk.write("replay.yaml", SETTINGS + more)
    desk.capture("c.jsonl", [{"request": {"method": "POST", "path": "/pay", "json": {"n": n}}} for n in range(cases)])


KPIS = """
kpis:
  auth_rate: {on: POST /pay, share: "body.outcome == 'approved'"}
  fees: {on: POST /pay, sum: body.fee}
  length: {mean: "pay:long"}
  other: {on: GET /pay, count: body.fee}
"""


def test_figures_of_both_sides_stand_in_every_report(desk: Desk) -> None:
    project(desk, KPIS)
    ended = desk.cli("run", *REPORTS)
    found = {kpi["name"]: kpi for kpi in desk.report()["kpis"]}
    rate = found["auth_rate"]
    assert (rate["old"], rate["new"], rate["n"], rate["failed"]) == (0.9, 0.79, 200, {"new": 2})
    assert rate["difference"] == pytest.approx(-0.11)
    assert found["fees"]["faults"] == {"new: body.fee is null": 4}
    assert (found["fees"]["old"], found["fees"]["new"]) == (19.4, 19.4)
    assert found["length"]["old"] == 8
    assert (found["other"]["n"], found["other"]["old"]) == (0, None)
    assert "auth_rate: old 90%, new 79%: -11pp, between" in ended.out
    assert "no figure in 4 answers of new: body.fee is null" in " ".join(ended.out.split())
    assert "### KPIs" in written("report.md")


def written(name: str) -> str:
    return Path(name).read_text("utf-8")


def test_a_kpi_that_falls_decides_the_verdict(desk: Desk) -> None:
    project(desk, KPIS)
    text = written("replay.yaml").replace("[deviation < 90%]", "[deviation < 90%, kpi.auth_rate >= old - 1pp]")
    desk.write("replay.yaml", text)
    ended = desk.cli("run", *REPORTS)
    assert (ended.code, [each["state"] for each in desk.report()["criteria"]]) == (1, ["GO", "NO-GO"])
    assert "not within old - 1pp" in " ".join(ended.out.split())


def test_workers_and_a_report_later_tell_the_same(desk: Desk) -> None:
    project(desk, KPIS)
    desk.cli("run", *REPORTS, "--workers", "2")
    first = desk.report()
    assert desk.cli("report", "--report", "json:later.json").code == 0
    assert desk.report("later.json")["kpis"] == first["kpis"]
    desk.cli("run", *REPORTS)
    assert desk.report()["kpis"] == first["kpis"]


@pytest.mark.parametrize(
    ("kpis", "place", "told"),
    [
        ("{a: {share: body.ok, sum: body.fee}}", "replay.yaml:8:", "this one has share and sum"),
        ("{a: {shar: body.ok}}", "replay.yaml:8:", "did you mean 'share'?"),
        ("{a: {share: ok}}", "replay.yaml:8:", "did you mean 'body.ok'?"),
        ("{a: {mean: 'away:clicks'}}", "replay.yaml:8:", "away is not in the project's folder"),
        ("{a: {mean: 'pay:click'}}", "replay.yaml:8:", "pay has no function 'click'"),
        ("{a: {share: body.ok, where: status == 200}}", "replay.yaml:8:", "by what was answered"),
        ("[]", "replay.yaml:8:", ""),
    ],
)
def test_bad_settings_end_with_2_and_their_place(desk: Desk, kpis: str, place: str, told: str) -> None:
    project(desk, f"\nkpis: {kpis}\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert place in ended.err
    assert told in " ".join(ended.err.split())


def test_an_unknown_kpi_in_a_criterion_is_told_with_the_nearest(desk: Desk) -> None:
    project(desk, KPIS)
    desk.write("replay.yaml", written("replay.yaml").replace("deviation < 90%", "kpi.auth_rat >= 80%"))
    ended = desk.cli("run")
    assert ended.code == 2
    assert "unknown KPI 'auth_rat'" in ended.err
    assert "did you mean 'auth_rate'?" in ended.err


def test_a_run_is_not_resumed_under_other_kpis(desk: Desk) -> None:
    project(desk, KPIS)
    desk.cli("run", "--collect")
    desk.write("replay.yaml", written("replay.yaml").replace("sum: body.fee", "mean: body.fee"))
    ended = desk.cli("run", "--resume")
    assert ended.code == 2


def test_latencies_of_old_that_a_capture_holds_show_nothing(desk: Desk) -> None:
    kpis = "kpis: {slow: {mean: latency_ms}, fast: {share: latency_ms < 9000}}\n"
    criteria = "cut_when: [kpi.slow <= old + 10%, kpi.fast >= old - 1pp, kpi.slow < 5000]\n"
    desk.write("pay.py", APP)
    desk.write("replay.yaml", f"old: recorded\nnew: pay:old\ntraffic: c.jsonl\n{kpis}{criteria}")
    response = {"status": 200, "headers": {"content-type": "application/json"}, "json": {"outcome": "declined"}}
    record = {"request": {"path": "/pay", "json": {"n": 0}}, "response": response, "latency_ms": 5000}
    desk.capture("c.jsonl", [record] * 400)
    ended = desk.cli("run", *REPORTS)
    assert ended.code == 3
    assert [each["state"] for each in desk.report()["criteria"]] == ["INCONCLUSIVE", "INCONCLUSIVE", "GO"]
    assert "recorded elsewhere" in ended.out


@pytest.mark.parametrize("rule", ["", "compare: [{at: body, schema: {type: object}}]\n"])
def test_a_category_that_no_rule_can_show_is_told(desk: Desk, rule: str) -> None:
    project(desk, rule, cases=3)
    settings = (SETTINGS + rule).replace("deviation < 90%", "category.schema = 0")
    desk.write("replay.yaml", settings)
    told = "no rule has a `schema`, so that it holds whatever new does"
    assert (told in " ".join(desk.cli("run").out.split())) is not bool(rule)
