"""Runs from several processes: the same results, and nothing lost whoever is killed."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve, Service

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")


def answer(target: str) -> bytes:
    """Answer both sides alike, save at one case in ten."""
    number = int(target.rpartition("/")[2])
    return b"other" if target.startswith("/new") and number % 10 == 0 else b"same"


def settings(desk: Desk, service: Service, *, cases: int = 200, sessions: int = 0) -> None:
    desk.write(
        "replay.yaml",
        f"old: {service.url}\nnew: {service.url}/new\ntraffic: c.jsonl\nfreeze: 2024-02-29T23:59:59Z\n"
        "cut_when: [deviation < 50%]\n",
    )
    records = desk.requests(cases)
    for number, record in enumerate(records):
        if sessions and number % 3:
            record["session"] = f"s-{number % sessions}"
    desk.capture("c.jsonl", records)


def run(desk: Desk, *flags: str) -> Ended:
    return desk.ended(desk.spawn("run", "--report", "json:report.json", *flags))


def outcomes(report: Any) -> dict[str, tuple[str, Any]]:
    return {each["id"]: (each["outcome"], each["differences"]) for each in report["results"]}


def leftovers() -> list[str]:
    return [path.name for path in Path(".replay").glob("*.journal")]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def test_results_do_not_depend_on_the_number_of_processes(desk: Desk, serve: Serve) -> None:
    with serve(answer) as service:
        settings(desk, service, sessions=7)
        reports = []
        for workers in ("1", "2", "3"):
            ended = run(desk, "--workers", workers)
            assert ended.code == 0
            reports.append(desk.report())
    first, *others = reports
    assert len(outcomes(first)) == 200
    assert all(outcomes(other) == outcomes(first) for other in others)
    assert all(other["counts"] == first["counts"] for other in others)
    assert leftovers() == []


def test_each_case_is_sent_once_and_sessions_keep_their_order(desk: Desk, serve: Serve) -> None:
    with serve(answer) as service:
        settings(desk, service, sessions=5)
        run(desk, "--workers", "3", "--concurrency", "12")
        asked = [target for target in service.targets if "new" not in target]
    assert sorted(Counter(asked).values()) == [1] * 200
    by_session: dict[int, list[int]] = defaultdict(list)
    for target in asked:
        number = int(target[1:])
        if number % 3:
            by_session[number % 5].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_session.values())


def test_a_timetable_is_shared(desk: Desk, serve: Serve) -> None:
    with serve(answer) as service:
        settings(desk, service, cases=41)
        assert run(desk, "--workers", "2", "--rate", "40/s").code == 0
    report = desk.report()
    assert report["counts"]["loaded"] == 41
    assert report["pacing"]["planned_per_second"] == pytest.approx(40, rel=0.1)


def test_records_are_accounted_for_without_a_check_beforehand(desk: Desk, serve: Serve) -> None:
    with serve(answer) as service:
        settings(desk, service, cases=50, sessions=3)
        with Path("c.jsonl").open("a", encoding="utf-8") as capture:
            capture.write('{"session": "s-1", "request": {"pth": "/"}}\n' * 5)
        run(desk, "--workers", "2", "--no-check", "--skip-bad")
    (intake,) = desk.report()["intake"]
    assert (intake["loaded"], intake["skipped"]) == (50, {"invalid_record": 5})


def test_a_side_that_cannot_start_ends_with_2_since_nothing_was_sent(desk: Desk, serve: Serve) -> None:
    with serve(answer) as service:
        settings(desk, service)
        ended = desk.ended(desk.spawn("run", "--workers", "2", "--new", "nowhere:app"))
        assert (ended.code, ended.out, service.seen) == (2, "", [])
    assert "new cannot start" in ended.err
    assert leftovers() == []


def begun(desk: Desk, service: Service, *flags: str, after: int = 40) -> Any:
    """Start a run, and wait until some cases were sent."""
    settings(desk, service)
    process = desk.spawn("run", "--workers", "2", "--concurrency", "4", "--report", "json:cut.json", *flags)
    service.wait_for(after)
    return process


def assert_goes_on(desk: Desk, service: Service, *, twice: int = 0) -> None:
    """Resume the run: it comes to its end, with each case once, save those that were under way."""
    ended = run(desk, "--resume", "--workers", "2", "--concurrency", "16")
    assert ended.code == 0
    report = desk.report()
    assert len(outcomes(report)) == len(report["results"]) == 200
    assert Counter(outcome for outcome, _ in outcomes(report).values()) == {"match": 180, "deviation": 20}
    sent_again = [target for target, n in Counter(service.targets).items() if n > 1]
    assert len(sent_again) <= twice
    assert leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_in_order_and_the_run_goes_on(desk: Desk, serve: Serve, number: signal.Signals) -> None:
    with serve(answer, delay=0.02) as service:
        process = begun(desk, service)
        process.send_signal(number)
        assert desk.ended(process).code == 128 + number
        report = desk.report("cut.json")
        assert not report["complete"]
        assert 0 < len(report["results"]) < 200
        assert_goes_on(desk, service)


def test_whoever_is_killed_nothing_that_was_done_is_lost(desk: Desk, serve: Serve) -> None:
    with serve(answer, delay=0.02) as service:
        process = begun(desk, service, after=40 + random.randrange(60))  # noqa: S311 - a moment, no secret
        members = children(process.pid)
        process.kill()
        process.wait(timeout=10)
        deadline = time.monotonic() + 15
        while any(Path(f"/proc/{pid}").exists() for pid in members) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in members), "they go on without the one they work for"
        assert_goes_on(desk, service)


def test_a_process_that_dies_makes_the_run_incomplete_and_is_told(desk: Desk, serve: Serve) -> None:
    with serve(answer, delay=0.02) as service:
        process = begun(desk, service)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        ended = desk.ended(process)
        assert ended.code == 3
        assert "a worker process ended by signal 9" in " ".join(ended.out.split())
        # What it had in hand, a batch and what was under way, is sent again.
        assert_goes_on(desk, service, twice=400)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_disk_that_is_full_ends_the_run_with_3(desk: Desk, serve: Serve, workers: str) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, resource.RLIM_INFINITY))

    with serve(lambda _: os.urandom(3000)) as service:
        settings(desk, service)
        ended = desk.ended(desk.spawn("run", "--workers", workers, preexec_fn=limited))
    assert ended.code == 3
    assert "room on the disk" in ended.err
