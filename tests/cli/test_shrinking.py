"""`replay shrink`: the smallest request that still shows the same cause, found on live sides."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.cases import read_golden
from replay.documents import read_yaml

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve

SIDES = """
import random

asked = 0


def old(lines=(), **more):
    return {"total": sum(line.get("n", 0) for line in lines)}


def new(lines=(), **more):
    wrong = any(line.get("gift") and line.get("n", 0) > 3 for line in lines)
    return {"total": sum(line.get("n", 0) for line in lines) + wrong, "count": 1 if wrong else 1}


def sometimes(lines=(), **more):
    global asked
    asked += 1
    return new(lines) if asked % 3 else old(lines)


def fading(lines=(), **more):
    global asked
    asked += 1
    return new(lines) if asked < 8 else old(lines)


def crashing(lines=(), **more):
    if any(line.get("n") == 5 for line in lines):
        raise ValueError("no fives")
    return old(lines)


def older(lines=(), **more):
    return old(lines) | {"count": 1}


def dated(**more):
    import datetime
    return {"day": str(datetime.date.today())}
"""
SETTINGS = "old: sides:older\nnew: sides:new\nseed: 7\nfreeze: 2024-02-29T23:59:59Z\n"


def captured(desk: Desk, settings: str = SETTINGS, lines: int = 60, **more: Any) -> None:
    wanted: list[dict[str, Any]] = [{"sku": f"A{n:03}", "n": n % 3, "gift": False} for n in range(lines)]
    wanted[lines // 2] = {"sku": "G", "n": 5, "gift": True}
    request = {
        "method": "POST",
        "path": "/orders?page=1&full=1",
        "headers": {"content-type": "application/json", "x-tenant": "a", "accept": "*/*"},
        "json": {"lines": wanted, "customer": {"name": "Bob"}},
    }
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", settings)
    desk.capture("c.jsonl", [{"id": "c-1", "request": request | more}])


def shrunk(desk: Desk, *more: str) -> Ended:
    return desk.cli("shrink", "c-1", "--traffic", "c.jsonl", *more)


def request_of(found: Ended) -> Any:
    return read_yaml(found.out.encode(), "golden").value["request"]


def test_the_smallest_request_is_printed_as_a_golden_with_what_it_took(desk: Desk) -> None:
    captured(desk)
    found = shrunk(desk)
    assert found.code == 0
    assert request_of(found) == {
        "method": "POST", "path": "/orders", "headers": {"content-type": "application/json"},
        "json": {"lines": [{"n": 5, "gift": True}]},
    }  # fmt: skip
    assert "c-1: body.total: one more\n" in found.err
    assert "before  2 in the query, 2 headers, " in found.err
    assert "after   0 in the query, 0 headers, 31 bytes of body\n" in found.err
    sent = int(found.err.split("by ")[1].split(" ")[0])
    assert sent <= 60


def test_the_written_golden_is_red_until_new_is_mended(desk: Desk) -> None:
    captured(desk)
    found = shrunk(desk, "--write", "--name", "orders/gift", "--why", "INC-7")
    assert found.code == 0
    assert "why: INC-7" in Path("goldens/orders/gift.yaml").read_text()
    assert desk.cli("run").code == 1
    assert desk.cli("run", "--new", "sides:older").code == 0


def test_a_crash_is_shrunk_to_what_crashes(desk: Desk) -> None:
    captured(desk, SETTINGS.replace("sides:older", "sides:old").replace("sides:new", "sides:crashing"))
    assert request_of(shrunk(desk))["json"] == {"lines": [{"n": 5}]}


def test_what_shows_it_but_sometimes_is_asked_again(desk: Desk) -> None:
    captured(desk, SETTINGS.replace("sides:new", "sides:sometimes"), lines=8)
    found = shrunk(desk)
    assert "it does not show it each time" in found.err
    assert request_of(found)["json"] == {"lines": [{"n": 5, "gift": True}]}


def test_what_does_not_show_it_again_is_printed_and_never_written(desk: Desk) -> None:
    captured(desk, SETTINGS.replace("sides:new", "sides:fading"), lines=3)
    found = shrunk(desk, "--write", "--name", "orders/gift")
    assert found.code == 3
    assert "the smallest case did not show it each time that it was sent again; nothing is written" in found.err
    assert "request:" in found.out
    assert not Path("goldens").exists()
    assert not list(Path(".replay").glob("shrink-*"))


def test_a_side_that_dies_on_the_way_ends_it_with_what_was_found_so_far(desk: Desk, serve: Serve) -> None:
    captured(desk)
    with serve(lambda _: b"1") as old:
        with serve(lambda _: b"2", lasts=4) as new:
            flags = ("--old", old.url, "--new", new.url, "--writable", "both")
            found = shrunk(desk, *flags)
        assert (found.code, "not to the end: new gives no answer any more" in found.err) == (3, True)
        assert "request:" in found.out
    [file] = Path(".replay").glob("shrink-*")
    told = [json.loads(line)[1] for line in file.read_text().splitlines()][1:]
    assert told
    assert all(told), "that nobody was there says nothing of what is smaller"


def test_it_ends_where_as_many_were_sent_as_may_be_and_goes_on_from_there(desk: Desk) -> None:
    captured(desk)
    first = shrunk(desk, "--sends", "15")
    assert first.code == 3
    assert "not to the end: 15 cases were sent" in first.err
    second = shrunk(desk)
    assert second.code == 0
    assert "answers of an earlier try" in second.err
    assert request_of(second)["json"] == {"lines": [{"n": 5, "gift": True}]}
    assert not list(Path(".replay").glob("shrink-*"))
    assert "of an earlier try" not in shrunk(desk).err


def test_other_rules_remember_nothing(desk: Desk) -> None:
    captured(desk)
    shrunk(desk, "--sends", "15")
    desk.write("replay.yaml", SETTINGS + "compare: [{at: body.other, ignore: true}]\n")
    assert "of an earlier try" not in shrunk(desk).err


def test_what_is_remembered_holds_no_word_of_what_was_sent(desk: Desk) -> None:
    captured(desk)
    shrunk(desk, "--sends", "15")
    [file] = Path(".replay").glob("shrink-*")
    assert not any(word in file.read_text() for word in ("orders", "tenant", "Bob", "A001"))
    assert file.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("damage", ["5", '["instant", "yesterday"]', '["instant", 5]', '["instant"]'])
def test_what_was_remembered_and_is_damaged_is_forgotten(desk: Desk, damage: str) -> None:
    captured(desk, lines=3)
    shrunk(desk, "--sends", "5")
    [file] = Path(".replay").glob("shrink-*")
    file.write_text(damage + "\n")
    ended = shrunk(desk, "--sends", "5")
    assert (ended.code in (0, 3), "of an earlier try" in ended.err, "request:" in ended.out) == (True, False, True)


def test_a_name_that_no_golden_can_have_is_told_before_anything_is_sent(desk: Desk) -> None:
    captured(desk, lines=3)
    ended = shrunk(desk, "--name", "../x", "--write")
    assert (ended.code, ended.err.splitlines()[0]) == (2, "error: '../x' is no name for a golden")


def test_an_interrupt_prints_what_is_there_so_far(desk: Desk) -> None:
    captured(desk, SETTINGS.replace("sides:older", "slow:older").replace("sides:new", "slow:new"))
    slow = "import sides, threading\ndef slowly(it):\n    def call(lines=(), **more):\n"
    slow += "        threading.Event().wait(0.02)\n        return it(lines)\n    return call\n"
    desk.write("slow.py", slow + "older, new = slowly(sides.older), slowly(sides.new)\n")
    process = desk.spawn("shrink", "c-1", "--traffic", "c.jsonl")
    folder = Path(".replay")
    for _ in range(600):
        if any(len(file.read_text().splitlines()) > 4 for file in folder.glob("shrink-*")):
            break
        signal.sigtimedwait([], 0.05)
    process.send_signal(signal.SIGINT)
    ended = desk.ended(process)
    assert "it was interrupted" in ended.err
    assert "request:" in ended.out
    assert ended.code == 130


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--new", "sides:older"), "'c-1' does not depart where it is sent by itself"),
        (("--old", "recorded"), "both sides have to answer anew"),
        (("--new", "http://127.0.0.1:9"), "POST is not sent to a live new that is not writable"),
        (("--new", "http://127.0.0.1:9", "--writable", "new"), "new could not be reached"),
        (("--sends", "1"), "--sends"),
    ],
)
def test_what_cannot_be_shrunk_is_told(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    captured(desk)
    found = shrunk(desk, *arguments)
    assert found.code == (3 if "reached" in said else 2)
    assert said in found.text


def test_a_side_that_is_not_there_is_no_cause(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", desk.requests(1))
    with serve() as old:
        sides = ("--old", old.url, "--new", "http://127.0.0.1:9")
        found = desk.cli("shrink", "c-0", "--traffic", "c.jsonl", "--write", *sides)
    assert (found.code, "new could not be reached" in found.err, Path("goldens").exists()) == (3, True, False)


def test_a_case_that_is_not_there_or_not_the_only_one_is_told(desk: Desk) -> None:
    captured(desk)
    desk.capture("d.jsonl", desk.requests(3))
    assert desk.cli("shrink", "nothing", "--traffic", "c.jsonl").code == 2
    found = desk.cli("shrink", "c-*", "--traffic", "d.jsonl")
    assert (found.code, "'c-*' are several cases, such as c-0 and c-1" in found.err) == (2, True)


def test_headers_that_matter_stay_whatever_they_are_called(desk: Desk) -> None:
    desk.write("sides.py", AGENTS)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n")
    desk.capture("c.jsonl", [{"id": "c-1", "request": {"path": "/", "headers": {"User-Agent": "b", "DNT": "1"}}}])
    assert request_of(shrunk(desk))["headers"] == {"User-Agent": "b"}


AGENTS = """
def side(told):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [told if environ.get("HTTP_USER_AGENT") == "b" else b"same"]
    return app

old, new = side(b"one"), side(b"two")
"""


def test_the_rules_of_a_golden_are_those_of_what_it_is_shrunk_to(desk: Desk) -> None:
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", SETTINGS + "compare: [{at: body.total, ignore: true}]\n")
    rule = "{at: body.total, within: [0.01, 0.1%], why: 'no: cents'}"
    golden = "tags: [money]\nrequest: {json: {lines: [{n: 5, gift: true}], x: 1}}\n"
    desk.write("goldens/gift.yaml", f"{golden}compare: [{rule}]\n")
    assert desk.cli("shrink", "gift", "--write", "--name", "small").code == 0
    whole = read_golden(Path("goldens/gift.yaml").read_text(), "gift", Path("goldens/gift.yaml"))
    small = read_golden(Path("goldens/small.yaml").read_text(), "small", Path("goldens/small.yaml"))
    assert (small.rules, small.tags) == (whole.rules, ("promoted", "money"))
    assert desk.cli("run", "--only", "small").code == 1


def test_a_golden_is_shrunk_as_a_case_of_its_own(desk: Desk) -> None:
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", SETTINGS)
    golden = {"title": "Gift", "request": {"json": {"lines": [{"n": 1}, {"n": 5, "gift": True}], "x": 1}}}
    desk.write("goldens/gift.yaml", json.dumps(golden | {"expect": {"json": {"total": 6, "count": 1}}}))
    found = desk.cli("shrink", "gift")
    assert found.code == 0
    assert request_of(found)["json"] == {"lines": [{"n": 5, "gift": True}]}
