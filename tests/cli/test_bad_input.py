"""Bad input and usage: exit code 2, one message with place, fact and remedy, and nothing sent."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--shard", "0/4"], "--shard 0/4"),
        (["--shard", "5/4"], "--shard 5/4"),
        (["--shard", "x"], "--shard x"),
        (["--limit", "0"], "--limit"),
        (["--concurrency", "0"], "--concurrency"),
        (["--seed", "-1"], "--seed"),
        (["--freeze", "yesterday"], "yesterday"),
        (["--freeze", "2024-02-30"], "2024-02-30"),
        (["--writable", "left"], "--writable left"),
        (["--gate", "nightly"], "nightly"),
        (["--report", "pdf:out.pdf"], "pdf:out.pdf"),
        (["--report", "json"], "--report json"),
        (["--report", "json:"], "--report json:"),
        (["--report", "json:missing/out.json"], "missing"),
        (["--report", "json:."], "folder"),
        (["--report", "json:out", "--report", "junit:./out"], "one file"),
        (["--traffic", "missing.jsonl"], "missing.jsonl"),
        (["--traffic", "*.jsonl"], "*.jsonl"),
        (["--goldens", "missing"], "missing"),
        (["--env", "staging"], "replay.staging.yaml"),
        (["--env", "../x"], "../x"),
        (["--only", "nothing/*"], "nothing/*"),
        (["--tag", "nothing"], "--tag nothing hint: goldens have `tags: [NAME]`"),
        (["--only", "nothing", "--no-check"], "nothing"),
        (["--only", "n/1", "--only", "n/three"], "no case is selected by --only n/three"),
        (["--only", "n/1", "--tag", "money"], "--tag money"),
        (["--only", "n/1", "--only", "n/three", "--shard", "1/2", "--collect"], "--only n/three"),
        (["--old", "ftp://somewhere"], "ftp://somewhere"),
        (["--old", "http://"], "old:"),
        (["--old", "http://me:secret@localhost"], "credentials"),
        (["--old", "recorded", "--new", "recorded"], "both sides are recorded"),
        (["--new", "not a target"], "not a target"),
        (["--new", "localhost:8001"], "did you mean http://localhost:8001?"),
        (["--new", "shop.internal:8001/base"], "did you mean http://shop.internal:8001/base?"),
        (["--new", "run: serve {port}"], "stands in replay.yaml, as a mapping: {run: serve {port}}"),
        (["--resume"], "store"),
        (["--unknown"], "--unknown"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(desk: Desk, flags: list[str], words: str) -> None:
    desk.project()
    ended = desk.cli("run", *flags)
    assert (ended.code, ended.out) == (2, "")
    assert words in " ".join(ended.err.split())
    assert not Path(".replay").exists()


@pytest.mark.parametrize(
    ("settings", "place", "words"),
    [
        ("neu: sides:new\n", "replay.yaml:1:1", "did you mean 'new'"),
        ("old: [1]\n", "replay.yaml:1:", ""),
        ("new: sides:new\nnew: sides:new\n", "replay.yaml:2:1", "new"),
        ("candidate: sides:new\n", "replay.yaml:1:1", "did you mean 'new'"),
        ("new: sides:new\ncut_when: goldens pass\n", "replay.yaml:2:11", "cut_when: must be a list\n"),
        ("new: sides:new\nseed: yes\n", "replay.yaml:2:7", "seed"),
        ("new: sides:new\nfreeze: noon\n", "replay.yaml:2:9", "noon"),
        ("new: {url: 'http://x', app: 'a:b'}\n", "replay.yaml:1:6", "url and app"),
        ("new: {url: 'http://x', writable: [POST search]}\n", "replay.yaml:1:6", "POST search"),
        ("new: sides:new\ncompare:\n  - {at: 'body[', ignore: true}\n", "replay.yaml:3:5", "body["),
        ("new: sides:new\ncompare:\n  - {at: body, within: a lot}\n", "replay.yaml:3:5", "a lot"),
        ("new: sides:new\ncompare:\n  - {at: body, on: nobody, ignore: true}\n", "replay.yaml:3:5", "nobody"),
        ("new: sides:new\ncut_when: [goldens passes]\n", "replay.yaml:2:12", "passes"),
        ("new: sides:new\ncut_when: {pr: [goldens pass, deviation < 0%]}\n", "replay.yaml:2:", "0%"),
        ("new: sides:new\nerror_when: 'status >='\n", "replay.yaml:2:13", "status >="),
        ("new: sides:new\nerror_when: \"search(body.state, '(')\"\n", "replay.yaml:2:13", "'(' is no pattern"),
        ("new: sides:new\nerror_when: \"status >= '500'\"\n", "replay.yaml:2:13", "status is a number"),
        ("new: sides:new\ngroups: {a: {where: '('}}\n", "replay.yaml:2:13", ""),
        ("new: sides:new\ngroups: {a: {}}\n", "replay.yaml:2:13", "at least one of"),
        ("new: sides:new\ngroups: {a: {by: 'body.items[*].x'}}\n", "replay.yaml:2:13", "several values"),
        ("new: sides:new\ngroups: {a: {by: request.headers.authorization}}\n", "replay.yaml:2:13", "a secret"),
        ("new: sides:new\ngroups: {a: {tag: x}}\ncut_when: [goldens pass on b]\n", "replay.yaml:3:12", "unknown group"),
        ("new: sides:new\ngroups: {a: {tag: x}}\ncut_when: [errors < 1% per a]\n", "replay.yaml:3:12", "has no `by`"),
        ("new: http://${NOWHERE}/\n", "replay.yaml:1:6", "NOWHERE"),
        ("new: http://127.0.0.1:99999/\n", "", "port"),
        ("traffic: missing/*.jsonl\nnew: sides:new\n", "missing/*.jsonl", "no such traffic"),
        ("goldens: missing\nnew: sides:new\n", "missing", "no folder"),
        ("", "replay.yaml", ""),
        ("- a\n", "replay.yaml:1:1", "mapping"),
        ("new: !!python/object:os.system x\n", "replay.yaml:1:6", "tag"),
        ("old: sides:old\n", "", "no new side"),
    ],
)
def test_settings_that_make_no_sense_are_refused_where_they_stand(
    desk: Desk, settings: str, place: str, words: str
) -> None:
    desk.project(settings=settings)
    ended = desk.cli("run")
    assert (ended.code, ended.out) == (2, "")
    assert place in ended.err
    assert words in ended.err
    assert not Path(".replay").exists()


def test_a_bad_rule_of_a_golden_is_refused_where_it_stands(desk: Desk) -> None:
    desk.project()
    desk.write(
        "goldens/bad.yaml", "request: {json: {n: 1}}\ncompare:\n  - {at: body.n, ignore: true}\n  - {at: 'x['}\n"
    )
    ended = desk.cli("run")
    assert ended.code == 2
    assert ended.err.startswith("error: goldens/bad.yaml:4:5:")


def test_two_files_with_one_id_are_refused_by_both_names(desk: Desk) -> None:
    desk.project()
    desk.write("goldens/n/1.yml", "request: {json: {n: 1}}\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "goldens/n/1.yaml" in ended.err
    assert "goldens/n/1.yml" in ended.err


def test_the_same_capture_twice_is_refused(desk: Desk) -> None:
    desk.project(goldens=0)
    for name in ("a.jsonl", "b.jsonl"):
        desk.capture(name, desk.requests(2))
    ended = desk.cli("run", "--traffic", "a.jsonl", "--traffic", "b.jsonl")
    assert ended.code == 2
    assert "b.jsonl" in ended.err


def test_no_case_at_all_is_refused(desk: Desk) -> None:
    desk.project(goldens=0)
    Path("goldens").mkdir()
    assert desk.cli("run").code == 2
    assert desk.cli("run", "--no-check").code == 2


def test_an_empty_shard_is_no_error_where_it_is_only_collected(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n", goldens=1)
    shards = [["--shard", f"{index}/3"] for index in (1, 2, 3)]
    judged = {tuple(shard): desk.cli("run", *shard).code for shard in shards}
    assert sorted(judged.values()) == [0, 2, 2]
    empty = next(list(shard) for shard, code in judged.items() if code == 2)
    assert desk.cli("run", "--collect", *empty).code == 0


def test_a_bad_record_is_found_before_anything_is_sent(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", [*desk.requests(3), {"id": "bad", "reqest": {}}])
    with serve() as service:
        ended = desk.cli("run", "--old", service.url, "--new", service.url, "--traffic", "c.jsonl")
    assert ended.code == 2
    assert "c.jsonl:5" in ended.err
    assert service.seen == []


def test_a_bad_record_beyond_the_limit_is_still_found(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.capture("c.jsonl", [*desk.requests(3), {"id": "bad", "reqest": {}}])
    assert desk.cli("run", "--traffic", "c.jsonl", "--limit", "2").code == 2


def test_a_bad_record_that_nobody_checked_for_ends_the_run_without_a_verdict(desk: Desk) -> None:
    desk.project("cut_when: [deviation < 99%]\n", goldens=0)
    desk.capture("c.jsonl", [*desk.requests(8), {"id": "bad", "reqest": {}}])
    ended = desk.cli("run", "--traffic", "c.jsonl", "--no-check", "--report", "json:report.json")
    assert ended.code == 3
    assert desk.report()["verdict"] == "INCONCLUSIVE"
    assert "c.jsonl:10" in ended.out


@pytest.mark.parametrize("flags", [[], ["--no-check"], ["--workers", "2"], ["--limit", "3"], ["--warmup", "1"]])
def test_a_capture_that_changes_after_it_was_checked_ends_the_run_without_a_verdict(
    desk: Desk, flags: list[str]
) -> None:
    desk.capture("c.jsonl", desk.requests(8))
    late = desk.capture("late.jsonl", desk.requests(12)).read_text("utf-8")
    # Sides start when all has been checked.
    desk.write("sides.py", f"open('c.jsonl', 'w').write({late!r})\n\n\ndef old(n=0):\n    return 1\n\n\nnew = old\n")
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\ncut_when: [deviation < 99%]\n")
    ended = desk.cli("run", "--traffic", "c.jsonl", "--report", "json:report.json", *flags)
    assert ended.code == 3
    assert desk.report()["verdict"] == "INCONCLUSIVE"
    assert "c.jsonl: the file has changed since it was first read" in " ".join(ended.out.split())


def test_a_broken_pyproject_with_settings_is_not_passed_over(desk: Desk) -> None:
    desk.write("pyproject.toml", '[tool.replay]\ncut_when = ["deviation < 0.1%"]\n\n[tool.other\n')
    ended = desk.cli("run")
    assert ended.code == 2
    assert "pyproject.toml: the file is no TOML" in ended.err
    assert "line 4" in ended.err


@pytest.mark.parametrize(
    "toml",
    ["tool = 1\n", "[tool]\n", "not toml", "[tool.other]\nreplay = 1\n", "\ufeff[tool.replay]\n"],
)
def test_a_pyproject_without_settings_is_left_alone(desk: Desk, toml: str) -> None:
    desk.write("pyproject.toml", toml)
    ended = desk.cli("run")
    assert ended.code == 2
    assert "there is no new side" in ended.err


@pytest.mark.parametrize(
    "toml", ["[tool]\nreplay = 1\n", "[tool.replay]\nneu = 'a:b'\n", "[tool.replay]\nseed = 1.5\n"]
)
def test_a_bad_table_in_pyproject_is_refused(desk: Desk, toml: str) -> None:
    desk.write("pyproject.toml", toml)
    ended = desk.cli("run")
    assert ended.code == 2
    assert "pyproject.toml" in ended.err


# ------------------------------------------------------------------------------------------------------------ the store


@pytest.mark.parametrize("content", [b"no database at all, but text\n" * 10, b"SQLite format 3\0" + b"\0" * 20])
@pytest.mark.parametrize("command", [["run"], ["report"], ["show", "n/1"], ["promote", "n/1"]])
def test_a_store_that_is_none_is_refused_and_not_touched(desk: Desk, content: bytes, command: list[str]) -> None:
    desk.project()
    Path("store").write_bytes(content)
    ended = desk.cli(*command, "--store", "store")
    assert ended.code == 2
    assert "store" in ended.err
    assert Path("store").read_bytes() == content
    assert {path.name for path in Path().iterdir()} == {"goldens", "replay.yaml", "sides.py", "store"}


@pytest.mark.parametrize("command", [["report"], ["show", "n/1"], ["promote", "n/1"]])
def test_a_command_that_reads_says_that_there_is_no_store(desk: Desk, command: list[str]) -> None:
    desk.project()
    ended = desk.cli(*command)
    assert ended.code == 2
    assert "replay run" in ended.err
    assert not Path(".replay").exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which not even root can write")
@pytest.mark.parametrize("flags", [["--store", "/proc/store"], ["--report", "json:/proc/report.json"]])
def test_a_folder_that_nobody_can_write_to_is_found_before_anything_is_sent(
    desk: Desk, serve: Serve, flags: list[str]
) -> None:
    desk.capture("c.jsonl", desk.requests(3))
    with serve() as service:
        ended = desk.cli("run", "--old", service.url, "--new", service.url, "--traffic", "c.jsonl", *flags)
    assert ended.code == 2
    assert "/proc/" in ended.err
    assert service.seen == []


# ------------------------------------------------------------------------------------------------------ standard output

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


@needs_full
@pytest.mark.parametrize("command", [["run"], ["show", "n/1"]])
def test_a_full_device_as_standard_output_is_told_and_never_go(desk: Desk, command: list[str]) -> None:
    desk.project("cut_when: [goldens pass]\n")
    assert desk.cli("run").code == 0
    with Path("/dev/full").open("w") as full:
        ended = desk.ended(desk.spawn(*command, stdout=full))
    assert ended.code == 3
    assert "standard output cannot be written" in ended.err
    assert "Exception ignored" not in ended.err


@needs_full
def test_a_report_to_a_device_that_is_full_is_told_and_the_device_stays(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    ended = desk.cli("run", "--report", "json:/dev/full")
    assert ended.code == 3
    assert "/dev/full" in ended.err
    assert ended.out.startswith("GO")
    assert Path("/dev/full").is_char_device()


def test_a_report_to_a_pipe_goes_through_it(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        assert desk.cli("run", "--report", "json:pipe").code == 0
        out, _ = reader.communicate(timeout=10)
    assert '"verdict":"GO"' in out


def test_a_report_through_a_link_leaves_the_link(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    Path("real").mkdir()
    Path("link.json").symlink_to("real/report.json")
    assert desk.cli("run", "--report", "json:link.json").code == 0
    assert Path("link.json").is_symlink()
    assert desk.report("real/report.json")["verdict"] == "GO"


def test_a_reader_that_goes_away_changes_no_exit_code(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass]\n")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = desk.spawn("run", stdout=writing)
    finally:
        os.close(writing)
    ended = desk.ended(process)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("written", ["cut_when: []", "cut_when: {}", "cut_when: {pr: []}"])
def test_criteria_that_name_nothing_are_no_reason_to_judge_the_default(desk: Desk, written: str) -> None:
    desk.project(written + "\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "no criterion" in ended.err


def test_a_timeout_of_nothing_is_refused(desk: Desk) -> None:
    desk.project(settings="old: {url: 'http://127.0.0.1:9', timeout: 0s}\nnew: http://127.0.0.1:9\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "timeout" in ended.err


def test_an_answer_to_head_is_expected_without_a_body(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.write("goldens/head.yaml", "request: {method: HEAD, path: /}\nexpect: {json: {total: 12}}\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "HEAD has no body" in ended.err


def test_an_empty_capture_is_named(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.capture("c.jsonl", [])
    ended = desk.cli("run", "--traffic", "c.jsonl")
    assert ended.code == 2
    assert "c.jsonl has none" in ended.err


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 12345\n"
BODY = "title: A price\nrequest: {method: POST, file: price.bin}\n"
ROWS = "title: Prices\neach: rows.csv\nrequest: {json: {n: '{{n}}'}}\n"


@pytest.mark.parametrize(
    ("pointer", "golden", "flags"),
    [
        ("goldens/price.yaml", "", []),
        ("goldens/sent/price.bin", BODY, []),
        ("goldens/sent/rows.csv", ROWS, []),
        ("week.jsonl.zst", "", ["--traffic", "week.jsonl.zst"]),
        ("week.har", "", ["--traffic", "week.har"]),
        ("week.har", "", ["--traffic", "week.har", "--skip-bad", "--no-check"]),
    ],
)
def test_a_pointer_of_git_lfs_is_not_taken_for_what_it_stands_for(
    desk: Desk, pointer: str, golden: str, flags: list[str]
) -> None:
    desk.project()
    if golden:
        desk.write("goldens/sent/price.yaml", golden)
    desk.write(pointer, POINTER)
    ended = desk.cli("run", *flags)
    said = " ".join(ended.err.split())
    assert (ended.code, ended.out) == (2, "")
    assert re.search(rf"{Path(pointer).name}'?:? is a pointer of Git LFS", said)
    assert "hint: git lfs pull" in said
    assert not Path(".replay").exists()


def test_a_pointer_of_git_lfs_is_not_said_to_be_masked(desk: Desk) -> None:
    desk.project()
    desk.write("goldens/n/1.yaml", POINTER)
    ended = desk.cli("mask", "--check")
    assert (ended.code, "git lfs pull" in ended.err) == (2, True)


def test_a_text_that_only_speaks_of_git_lfs_is_a_text(desk: Desk) -> None:
    desk.project()
    desk.write("goldens/sent/price.yaml", BODY)
    desk.write("goldens/sent/price.bin", f"The first line of a pointer is: {POINTER}")
    desk.write("replay.yaml", "old: {app: 'web:app'}\nnew: {app: 'web:app'}\n")
    desk.write("web.py", "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'1']\n")
    assert desk.cli("run", "--only", "sent/*").code == 0


def test_a_folder_without_goldens_is_told_what_a_golden_is(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: sides:new\ngoldens: mine\n")
    Path("mine").mkdir()
    Path("mine/case.json").write_text('{"request": {"path": "/"}}', "utf-8")
    ended = desk.cli("run")
    assert (ended.code, ended.out) == (2, "")
    assert "a golden is a file that ends in .yaml or .yml" in ended.err
