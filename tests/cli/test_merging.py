"""`replay merge`: shards from several machines become the run that they are parts of."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from replay.store import SqliteStore
from tests.cli.conftest import SETTINGS, Desk, Ended

COUNT = 3
DRIFTING = SETTINGS.replace("sides:new", "sides:regressed")
CHANGING = {"run", "started", "finished", "latency", "latency_ms"}
"""What differs between two runs of the same."""


def stores(*indices: int) -> list[str]:
    return [flag for index in indices for flag in ("--store", f"{index}.sqlite")]


def shard(desk: Desk, index: int, *flags: str, count: int = COUNT) -> Ended:
    return desk.cli("run", "--shard", f"{index}/{count}", "--collect", "--store", f"{index}.sqlite", *flags)


def sharded(desk: Desk, *flags: str, count: int = COUNT) -> None:
    for index in range(1, count + 1):
        assert shard(desk, index, *flags, count=count).code == 0


def merged(desk: Desk, *arguments: str) -> tuple[Ended, Any]:
    ended = desk.cli("merge", *arguments, "--report", "json:report.json")
    return ended, desk.report()


def traffic(desk: Desk, count: int = 20, **more: Any) -> None:
    requests = [
        {"id": f"c-{n}", "session": f"s-{n % 7}", "request": {"path": "/", "json": {"n": n}}, **more}
        for n in range(count)
    ]
    desk.capture("traffic.jsonl", requests)


def told(report: Any) -> Any:
    """Return what a report says that does not change from run to run, whatever the order of the results."""
    results = sorted(report["results"], key=lambda it: str(it["id"]))
    bare = [{key: value for key, value in it.items() if key not in CHANGING | {"cause"}} for it in results]
    clusters = [(it["title"], it["cases"]) for it in report["clusters"]]
    rest = {key: value for key, value in report.items() if key not in CHANGING | {"results", "clusters", "days"}}
    return rest, clusters, bare


def test_shards_that_were_judged_by_other_criteria_meanwhile_say_so_once_they_are_merged(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n", settings=DRIFTING)
    sharded(desk, count=2)
    for index in (1, 2):
        desk.cli("judge", "--store", f"{index}.sqlite", "--criterion", "goldens pass for 1 run")
    ended, report = merged(desk, *stores(1, 2))
    change = {"what": "criterion", "before": "goldens pass", "after": "goldens pass for 1 run"}
    assert (ended.code, report["changes"]) == (1, [change])
    assert "changed after the first case was sent" in desk.cli("report").out


@pytest.mark.parametrize("settings", [SETTINGS, DRIFTING])
def test_merged_shards_are_the_run_that_they_are_parts_of(desk: Desk, settings: str) -> None:
    desk.project("traffic: traffic.jsonl\ncut_when: [goldens pass, deviation < 50%]\n", settings=settings, goldens=4)
    traffic(desk)
    code = desk.cli("run", "--report", "json:report.json").code
    whole = desk.report()
    sharded(desk)
    ended, report = merged(desk, *stores(1, 2, 3))
    assert ended.code == code
    assert told(report) == told(whole)
    assert report["counts"]["loaded"] == sum(it["loaded"] for it in report["intake"]) == 24
    assert desk.cli("report").out == ended.out


def test_one_junit_file_holds_the_cases_of_all_shards(desk: Desk) -> None:
    desk.project(settings=DRIFTING, goldens=4)
    sharded(desk, count=2)
    desk.cli("merge", *stores(1, 2), "--report", "junit:r.xml")
    suites = {it.get("name"): it for it in ET.parse("r.xml").getroot()}  # noqa: S314 - we have just written it
    assert (suites["goldens"].get("tests"), suites["goldens"].get("failures")) == ("4", "1")
    assert len([it for it in suites["criteria"] if it.get("name") == "verdict"]) == 1


def test_an_empty_shard_is_a_part_like_any_other(desk: Desk) -> None:
    desk.project(goldens=1)
    sharded(desk, count=2)
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["verdict"], report["counts"]["loaded"]) == (0, "GO", 1)
    assert report["clock"] == {"old": "frozen", "new": "frozen"}


def test_shards_of_nothing_are_refused_each_by_itself(desk: Desk) -> None:
    desk.project(goldens=1)
    for index in (1, 2):
        ended = shard(desk, index, "--only", "nothing", count=2)
        assert ended.code == 2
        assert "no case is selected by --only nothing" in ended.err


def test_without_a_shard_there_is_no_go(desk: Desk) -> None:
    desk.project(goldens=4)
    sharded(desk, count=2)
    ended, report = merged(desk, *stores(1))
    assert (ended.code, report["verdict"], report["complete"]) == (3, "INCONCLUSIVE", False)
    assert "the run did not complete: missing: shard 2/2" in " ".join(ended.out.split())


def test_a_shard_that_failed_fails_all_even_where_another_is_missing(desk: Desk) -> None:
    desk.project(settings=DRIFTING, goldens=4)
    sharded(desk, count=2)
    assert {merged(desk, *stores(index))[0].code for index in (1, 2)} == {1, 3}


def test_a_shard_that_did_not_complete_leaves_the_whole_incomplete(desk: Desk) -> None:
    desk.project()
    traffic(desk)
    with Path("traffic.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    for index in (1, 2):
        assert shard(desk, index, "--traffic", "traffic.jsonl", "--no-check", count=2).code == 3
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["complete"]) == (3, False)
    assert "shard 1/2: traffic.jsonl:22" in " ".join(ended.out.split())


def test_a_case_that_is_in_no_shard_leaves_the_whole_incomplete(desk: Desk) -> None:
    desk.project(goldens=4)
    sharded(desk, count=2)
    with sqlite3.connect("1.sqlite") as lost:
        lost.execute("DELETE FROM results WHERE seq = (SELECT max(seq) FROM results)")
    lost.close()
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["complete"]) == (3, False)
    assert "4 records were loaded and 3 have a result" in " ".join(ended.out.split())


def test_a_case_in_two_shards_leaves_the_whole_incomplete(desk: Desk) -> None:
    desk.project(goldens=4)
    sharded(desk, count=2)
    with SqliteStore.open("1.sqlite", create=False) as one, SqliteStore.open("2.sqlite", create=False) as other:
        one.add(one.run().id, [next(iter(other.results(other.run().id)))])
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["complete"]) == (3, False)
    assert "in more than one shard: 1 of the cases" in " ".join(ended.out.split())


def test_all_shards_may_be_in_one_store(desk: Desk) -> None:
    desk.project(goldens=4)
    for index in (1, 2):
        desk.cli("run", "--shard", f"{index}/2", "--collect")
    ended, report = merged(desk)
    assert (ended.code, report["counts"]["loaded"]) == (0, 4)
    assert desk.cli("report").out == ended.out


def test_a_shard_of_another_night_stands_for_no_missing_one(desk: Desk) -> None:
    desk.project(goldens=4)
    sharded(desk, count=2)
    with SqliteStore.open("2.sqlite", create=False) as store:
        record = store.run()
        last_night = replace(record, started=record.started - timedelta(hours=20))
        store.keep_record(last_night)
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["complete"]) == (3, False)
    assert "missing: shard 2/2" in " ".join(ended.out.split())


def test_a_merge_that_was_killed_is_no_obstacle_to_the_next(desk: Desk) -> None:
    desk.project(goldens=4)
    for index in (1, 2):
        desk.cli("run", "--shard", f"{index}/2", "--collect")
    with SqliteStore.open(Path(".replay/runs.sqlite"), create=False) as store:
        record = store.run()
        cut_off = replace(record, id="20991231-000000-dead", fingerprint={}, shard=None, summary=None, verdict=None)
        store.begin(replace(cut_off, started=record.started + timedelta(seconds=1), state="running"))
    ended, report = merged(desk)
    assert (ended.code, report["counts"]["loaded"]) == (0, 4)


def test_stores_of_machines_with_keys_of_their_own_are_joined(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project("traffic: traffic.jsonl\ncut_when: [deviation < 50%]\n")
    traffic(desk, response={"status": 200}, correlation_id="x")
    for index in (1, 2):
        monkeypatch.setenv("REPLAY_MASK_KEY", f"key {index}")
        shard(desk, index, count=2)
    ended, report = merged(desk, *stores(1, 2))
    assert (ended.code, report["counts"]["loaded"]) == (0, 22)


def test_the_folder_of_a_machine_is_no_part_of_a_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(goldens=4)
    here = Path.cwd()
    for index in (1, 2):
        folder = here / f"machine {index}"
        shutil.copytree(here / "goldens", folder / "goldens")
        for name in ("replay.yaml", "sides.py"):
            shutil.copy(here / name, folder)
        monkeypatch.chdir(folder)
        desk.cli("run", "--shard", f"{index}/2", "--collect", "--store", str(here / f"{index}.sqlite"))
    monkeypatch.chdir(here)
    assert merged(desk, *stores(1, 2))[0].code == 0


def test_noise_is_judged_over_all_shards(desk: Desk) -> None:
    side = "def old(n=0):\n    return {'n': n, 'at': SystemRandom().random()}\n\nnew = old\n"
    desk.write("sides.py", f"from random import SystemRandom\n\n\n{side}")
    desk.write("replay.yaml", SETTINGS + "noise: 3\ntraffic: traffic.jsonl\n")
    desk.capture("traffic.jsonl", [{"id": f"c-{n}", "request": {"path": "/", "json": {"n": n}}} for n in range(30)])
    sharded(desk, count=2)
    ended, report = merged(desk, *stores(1, 2))
    assert (report["noise"]["cases"], report["counts"]["noise"]) == (30, 30)
    assert ended.code == 3


# ------------------------------------------------------------------------------------------------------------- refusals


def test_a_shard_that_is_there_twice_is_refused(desk: Desk) -> None:
    desk.project(goldens=1)
    sharded(desk, count=2)
    shutil.copy("2.sqlite", "3.sqlite")
    desk.cli("run", "--shard", "2/2", "--collect", "--store", "4.sqlite")
    for twin in (3, 4):
        ended = desk.cli("merge", *stores(1, 2, twin))
        assert ended.code == 2
        assert "are the same part" in ended.err


def test_shards_that_rest_on_something_else_are_refused_by_name(desk: Desk) -> None:
    desk.project(goldens=1)
    sharded(desk, count=2)
    with SqliteStore.open("2.sqlite", create=False) as store:
        record = store.run()
        for name in ("inputs", "rules", "criteria", "seed", "order", "noise", "labels", "old", "new", "code of new"):
            store.keep_record(replace(record, fingerprint={**record.fingerprint, name: "another"}))
            ended = desk.cli("merge", *stores(1, 2))
            assert ended.code == 2
            assert "are not of one run" in ended.err
            assert name in ended.err.partition("they differ in ")[2]


def test_shards_of_another_gate_or_seed_are_of_another_run(desk: Desk) -> None:
    desk.project("cut_when: {pr: [goldens pass], all: [errors <= old]}\n", goldens=1)
    shard(desk, 1, count=2)
    shard(desk, 2, "--seed", "8", "--gate", "pr", count=2)
    assert "they differ in criteria, seed, gate, criteria it began with" in desk.cli("merge", *stores(1, 2)).err


def test_shards_under_other_rules_or_inputs_are_refused_by_name(desk: Desk) -> None:
    desk.project(goldens=1)
    shard(desk, 1, count=2)
    desk.project("compare: [{at: body.m, ignore: true}]\n", goldens=2)
    shard(desk, 2, count=2)
    assert "they differ in inputs, rules, rules it began with" in desk.cli("merge", *stores(1, 2)).err


def test_other_numbers_of_shards_are_refused(desk: Desk) -> None:
    desk.project(goldens=1)
    shard(desk, 1, count=2)
    shard(desk, 2, count=3)
    assert "how many shards there are" in desk.cli("merge", *stores(1, 2)).err


def test_a_run_that_is_no_shard_is_refused(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    ended = desk.cli("merge")
    assert ended.code == 2
    assert "is no shard" in ended.err


def test_a_shard_that_was_killed_is_refused(desk: Desk) -> None:
    desk.project()
    sharded(desk, count=1)
    with SqliteStore.open("1.sqlite", create=False) as store:
        store.finish(store.run().id, "running", None, None)
    assert "was never closed" in desk.cli("merge", *stores(1)).err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--store", "none.sqlite"], "there is no store yet"),
        (["2099", *stores(1)], "there is no run '2099'"),
        (["--report", "junit:nowhere/r.xml"], "the folder for this report is not there"),
    ],
)
def test_a_mistake_is_told(desk: Desk, arguments: list[str], told: str) -> None:
    desk.project()
    sharded(desk, count=1)
    ended = desk.cli("merge", *arguments)
    assert ended.code == 2
    assert told in ended.err
