"""`replay goldens`: the list, and what is told to be wrong with a set of goldens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

SOUND = "title: Number {n}\nwhy: INC-{n}\ntags: [money]\nrequest: {{json: {{n: {n}}}}}\n"


def sound(desk: Desk, count: int = 2) -> None:
    desk.project(goldens=0)
    for number in range(1, count + 1):
        desk.write(f"goldens/n/{number}.yaml", SOUND.format(n=number))


def listed(desk: Desk, *arguments: str) -> dict[str, Any]:
    return {each["id"]: each for each in json.loads(desk.cli("goldens", "--json", *arguments).out)["goldens"]}


def problems(desk: Desk, name: str) -> list[str]:
    return [each["problem"] for each in listed(desk)[name]["findings"]]


def test_goldens_are_listed_with_their_newest_outcome_and_tags(desk: Desk) -> None:
    sound(desk)
    desk.cli("run", "--new", "sides:regressed")
    ended = desk.cli("goldens", "--check")
    assert ended.out == ("n/1  match       money\nn/2  deviation   money\n\n2 goldens: nothing is wrong\n")
    assert ended.code == 0


def test_without_a_run_what_only_runs_can_tell_is_said_to_be_unknown(desk: Desk) -> None:
    sound(desk)
    out = desk.cli("goldens").out
    assert "n/1  not run     money\n" in out
    assert out.endswith("no run is stored: what is double, dead or flaky cannot be told\n")


def test_the_list_is_narrowed_by_tag_and_pattern(desk: Desk) -> None:
    sound(desk)
    desk.write("goldens/other.yaml", SOUND.format(n=3).replace("money", "time"))
    assert list(listed(desk, "--tag", "time")) == ["other"]
    assert list(listed(desk, "--only", "n/")) == ["n/1", "n/2"]
    ended = desk.cli("goldens", "--tag", "nowhere")
    assert (ended.code, "no golden matches --tag nowhere" in ended.err) == (2, True)


def test_what_a_golden_does_not_say_fails_the_check(desk: Desk) -> None:
    sound(desk)
    desk.write("goldens/bare.yaml", "request: {headers: {User-Agent: x, Accept: '*/*', X-Own: y}}\n")
    desk.write("goldens/poor.yaml", "title: Number 1\nwhy: Number 1\ntags: [Two Words]\nrequest: {}\n")
    ended = desk.cli("goldens", "--check")
    assert ended.code == 1
    assert "why: does not say why it is worth keeping" in ended.out
    assert "shape: sends headers that say nothing: User-Agent, Accept\n" in ended.out
    assert "tags: the tag 'Two Words' is no word" in ended.out
    assert "shape: has the title of n/1" in ended.out
    assert problems(desk, "bare") == ["why", "tags", "shape", "shape"]
    assert problems(desk, "poor") == ["why", "tags", "shape"]
    assert problems(desk, "n/1") == []
    assert all(len(line) <= 80 for line in ended.out.splitlines())


def test_goldens_that_ask_and_are_answered_alike_are_double_and_like_ones_are_noted(desk: Desk) -> None:
    sound(desk, count=1)
    desk.write("goldens/two.yaml", SOUND.format(n=1).replace("Number 1", "Two"))
    desk.write("goldens/then.yaml", SOUND.format(n=1).replace("Number 1", "Then") + "freeze: 2020-01-01T00:00:00Z\n")
    desk.write("goldens/other.yaml", SOUND.format(n=5).replace("Number 5", "Other"))
    desk.cli("run")
    assert problems(desk, "two") == ["duplicate"]
    assert problems(desk, "then") == ["similar"]
    assert problems(desk, "other") == []
    assert desk.cli("goldens", "--check").code == 1
    Path("goldens/two.yaml").unlink()
    desk.write("sides.py", "def old(n=0):\n    return {}\n\n\ndef new(n=0):\n    return {}\n")
    desk.cli("run")
    assert problems(desk, "other") == ["similar"]
    assert desk.cli("goldens", "--check").code == 0


def test_a_golden_whose_outcome_changes_between_runs_of_the_same_versions_is_flaky(desk: Desk) -> None:
    sound(desk)
    sides = """
from pathlib import Path


def old(n=0):
    return {"n": n}


def new(n=0):
    return {"n": n, "odd": 1} if n == 2 and Path("flag").exists() else {"n": n}
"""
    desk.write("sides.py", sides)
    desk.cli("run")
    assert problems(desk, "n/2") == []
    desk.write("flag", "")
    desk.cli("run")
    assert (problems(desk, "n/1"), problems(desk, "n/2")) == ([], ["flaky"])
    assert "deviation in 2" in desk.cli("goldens").out
    desk.write("goldens/n/2.yaml", SOUND.format(n=2) + "seed: 5\n")
    assert problems(desk, "n/2") == []


def test_a_run_of_other_code_makes_nothing_flaky(desk: Desk) -> None:
    sound(desk)
    desk.cli("run")
    desk.cli("run", "--new", "sides:regressed")
    assert problems(desk, "n/2") == []


def test_a_golden_that_whole_runs_do_not_compare_is_dead(desk: Desk) -> None:
    sound(desk)
    desk.cli("run")
    desk.cli("run", "--only", "n/2")
    desk.write("goldens/late.yaml", SOUND.format(n=7))
    assert problems(desk, "late") == ["dead"]
    assert problems(desk, "n/1") == []


def test_a_route_without_traffic_is_noted_and_fails_no_check(desk: Desk) -> None:
    desk.write("sides.py", "async def app(scope, receive, send):\n" + APP)
    desk.write("replay.yaml", "old: sides:app\nnew: sides:app\ntraffic: c.jsonl\n")
    desk.capture("c.jsonl", [{"id": "c", "request": {"path": "/orders/7"}}])
    for name in ("orders/8", "carts/9"):
        desk.write(f"goldens/{name}.yaml", f"title: {name}\nwhy: x\ntags: [a]\nrequest: {{path: /{name}}}\n")
    desk.cli("run")
    assert (problems(desk, "orders/8"), problems(desk, "carts/9")) == ([], ["unvisited"])
    assert desk.cli("goldens", "--check").code == 0


APP = """\
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


def test_no_folder_is_an_error_and_rows_are_listed_each(desk: Desk) -> None:
    desk.project(goldens=0)
    ended = desk.cli("goldens")
    assert (ended.code, "there is no folder with goldens" in ended.err) == (2, True)
    desk.write("goldens/r.yaml", "title: R\nwhy: w w\ntags: [a]\neach: [{id: a}, {id: b}]\nrequest: {}\n")
    assert [(name, each["findings"]) for name, each in listed(desk).items()] == [("r#a", []), ("r#b", [])]
