"""`replay run --noise K`: what users see of it, and that nothing which reads a run disagrees."""

from __future__ import annotations

import os
import signal
import uuid
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve, Service

TEXT_OF_SECRET = "s3cr3t-4711-bearer"
REPORTS = ("--report", "json:report.json", "--report", "junit:report.xml", "--report", "markdown:report.md")


def noisy(target: str) -> bytes:
    """Answer with something new each time; new is wrong at every tenth."""
    number = int(target.rpartition("/")[2])
    wrong = target.startswith("/new") and number % 10 == 0
    return f"id {uuid.uuid4()}\nprice {number + wrong}.5 EUR\n".encode()


def settings(desk: Desk, service: Service, *, cases: int = 30, more: str = "") -> None:
    desk.write(
        "replay.yaml",
        f"old: {service.url}\nnew: {service.url}/new\ntraffic: c.jsonl\nfreeze: 2024-02-29T23:59:59Z\n"
        f"cut_when: [deviation < 50%]\n{more}",
    )
    desk.capture("c.jsonl", desk.requests(cases))


def run(desk: Desk, *flags: str) -> Ended:
    return desk.cli("run", *REPORTS, *flags)


def outcomes(report: Any) -> dict[str, str]:
    return {each["id"]: each["outcome"] for each in report["results"]}


EXPECTED = {f"c-{n}": "deviation" if n % 10 == 0 else "noise" for n in range(30)}


def test_noise_is_told_from_what_new_does_wrong(desk: Desk, serve: Serve) -> None:
    with serve(noisy) as service:
        settings(desk, service)
        assert run(desk).code == 1
        ended = run(desk, "--noise", "3")
    report = desk.report()
    assert ended.code == 0
    assert outcomes(report) == EXPECTED
    assert (report["counts"]["noise"], report["counts"]["deviating"], report["counts"]["matched"]) == (27, 3, 0)
    assert (report["noise"]["times"], report["noise"]["cases"], report["noise"]["askings"]) == (3, 30, 90)
    assert "old was asked 3 times more at 30 cases: 90 further answers" in ended.out
    assert "noise 27" in ended.out
    asked = Counter(method_target[1] for method_target in service.seen)
    assert asked["/7"] == 1 + 4
    assert asked["/new/7"] == 2


def test_all_that_read_a_run_agree_on_its_noise(desk: Desk, serve: Serve) -> None:
    with serve(noisy) as service:
        settings(desk, service)
        first = run(desk, "--noise", "3")
    report, junit, markdown = desk.report(), Path("report.xml").read_text("utf-8"), Path("report.md").read_text("utf-8")
    failures = {each.get("name") for each in ET.fromstring(junit).iter("testcase") if each.find("failure") is not None}  # noqa: S314 - ours
    assert failures == {name for name, outcome in EXPECTED.items() if outcome == "deviation"}
    assert "noise 27" in markdown
    again = desk.cli("report", *REPORTS)
    assert again.code == 0
    assert (desk.report(), Path("report.xml").read_text("utf-8")) == (report, junit)
    assert desk.cli("report").out == first.out
    shown = desk.cli("show", "c-7").out
    assert shown.startswith("noise  c-7")
    assert "noise: old differs from itself here in 3 of 3 further answers" in " ".join(shown.split())
    assert "other than at first in 3 of 3" in " ".join(shown.split())
    (each,) = (it for it in report["results"] if it["id"] == "c-7")
    assert each["again"] == {"answers": 3, "differing": 3, "failed": 0}
    assert each["differences"][0]["noise"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")
def test_several_processes_and_a_run_that_goes_on_judge_alike(desk: Desk, serve: Serve) -> None:
    with serve(noisy, delay=0.02) as service:
        settings(desk, service)
        assert desk.ended(desk.spawn("run", "--noise", "3", "--workers", "2", *REPORTS)).code == 0
        assert outcomes(desk.report()) == EXPECTED
        before = len(service.seen)
        process = desk.spawn("run", "--noise", "3", "--workers", "2", *REPORTS)
        service.wait_for(before + 40)
        process.send_signal(signal.SIGINT)
        assert desk.ended(process).code == 130
        assert len(desk.report()["results"]) < 30
        ended = desk.ended(desk.spawn("run", "--noise", "3", "--resume", *REPORTS))
        assert ended.code == 0
        assert outcomes(desk.report()) == EXPECTED
        assert desk.report()["noise"]["askings"] == 90


def test_a_run_goes_on_with_as_many_askings_as_it_began_with(desk: Desk, serve: Serve) -> None:
    with serve(noisy, delay=0.02) as service:
        settings(desk, service)
        process = desk.spawn("run", "--noise", "3")
        service.wait_for(20)
        process.send_signal(signal.SIGINT)
        desk.ended(process)
        ended = desk.cli("run", "--resume", "--noise", "2")
    assert ended.code == 2
    assert "changed since are noise" in ended.err


def test_settings_ask_again_too_and_a_flag_beats_them(desk: Desk, serve: Serve) -> None:
    with serve(noisy) as service:
        settings(desk, service, more="noise: 3\n")
        run(desk)
        assert desk.report()["counts"]["noise"] == 27
        run(desk, "--noise", "0")
        assert (desk.report()["noise"], desk.report()["counts"]["noise"]) == (None, 0)


def test_what_may_change_something_is_never_asked_again_and_that_is_said(desk: Desk, serve: Serve) -> None:
    with serve(noisy) as service:
        settings(desk, service)
        records = desk.requests(4)
        records[1]["request"]["method"] = "POST"
        desk.capture("c.jsonl", records)
        ended = run(desk, "--noise", "3", "--writable", "both")
    asked = Counter((method, target) for method, target, _ in service.seen)
    assert asked["POST", "/1"] == asked["POST", "/new/1"] == 1
    assert asked["GET", "/2"] == 4
    assert "not asked again, since asking may change something: 1 case" in ended.out
    assert desk.report()["noise"]["unsafe"] == 1
    assert outcomes(desk.report())["c-1"] == "deviation"


def test_a_dry_run_counts_every_asking(desk: Desk, serve: Serve) -> None:
    with serve(noisy) as service:
        settings(desk, service)
        ended = run(desk, "--noise", "3", "--dry-run")
        assert service.seen == []
    assert [line.split()[:3] for line in ended.out.splitlines()[1:]] == [["new", "GET", "30"], ["old", "GET", "120"]]


def test_an_asking_that_fails_is_no_noise_and_is_counted(desk: Desk) -> None:
    desk.write(
        "sides.py",
        "import itertools\n\nturns = itertools.count()\n\n\n"
        "def old(n=0):\n    if next(turns) % 3 == 1:\n        raise OSError('busy')\n    return n\n\n\n"
        "def new(n=0):\n    return n\n",
    )
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n")
    desk.capture("c.jsonl", ({"id": f"c-{n}", "request": {"json": {"n": n}}} for n in range(10)))
    ended = run(desk, "--traffic", "c.jsonl", "--noise", "3", "--concurrency", "1")
    report = desk.report()
    assert set(outcomes(report).values()) == {"match", "old_error"}
    assert 0 < report["noise"]["failed"] < report["noise"]["askings"] == 30
    assert "which came to nothing and prove nothing" in " ".join(ended.out.split())


@pytest.mark.parametrize("flags", [("--old", "recorded"), ()])
def test_nobody_can_be_asked_again_where_old_is_recorded_or_not_there(desk: Desk, flags: tuple[str, ...]) -> None:
    desk.write("replay.yaml", "new: http://127.0.0.1:9\ntraffic: c.jsonl\n")
    desk.capture("c.jsonl", desk.requests(2, response={"status": 200}))
    ended = desk.cli("run", "--noise", "3", *flags)
    assert ended.code == 2
    assert "--noise: " in ended.err
    assert "hint: give --old URL" in ended.err
    desk.write("replay.yaml", "new: http://127.0.0.1:9\ntraffic: c.jsonl\nnoise: 2\n")
    assert "replay.yaml: noise: " in desk.cli("run", *flags).err


def test_an_app_that_this_tool_starts_is_asked_again_in_its_workers(desk: Desk) -> None:
    desk.write(
        "sides.py",
        "import os\n\n\ndef old(n=0):\n    return {'n': n, 'id': os.urandom(8).hex() + 'a0'}\n\n\n"
        "def new(n=0):\n    return {'n': n + (n == 2), 'id': os.urandom(8).hex() + 'a0'}\n",
    )
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\nnoise: 4\n")
    for number in range(4):
        desk.write(f"goldens/n/{number}.yaml", f"title: Number {number}\nrequest: {{json: {{n: {number}}}}}\n")
    assert run(desk).code == 1
    assert outcomes(desk.report()) == {f"n/{n}": "deviation" if n == 2 else "noise" for n in range(4)}


def test_secrets_that_old_says_again_are_not_kept(desk: Desk, serve: Serve) -> None:
    turns = count()
    with serve(lambda _: f"{TEXT_OF_SECRET} {next(turns)}".encode()) as service:
        settings(desk, service, cases=3)
        records = desk.requests(3)
        for record in records:
            record["request"]["headers"] = {"authorization": f"Bearer {TEXT_OF_SECRET}"}
        desk.capture("c.jsonl", records)
        run(desk, "--noise", "3")
        shown = desk.cli("show", "c-1").text
    assert "asked again" in shown
    assert TEXT_OF_SECRET not in shown
    assert TEXT_OF_SECRET not in Path("report.json").read_text("utf-8")
