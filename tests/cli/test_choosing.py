"""`replay coverage` and `replay suggest`: which captured cases are worth a golden."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk


def answered(n: int, answer: Any, *, path: str = "", status: int = 200) -> dict[str, Any]:
    response = {"status": status, "headers": {"content-type": "application/json"}, "text": json.dumps(answer)}
    return {"id": f"c-{n}", "request": {"path": path or f"/orders/{n}"}, "response": response}


def captured(desk: Desk) -> None:
    records = [answered(n, {"n": n + 1}) for n in range(40)]
    records.append(answered(40, {"n": 41, "refund": {"rare": True}}))
    desk.capture("c.jsonl", records)


def test_coverage_tells_by_route_what_goldens_lack(desk: Desk) -> None:
    captured(desk)
    found = desk.cli("coverage", "--traffic", "c.jsonl", "--all")
    assert found.code == 0
    assert "the goldens show 0 of " in found.out
    assert "GET /orders/*\n  41 cases, 0 goldens, 0 of " in found.out
    assert "- no golden goes there: 41 cases, as in c-0" in found.out
    assert "- body.refund.rare: true: 1 case, as in c-40" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_an_expectation_shows_what_a_golden_is_answered(desk: Desk) -> None:
    captured(desk)
    golden = "title: An order\nrequest: {path: /orders/7}\n"
    desk.write("goldens/order.yaml", golden)
    without = desk.cli("coverage", "--traffic", "c.jsonl", "--json")
    desk.write(
        "goldens/order.yaml",
        golden + "expect: {status: 200, headers: {content-type: application/json}, json: {n: 1}}\n",
    )
    with_it = desk.cli("coverage", "--traffic", "c.jsonl", "--json")
    one, other = json.loads(without.out), json.loads(with_it.out)
    assert (one["unanswered"], other["unanswered"]) == (1, 0)
    assert [lack["what"] for lack in other["routes"][0]["lacks"]] == ["body.refund.rare: true"]
    assert other["covered"] > one["covered"] > 0


def test_a_stored_run_tells_what_goldens_are_answered(desk: Desk) -> None:
    desk.project()
    desk.capture("c.jsonl", [{"id": "c-0", "request": {"method": "POST", "path": "/", "json": {"n": 1}}}])
    before = json.loads(desk.cli("coverage", "--traffic", "c.jsonl", "--json").out)
    assert desk.cli("run").code == 0
    after = json.loads(desk.cli("coverage", "--traffic", "c.jsonl", "--json").out)
    assert (before["unanswered"], after["unanswered"]) == (2, 0)


def test_suggest_names_the_rare_case_and_the_next_steps(desk: Desk) -> None:
    captured(desk)
    found = desk.cli("suggest", "--traffic", "c.jsonl", "--n", "2", "--all")
    assert found.code == 0
    assert "1. c-0\n   GET /orders/*; 40 captured cases alike\n" in found.out
    assert "2. c-40\n" in found.out
    assert "- body.refund.rare: true: 1 case\n" in found.out
    assert "replay promote 'c-0'" in found.out
    assert "2 cases would show them all: --n 2" in desk.cli("suggest", "--traffic", "c.jsonl", "--n", "1").out


def test_suggest_as_json_reaches_all_with_as_many_as_it_says(desk: Desk) -> None:
    captured(desk)
    one = json.loads(desk.cli("suggest", "--traffic", "c.jsonl", "--n", "1", "--json").out)
    every = json.loads(desk.cli("suggest", "--traffic", "c.jsonl", "--n", str(one["with_all"]), "--json").out)
    assert one["reached"] < one["lacking"] == every["reached"]
    assert len(every["cases"]) == every["with_all"]


def test_nothing_is_suggested_where_nothing_is_lacking(desk: Desk) -> None:
    desk.capture("c.jsonl", [answered(1, {"n": 1})])
    desk.write(
        "goldens/order.yaml",
        "title: An order\nrequest: {path: /orders/7}\n"
        "expect: {status: 200, headers: {content-type: application/json}, json: {n: 1}}\n",
    )
    assert "nothing to suggest" in desk.cli("suggest", "--traffic", "c.jsonl").out


@pytest.mark.parametrize(("share", "code"), [("0%", 0), ("0.1%", 1), ("100%", 1)])
def test_coverage_gates_where_a_share_is_asked_for(desk: Desk, share: str, code: int) -> None:
    captured(desk)
    assert desk.cli("coverage", "--traffic", "c.jsonl", "--at-least", share).code == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["coverage"], "there is no traffic to look at"),
        (["suggest"], "there is no traffic to look at"),
        (["coverage", "--traffic", "no.jsonl"], "no.jsonl: there is no such traffic"),
        (["coverage", "--traffic", "c.jsonl", "--at-least", "80"], "this is no share of the facets"),
        (["coverage", "--traffic", "c.jsonl", "--at-least", "nan%"], "this is no share of the facets"),
        (["coverage", "--traffic", "c.jsonl", "--goldens", "nowhere"], "this is no folder with goldens"),
        (["suggest", "--traffic", "torn.jsonl"], "torn.jsonl:2"),
        (["suggest", "--traffic", "c.jsonl", "--n", "0"], "--n"),
        (["coverage", "--traffic", "empty.jsonl", "--at-least", "100%"], "there is no captured case to look at"),
        (["suggest", "--traffic", "empty.jsonl"], "there is no captured case to look at"),
    ],
)
def test_bad_input_is_told(desk: Desk, arguments: list[str], said: str) -> None:
    captured(desk)
    desk.write("torn.jsonl", '{"replay_capture": 1}\n{"id": "c')
    desk.write("empty.jsonl", '{"replay_capture": 1}\n')
    found = desk.cli(*arguments)
    assert found.code == 2
    assert said in found.text


def test_bad_records_are_passed_over_where_that_is_asked_for(desk: Desk) -> None:
    desk.write("torn.jsonl", '{"replay_capture": 1}\n{"request": {"path": "/a"}}\n{"id": "c')
    assert desk.cli("coverage", "--traffic", "torn.jsonl", "--skip-bad").code == 0


def test_what_traffic_holds_reaches_no_terminal(desk: Desk) -> None:
    records = [answered(n, {"\x1b[31mred": "anna@example.com"}, path="/a/%1b?q=anna@example.com") for n in range(50)]
    desk.capture("c.jsonl", records)
    for command in ("coverage", "suggest"):
        found = desk.cli(command, "--traffic", "c.jsonl", "--all")
        assert found.code == 0
        assert "\x1b" not in found.out
        assert "anna@" not in found.out
