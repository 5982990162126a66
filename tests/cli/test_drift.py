"""`replay drift`: the share of disagreeing calls over time, for people and for programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.engine.drifting import drifts
from replay.experiment.calls import Loss, Outcome
from replay.models import OutcomeName
from replay.reports.drift import write_drifts
from replay.store import SqliteStore
from tests.experiment.outcomes import DRAFT, MONDAY, day_of_outcomes, outcome_of
from tests.experiment.outcomes import keep as keep_in

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

STORE = Path(".replay/runs.sqlite")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def keep(outcomes: list[Outcome], *losses: Loss) -> None:
    keep_in(STORE, outcomes, losses)


def hour_of_outcomes(hour: int, agreeing: int, deviating: int = 0, *, new: int = 0) -> list[Outcome]:
    at = MONDAY + hour * HOUR
    return [
        outcome_of(
            "deviation" if number < deviating else "match",
            at=at + timedelta(seconds=number),
            chosen="new" if number < new else "old",
        )
        for number in range(agreeing + deviating)
    ]


def test_the_chart_has_a_line_an_hour_and_the_one_disagreement_stands_out(desk: Desk) -> None:
    keep([*hour_of_outcomes(9, 100, new=10), *hour_of_outcomes(10, 99, 1), *hour_of_outcomes(11, 100, new=100)])
    ended = desk.cli("drift")
    assert ended.code == 0
    assert ended.out == (
        "needs-draft: 1 of 300 compared calls disagree, 0.333% (95% interval 0.0084% to\n"
        "  1.8%); new's answer was used in 36.7%\n"
        "old shop.rules:needs_draft, new shop.rules:needs_draft_v2\n"
        "\n"
        "UTC, by hour          n disagree   share      95% interval new used           1%\n"
        "Mon 2024-11-25\n"
        "  09:00             100        0      0%        0% to 3.6%      10%\n"
        "  10:00             100        1      1%    0.025% to 5.4%       0%  ███████████\n"
        "  11:00             100        0      0%        0% to 3.6%     100%\n"
    )


def test_a_line_a_day_is_what_more_than_three_days_get(desk: Desk) -> None:
    keep([outcome for place in range(5) for outcome in day_of_outcomes(20, at=MONDAY + place * DAY)])
    lines = desk.cli("drift").out.splitlines()
    names = ("Mon", "Tue", "Wed", "Thu", "Fri")
    assert "UTC, by day" in lines[-6]
    assert [line.split()[:3] for line in lines[-5:]] == [
        [name, f"2024-11-{day}", "20"] for name, day in zip(names, range(25, 30), strict=True)
    ]
    assert len(desk.cli("drift", "--by", "hour").out.splitlines()) > 80


def test_hours_without_calls_are_told(desk: Desk) -> None:
    keep([*hour_of_outcomes(1, 5), *hour_of_outcomes(4, 5), *hour_of_outcomes(20, 5)])
    told = [line.split()[:4] for line in desk.cli("drift").out.splitlines()[-6:]]
    assert told == [
        ["01:00", "5", "0", "0%"],
        ["02:00", "0", "-", "-"],
        ["03:00", "0", "-", "-"],
        ["04:00", "5", "0", "0%"],
        ["...", "15", "hours", "without"],
        ["20:00", "5", "0", "0%"],
    ]


def test_no_line_is_longer_than_the_terminal(desk: Desk) -> None:
    keep([*day_of_outcomes(3_000, deviating=1, new=2_999), *day_of_outcomes(10, at=MONDAY + 9 * DAY, deviating=10)])
    for by in ("hour", "day"):
        assert max(map(len, desk.cli("drift", "--by", by).out.splitlines())) <= 80


def test_where_the_encoding_has_no_blocks_bars_are_of_signs() -> None:
    keep([*hour_of_outcomes(9, 0, 2), *hour_of_outcomes(10, 3, 1)])
    with SqliteStore.open(STORE) as kept:
        found = drifts(kept, kept.runs())
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    write_drifts(out, found, 80)
    out.seek(0)
    assert [line.rpartition("  ")[2] for line in out.read().splitlines()[-2:]] == ["###########", "##"]


def test_other_versions_of_new_are_told_where_they_begin(desk: Desk) -> None:
    other = replace(DRAFT, version="v3")
    keep([*hour_of_outcomes(9, 5), *[replace(it, setup=other) for it in hour_of_outcomes(10, 5)]])
    lines = desk.cli("drift").out.splitlines()
    assert lines[-4:] == [
        "  the first with new v2",
        "  09:00               5        0      0%       0% to 52.2%       0%",
        "  the first with new v3",
        "  10:00               5        0      0%       0% to 52.2%       0%",
    ]


def test_lost_calls_are_told_by_their_day(desk: Desk) -> None:
    keep(hour_of_outcomes(9, 5), Loss("needs-draft", MONDAY + 10 * HOUR, "the disk is full", 12))
    assert "  2024-11-25: 12 calls lost, the disk is full" in desk.cli("drift").out.splitlines()


def test_what_nobody_can_tell_is_told_beside(desk: Desk) -> None:
    names: tuple[OutcomeName, ...] = ("match", "new_error", "old_error", "both_error", "skipped", "skipped")
    keep([outcome_of(name) for name in names])
    told = " ".join(desk.cli("drift").out.split())
    assert "1 of 2 compared calls disagree" in told
    assert "2 further calls failed on old or on both sides 2 further calls could not be compared" in told


def test_experiments_are_named_or_matched(desk: Desk) -> None:
    keep(
        [*hour_of_outcomes(9, 5), *[replace(it, setup=replace(DRAFT, name="pricing")) for it in hour_of_outcomes(9, 5)]]
    )
    assert [it for it in ("needs-draft:", "pricing:") if it in desk.cli("drift").out] == ["needs-draft:", "pricing:"]
    assert "needs-draft:" not in desk.cli("drift", "pri*").out


def test_json_tells_the_same_to_programs(desk: Desk) -> None:
    keep(hour_of_outcomes(9, 99, 1, new=30), Loss("needs-draft", MONDAY + 10 * HOUR, "the disk is full", 12))
    found: dict[str, Any] = json.loads(desk.cli("drift", "--json").out)
    (experiment,) = found["experiments"]
    (bucket,) = experiment["buckets"]
    assert (found["version"], experiment["experiment"], experiment["by"]) == (1, "needs-draft", "hour")
    assert bucket.pop("interval") == pytest.approx([0.000253, 0.0545], rel=0.01)
    assert bucket == {
        "begins": "2024-11-25T09:00:00+00:00",
        "n": 100,
        "disagreeing": 1,
        "unproven": 0,
        "skipped": 0,
        "share": 0.01,
        "chosen": {"old": 70, "new": 30},
        "versions": ["v2"],
    }
    assert experiment["lost"] == {"2024-11-25": {"the disk is full": 12}}


def test_what_is_older_is_left_out(desk: Desk) -> None:
    keep([*hour_of_outcomes(9, 5), *hour_of_outcomes(33, 6)])
    assert "of 6 compared calls" in desk.cli("drift", "--since", "2024-11-25T10:00:00Z").out
    assert "of 6 compared calls" in desk.cli("drift", "--since", "2024-11-26").out
    assert desk.cli("drift", "--since", "2024-11-30").out == "no call is stored since then\n"


def test_a_hostile_name_harms_no_terminal(desk: Desk) -> None:
    name = "\x1b[2J\u202edraft\r\n"
    keep([replace(it, setup=replace(DRAFT, name=name)) for it in hour_of_outcomes(9, 5)])
    out = desk.cli("drift").out
    assert not set("\x1b\u202e\r") & set(out)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--by", "week"], "--by week: there is no such unit"),
        (["--since", "soon"], "--since 'soon': this is no time"),
        (["--since", "2999-01-01"], "--since 2999-01-01: this is yet to come"),
        (["nothing"], "there is no experiment called nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, arguments: list[str], fact: str) -> None:
    keep(hour_of_outcomes(9, 5))
    ended = desk.cli("drift", *arguments)
    assert (ended.code, fact in ended.err) == (2, True)


def test_a_store_without_experiments_says_what_keeps_some(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\n", goldens=2)
    desk.cli("run")
    ended = desk.cli("drift")
    assert (ended.code, "the store holds no experiment" in ended.err, "Stored()" in ended.err) == (2, True, True)
