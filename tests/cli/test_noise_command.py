"""`replay noise`: each side against itself, and rules that somebody can review."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.documents import read_yaml

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve

SIDES = """
import os
import random

random = random.SystemRandom()


def old(n=0):
    tags = ["a", "b", "c", "d", "e", "f"]
    random.shuffle(tags)
    return {"n": n, "id": os.urandom(8).hex() + "a0", "rate": 100 + random.random(), "tags": tags}


def new(n=0):
    return {**old(n), "rate": 100.5, "trace": f"t-{random.random()}"[:9]}


def lossy(n=0):
    return {"n": n} if random.random() < 0.5 else {"n": n, "x": 1}
"""
SETTINGS = "# ours\nold: sides:old  # yes\nnew: sides:new\ncompare:\n  - {at: body.trace, ignore: true, why: ours}\n"


def project(desk: Desk, settings: str = SETTINGS) -> None:
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", settings)
    for number in range(3):
        desk.write(f"goldens/n/{number}.yaml", f"title: Number {number}\nrequest: {{json: {{n: {number}}}}}\n")


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs `patch`")
def test_the_rules_it_proposes_make_the_noise_go_away(desk: Desk) -> None:
    project(desk)
    assert desk.cli("run").code == 1
    ended = desk.cli("noise")
    assert ended.code == 0
    subprocess.run(["patch", "-p0", "-s"], input=ended.out, text=True, check=True, timeout=20)
    after = Path("replay.yaml").read_text("utf-8")
    assert after.startswith(SETTINGS)
    added = read_yaml(after.encode(), "replay.yaml").value["compare"][1:]
    verbs = {rule["at"]: next(verb for verb in ("ignore", "within", "unordered") if verb in rule) for rule in added}
    assert verbs == {"body.id": "ignore", "body.rate": "within", "body.tags": "unordered"}
    assert {rule["on"] for rule in added} == {"GET /"}
    assert "trace" not in ended.err, "what a rule lets pass already is no noise"
    desk.write("replay.yaml", after.replace("new: sides:new", "new: {function: sides:old}").replace("# yes", ""))
    assert "deviating 0" in desk.cli("run").out


def test_each_rule_comes_with_its_evidence_and_nothing_is_stored(desk: Desk) -> None:
    project(desk)
    ended = desk.cli("noise", "--times", "4", "--limit", "2")
    assert "old against itself: 2 cases" in ended.err
    assert (
        "proposed: GET / at body.id: noise: differs from itself: old in 6 of 6 askings, new in 6 of 6 askings"
        in ended.err
    )
    assert ended.err.count("  for example ") >= 3
    assert not Path(".replay").exists()


def test_without_settings_the_rules_stand_alone(desk: Desk) -> None:
    project(desk)
    Path("replay.yaml").unlink()
    ended = desk.cli("noise", "--old", "sides:old", "--new", "sides:new", "--goldens", "goldens")
    assert ended.code == 0
    assert ended.out.startswith("compare:\n  - {")
    desk.write("replay.yaml", f"old: sides:old\nnew: sides:old\n{ended.out}")
    assert "deviating 0" in desk.cli("run").out


def test_rules_of_an_environment_are_not_patched_into_a_file_that_does_not_count(desk: Desk) -> None:
    project(desk)
    desk.write("replay.staging.yaml", "compare: []\n")
    ended = desk.cli("noise", "--env", "staging")
    assert ended.out.startswith("compare:\n")
    assert "by hand" in ended.err
    desk.write("replay.staging.yaml", "seed: 4\n")
    assert desk.cli("noise", "--env", "staging").out.startswith("--- replay.yaml\n")


def test_an_intended_change_that_a_side_does_not_show_against_itself_is_no_noise(desk: Desk) -> None:
    desk.write("sides.py", 'def old(n=0):\n    return {"n": n}\n\n\ndef new(n=0):\n    return {"n": n + 1}\n')
    must = "{on: GET /, at: body.n, map: [[1, 2]], must: true}"
    desk.write("replay.yaml", f"old: sides:old\nnew: sides:new\ncompare:\n  - {must}\n")
    desk.write("goldens/n.yaml", "title: One\nrequest: {json: {n: 1}}\n")
    ended = desk.cli("noise")
    assert (ended.code, ended.out) == (0, "")
    assert "nothing differs: no rule is needed" in ended.err


def test_what_would_hide_a_loss_is_refused_with_what_to_do_instead(desk: Desk) -> None:
    project(desk, "old: sides:lossy\nnew: sides:lossy\n")
    ended = desk.cli("noise", "--times", "20")
    assert (ended.code, ended.out) == (0, "")
    assert "refused: body.x: differs from itself" in ended.err
    assert "instead: find out what it depends on" in ended.err


def test_what_may_change_something_is_not_sent(desk: Desk, serve: Serve) -> None:
    records = desk.requests(2)
    records[0]["request"]["method"] = "DELETE"
    desk.capture("c.jsonl", records)
    with serve(lambda _: b"fine") as service:
        ended = desk.cli("noise", "--traffic", "c.jsonl", "--old", service.url, "--new", service.url)
        assert (ended.code, ended.out) == (0, "")
        assert {method for method, _, _ in service.seen} == {"GET"}
        assert "nothing differs" in ended.err
        ended = desk.cli("noise", "--traffic", "c.jsonl", "--only", "c-0", "--old", service.url, "--new", service.url)
    assert ended.code == 2
    assert "their methods may change something" in ended.err


def test_a_recording_is_not_asked_and_two_of_them_are_nobody(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", desk.requests(2, response={"status": 200}))
    with serve() as service:
        ended = desk.cli("noise", "--traffic", "c.jsonl", "--old", "recorded", "--new", service.url)
    assert ended.code == 0
    assert "old against itself" not in ended.err
    ended = desk.cli("noise", "--traffic", "c.jsonl", "--old", "recorded", "--new", "recorded")
    assert (ended.code, ended.out) == (2, "")
    assert "hint: give --old URL" in ended.err


def test_a_side_that_is_not_there_ends_with_3(desk: Desk) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    desk.capture("c.jsonl", desk.requests(60))
    ended = desk.cli("noise", "--traffic", "c.jsonl", "--new", f"http://127.0.0.1:{port}")
    assert (ended.code, ended.out) == (3, "")
    assert "could not be asked to the end" in ended.err
