"""`replay shrink` of scenarios and of captured sessions: the fewest steps, and the smallest request of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.cases import read_golden
from replay.documents import read_yaml
from tests.cli.test_promoting_sessions import RULES, SECRET, SESSION, SIDES
from tests.shop import by_other_text, by_text, open_shop

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended

BEARER = '{Authorization: "Bearer {{token}}", X-Shop: a}'
SCENARIO = f"""
title: An order from its creation to its end
freeze: 2024-02-29T23:59:59Z
tags: [orders]
steps:
  - name: login
    request: {{method: POST, path: /login, json: {{user: ada}}}}
    capture: {{token: body.access_token}}
  - name: start
    request: {{method: POST, path: /jobs, headers: {BEARER}}}
    capture: {{job: body.id}}
    expect: {{status: 202}}
  - name: create
    advance: 10m
    request: {{method: POST, path: "/orders?full=1", headers: {BEARER}, json: {{total: 9, note: "{{{{job}}}}"}}}}
    capture: {{order: body.id}}
  - name: done
    advance: 5m
    request: {{path: "/jobs/{{{{job}}}}", headers: {BEARER}}}
  - name: read
    advance: 15m
    request: {{path: "/orders/{{{{order}}}}?x=1", headers: {BEARER}}}
    expect: {{status: 200}}
  - name: again
    request: {{path: "/orders/{{{{order}}}}", headers: {BEARER}}}
compare:
  - {{at: steps.read.body.total, strict: true, why: cents count}}
"""


@pytest.fixture
def shrink(desk: Desk) -> Any:
    """Have a scenario shrunk on two shops, of which new makes slips; return how it ended and the golden."""

    def shrunk(text: str, *slips: str, flags: tuple[str, ...] = ()) -> tuple[Ended, Any]:
        desk.write("goldens/order.yaml", text)
        with open_shop(by_text) as old, open_shop(by_other_text, *slips) as new:
            desk.write("replay.yaml", f"old: {old.url}\nnew: {new.url}\n")
            ended = desk.cli("shrink", "order", "--writable", "both", *flags)
        return ended, read_yaml(ended.out.encode(), "golden").value if "steps:" in ended.out else None

    return shrunk


def test_only_what_leads_to_the_departing_step_stays_and_the_smallest_request_of_each(shrink: Any) -> None:
    ended, golden = shrink(SCENARIO, "total")
    assert (ended.code, ended.err.splitlines()[0]) == (0, "order: steps.read.body.total: one more")
    assert "before  6 steps, 2 in the query, 10 headers, " in ended.err
    assert "after   3 steps, 0 in the query, 2 headers, " in ended.err
    bearer = {"Authorization": "Bearer {{token}}"}
    assert golden["steps"] == [
        {"name": "login", "request": {"method": "POST", "path": "/login"}, "capture": {"token": "body.access_token"}},
        {
            "name": "create",
            "request": {"method": "POST", "path": "/orders", "json": {"total": 0},
                        "headers": {"Content-Type": "application/json"} | bearer},
            "capture": {"order": "body.id"},
        },
        {"name": "read", "request": {"method": "GET", "path": "/orders/{{order}}", "headers": bearer}},
    ]  # fmt: skip
    assert golden["compare"] == [{"at": "steps.read.body.total", "strict": True, "why": "cents count"}]
    assert golden["tags"] == ["promoted", "orders"]


def test_the_written_scenario_is_red_at_the_same_place_until_new_is_mended(desk: Desk, shrink: Any) -> None:
    ended, _ = shrink(SCENARIO, "total", flags=("--write", "--name", "orders/total"))
    assert ended.code == 0, ended.text
    with open_shop(by_text) as old, open_shop(by_other_text, "total") as new:
        sides = ("--old", old.url, "--new", new.url, "--writable", "both", "--only", "orders/total")
        assert desk.cli("run", *sides, "--report", "json:r.json").code == 1
    assert [each["at"] for each in desk.report("r.json")["results"][0]["differences"]] == ["steps.read.body.total"]
    with open_shop(by_text) as old, open_shop(by_other_text) as new:
        sides = ("--old", old.url, "--new", new.url, "--writable", "both", "--only", "orders/total")
        assert desk.cli("run", *sides).code == 0


def test_a_failure_is_told_and_kept_with_the_step_at_which_a_side_fails(shrink: Any) -> None:
    ended, golden = shrink(SCENARIO, "no_id")
    assert (ended.code, ended.err.splitlines()[0]) == (0, "order: only new failed, capture, at the step create")
    assert [step["name"] for step in golden["steps"]] == ["login", "create"]


def test_a_step_that_hands_out_nothing_stays_where_a_later_one_depends_on_it(desk: Desk) -> None:
    asked = [("reset", "DELETE"), ("look", "GET"), ("put", "POST"), ("read", "GET"), ("more", "POST")]
    steps = "".join(f"  - {{name: {name}, request: {{method: {method}, path: /cart}}}}\n" for name, method in asked)
    desk.write("goldens/cart.yaml", f"steps:\n{steps}")
    desk.write("sides.py", CART)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n")
    ended = desk.cli("shrink", "cart")
    assert (ended.code, ended.err.splitlines()[0]) == (0, "cart: steps.read.body.n: one more"), ended.text
    assert [it["name"] for it in read_yaml(ended.out.encode(), "golden").value["steps"]] == ["reset", "put", "read"]


CART = """
import json

def side(wrong):
    cart = []
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        method = environ["REQUEST_METHOD"]
        if method == "DELETE":
            cart.clear()
        elif method == "POST":
            cart.append(1)
        told = {"n": len(cart) + (wrong if len(cart) == 1 else 0)} if method == "GET" else {}
        return [json.dumps(told).encode()]
    return app

old, new = side(0), side(1)
"""


def test_the_clock_stays_where_it_was_at_each_step_that_needs_it(desk: Desk) -> None:
    steps = "".join(f"  - {{name: s{n}, advance: 10m, request: {{path: /{n}}}}}\n" for n in range(3))
    desk.write("goldens/order.yaml", f"freeze: 2024-02-29T23:35:00Z\nsteps:\n{steps}")
    desk.write("sides.py", DATED)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n")
    ended = desk.cli("shrink", "order")
    assert ended.code == 0, ended.text
    [step] = read_yaml(ended.out.encode(), "golden").value["steps"]
    assert (step["name"], step["advance"]) == ("s2", "30m")


DATED = """
import datetime, json

def side(shift):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        late = datetime.datetime.now(datetime.UTC).day == 1
        return [json.dumps({"n": shift if late else 0}).encode()]
    return app

old, new = side(0), side(1)
"""


@pytest.fixture
def session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PASSWORD", "of-the-test-user")
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n" + RULES + SECRET)
    desk.capture("c.jsonl", SESSION)
    return desk


def test_a_captured_case_is_shrunk_with_what_led_to_it_in_its_session(session: Desk) -> None:
    ended = session.cli("shrink", "read", "--traffic", "c.jsonl", "--write", "--name", "s/read")
    assert (ended.code, ended.err.splitlines()[0]) == (0, "read: steps.get_orders.body.total: one more")
    case = read_golden(Path("goldens/s/read.yaml").read_text("utf-8"), "s/read", Path("goldens/s/read.yaml"))
    assert [(step.name, step.request.path) for step in case.steps] == [
        ("post_orders", "/orders"), ("get_orders", "{{location}}"),
    ]  # fmt: skip
    assert case.steps[0].capture == {"location": "headers.location"}
    assert not any(step.request.headers for step in case.steps)
    assert session.cli("run", "--concurrency", "1", "--report", "json:r.json").code == 1
    [result] = session.report("r.json")["results"]
    assert [each["at"] for each in result["differences"]] == ["steps.get_orders.body.total"]


def test_a_session_is_brought_only_where_it_is_used_or_asked_for(session: Desk) -> None:
    assert "steps:" not in session.cli("shrink", "list", "--traffic", "c.jsonl").out
    session.capture("d.jsonl", session.requests(1))
    ended = session.cli("shrink", "c-0", "--traffic", "d.jsonl", "--session")
    assert (ended.code, "--session: 'c-0' has no session" in ended.err) == (2, True)


def test_by_itself_a_captured_case_is_sent_as_it_was_recorded(session: Desk) -> None:
    ended = session.cli("shrink", "read", "--traffic", "c.jsonl", "--alone")
    assert (ended.code, "steps:" in ended.out) == (0, False)
