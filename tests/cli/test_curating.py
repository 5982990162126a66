"""What becomes of stored runs: shown, reported again, promoted; and how a project begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.cases import read_golden

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

CLOCK = """
import datetime
import random


def old(n=0):
    return {"n": n}


def new(n=0):
    return {"n": n} if n != 2 else {"n": 3, "at": str(datetime.datetime.now()), "draw": random.random()}
"""
AWKWARD = [
    "../x",
    "/etc/passwd",
    "..",
    "a\0b",
    "x" * 5000,
    "Straße/ß",
    "con",
    "CON.txt",
    " ",
    "-flag",
    "a\nb",
    "*",
    "☃",
]


def recorded_run(desk: Desk, ids: list[str]) -> None:
    """Carry out a run over one POST for each id, with n = 0, 1, ...; the one with n = 2 deviates."""
    desk.write("clock.py", CLOCK)
    desk.write("replay.yaml", "old: clock:old\nnew: clock:new\nseed: 77\n")
    desk.capture("c.jsonl", ({"id": name, "request": post(n)} for n, name in enumerate(ids)))
    desk.cli("run", "--traffic", "c.jsonl", "--freeze", "2025-03-04T05:06:07Z", "--report", "json:first.json")


def post(n: int) -> dict[str, Any]:
    return {"method": "POST", "path": "/fees/card", "json": {"n": n}}


def differences(report: Any, name: str) -> list[Any]:
    return next(each["differences"] for each in report["results"] if each["id"] == name)


# -------------------------------------------------------------------------------------------------------------- promote


def test_a_promoted_case_replays_with_the_instant_the_seed_and_the_outcome_of_the_run(desk: Desk) -> None:
    recorded_run(desk, ["a", "b", "c"])
    assert desk.cli("promote", "c", "--name", "fees/two", "--why", "INC-7: two became three").code == 0
    golden = read_golden(Path("goldens/fees/two.yaml").read_bytes(), "fees/two", Path("goldens/fees/two.yaml"))
    assert str(golden.freeze) == "2025-03-04 05:06:07+00:00"
    assert golden.why == "INC-7: two became three"
    assert desk.cli("run", "--seed", "1", "--report", "json:again.json").code == 1
    again, first = differences(desk.report("again.json"), "fees/two"), differences(desk.report("first.json"), "c")
    assert again == first
    assert {each["at"] for each in first} == {"body.n", "body.at", "body.draw"}


def test_a_case_of_a_run_that_was_never_closed_keeps_its_seed(desk: Desk) -> None:
    recorded_run(desk, ["a", "b", "c"])
    seed = next(line for line in promoted(desk, "c", "first") if line.startswith("seed:"))
    forget_summary(Path(".replay/runs.sqlite"))
    assert seed in promoted(desk, "c", "second")
    assert seed != "seed: 0"


def promoted(desk: Desk, name: str, to: str) -> list[str]:
    assert desk.cli("promote", name, "--name", to).code == 0
    return Path(f"goldens/{to}.yaml").read_text("utf-8").splitlines()


def forget_summary(store: Path) -> None:
    """Leave the store as a run leaves it that is killed before its end."""
    from replay.store import SqliteStore  # noqa: PLC0415 - for this one test

    with SqliteStore.open(store) as kept:
        kept.finish(kept.run().id, "running", None, None)


@pytest.mark.parametrize(("side", "code"), [("old", 1), ("new", 0)])
def test_what_a_side_answered_can_be_expected_from_now_on(desk: Desk, side: str, code: int) -> None:
    recorded_run(desk, ["a", "b", "c"])
    assert desk.cli("promote", "c", "--expect", side, "--name", "two").code == 0
    ended = desk.cli("run", "--goldens", "goldens", "--report", "json:again.json")
    assert ended.code == code
    assert {each["against"] for each in differences(desk.report("again.json"), "two")} == (
        {"expect"} if code else set()
    )


def test_awkward_ids_become_goldens_below_the_folder(desk: Desk) -> None:
    recorded_run(desk, AWKWARD)
    stored = [each["id"] for each in desk.report("first.json")["results"]]
    assert len(stored) == len(AWKWARD)
    for number, name in enumerate(AWKWARD):
        ended = desk.cli("promote", "--goldens", f"goldens/{number}", "--", name)
        assert ended.code == 0, name[:20]
    files = [path for path in Path().rglob("*.yaml") if path.name != "replay.yaml"]
    assert len(files) == len(AWKWARD)
    assert all(len(path.name) < 120 and path.parts[0] == "goldens" for path in files)
    assert desk.cli("run", "--goldens", "goldens").code == 1


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "a//b", "", ".", "a\\b", "x" * 200, "a\x1bb"])
def test_a_name_that_is_none_is_refused(desk: Desk, name: str) -> None:
    recorded_run(desk, ["a"])
    ended = desk.cli("promote", "a", "--name", name)
    assert ended.code == 2
    assert "\x1b" not in ended.err
    assert list(Path().rglob("*.yaml")) == [Path("replay.yaml")]


def test_a_golden_that_is_there_is_not_overwritten(desk: Desk) -> None:
    recorded_run(desk, ["a", "b"])
    before = promoted(desk, "a", "x")
    ended = desk.cli("promote", "b", "--name", "x")
    assert ended.code == 2
    assert "goldens/x.yaml" in ended.err
    assert Path("goldens/x.yaml").read_text("utf-8").splitlines() == before


def test_what_cannot_be_promoted_is_refused(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    assert desk.cli("promote", "n/1").code == 2
    assert desk.cli("promote", "unknown").code == 2
    assert desk.cli("promote", "n/1", "--run", "unknown").code == 2
    assert desk.cli("promote", "n/1", "--expect", "left").code == 2


def test_a_folder_that_cannot_be_written_to_is_told(desk: Desk) -> None:
    recorded_run(desk, ["a"])
    desk.write("file", "no folder")
    ended = desk.cli("promote", "a", "--goldens", "file")
    assert ended.code == 2
    assert "file" in ended.err


# ------------------------------------------------------------------------------------------------------ show and report


def test_show_finds_a_case_by_its_id_and_by_its_correlation_id(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.capture("c.jsonl", [{"id": "c", "correlation_id": "k-1", "request": post(1)}])
    desk.cli("run", "--traffic", "c.jsonl")
    assert desk.cli("show", "c").out == desk.cli("show", "k-1").out != ""


def test_show_finds_an_id_as_reports_print_it(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:regressed\ntraffic: c.jsonl\n", goldens=0)
    desk.capture("c.jsonl", [{"id": "a\u200bb\x1b", "request": {"path": "/a"}}])
    desk.cli("run")
    assert desk.cli("show", "a\\u200bb\\x1b").code == 0


def test_show_of_something_unknown_is_refused(desk: Desk) -> None:
    desk.project()
    desk.cli("run")
    assert desk.cli("show", "unknown\x1b[31m").code == 2
    assert "\x1b" not in desk.cli("show", "unknown\x1b[31m").err
    assert desk.cli("show", "n/1", "--run", "unknown").code == 2
    assert desk.cli("report", "unknown").code == 2


def test_a_report_rendered_again_is_the_one_of_the_run(desk: Desk) -> None:
    recorded_run(desk, ["a", "b", "c"])
    kinds = ("json", "junit", "markdown", "terminal")
    flags = [flag for kind in kinds for flag in ("--report", f"{kind}:{{}}.{kind}")]
    ended = desk.cli("run", "--traffic", "c.jsonl", *(flag.format("first") for flag in flags))
    assert desk.cli("report", *(flag.format("again") for flag in flags)).code == 0
    for kind in kinds:
        assert Path(f"again.{kind}").read_bytes() == Path(f"first.{kind}").read_bytes()
    assert desk.cli("report").out == ended.out == Path("first.terminal").read_text("utf-8")


def test_an_older_run_can_be_named_by_the_beginning_of_its_id(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.cli("run", "--report", "json:first.json")
    desk.cli("run", "--new", "sides:regressed")
    name = desk.report("first.json")["run"]
    assert desk.cli("report", name).out.startswith("GO")
    assert desk.cli("report").out.startswith("NO-GO")


def test_a_run_that_was_never_closed_is_not_reported(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.cli("run")
    forget_summary(Path(".replay/runs.sqlite"))
    ended = desk.cli("report")
    assert ended.code == 2
    assert "--resume" in ended.err


def test_a_collected_run_has_no_verdict(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    ended = desk.cli("run", "--collect", "--report", "json:r.json")
    assert ended.code == 0
    assert not ended.out.startswith("GO")
    assert (desk.report("r.json")["verdict"], desk.report("r.json")["criteria"]) == ("INCONCLUSIVE", [])


# ----------------------------------------------------------------------------------------------------------------- init


def test_what_init_writes_runs_and_says_go(desk: Desk) -> None:
    ended = desk.cli("init")
    assert ended.code == 0
    files = {str(path) for path in Path().rglob("*") if path.is_file()}
    assert files == {"replay.yaml", "goldens/first/fee.yaml", "first_fees.py"}
    assert all(f"wrote {name}\n" in ended.out for name in files)
    first = desk.cli("run")
    assert (first.code, first.out.splitlines()[0]) == (0, "GO")


def test_init_overwrites_nothing(desk: Desk) -> None:
    desk.write("goldens/first/fee.yaml", "mine")
    ended = desk.cli("init")
    assert ended.code == 2
    assert "goldens/first/fee.yaml" in ended.err
    assert [str(path) for path in Path().rglob("*") if path.is_file()] == ["goldens/first/fee.yaml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:2/base"),
        ("recorded", "shop.api:app"),
        ("http://127.0.0.1:1/a#b", "http://127.0.0.1:2"),
        ("http://127.0.0.1:1", 'http://127.0.0.1:2/${X}"{}'),
    ],
)
def test_sides_given_to_init_stand_in_what_it_writes(desk: Desk, old: str, new: str) -> None:
    ended = desk.cli("init", "--old", old, "--new", new)
    assert ended.code in (0, 2)
    if ended.code == 2:
        assert list(Path().iterdir()) == []
        return
    assert desk.cli("run", "--dry-run").code == 0
    assert old.rpartition("/")[2] in Path("replay.yaml").read_text("utf-8")


@pytest.mark.parametrize("flags", [["--old", "http://x"], ["--new", "http://x"], ["--old", "?", "--new", "http://x"]])
def test_init_refuses_half_a_comparison(desk: Desk, flags: list[str]) -> None:
    assert desk.cli("init", *flags).code == 2
    assert list(Path().iterdir()) == []


def test_the_reports_of_programs_are_ascii_json(desk: Desk) -> None:
    recorded_run(desk, AWKWARD)
    text = Path("first.json").read_text("ascii")
    assert {each["id"] for each in json.loads(text)["results"]} == set(AWKWARD)
