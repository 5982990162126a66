"""`replay vary`: hostile variants of a real case, sent to both sides."""

from __future__ import annotations

import json
import re
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.documents import read_yaml

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve

SIDES = """
def old(name="", n=1, **more):
    if more:
        raise TypeError("unexpected")
    return {"name": name.strip().lower(), "n": int(n)}


def new(name="", n=1, **more):
    if more:
        raise TypeError("unexpected")
    return {"name": name.strip().casefold(), "n": int(float(n))}


def regressed(name="", n=1, **more):
    return new(name, n, **more) | {"more": 1}
"""


def captured(desk: Desk, settings: str = "old: sides:old\nnew: sides:new\nseed: 7\n") -> None:
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", settings)
    post = {"method": "POST", "path": "/a", "json": {"name": "anna", "n": 3}}
    desk.capture("c.jsonl", [{"id": "c-1", "request": post}, *desk.requests(2)])


def vary(desk: Desk, *more: str, what: str = "c-1") -> Ended:
    return desk.cli("vary", what, "--traffic", "c.jsonl", *more)


def test_variants_on_which_the_sides_disagree_are_told_with_an_example(desk: Desk) -> None:
    captured(desk)
    found = vary(desk, "--kind", "unicode")
    assert found.code == 0
    assert "15 variants of c-1\n  unicode 15\n" in found.out
    assert "1. body.name: upper and lower case\n   2 variants: unicode 2\n" in found.out
    assert "for example request.json.name, a sharp s: anna" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_what_fails_on_both_sides_alike_comes_behind_where_they_part(desk: Desk) -> None:
    captured(desk)
    found = vary(desk, "--kind", "unicode", "--kind", "fields")
    assert found.out.index("body.name: upper and lower case") < found.out.index("both failed, exception TypeError")


def test_what_the_case_shows_by_itself_is_no_news(desk: Desk) -> None:
    captured(desk, "old: sides:old\nnew: sides:regressed\nseed: 7\n")
    found = vary(desk, "--kind", "sizes")
    assert "as it is, the case shows: body.more is new" in found.out
    assert "the sides agree on all of them" in found.out


def test_a_route_is_varied_by_its_first_cases(desk: Desk) -> None:
    captured(desk)
    found = vary(desk, "--kind", "headers", "--cases", "2", "--writable", "both", what="GET /*")
    assert (found.code, found.out.count(" variants of c-")) == (0, 2)


def test_disagreements_become_goldens_that_are_red_and_a_capture_that_deviates(desk: Desk) -> None:
    captured(desk)
    found = vary(desk, "--kind", "unicode", "--write", "--concurrency", "2", "--out", "v.jsonl")
    assert "2 variants are in v.jsonl" in found.err
    [golden] = Path("goldens").rglob("*.yaml")
    assert "a variant of c-1 (request.json.name, a sharp s: anna" in golden.read_text("utf-8").replace("\n  ", " ")
    assert desk.cli("run", "--goldens", "goldens").code == 1
    assert desk.cli("run", "--goldens", "goldens", "--new", "sides:old").code == 0
    desk.cli("run", "--traffic", "v.jsonl", "--report", "json:r.json")
    assert desk.report("r.json")["counts"]["deviating"] == 2


def test_a_golden_that_cannot_be_written_keeps_no_other_from_it(desk: Desk) -> None:
    captured(desk)
    assert vary(desk, "--kind", "unicode", "--kind", "fields", "--write").code == 0
    written = sorted(Path("goldens").rglob("*.yaml"))
    assert len(written) > 1
    written[-1].unlink()
    again = vary(desk, "--kind", "unicode", "--kind", "fields", "--write", "--goldens", "goldens")
    assert (again.code, "there is a golden here already" in again.err) == (2, True)
    assert sorted(Path("goldens").rglob("*.yaml")) == written


def test_only_so_many_are_sent_and_the_rest_is_said(desk: Desk) -> None:
    captured(desk)
    found = vary(desk, "--sends", "20")
    assert "20 variants of c-1\n" in found.out
    assert "further ones not sent (--sends)" in found.out


def test_a_description_keeps_variants_within_it(desk: Desk) -> None:
    captured(desk)
    schema = {"properties": {"name": {"type": "string", "maxLength": 4}, "n": True}, "additionalProperties": False}
    desk.write("schema.json", json.dumps(schema))
    found = vary(desk, "--kind", "injection", "--within", "schema.json")
    assert "5 variants of c-1\n" in found.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_loses_nothing_that_was_answered(
    desk: Desk, serve: Serve, number: signal.Signals, code: int
) -> None:
    go_on = threading.Event()

    def answer(target: str) -> bytes:
        if len(service.seen) > 40:
            go_on.wait(10)
        return target.upper().encode()

    desk.write("replay.yaml", "seed: 7\n")
    desk.capture("c.jsonl", [{"id": "c-1", "request": {"path": "/search?q=anna&page=2"}}])
    with serve(answer) as service, serve() as old:
        sides = ("--old", old.url, "--new", service.url, "--concurrency", "2", "--out", "v.jsonl")
        process = desk.spawn("vary", "c-1", "--traffic", "c.jsonl", "--kind", "unicode", "--kind", "injection", *sides)
        service.wait_for(41)
        process.send_signal(number)
        go_on.set()
        ended = desk.ended(process)
    assert ended.code == code
    assert "not to the end: it was interrupted" in ended.out
    [told] = re.findall(r"(\d+) variants of c-1", ended.out)
    # The real case was sent twice.
    assert len(service.seen) - 2 == int(told) >= 39


def test_a_side_that_dies_on_the_way_is_named_and_is_no_disagreement(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", [{"id": "c-1", "request": {"path": "/?q=anna&lang=tr"}}])
    with serve(lambda _: b"1") as old:
        with serve(lambda target: b"2" if "%" in target else b"1", lasts=70) as new:
            desk.write("replay.yaml", f"old: {old.url}\nnew: {new.url}\nseed: 7\n")
            found = vary(desk, "--concurrency", "1", "--write")
        gone = vary(desk)
    assert found.code == 3
    assert "not to the end: new could not be reached" in " ".join(found.out.split())
    assert "2. body" in found.out, "the first one is that new closed the connection, which a variant may have caused"
    assert "it could not be sent again" in found.out
    assert "refused" not in found.out.partition("1. ")[2]
    assert not Path("goldens").exists(), "nothing could be sent again"
    assert (gone.code, "none sent; " in gone.out, "as it is" in gone.out) == (3, True, False)


@pytest.mark.parametrize(
    ("arguments", "what", "said"),
    [
        (("--kind", "emoji"), "c-1", "--kind emoji: there is no such kind"),
        (("--kind", "dates"), "c-1", "there is no variant to send: dates"),
        ((), "c-9", "no case is called 'c-9' or goes there"),
        ((), "GET /nowhere", "no case is called 'GET /nowhere' or goes there"),
        (("--within", "nothing.yaml"), "c-1", "nothing.yaml: cannot be read"),
        (("--within", "sides.py"), "c-1", "sides.py"),
        (("--old", "recorded"), "c-1", "both sides have to answer anew"),
        (("--new", "http://127.0.0.1:9"), "c-1", "POST is not sent to a live new that is not writable"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(
    desk: Desk, arguments: tuple[str, ...], what: str, said: str
) -> None:
    captured(desk)
    found = vary(desk, *arguments, what=what)
    assert found.code == 2
    assert said in found.text


SESSIONS = """
import json, uuid

def side(wrong):
    known = set()
    def app(environ, start_response):
        fields, told, status = [("Content-Type", "application/json")], {}, "200 OK"
        sent = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        if environ["PATH_INFO"] == "/login":
            told = {"token": uuid.uuid4().hex}
            known.add(told["token"])
        elif environ.get("HTTP_X_SESSION") not in known:
            status = "401 Unauthorized"
        else:
            told = {"n": len(str(sent.get("word", ""))) + (wrong if "\\u200b" in str(sent.get("word")) else 0)}
        start_response(status, fields)
        return [json.dumps(told).encode()]
    return app

old, new = side(0), side(1)
"""


def signed_in(desk: Desk) -> None:
    desk.write("sides.py", SESSIONS)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\nseed: 7\n")


def test_a_captured_case_is_varied_within_its_session_each_side_with_its_own_token(desk: Desk) -> None:
    signed_in(desk)
    json_type, token = [["Content-Type", "application/json"]], "0f0e0d0c0b0a09080706050403020100"
    say = {"method": "POST", "path": "/say", "headers": {"X-Session": token}, "json": {"word": "anna"}}
    desk.capture("c.jsonl", [
        {"id": "in", "session": "s", "request": {"method": "POST", "path": "/login"},
         "response": {"status": 200, "headers": json_type, "json": {"token": token}}},
        {"id": "say", "session": "s", "request": say,
         "response": {"status": 200, "headers": json_type, "json": {"n": 4}}},
    ])  # fmt: skip
    found = vary(desk, "--kind", "unicode", "--write", "--out", "v.jsonl", what="say")
    assert found.code == 0, found.text
    assert "1. steps.post_say.body.n: one more" in found.out
    assert "for example steps.post_say.request.json.word, " in " ".join(found.out.split())
    assert "those of scenarios are not" in found.err
    [golden] = Path("goldens").rglob("*.yaml")
    steps = read_yaml(golden.read_bytes(), str(golden)).value["steps"]
    assert [step["name"] for step in steps] == ["post_login", "post_say"]
    assert steps[1]["request"]["headers"]["X-Session"] == "{{token}}"
    assert desk.cli("run", "--goldens", "goldens").code == 1
    alone = vary(desk, "--kind", "unicode", "--alone", what="say")
    assert "the sides agree on all of them" in alone.out, "nobody is let in"


def test_each_step_of_a_scenario_is_varied(desk: Desk) -> None:
    signed_in(desk)
    desk.write(
        "goldens/say.yaml",
        """\
steps:
  - {name: enter, request: {method: POST, path: "/login?a=b"}, capture: {token: body.token}, expect: {status: 200}}
  - name: say
    request: {method: POST, path: /say, headers: {X-Session: "{{token}}"}, json: {word: anna}}
""",
    )
    found = desk.cli("vary", "say", "--kind", "unicode")
    assert found.code == 0, found.text
    assert "30 variants of say\n" in found.out
    assert "1. steps.say.body.n: one more\n" in found.out
