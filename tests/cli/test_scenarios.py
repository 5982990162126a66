"""Scenarios, played against two real services that remember what they were told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.shop import by_larger_number, by_number, by_other_text, by_text, open_shop

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended
    from tests.shop import Mint

BEARER = '{Authorization: "Bearer {{token}}"}'
SCENARIO = f"""
title: An order from its creation to its end
freeze: 2024-02-29T23:59:59Z
steps:
  - name: login
    request: {{method: POST, path: /login, json: {{user: ada}}}}
    capture: {{token: body.access_token}}
  - name: create
    request: {{method: POST, path: /orders, headers: {BEARER}, json: {{sku: A1, total: 9.90}}}}
    capture: {{order: body.id}}
  - name: read
    advance: 15m
    request: {{path: "/orders/{{{{order}}}}", headers: {BEARER}}}
"""
EXPECT = """
    expect:
      status: 200
      json: {id: "{{order}}", links: {self: "/orders/{{order}}"}, sku: A1, total: 9.9, state: open}
"""
MORE = f"""
  - name: start
    request: {{method: POST, path: /jobs, headers: {BEARER}}}
    capture: {{job: body.id}}
  - name: done
    request: {{path: "/jobs/{{{{job}}}}", headers: {BEARER}}}
    until: "body.state == 'done'"
    every: 1ms
    for: 40ms
"""
PAGES = f"""
  - name: more
    request: {{method: POST, path: /orders, headers: {BEARER}, json: {{sku: B2}}}}
    capture: {{second: body.id}}
  - name: still_more
    request: {{method: POST, path: /orders, headers: {BEARER}, json: {{sku: C3}}}}
    capture: {{third: body.id}}
  - name: all
    request: {{path: /orders, headers: {BEARER}}}
    capture: {{after: body.next}}
    while: "body.next != null"
    next: {{path: /orders, query: {{after: "{{{{after}}}}"}}, headers: {BEARER}}}
    join: body.items
"""

Play = Callable[..., "Played"]


class Played:
    """How a scenario came out, and what the two services were asked."""

    def __init__(self, ended: Ended, report: Any, old: Any, new: Any) -> None:
        self.ended, self.report, self.old, self.new = ended, report, old, new
        [self.result] = report["results"]

    @property
    def places(self) -> list[str]:
        """Return where the sides differ."""
        return [each["at"] for each in self.result["differences"]]


@pytest.fixture
def play(desk: Desk) -> Play:
    def played(
        text: str,
        *slips: str,
        first: Mint = by_text,
        mint: Mint = by_text,
        settings: str = "",
        flags: str = "both",
        **shop: Any,
    ) -> Played:
        desk.write("goldens/order.yaml", text)
        with open_shop(first) as old, open_shop(mint, *slips, **shop) as new:
            desk.write("replay.yaml", f"old: {old.url}\nnew: {new.url}\n{settings}")
            writable = ["--writable", flags] if flags else []
            ended = desk.cli("run", "--report", "json:report.json", *writable)
        return Played(ended, desk.report(), old, new)

    return played


def test_later_steps_use_what_earlier_answers_held(play: Play) -> None:
    played = play(SCENARIO)
    assert (played.ended.code, played.result["outcome"]) == (0, "match")
    assert played.new.asked == ["POST /login", "POST /orders", f"GET /orders/{by_text('order', 2)}"]


def test_the_clock_moves_on_between_steps(play: Play) -> None:
    assert play(SCENARIO).old.instants == ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", "2024-03-01T00:14:59Z"]


def test_a_difference_is_told_by_its_step(play: Play) -> None:
    played = play(SCENARIO, "total")
    assert (played.ended.code, played.places) == (1, ["steps.read.body.total"])


@pytest.mark.parametrize("at", ["steps.read.body.total", "steps.*.body.total", "body.total"])
@pytest.mark.parametrize("where", ["settings", "scenario", "step"])
def test_a_rule_at_a_step_judges_it(play: Play, at: str, where: str) -> None:
    rule = f'{{at: "{at}", within: 2}}'
    text = SCENARIO + {"scenario": f"compare: [{rule}]\n", "step": f"    compare: [{rule}]\n"}.get(where, "")
    played = play(text, "total", settings=f"compare: [{rule}]\n" if where == "settings" else "")
    assert played.result["outcome"] == "match"


def test_a_rule_at_another_step_does_not(play: Play) -> None:
    played = play(f"{SCENARIO}compare: [{{at: steps.create.body, ignore: true}}]\n", "total")
    assert played.places == ["steps.read.body.total"]


def test_a_rule_of_a_step_speaks_of_no_other_case(desk: Desk) -> None:
    desk.project("compare: [{at: 'steps.*.body.n', ignore: true}]\n", settings="old: sides:old\nnew: sides:regressed\n")
    desk.cli("run", "--report", "json:report.json")
    assert sorted(each["outcome"] for each in desk.report()["results"]) == ["deviation", "match"]


def test_a_capture_that_finds_nothing_is_that_sides_error_and_ends_it_there(play: Play) -> None:
    played = play(SCENARIO, "no_id")
    assert (played.ended.code, played.result["outcome"]) == (1, "new_error")
    assert played.result["error"] == {"side": "new", "kind": "capture"}
    assert played.result["message"] == "step create: there is nothing at body.id to capture 'order' from"
    assert (len(played.old.asked), len(played.new.asked)) == (3, 2)


def test_two_sides_that_fail_alike_are_no_match(play: Play) -> None:
    text = SCENARIO.replace("capture: {order: body.id}", "capture: {order: body.number}")
    played = play(text)
    assert (played.ended.code, played.result["outcome"]) == (3, "both_error")


def test_a_poll_goes_on_until_its_expression_holds(play: Play) -> None:
    played = play(SCENARIO + MORE, polls=4)
    assert played.result["outcome"] == "match"
    assert [step["new"]["asked"] for step in played.result["steps"]] == [1, 1, 1, 1, 4]


def test_a_poll_that_never_ends_is_that_sides_error(play: Play) -> None:
    played = play(SCENARIO + MORE, "never")
    assert played.result["error"] == {"side": "new", "kind": "until"}
    assert played.result["message"].startswith("step done: body.state == 'done' did not hold within 0.04 s, asked ")


def test_waiting_is_no_latency(play: Play) -> None:
    text = SCENARIO.replace("advance: 15m", "settle: 300ms")
    latency = play(text).result["latency_ms"]
    assert max(latency.values()) < 300


def test_pages_of_another_size_hold_the_same_items(play: Play) -> None:
    played = play(SCENARIO + PAGES, page=1)
    assert played.result["outcome"] == "match"
    assert [played.result["steps"][-1][side]["asked"] for side in ("old", "new")] == [2, 3]


def test_the_items_of_every_page_are_compared(play: Play) -> None:
    played = play((SCENARIO + PAGES).replace("sku: A1, total", "sku: A1, price"), "third")
    assert played.places == ["steps.all.body.items[2].sku"]


def test_pages_without_an_end_are_that_sides_error(play: Play) -> None:
    played = play((SCENARIO + PAGES).replace("join: body.items", "join: body.items\n    max: 2"), page=1)
    assert played.result["error"] == {"side": "new", "kind": "until"}
    assert played.result["message"] == "step all: there are further pages after 2"


ALL = SCENARIO + MORE + PAGES


def test_what_each_side_named_itself_is_compared_as_the_same_thing(play: Play) -> None:
    played = play(ALL, mint=by_other_text)
    assert (played.ended.code, played.places) == (0, [])


def test_numbers_that_each_side_gave_are_the_same_thing_where_they_are_ids(play: Play) -> None:
    rules = "compare: [{at: 'steps.*.body..self', minted: true}]\n"
    played = play(ALL, first=by_number, mint=by_larger_number, settings=rules)
    assert (played.ended.code, played.places) == (0, [])


def test_an_id_that_became_a_text_is_a_difference(play: Play) -> None:
    assert "steps.create.body.id" in play(SCENARIO, first=by_number, mint=by_text).places


@pytest.mark.parametrize("mint", [by_text, by_other_text])
def test_an_id_that_new_gives_twice_is_a_difference(play: Play, mint: Mint) -> None:
    second = SCENARIO.split("  - name: create")[1].split("  - name: read", maxsplit=1)[0].replace("order:", "second:")
    assert "steps.again.body.id" in play(f"{SCENARIO}  - name: again{second}", "same_id", mint=mint).places


@pytest.mark.parametrize("mint", [by_text, by_other_text])
def test_the_id_of_another_order_is_a_difference(play: Play, mint: Mint) -> None:
    create = "  - name: create" + SCENARIO.split("  - name: create")[1].split("  - name: read", maxsplit=1)[0]
    two = SCENARIO.replace(create, create.replace("create", "first").replace("order:", "other:") + create)
    assert play(two, "swapped", mint=mint).places == ["steps.read.body.id"]


def test_an_expectation_may_name_what_was_captured(play: Play) -> None:
    assert play(SCENARIO + EXPECT).result["outcome"] == "match"
    assert play(SCENARIO + EXPECT, "total").places == ["steps.read.body.total"]


def test_a_scenario_stands_on_what_it_expects_where_there_is_no_old(desk: Desk) -> None:
    desk.write("goldens/order.yaml", SCENARIO + "    expect: {status: 201}\n")
    with open_shop(by_text) as new:
        desk.write("replay.yaml", f"new: {{url: '{new.url}', writable: true}}\n")
        ended = desk.cli("run", "--report", "json:report.json")
    assert ended.code == 1
    assert [each["at"] for each in desk.report()["results"][0]["differences"]] == ["steps.read.status"]


def test_a_scenario_that_may_not_be_sent_whole_is_not_sent_at_all(play: Play) -> None:
    played = play(SCENARIO, flags="old")
    assert played.result["skipped"] == "POST is not sent to a live new that is not writable"
    assert (played.old.asked, played.new.asked) == ([], [])


def test_a_token_that_was_captured_reaches_no_store_and_no_report(play: Play, desk: Desk) -> None:
    play(SCENARIO)
    shown = desk.cli("show", "order")
    secret = by_text("token", 1)
    assert "Authorization: Bearer {{token}}" in shown.out
    kept = b"".join(path.read_bytes() for path in desk.write("x", "").parent.rglob("*") if path.is_file())
    assert secret not in shown.out
    assert secret.encode() not in kept
    assert secret not in desk.write("y", str(desk.report())).read_text("utf-8")


def test_show_prints_each_step(play: Play, desk: Desk) -> None:
    play(SCENARIO + MORE, "never")
    shown = desk.cli("show", "order").out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "  3. read  (900 s later on the frozen clock)\n     GET /orders/{{order}}\n" in shown
    assert f'          order = "{by_text("order", 2)}"\n' in shown


def test_results_of_scenarios_are_judged_again_by_rules_check(play: Play, desk: Desk) -> None:
    play(SCENARIO, "total", settings="compare: [{at: steps.read.body.total, within: 5}]\n")
    assert "idle" not in desk.cli("rules", "check").out
    explained = desk.cli("rules", "explain", "order").out
    assert "accepted  steps.read.body.total\n" in explained
    assert "in 1 case of run" in desk.cli("rules", "audit").out


BAD = [
    ("steps: []\n", "goldens/order.yaml:1:8: "),
    ("request: {path: /}\n" + SCENARIO, "request and steps both say what is sent"),
    ("title: x\n", "neither request nor steps says what is sent"),
    (SCENARIO.replace("{{order}}", "{{odrer}}"), "goldens/order.yaml:13:21: no earlier step captures 'odrer'"),
    (SCENARIO.replace("{{token}}", "{{order}}"), "goldens/order.yaml:9:69: no earlier step captures 'order'"),
    (SCENARIO.replace("name: read", "name: create"), "goldens/order.yaml:11:11: two steps are called 'create'"),
    (SCENARIO.replace("name: read", "name: re-ad"), "goldens/order.yaml:11:11: "),
    (SCENARIO.replace("body.access_token", "bdy.token"), "goldens/order.yaml:7:22: 'bdy.token' starts at 'bdy'"),
    (SCENARIO + "    until: body.state = 1\n", "goldens/order.yaml:14:12: "),
    (SCENARIO + "    every: 1s\n", "every goes with until"),
    (SCENARIO + "    join: body.items\n", "join goes with while"),
    (SCENARIO + "    while: body.next\n", "while needs join"),
    (
        SCENARIO + "    while: body.next\n    join: body..items\n",
        "goldens/order.yaml:15:11: 'body..items' is no single array",
    ),
    (SCENARIO + "    compare: [{at: steps.read, ignore: true}]\n", "names a step, and nothing of its answer"),
    (SCENARIO + "    compare: [{at: body.x}]\n", "goldens/order.yaml:14:15: rule at 'body.x' says nothing"),
    (SCENARIO.replace("advance: 15m", "advance: soon"), "goldens/order.yaml:12:14: "),
]


@pytest.mark.parametrize(("text", "told"), BAD)
def test_what_makes_no_sense_is_told_with_its_place_before_anything_is_sent(desk: Desk, text: str, told: str) -> None:
    desk.write("goldens/order.yaml", text)
    desk.write("replay.yaml", "new: http://127.0.0.1:9\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert told in ended.err


def test_braces_that_hold_no_name_are_sent_as_they_are(play: Play) -> None:
    text = SCENARIO.replace("sku: A1", 'sku: "{{7*7}} {{ }} {0.__class__} ${jndi:x}"')
    played = play(text)
    assert played.result["outcome"] == "match"
    assert next(iter(played.new.orders.values()))["sku"] == "{{7*7}} {{ }} {0.__class__} ${jndi:x}"
