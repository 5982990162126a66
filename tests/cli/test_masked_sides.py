"""What was masked when it was recorded is compared by what it stood for: alice is alice's token, and bob is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replay.cases.capture import CaptureFile
from tests.cli.conftest import Desk, Ended, Serve

JSON = "application/json"


def answer(name: str) -> bytes:
    return json.dumps({"mail": f"{name}@shop.example", "password": f"{name}-hunter2", "n": 1}).encode()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")


def masked_capture(desk: Desk) -> None:
    """Leave a capture in which old answered alice once, and nothing personal once; it is masked."""
    desk.capture(
        "t.jsonl",
        [
            {"id": "c", "request": {"path": "/?user=alice%40shop.example"},
             "response": {"status": 200, "headers": {"content-type": JSON}, "text": answer("alice").decode()}},
            {"id": "plain", "request": {"path": "/plain"},
             "response": {"status": 200, "headers": {"content-type": JSON}, "text": '{"n": 1}'}},
        ],
    )  # fmt: skip
    assert desk.cli("mask", "t.jsonl").code == 0
    assert "alice" not in Path("t.jsonl").read_text()


def replayed(desk: Desk, serve: Serve, name: str) -> Ended:
    with serve(lambda asked: b'{"n": 1}' if "plain" in str(asked) else answer(name), kind=JSON) as new:
        flags = ["--old", "recorded", "--new", new.url, "--traffic", "t.jsonl", "--report", "json:report.json"]
        return desk.cli("run", *flags)


def outcomes(desk: Desk, report: str = "report.json") -> dict[str, str]:
    return {each["id"]: each["outcome"] for each in desk.report(report)["results"]}


def test_what_was_recorded_masked_equals_what_is_answered_now(desk: Desk, serve: Serve) -> None:
    masked_capture(desk)
    ended = replayed(desk, serve, "alice")
    assert desk.report()["counts"]["matched"] == 2, ended.text
    assert "masked with" not in ended.text
    desk.cli("judge", "--report", "json:again.json")
    assert desk.report("again.json")["counts"]["matched"] == 2


def test_where_new_says_bob_that_is_a_deviation_also_judged_again(desk: Desk, serve: Serve) -> None:
    masked_capture(desk)
    assert replayed(desk, serve, "bob").code == 1
    for report in ("report.json", "again.json"):
        assert outcomes(desk, report) == {"c": "deviation", "plain": "match"}
        (found,) = [each for each in desk.report(report)["results"] if each["id"] == "c"]
        assert [each["at"] for each in found["differences"]] == ["body.mail", "body.password"]
        assert "bob" not in json.dumps(found)
        desk.cli("judge", "--report", "json:again.json")


@pytest.mark.parametrize("other", ["another key", ""])
def test_with_another_key_nothing_is_told_of_what_tokens_stand_for(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    masked_capture(desk)
    (told,) = CaptureFile("t.jsonl").facts.values()
    monkeypatch.setenv("REPLAY_MASK_KEY", other)
    for name in ("alice", "bob"):
        ended = replayed(desk, serve, name)
        assert ended.code == 3
        assert outcomes(desk) == {"c": "old_error", "plain": "match"}
        assert f"t.jsonl is masked with the key {told['key']}" in " ".join(ended.text.split())
        desk.cli("judge", "--report", "json:again.json")
        assert outcomes(desk, "again.json") == {"c": "old_error", "plain": "match"}


def test_what_else_differs_is_a_deviation_whatever_the_key(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked_capture(desk)
    monkeypatch.setenv("REPLAY_MASK_KEY", "another key")
    with serve(lambda _: answer("alice").replace(b"1}", b"2}"), kind=JSON) as new:
        flags = ["--old", "recorded", "--new", new.url, "--traffic", "t.jsonl", "--only", "c"]
        assert desk.cli("run", *flags, "--report", "json:report.json").code == 1
    assert outcomes(desk) == {"c": "deviation"}


def test_a_golden_that_was_masked_is_met_by_what_it_stood_for(desk: Desk, serve: Serve) -> None:
    desk.write(
        "goldens/login.yaml",
        "request: {path: /}\nexpect: {json: {mail: alice@shop.example, password: alice-hunter2, n: 1}}\n",
    )
    desk.cli("mask", "goldens")
    assert "alice" not in Path("goldens/login.yaml").read_text()
    for name, code in (("alice", 0), ("bob", 1)):
        with serve(lambda _, name=name: answer(name), kind=JSON) as new:
            assert desk.cli("run", "--new", new.url, "--goldens", "goldens").code == code


def test_an_import_tells_its_key_and_obeys_the_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("replay.yaml", "mask: [{at: headers.x-user}]\nnew: {url: '${NOWHERE}'}\n")
    desk.write("curl.sh", "curl http://x/ -H 'x-user: ann' -H 'x-mail: ann@shop.example'\n")
    assert desk.cli("import", "curl.sh", "--out", "t.jsonl").code == 0
    content = Path("t.jsonl").read_text()
    assert "ann" not in content.replace("ann@", "")
    first = CaptureFile("t.jsonl").facts["mask"]
    monkeypatch.setenv("REPLAY_MASK_KEY", "another key")
    desk.cli("import", "curl.sh", "--out", "u.jsonl")
    assert CaptureFile("u.jsonl").facts["mask"] != first


def test_a_run_without_a_key_says_so_where_it_made_tokens(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, path, told in (("", "/?token=abcdef12", True), ("", "/", False), ("a key", "/?token=abcdef12", False)):
        monkeypatch.setenv("REPLAY_MASK_KEY", key)
        desk.capture("t.jsonl", [{"id": "c", "request": {"path": path}}])
        with serve(lambda _: b'{"n": 1}', kind=JSON) as side:
            ended = desk.cli("run", "--old", side.url, "--new", side.url, "--traffic", "t.jsonl")
        assert ("a key that is forgotten now" in ended.err) == told
