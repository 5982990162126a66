"""Which settings hold: overlays, pyproject.toml, variables and flags, from any folder of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk


def targets(desk: Desk, *flags: str) -> list[str]:
    """Return which hosts or modules a dry run names."""
    ended = desk.cli("run", "--dry-run", *flags)
    assert ended.code == 0, ended.err
    return [line.split()[-1] for line in ended.out.splitlines() if line.startswith("  ") and "skipped" not in line]


def test_flags_beat_variables_and_variables_beat_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project()
    assert targets(desk) == ["sides:new", "sides:old"]
    monkeypatch.setenv("REPLAY_NEW", "http://127.0.0.1:1")
    assert targets(desk, "--writable", "both") == ["127.0.0.1:1", "sides:old"]
    assert targets(desk, "--new", "sides:regressed") == ["sides:regressed", "sides:old"]


def test_an_environment_is_laid_over_the_file_key_by_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(settings="old: {app: 'sides:old', timeout: 3s}\nnew: sides:new\n")
    desk.write("replay.staging.yaml", "old: {app: 'sides:regressed'}\n")
    assert targets(desk, "--env", "staging") == ["sides:new", "sides:regressed"]
    monkeypatch.setenv("REPLAY_ENV", "staging")
    assert targets(desk) == ["sides:new", "sides:regressed"]


def test_a_fault_of_the_overlay_is_told_at_its_place(desk: Desk) -> None:
    desk.project()
    desk.write("replay.staging.yaml", "decision: x\nseed: many\n")
    ended = desk.cli("run", "--env", "staging")
    assert ended.code == 2
    assert ended.err.startswith("error: replay.staging.yaml:2:7:")


def test_a_fault_of_the_file_is_told_there_though_an_overlay_is_laid_over_it(desk: Desk) -> None:
    desk.project(settings="new: sides:new\nseed: many\n")
    desk.write("replay.staging.yaml", "decision: x\n")
    assert desk.cli("run", "--env", "staging").err.startswith("error: replay.yaml:2:7:")


def test_a_table_in_pyproject_holds_the_same_settings(desk: Desk) -> None:
    desk.project()
    Path("replay.yaml").unlink()
    desk.write(
        "pyproject.toml",
        '[tool.replay]\nold = "sides:old"\nnew = "sides:regressed"\nfreeze = 2024-02-29T23:59:59Z\n'
        'cut_when = ["goldens pass"]\n[[tool.replay.compare]]\nat = "body.n"\nwithin = 1.5\n',
    )
    ended = desk.cli("run")
    assert ended.code == 0
    assert "within: 1.5" in ended.out


def test_replay_yaml_beats_pyproject_beside_it(desk: Desk) -> None:
    desk.project()
    desk.write("pyproject.toml", '[tool.replay]\nold = "other:old"\nnew = "other:new"\n')
    assert targets(desk) == ["sides:new", "sides:old"]


def test_settings_are_found_from_a_folder_below_and_their_paths_hold_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.project("traffic: captures/*.jsonl\ncut_when: [goldens pass]\n")
    desk.capture("captures/a.jsonl", desk.requests(2))
    Path("deep/er").mkdir(parents=True)
    monkeypatch.chdir("deep/er")
    assert desk.cli("run").code == 0
    assert not Path(".replay").exists()
    assert Path("../../.replay/runs.sqlite").exists()
    assert desk.cli("show", "n/1").code == 0


def test_settings_beyond_the_root_of_the_repository_are_not_looked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.project()
    Path("repository/.git").mkdir(parents=True)
    monkeypatch.chdir("repository")
    assert "there is no new side" in desk.cli("run").err


def test_variables_are_expanded_in_settings_and_nowhere_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(settings="decision: pay $${PRICE}\nold: sides:${WHICH}\nnew: sides:new\n", goldens=0)
    desk.write("goldens/a.yaml", "title: '${WHICH} is left alone'\nrequest: {json: {n: '${UNSET}'}}\n")
    monkeypatch.setenv("WHICH", "old")
    ended = desk.cli("run", "--report", "json:report.json")
    assert ended.code == 0
    assert desk.report()["decision"] == "pay ${PRICE}"
    assert "${UNSET}" in desk.cli("show", "a").out


def test_a_variable_cannot_smuggle_settings_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(settings="decision: ${TEXT}\nold: sides:old\nnew: sides:new\n")
    monkeypatch.setenv("TEXT", "x\ncompare: [{at: body, ignore: true}]\n\x1b[31m")
    ended = desk.cli("run", "--new", "sides:regressed")
    assert ended.code == 1
    assert "\x1b" not in ended.out


def test_inputs_on_the_command_line_take_the_place_of_those_in_the_file(desk: Desk) -> None:
    desk.project("traffic: a.jsonl\n")
    desk.capture("a.jsonl", desk.requests(3))
    desk.capture("b.jsonl", [{"id": "only", "request": {"path": "/"}}])
    desk.cli("run", "--traffic", "b.jsonl", "--report", "json:report.json")
    assert [each["id"] for each in desk.report()["results"]] == ["only"]


def test_a_part_of_the_cases_is_said_to_be_one(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    ended = desk.cli("run", "--only", "n/1", "--report", "json:report.json")
    assert ended.code == 0
    assert "--only n/1" in " ".join(desk.report()["warnings"])


def test_a_side_beside_itself_is_said_to_prove_nothing(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    desk.cli("run", "--new", "sides:old", "--report", "json:report.json")
    assert any("old and new are the same" in warning for warning in desk.report()["warnings"])
    desk.cli("run", "--report", "json:report.json")
    assert desk.report()["warnings"] == []


def test_a_copy_of_a_side_is_said_to_be_one(desk: Desk) -> None:
    settings = "".join(f"{side}: {{function: 'priced:total', at: 'path:{side}'}}\n" for side in ("old", "new"))
    desk.project("cut_when: [goldens pass]\n", settings=settings)
    for side in ("old", "new"):
        desk.write(f"{side}/priced.py", "def total(n):\n    return n\n")
    assert "the same code in two folders" in " ".join(desk.cli("run").out.split())
    desk.write("new/priced.py", "def total(n):\n    return n + 0\n")
    assert "the same code" not in desk.cli("run").out


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        (["--only", "n"], {"n/1", "n/2", "n/3"}),
        (["--only", "n/1", "--only", "n/3"], {"n/1", "n/3"}),
        (["--only", "*2"], {"n/2"}),
        (["--tag", "leap"], {"z/leap"}),
        (["--limit", "1"], {"n/1"}),
    ],
)
def test_cases_are_selected_by_id_folder_pattern_and_tag(desk: Desk, flags: list[str], ids: set[str]) -> None:
    desk.project(goldens=3)
    desk.write("goldens/z/leap.yaml", "tags: [leap]\nrequest: {json: {n: 1}}\n")
    desk.cli("run", *flags, "--report", "json:report.json")
    assert {each["id"] for each in desk.report()["results"]} == ids


def test_every_case_is_in_exactly_one_shard(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n", goldens=9)
    found: list[str] = []
    for index in (1, 2):
        desk.cli("run", "--shard", f"{index}/2", "--report", "json:report.json")
        found += [each["id"] for each in desk.report()["results"]]
    assert sorted(found) == [f"n/{number}" for number in range(1, 10)]


def test_a_gate_asks_for_its_own_criteria_only(desk: Desk) -> None:
    desk.project("cut_when: {pr: [goldens pass], cutover: [deviation < 0.5%]}\n")
    assert desk.cli("run", "--gate", "pr").code == 0
    assert desk.cli("run", "--gate", "cutover").code == 3
    assert desk.cli("run").code == 3
