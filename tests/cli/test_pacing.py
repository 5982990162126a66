"""When cases are sent, how often, in which order, and when a service has had enough."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve


def settings(desk: Desk, old: str, new: str, *, cases: int = 0, more: str = "") -> None:
    desk.write("replay.yaml", f"old: {old}\nnew: {new}\ntraffic: c.jsonl\ncut_when: [deviation < 50%]\n{more}")
    if cases:
        desk.capture("c.jsonl", desk.requests(cases))


def same(_target: str) -> bytes:
    return b"same"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--rate", "fast"], "'fast' is no rate; write 200/s"),
        (["--rate", "0/s"], "no rate"),
        (["--rate", "0.00000000001/s"], "no rate"),
        (["--speed", "-1x"], "no speed; write 1x"),
        (["--speed", "nan"], "no speed"),
        (["--rate", "5/s", "--speed", "2x"], "two timetables"),
        (["--max-gap", "5s"], "give --speed 1x with it"),
        (["--speed", "1x", "--max-gap", "0s"], "no time at all"),
        (["--duration", "soon"], "no duration"),
        (["--duration", "99999999999999d"], "longer than a thousand years"),
        (["--speed", "1x"], "no record has one"),
        (["--order", "new-first"], "random, old-first, together"),
    ],
)
def test_a_timetable_that_makes_no_sense_is_refused_before_anything_is_sent(
    desk: Desk, serve: Serve, flags: list[str], words: str
) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=2)
        ended = desk.cli("run", *flags)
        assert (ended.code, ended.out, service.seen) == (2, "", [])
    assert words in " ".join(ended.err.split())


def test_a_steady_rate_is_kept_and_told(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=21)
        begun = time.monotonic()
        ended = desk.cli("run", "--rate", "40/s", "--report", "json:report.json")
        assert time.monotonic() - begun >= 0.5
    assert ended.code == 0
    pacing = desk.report()["pacing"]
    assert pacing["name"] == "40/s"
    assert pacing["planned_per_second"] == pytest.approx(40)
    assert 0 < pacing["achieved_per_second"] <= 41
    assert pacing["late_ms"]["n"] == 21
    assert set(pacing["latency_from_planned"]) == {"old", "new"}
    assert "timetable 40/s: planned 40" in " ".join(ended.out.split())


def test_a_service_that_cannot_keep_up_is_seen_from_the_planned_moment(desk: Desk, serve: Serve) -> None:
    # Each case takes 40 ms, one at a time: at 100 cases a second the last one of 20 waits for more than half a second.
    with serve(same, delay=0.02) as service:
        settings(desk, service.url, service.url + "/new", cases=20)
        desk.cli("run", "--rate", "100/s", "--concurrency", "1", "--report", "json:report.json")
    report = desk.report()
    assert report["pacing"]["latency_from_planned"]["new"]["p99"] > 400
    # However long the machine makes an answer wait by itself, the cases before it are no part of that.
    assert report["latency"]["new"]["p50"] < report["pacing"]["latency_from_planned"]["new"]["p50"]
    assert report["pacing"]["late_ms"]["p99"] > 400


def test_recorded_times_are_kept_at_their_speed_with_gaps_cut(desk: Desk, serve: Serve) -> None:
    at = ["2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "2024-01-01T08:00:00Z"]
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new")
        desk.capture("c.jsonl", [{"id": each, "request": {"path": "/"}, "at": each} for each in at])
        begun = time.monotonic()
        ended = desk.cli("run", "--speed", "5x", "--max-gap", "2s", "--report", "json:report.json")
        took = time.monotonic() - begun
    assert ended.code in (0, 3)
    assert 0.6 <= took < 20
    assert desk.report()["pacing"]["name"] == "5x as recorded, gaps of at most 2 s"


def test_without_a_timetable_none_is_told(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=2)
        ended = desk.cli("run", "--report", "json:report.json")
    assert desk.report()["pacing"] is None
    assert "timetable" not in ended.out


def test_warming_up_sends_safe_cases_only_and_counts_none(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, f"{{url: '{service.url}', writable: true}}", f"{{url: '{service.url}/new', writable: true}}")
        unsafe = [{"id": f"p-{n}", "request": {"method": "POST", "path": f"/p{n}"}} for n in range(3)]
        desk.capture("c.jsonl", unsafe + desk.requests(10))
        ended = desk.cli("run", "--warmup", "4", "--report", "json:report.json")
        asked = Counter(target for _, target, _ in service.seen)
    assert [asked[f"/p{n}"] for n in range(3)] == [1, 1, 1]
    assert [asked[f"/{n}"] for n in range(10)] == [2] * 4 + [1] * 6
    report = desk.report()
    assert (report["warmed"], report["counts"]["loaded"]) == (4, 13)
    assert "warmed up with 4 cases" in ended.out


def test_a_repeated_case_is_sent_again_under_one_seed_and_is_no_new_evidence(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=5)
        ended = desk.cli("run", "--repeat", "3", "--report", "json:report.json")
        seeds = {(target, headers["Replay-Seed"]) for _, target, headers in service.seen if "new" not in target}
        assert len(service.seen) == 30
    assert len(seeds) == 5
    report = desk.report()
    assert report["counts"]["loaded"] == report["counts"]["matched"] == 15
    assert [criterion["n"] for criterion in report["criteria"]] == [5]
    assert ended.code == report["exit_code"]


def test_a_duration_sends_the_cases_again_and_again(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=3)
        desk.cli("run", "--duration", "700ms", "--report", "json:report.json")
    report = desk.report()
    assert report["complete"]
    assert report["counts"]["loaded"] > 6
    assert [criterion["n"] for criterion in report["criteria"]] == [3]


def test_a_duration_that_leaves_cases_unsent_is_never_go(desk: Desk, serve: Serve) -> None:
    with serve(same, delay=0.05) as service:
        settings(desk, service.url, service.url + "/new", cases=100)
        ended = desk.cli("run", "--duration", "300ms", "--report", "json:report.json")
    report = desk.report()
    assert (ended.code, report["verdict"], report["complete"]) == (3, "INCONCLUSIVE", False)
    assert "the time was over before every case had been sent once" in " ".join(ended.out.split())


def test_old_goes_first_where_that_is_asked_for(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=20, more="order: old-first\n")
        ended = desk.cli("run", "--concurrency", "1")
        assert ended.code == 0
        assert ["new" in target for target in service.targets] == [False, True] * 20
    assert "no latency is compared fairly" in " ".join(ended.out.split())


def test_who_goes_first_is_drawn_for_each_case_otherwise(desk: Desk, serve: Serve) -> None:
    with serve(same) as service:
        settings(desk, service.url, service.url + "/new", cases=60)
        desk.cli("run", "--concurrency", "1")
        first = ["new" in target for target in service.targets[::2]]
    assert 10 < sum(first) < 50


def test_both_sides_are_asked_at_once_where_that_is_asked_for(desk: Desk, serve: Serve) -> None:
    with serve(same, delay=0.1) as service:
        settings(desk, service.url, service.url + "/new", cases=5)
        begun = time.monotonic()
        assert desk.cli("run", "--order", "together", "--concurrency", "5").code == 0
        together = time.monotonic() - begun
        assert len(service.seen) == 10
    assert together < 5


def test_a_side_that_has_failed_often_enough_is_left_alone(desk: Desk, serve: Serve) -> None:
    def failing(_target: str) -> bytes:
        raise OSError  # the connection breaks off: a failure, and yet somebody is there

    with serve(same) as old, serve(failing) as new:
        settings(desk, old.url, f"{{url: '{new.url}', stop_after: 10}}", cases=200)
        ended = desk.cli("run", "--concurrency", "1", "--report", "json:report.json")
        assert len(new.seen) <= 11
    report = desk.report()
    assert (ended.code, report["complete"]) == (1, False)
    assert "new failed 10 times, and is to be left alone after 10" in " ".join(ended.out.split())
    assert report["counts"]["loaded"] == 200


@pytest.mark.parametrize(
    "other", ["http://localhost:{port}/", "{{url: 'http://127.0.0.1:{port}', connect: 'localhost:{port}'}}"]
)
def test_one_service_under_two_spellings_is_no_cut_over(desk: Desk, serve: Serve, other: str) -> None:
    with serve(same) as service:
        settings(desk, service.url, other.format(port=service.port), cases=2)
        assert "old and new are the same" in " ".join(desk.cli("run").out.split())


def test_answers_that_came_only_when_asked_again_are_told(desk: Desk, serve: Serve) -> None:
    asked: Counter[str] = Counter()

    def refusing(target: str) -> bytes:
        asked[target] += 1
        return b"same" if asked[target] > 1 else b"busy"

    with serve(same) as old, serve(refusing, status=lambda body: 503 if body == b"busy" else 200) as new:
        settings(desk, old.url, f"{{url: '{new.url}', retry: {{on: [503], wait: 1ms}}}}", cases=5)
        ended = desk.cli("run", "--report", "json:report.json")
    assert desk.report()["counts"]["matched"] == 5
    assert "new answered 5 of 5 cases only when it was asked again" in " ".join(ended.out.split())
