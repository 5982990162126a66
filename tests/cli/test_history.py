"""`replay history`: what the runs of a store found, by run and by day."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from replay.store import RunRecord, SqliteStore

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

SETTINGS = "old: sides:old\nnew: sides:regressed\ntraffic: c.jsonl\n"


def records(day: str, count: int, *, bad: int = 0) -> list[dict[str, Any]]:
    """Return so many records of one day, the first few of which new does not answer like old."""
    return [
        {
            "id": f"{day}-{number}",
            "request": {"method": "POST", "json": {"n": 2 if number < bad else 1}},
            "at": f"{day}T23:30:{number % 60:02}Z",
        }
        for number in range(count)
    ]


def kept(desk: Desk, *days: list[dict[str, Any]], flags: tuple[str, ...] = ()) -> None:
    """Replay the records of some days."""
    desk.project(settings=SETTINGS, goldens=0)
    desk.capture("c.jsonl", [record for day in days for record in day])
    desk.cli("run", *flags)


def test_every_run_and_day_has_a_line_and_the_newest_stands_last(desk: Desk) -> None:
    kept(desk, records("2026-11-21", 4, bad=1), records("2026-11-22", 6), flags=("--label", "new=a1"))
    kept(desk, records("2026-11-23", 5), flags=("--label", "new=b2"))
    ended = desk.cli("history")
    lines = ended.out.splitlines()
    assert (ended.code, lines[0].split()[:3]) == (0, ["run", "and", "day"])
    assert [line.split() for line in lines if line.startswith("  ")] == [
        ["Sat", "2026-11-21", "4", "25%", *lines[3].split()[4:]],
        ["Sun", "2026-11-22", "6", "0%", *lines[4].split()[4:]],
        ["Mon", "2026-11-23", "5", "0%", *lines[7].split()[4:]],
    ]
    assert lines[1] == "old sides:old, new a1"
    assert lines[2].split()[1:3] == ["10", "10%"]
    assert lines[5] == "old sides:old, new b2"
    assert all(len(line) <= 80 for line in lines)


def test_on_a_narrow_terminal_figures_stand_below_the_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(desk, records("2026-11-21", 4, bad=1))
    monkeypatch.setenv("COLUMNS", "40")
    lines = desk.cli("history").out.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[-1].split()[:2] == ["4", "25%"]


def test_days_are_those_of_utc(desk: Desk) -> None:
    record = {**records("2026-11-22", 1)[0], "at": "2026-11-22T00:30:00+02:00"}
    kept(desk, [record])
    assert "Sat 2026-11-21" in desk.cli("history").out


def test_json_history_is_for_programs(desk: Desk) -> None:
    kept(desk, records("2026-11-21", 4, bad=1))
    document = json.loads(desk.cli("history", "--json").out)
    (run,) = document["runs"]
    assert (document["version"], run["verdict"], run["n"], run["deviating"]) == (1, "NO-GO", 4, 1)
    assert run["days"][0]["day"] == "2026-11-21"
    assert run["days"][0]["deviation"] == 0.25
    assert run["p95_ratio"] == run["p95"]["new"] / run["p95"]["old"]


def test_the_newest_runs_can_be_asked_for_alone(desk: Desk) -> None:
    for day in ("2026-11-21", "2026-11-22", "2026-11-23"):
        kept(desk, records(day, 1))
    out = desk.cli("history", "--last", "2").out
    assert "2026-11-21" not in out
    assert out.index("Sun 2026-11-22") < out.index("Mon 2026-11-23")


def test_what_a_run_found_of_a_part_says_so(desk: Desk) -> None:
    kept(desk, records("2026-11-21", 4), flags=("--limit", "2"))
    assert "only a part: --limit 2" in desk.cli("history").out


def test_an_empty_store_and_none_at_all_are_told_apart(desk: Desk) -> None:
    ended = desk.cli("history")
    assert ended.code == 2
    assert "there is no store yet" in ended.err


def test_a_store_without_a_run_is_an_error(desk: Desk) -> None:
    SqliteStore.open("empty.sqlite").close()
    ended = desk.cli("history", "--store", "empty.sqlite")
    assert ended.code == 2
    assert "the store holds no run" in ended.err


def test_a_run_that_was_cut_off_says_so_instead_of_a_verdict(desk: Desk) -> None:
    kept(desk, [*records("2026-11-21", 2), {"id": "bad", "reqest": {}}], flags=("--no-check",))
    assert " incomplete" in desk.cli("history").out


def test_a_run_that_was_never_closed_has_no_figures(desk: Desk) -> None:
    with SqliteStore.open("killed.sqlite") as store:
        store.begin(RunRecord("r1", datetime(2026, 11, 28, tzinfo=UTC)))
    ended = desk.cli("history", "--store", "killed.sqlite")
    assert ended.code == 0
    assert ended.out.splitlines()[1].split() == ["r1", "-", "-", "-", "running"]
    (run,) = json.loads(desk.cli("history", "--store", "killed.sqlite", "--json").out)["runs"]
    assert (run["n"], run["deviation"], run["days"]) == (None, None, [])


def test_cases_without_a_recorded_time_belong_to_the_day_of_the_run(desk: Desk) -> None:
    kept(desk, [{key: value for key, value in record.items() if key != "at"} for record in records("2026-11-21", 2)])
    lines = desk.cli("history").out.splitlines()
    run = lines[2].split()[0]
    assert lines[3].split()[1].replace("-", "") == run[:8]
