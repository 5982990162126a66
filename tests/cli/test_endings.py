"""Runs that do not come to their end: sides that die, signals, kills, and going on with --resume."""

from __future__ import annotations

import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve, Service

CRITERIA = "cut_when: [deviation < 50%]\n"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(desk: Desk, old: str, new: str, *, cases: int, more: str = "") -> None:
    desk.write(
        "replay.yaml", f"old: {old}\nnew: {new}\ntraffic: c.jsonl\nfreeze: 2024-02-29T23:59:59Z\n{CRITERIA}{more}"
    )
    desk.capture("c.jsonl", desk.requests(cases))


def assert_adds_up(report: Any, cases: int) -> None:
    counts = report["counts"]
    assert counts["loaded"] == cases == counts["compared"] + counts["errored"] + counts["skipped"]


# ----------------------------------------------------------------------------------------------------- sides that fail


def test_two_sides_that_are_down_are_never_go(desk: Desk) -> None:
    ports = free_port(), free_port()
    settings(desk, f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", cases=60)
    ended = desk.cli("run", "--report", "json:report.json", "--report", "junit:r.xml", "--report", "markdown:r.md")
    assert ended.code == 3
    for text in (ended.out, Path("r.xml").read_text("utf-8"), Path("r.md").read_text("utf-8")):
        assert "GO" not in text.split()
    report = desk.report()
    assert (report["verdict"], report["counts"]["compared"]) == ("INCONCLUSIVE", 0)
    assert_adds_up(report, 60)


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_side_that_dies_half_way_is_named_with_its_last_answer(desk: Desk, serve: Serve, side: str) -> None:
    begun = time.monotonic()
    with serve() as whole, serve(lasts=30) as dying:
        urls = {"old": whole.url, "new": whole.url} | {side: dying.url}
        settings(desk, urls["old"], urls["new"], cases=200)
        ended = desk.cli("run", "--concurrency", "4", "--report", "json:report.json")
    assert ended.code in (1, 3)
    report = desk.report()
    assert not report["complete"]
    assert report["sides"][side]["last_answer"] in {f"c-{number}" for number in range(200)}
    assert f"{side} gave no answer any more after" in " ".join(ended.out.split())
    assert_adds_up(report, 200)
    assert report["counts"]["compared"] == 30
    assert sum(cases for reason, cases in report["skipped"].items() if reason.startswith("not sent")) > 100
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("target", "words"),
    [("nowhere:app", "nowhere"), ("sides:missing", "missing"), ("broken:app", "broken on purpose")],
)
def test_a_side_that_cannot_start_ends_with_2_since_nothing_was_sent(desk: Desk, target: str, words: str) -> None:
    desk.project()
    desk.write("broken.py", "raise RuntimeError('broken on purpose')\n")
    ended = desk.cli("run", "--new", target)
    assert (ended.code, ended.out) == (2, "")
    assert "new cannot start" in ended.err
    assert words in ended.err


def test_a_wrong_folder_or_interpreter_is_found_beforehand(desk: Desk) -> None:
    for at in ("venv:missing", "path:missing", "elsewhere:x"):
        desk.project(settings=f"old: sides:old\nnew: {{app: 'sides:new', at: '{at}'}}\n")
        assert desk.cli("run").code == 2


def test_a_capture_that_loses_cases_during_the_run_is_never_go(desk: Desk) -> None:
    def line(text: str) -> str:
        return text.ljust(4095) + "\n"  # of one length, so that the cut leaves no half record

    desk.write(
        "c.jsonl", line('{"replay_capture": 1}') + "".join(line('{"request": {"path": "/"}}') for _ in range(600))
    )
    desk.write(
        "sides.py",
        "import os\n\nLEFT = 4096 * 301\n\n\ndef old():\n    return 1\n\n\n"
        "def new():\n    if os.path.getsize('c.jsonl') > LEFT:\n        os.truncate('c.jsonl', LEFT)\n    return 1\n",
    )
    desk.write("replay.yaml", f"old: sides:old\nnew: sides:new\ntraffic: c.jsonl\n{CRITERIA}")
    ended = desk.cli("run", "--report", "json:report.json")
    assert ended.code == 3
    report = desk.report()
    assert (report["verdict"], report["complete"]) == ("INCONCLUSIVE", False)
    # What stands in a block that is not what it was is not sent, be it there still: 300 records are.
    assert 0 < len(report["results"]) < 300
    assert_adds_up(report, 600)
    assert "c.jsonl: the file has changed since it was first read" in " ".join(ended.out.split())
    # No run can go on with another input.
    assert "--resume" not in ended.out
    assert "replay run  to begin anew" in ended.out


def test_goldens_that_are_gone_when_they_are_to_be_sent_are_never_go(desk: Desk) -> None:
    for number in range(4):
        desk.write(f"goldens/{number}.yaml", "request: {path: /}\n")
    # Sides start when all has been checked.
    gone = "import pathlib\n\npathlib.Path('goldens/2.yaml').unlink(missing_ok=True)\n"
    desk.write("sides.py", gone + "\n\ndef old():\n    return 1\n\n\nnew = old\n")
    desk.write("replay.yaml", f"old: sides:old\nnew: sides:new\n{CRITERIA}")
    ended = desk.cli("run", "--report", "json:report.json")
    assert ended.code == 3
    assert (desk.report()["verdict"], len(desk.report()["results"])) == ("INCONCLUSIVE", 3)
    assert "goldens/2.yaml: the file has changed since it was first read" in " ".join(ended.out.split())


# -------------------------------------------------------------------------------------------------------------- signals


def started(desk: Desk, service: Service, *flags: str, after: int = 12) -> Any:
    """Start a run of 200 cases, and wait until some were sent."""
    settings(desk, service.url, service.url + "/new", cases=200)
    process = desk.spawn("run", "--concurrency", "4", "--report", "json:cut.json", *flags)
    service.wait_for(after)
    return process


def resumed(desk: Desk) -> Ended:
    return desk.cli("run", "--resume", "--concurrency", "16", "--report", "json:report.json")


def answer(target: str) -> bytes:
    """Answer both sides alike, save at one case in ten."""
    number = int(target.rpartition("/")[2])
    return b"other" if target.startswith("/new") and number % 10 == 0 else b"same"


def outcomes(report: Any) -> dict[str, str]:
    return {each["id"]: each["outcome"] for each in report["results"]}


def assert_whole(report: Any) -> None:
    """Hold a report to what a run that nobody cut off would say."""
    ids = Counter(each["id"] for each in report["results"])
    assert ids == Counter(f"c-{number}" for number in range(200))
    assert report["complete"]
    assert (report["verdict"], report["counts"]["deviating"], report["counts"]["matched"]) == ("GO", 20, 180)
    deviating = {name for name, outcome in outcomes(report).items() if outcome == "deviation"}
    assert deviating == {f"c-{number}" for number in range(0, 200, 10)}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_was_done_and_resume_finishes(
    desk: Desk, serve: Serve, number: signal.Signals, code: int
) -> None:
    with serve(answer, delay=0.02) as service:
        process = started(desk, service)
        process.send_signal(number)
        ended = desk.ended(process)
        cut = desk.report("cut.json")
        before = len(service.seen)
        assert resumed(desk).code == 0
    assert ended.code == code
    assert ended.out.startswith("INCONCLUSIVE")
    assert f"exit code {code}" in ended.out
    assert cut["exit_code"] == code
    assert not cut["complete"]
    assert cut["verdict"] == "INCONCLUSIVE"
    assert 0 < len(cut["results"]) < 200
    assert_adds_up(cut, 200)
    assert_whole(desk.report())
    assert desk.report()["run"] == cut["run"]
    assert len(service.seen) - before == 2 * (200 - len(cut["results"]))


def test_a_second_signal_ends_the_run_at_once(desk: Desk, serve: Serve) -> None:
    with serve(delay=5) as service:
        process = started(desk, service, after=2)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert desk.ended(process, seconds=4).code == 130
        assert time.monotonic() - begun < 4


def test_a_signal_while_captures_are_read_is_no_verdict(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.capture("c.jsonl", desk.requests(60_000))
    process = desk.spawn("run", "--traffic", "c.jsonl")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert desk.ended(process).code == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "command",
    [("import", "c.jsonl", "--out", "made.jsonl"), ("mask", "c.jsonl", "--out", "made.jsonl"), ("mask", "c.jsonl")],
    ids=" ".join,
)
def test_a_signal_while_a_file_is_written_leaves_nothing_of_it(
    desk: Desk, command: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    desk.capture("c.jsonl", desk.requests(60_000))
    before = Path("c.jsonl").read_bytes()
    process = desk.spawn(*command)
    until = time.monotonic() + 30
    while not list(Path().glob(".replay-*/*")) and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(number)
    assert desk.ended(process).code == code
    assert [each.name for each in Path().iterdir()] == ["c.jsonl"]
    assert Path("c.jsonl").read_bytes() == before


AT_THE_LAST_MOMENT: Final = """
import asyncio, os, signal
from replay.cli import main
from replay.engine import run

signals = [signal.SIGINT]

class Loop(asyncio.SelectorEventLoop):
    def run_until_complete(self, future):
        while signals:
            os.kill(os.getpid(), signals.pop())
        return super().run_until_complete(future)

run.event_loop = lambda: Loop
main()
"""


def test_a_signal_right_before_the_first_case_ends_the_run_in_order(desk: Desk) -> None:
    desk.project()
    command = [sys.executable, "-c", AT_THE_LAST_MOMENT, "run"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    told = "error: it was interrupted before anything was sent: no side was being started\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", told)


def test_kill_9_loses_no_stored_result_and_resume_finishes(desk: Desk, serve: Serve) -> None:
    moment = random.Random(4)  # noqa: S311 - moments, no secrets
    with serve(answer, delay=0.004) as service:
        process = started(desk, service, after=40)
        for _ in range(5):
            time.sleep(moment.uniform(0.0, 0.2))
            process.kill()
            process.communicate(timeout=10)
            seen = len(service.seen)
            process = desk.spawn("run", "--concurrency", "4", "--resume")
            while process.poll() is None and len(service.seen) < seen + 8:
                time.sleep(0.005)
        last = desk.ended(process)
        if last.code not in (0, 2):
            assert resumed(desk).code == 0
    assert desk.cli("report", "--report", "json:report.json").code == 0
    assert_whole(desk.report())
    with sqlite3.connect(".replay/runs.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    connection.close()


# --------------------------------------------------------------------------------------------------------------- resume


@pytest.fixture
def cut(desk: Desk, serve: Serve) -> str:
    """Leave a run behind that was cut off, since a side died; return the URL of the other one."""
    with serve() as whole, serve(lasts=5) as dying:
        settings(desk, whole.url, dying.url, cases=60, more="seed: 3\n")
        assert desk.cli("run", "--concurrency", "1").code in (1, 3)
        return whole.url


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        (["--seed", "4"], "seed"),
        (["--freeze", "2025-01-01"], "seed"),
        (["--new", "http://127.0.0.1:9"], "new"),
        (["--old", "http://127.0.0.1:9"], "old"),
        (["--limit", "10"], "inputs"),
        (["--only", "c-1*"], "inputs"),
        (["--writable", "both"], "new"),
        (["--repeat", "2"], "repeat"),
        (["--duration", "5s"], "duration"),
        (["--order", "old-first"], "order"),
        (["--noise", "2"], "noise"),
    ],
)
@pytest.mark.usefixtures("cut")
def test_resume_refuses_what_a_flag_has_changed(desk: Desk, flags: list[str], changed: str) -> None:
    ended = desk.cli("run", "--resume", *flags)
    assert ended.code == 2
    assert changed in ended.err.partition("changed since are")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("deviation < 50%", "deviation < 60%", "criteria"),
        ("seed: 3", "seed: 3\ncompare: [{at: body, ignore: true}]", "rules"),
        ("seed: 3", "seed: 3\nerror_when: status == 404", "rules"),
        ("seed: 3", "seed: 4", "seed"),
        ("seed: 3", "seed: 3\norder: together", "order"),
    ],
)
@pytest.mark.usefixtures("cut")
def test_resume_refuses_what_the_settings_have_changed(desk: Desk, old: str, new: str, changed: str) -> None:
    text = Path("replay.yaml").read_text("utf-8")
    desk.write("replay.yaml", text.replace(old, new))
    ended = desk.cli("run", "--resume")
    assert ended.code == 2
    assert changed in ended.err


@pytest.mark.parametrize("flags", [["--rate", "500/s"], ["--workers", "2"], ["--concurrency", "3"], ["--warmup", "2"]])
@pytest.mark.usefixtures("cut")
def test_resume_goes_on_faster_or_slower_or_from_more_processes(desk: Desk, flags: list[str]) -> None:
    ended = desk.ended(desk.spawn("run", "--resume", *flags))
    assert ended.code in (1, 3)
    assert ended.out.startswith(("NO-GO", "INCONCLUSIVE"))


@pytest.mark.usefixtures("cut")
def test_resume_refuses_when_a_capture_has_changed(desk: Desk) -> None:
    desk.capture("c.jsonl", desk.requests(61))
    ended = desk.cli("run", "--resume")
    assert ended.code == 2
    assert "inputs" in ended.err


@pytest.mark.usefixtures("cut")
def test_resume_refuses_when_headers_were_added(desk: Desk) -> None:
    text = Path("replay.yaml").read_text("utf-8")
    new = next(line for line in text.splitlines() if line.startswith("new: "))
    desk.write("replay.yaml", text.replace(new, f"new: {{url: '{new[5:]}', headers: {{x-flag: 'on'}}}}"))
    ended = desk.cli("run", "--resume")
    assert ended.code == 2
    assert "new" in ended.err


@pytest.mark.usefixtures("cut")
def test_resume_refuses_when_the_value_of_a_header_has_changed(desk: Desk) -> None:
    text = Path("replay.yaml").read_text("utf-8")
    new = next(line for line in text.splitlines() if line.startswith("new: "))
    one = text.replace(new, f"new: {{url: '{new[5:]}', headers: {{x-tenant: one}}}}")
    desk.write("replay.yaml", one)
    desk.cli("run")
    desk.write("replay.yaml", one.replace("x-tenant: one", "x-tenant: two"))
    ended = desk.cli("run", "--resume")
    assert ended.code == 2
    assert "headers, variables and commands" in ended.err


def test_resume_refuses_when_the_code_of_a_side_has_changed(desk: Desk) -> None:
    desk.write("sides.py", "import os, threading\n\n\ndef old(n=0):\n    return 1\n\n\ndef new(n=0):\n    return 1\n")
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\ntraffic: c.jsonl\n")
    desk.capture("c.jsonl", [*desk.requests(2), {"id": "bad", "reqest": {}}])
    assert desk.cli("run", "--no-check").code == 3
    desk.write("sides.py", "def old(n=0):\n    return 1\n\n\ndef new(n=0):\n    return 2\n")
    ended = desk.cli("run", "--no-check", "--resume")
    assert ended.code == 2
    assert "code of new" in ended.err


def test_resume_leaves_a_run_alone_that_is_still_carried_out(desk: Desk, serve: Serve) -> None:
    with serve(answer, delay=0.05) as service:
        process = started(desk, service)
        ended = desk.cli("run", "--concurrency", "4", "--resume")
        process.send_signal(signal.SIGINT)
        desk.ended(process)
    assert ended.code == 2
    assert "still being carried out" in ended.err


def test_resume_keeps_to_what_was_collected(desk: Desk, serve: Serve) -> None:
    with serve(answer, delay=0.02) as service:
        process = started(desk, service)
        process.send_signal(signal.SIGTERM)
        desk.ended(process)
        ended = desk.cli("run", "--concurrency", "4", "--resume", "--collect")
    assert ended.code == 2
    assert "--collect" in ended.err


def test_resume_refuses_a_run_that_is_complete(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    assert desk.cli("run").code == 0
    ended = desk.cli("run", "--resume")
    assert ended.code == 2
    assert "complete" in ended.err


def test_a_resumed_run_freezes_its_cases_at_the_instant_of_the_settings(desk: Desk) -> None:
    desk.write(
        "clock.py",
        "import os\nfrom datetime import datetime, UTC\n\n\n"
        "def old(n=0):\n    return str(datetime.now(UTC))\n\n\n"
        "def new(n=0):\n    if n == 3 and not os.path.exists('go-on'):\n        os.kill(os.getppid(), 2)\n"
        "        import threading; threading.Event().wait(30)\n    return '2024-02-29 23:59:59+00:00'\n",
    )
    desk.write(
        "replay.yaml", f"old: clock:old\nnew: clock:new\nfreeze: 2024-02-29T23:59:59Z\ntraffic: c.jsonl\n{CRITERIA}"
    )
    desk.capture("c.jsonl", ({"id": f"c-{n}", "request": {"method": "POST", "json": {"n": n}}} for n in range(6)))
    assert desk.ended(desk.spawn("run", "--concurrency", "1")).code == 130
    Path("go-on").touch()
    desk.cli("run", "--resume", "--report", "json:report.json")
    assert set(outcomes(desk.report()).values()) == {"match"}
