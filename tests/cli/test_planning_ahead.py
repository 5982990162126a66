"""`replay plan`: how many cases criteria need, and how many there are, and nothing sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import SETTINGS, Desk


def traffic(desk: Desk, count: int, **more: Any) -> None:
    desk.capture("traffic.jsonl", desk.requests(count, **more))


def planned(desk: Desk, settings: str, *arguments: str) -> tuple[int, str]:
    # Nobody listens there: whatever were sent would fail.
    sides = "old: http://127.0.0.1:1\nnew: http://127.0.0.1:1/new\ntraffic: traffic.jsonl\n"
    desk.write("replay.yaml", sides + settings)
    ended = desk.cli("plan", *arguments)
    return ended.code, " ".join(ended.text.split())


@pytest.mark.parametrize(("count", "code", "word"), [(598, 0, "ENOUGH"), (597, 3, "TOO FEW")])
def test_598_clean_cases_are_enough_and_597_are_not(desk: Desk, count: int, code: int, word: str) -> None:
    traffic(desk, count)
    found, text = planned(desk, "cut_when: [deviation < 0.5%]\n")
    assert found == code
    assert text.startswith(word)
    assert "needs 598 independent cases if none departs" in text
    assert ("1 case more, all clean, would settle it" in text) == (code == 3)


def test_one_deviation_asks_for_947(desk: Desk) -> None:
    traffic(desk, 947)
    code, text = planned(desk, "cut_when: [deviation < 0.5%]\n", "--expect", "0.1%")
    assert (code, "needs 947 independent cases if 0.1% of them depart" in text) == (0, True)


def test_cases_of_one_session_are_worth_less(desk: Desk) -> None:
    traffic(desk, 600, session="one")
    code, text = planned(desk, "cut_when: [deviation < 0.5%]\n")
    assert (code, "600 cases of the traffic, worth 1" in text) == (3, True)


def test_a_rate_beyond_the_limit_is_never_enough(desk: Desk) -> None:
    traffic(desk, 10)
    code, text = planned(desk, "cut_when: [deviation < 0.5%]\n", "--expect", "1%")
    assert (code, "not even 200,000 cases would show it" in text) == (3, True)


def test_each_part_is_asked_by_itself(desk: Desk) -> None:
    traffic(desk, 700)
    code, text = planned(desk, "cut_when: [deviation < 0.5% per route, errors <= 5% on GET /nowhere]\n")
    assert code == 3
    assert "enough deviation < 0.5% per route needs 598 independent cases in each part" in text
    assert "no case of this run goes to 'GET /nowhere'" in text


def test_what_would_not_be_sent_is_no_evidence(desk: Desk) -> None:
    desk.capture("traffic.jsonl", [{"request": {"method": "POST", "path": "/"}}] * 700)
    code, text = planned(desk, "cut_when: [deviation < 0.5%]\n")
    assert (code, "700 cases would be skipped" in text) == (3, True)


def test_each_day_is_asked_by_itself(desk: Desk) -> None:
    records = [
        {"id": f"c-{n}", "at": f"2026-01-0{1 + n % 3}T12:00:00Z", "request": {"path": f"/{n}"}} for n in range(300)
    ]
    desk.capture("traffic.jsonl", records)
    for days, expected in ((3, 0), (4, 3)):
        code, text = planned(desk, f"cut_when: [deviation < 5% for {days} days]\n")
        assert code == expected
        assert f"in each of {days} days in a row if none departs" in text


def test_what_is_measured_cannot_be_told(desk: Desk) -> None:
    traffic(desk, 600)
    code, text = planned(desk, "cut_when: [deviation < 0.5%, p95 <= +10%]\n")
    assert (code, "not told p95 <= +10% it rests on what is measured" in text) == (0, True)
    assert planned(desk, "cut_when: [p95 <= +10%]\n")[0] == 3


def test_a_group_that_answers_tell_is_said_to_be_one(desk: Desk) -> None:
    traffic(desk, 600)
    groups = "groups: {paid: {where: body.paid}}\ncut_when: [deviation < 0.5% on paid]\n"
    code, text = planned(desk, groups)
    assert (code, "which cases are in paid is told by their answers" in text) == (0, True)


def test_parts_that_answers_tell_are_not_foretold(desk: Desk) -> None:
    traffic(desk, 700)
    code, text = planned(desk, "groups: {kind: {by: body.kind}}\ncut_when: [errors <= 1%, deviation < 1% per kind]\n")
    assert (code, "not told deviation < 1% per kind answers tell into which parts" in text) == (0, True)


def test_timeouts_are_foretold(desk: Desk) -> None:
    traffic(desk, 598)
    assert planned(desk, "cut_when: [timeouts < 0.5%, timeouts <= old]\n")[0] == 0
    code, text = planned(desk, "cut_when: [timeouts < 0.5%]\n", "--expect", "0.1%")
    assert (code, "needs 947 independent cases if 0.1% of them depart" in text) == (3, True)


def test_a_part_of_the_cases_makes_no_days(desk: Desk) -> None:
    records = [{"at": f"2026-01-0{1 + n % 3}T12:00:00Z", "request": {"path": f"/{n}"}} for n in range(300)]
    desk.capture("traffic.jsonl", records)
    code, text = planned(desk, "cut_when: [deviation < 5% for 2 days]\n", "--limit", "290")
    assert (code, "only a part of the cases was asked for" in text) == (3, True)


def test_goldens_are_a_list(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n", goldens=1)
    ended = desk.cli("plan")
    assert ended.code == 0
    assert "there has to be one, and each has to pass" in " ".join(ended.out.split())
    desk.capture("traffic.jsonl", desk.requests(3))
    assert desk.cli("plan", "--traffic", "traffic.jsonl").code == 3


def test_the_last_run_tells_what_to_expect(desk: Desk) -> None:
    desk.project("cut_when: [deviation < 50%]\n", settings=SETTINGS.replace("sides:new", "sides:regressed"))
    desk.capture("traffic.jsonl", [{"request": {"path": "/", "json": {"n": n}}} for n in range(4)])
    desk.cli("run", "--traffic", "traffic.jsonl")
    text = " ".join(desk.cli("plan", "--traffic", "traffic.jsonl").out.split())
    assert "expected: as in run " in text
    assert "if 25% of them depart" in text
    assert "if none departs" in desk.cli("plan", "--traffic", "traffic.jsonl", "--expect", "0%").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--expect", "1"], "this is no share of the cases"),
        (["--expect", "x%"], "this is no share of the cases"),
        (["--expect", "100%"], "this is no share of the cases"),
        (["--expect", "-1%"], "this is no share of the cases"),
        (["--expect", "nan%"], "this is no share of the cases"),
        (["--gate", "pr"], "unknown gate"),
        (["--traffic", "none.jsonl"], "there is no such traffic"),
        (["--only", "nothing"], "is selected by --only nothing"),
    ],
)
def test_a_mistake_is_told(desk: Desk, arguments: list[str], told: str) -> None:
    traffic(desk, 3)
    code, text = planned(desk, "", *arguments)
    assert (code, told in text) == (2, True)


def test_where_nothing_can_be_told_nobody_says_that_the_cases_are_too_few(desk: Desk) -> None:
    traffic(desk, 700)
    code, text = planned(desk, "cut_when: [p95 <= old + 10%]\n")
    assert (code, text.startswith("NOT TOLD")) == (3, True)
