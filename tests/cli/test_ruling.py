"""`replay rules check`, `explain` and `audit`, as people type them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

SIDES = """
def old(n=0):
    return {"n": n, "fee": 1.0, "took": 5, "debug": {"host": "a", "total": n}}


def new(n=0):
    return {"n": n, "fee": 1.01, "took": 9, "debug": {"host": "b", "total": n}}
"""
NARROW = "compare:\n  - {at: body.fee, within: 0.01}\n  - {at: body.took, ignore: true}\n"
FINE = NARROW + "  - {at: body.debug.host, same_type: true}\n"
WIDE = NARROW + "  - {at: body.debug, ignore: true, why: noisy}\n"


def ran(desk: Desk, rules: str, code: int = 0) -> None:
    desk.project(rules)
    desk.write("sides.py", SIDES)
    assert desk.cli("run").code == code


def test_rules_that_are_fine_pass_the_check(desk: Desk) -> None:
    ran(desk, FINE)
    ended = desk.cli("rules", "check")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("3 rules, held against 2 cases of run ")
    assert "Nothing was found." in ended.out


def test_a_rule_that_hides_whole_bodies_fails_the_check(desk: Desk) -> None:
    ran(desk, "compare:\n  - {at: body, ignore: true}\n", code=3)
    ended = desk.cli("rules", "check")
    assert ended.code == 1
    assert "hides     rule 1: at body, ignore: true" in ended.out
    assert "-> name what may differ, as in body.took_ms" in ended.out


def test_rules_can_be_checked_before_the_first_run(desk: Desk) -> None:
    desk.project(FINE)
    ended = desk.cli("rules", "check")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "3 rules, no run was stored yet")
    missing = desk.cli("rules", "check", "20260101")
    assert (missing.code, "there is no store yet" in missing.err) == (2, True)


def test_a_rule_that_matched_nothing_in_the_run_is_named(desk: Desk) -> None:
    ran(desk, FINE + "  - {at: body.gone, ignore: true}\n")
    ended = desk.cli("rules", "check")
    assert ended.code == 0
    assert "unused    rule 4: at body.gone, ignore: true" in ended.out
    assert "matched nothing in 2 of 2 cases" in ended.out


def test_the_rules_of_goldens_are_checked_too(desk: Desk) -> None:
    desk.project(goldens=1)
    desk.write("goldens/own.yaml", "title: x\nrequest: {json: {n: 1}}\ncompare:\n  - {at: body, ignore: true}\n")
    ended = desk.cli("rules", "check")
    assert (ended.code, "hides     rule 1 of golden own: at body, ignore: true" in ended.out) == (1, True)


def test_the_check_says_where_the_rules_are_not_those_of_the_run(desk: Desk) -> None:
    ran(desk, FINE)
    assert "have changed" not in desk.cli("rules", "check").out
    desk.project(NARROW)
    assert "the rules have changed since that run" in desk.cli("rules", "check").out


def test_what_the_check_finds_is_there_as_json(desk: Desk) -> None:
    ran(desk, FINE + "  - {at: body.gone, ignore: true}\n")
    found = json.loads(desk.cli("rules", "check", "--json").out)
    assert (found["cases"], found["rules"]) == (2, 4)
    (finding,) = found["findings"]
    assert (finding["number"], finding["problem"], finding["grave"]) == (4, "unused", False)


def test_secrets_in_rules_are_not_printed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", "hunter2-hunter2")
    ran(desk, FINE + '  - {at: body.gone, map: [["${PIN}", b]]}\n')
    for command in (["check"], ["check", "--json"], ["explain", "n/1"], ["explain", "n/1", "--json"], ["audit"]):
        ended = desk.cli("rules", *command)
        assert ended.code == 0
        assert "hunter2" not in ended.text


# ------------------------------------------------------------------------------------------------------------- explain


def test_each_node_that_a_rule_judged_is_explained(desk: Desk) -> None:
    ran(desk, FINE)
    ended = desk.cli("rules", "explain", "n/1")
    assert ended.code == 0
    assert (
        """
Judged by rules: 3 nodes
  accepted  body.fee
            old 1.0
            new 1.01
            by at body.fee, within: 0.01
  ignored   body.took
            old 5
            new 9
            by at body.took, ignore: true
  accepted  body.debug.host
            old "a"
            new "b"
            by at body.debug.host, same_type: true
"""
        in ended.out
    )
    assert all(len(line) <= 80 for line in ended.out.splitlines())


def test_a_case_is_explained_by_the_rules_as_they_are_now(desk: Desk) -> None:
    ran(desk, FINE)
    desk.project(NARROW)
    ended = desk.cli("rules", "explain", "n/1")
    assert "deviation, stored as match  n/1" in ended.out
    assert "the rules have changed since that run" in ended.out
    assert 'differs   body.debug.host\n            old "a"\n            new "b"\n            by default' in ended.out


def test_an_explanation_is_there_as_json(desk: Desk) -> None:
    ran(desk, FINE)
    found: Any = json.loads(desk.cli("rules", "explain", "n/1", "--json").out)
    assert [(it["at"], it["judged"]) for it in found["rulings"]] == [
        ("body.fee", "accepted"), ("body.took", "ignored"), ("body.debug.host", "accepted"),
    ]  # fmt: skip
    assert found["rulings"][1] == {
        "at": "body.took",
        "judged": "ignored",
        "old": 5,
        "new": 9,
        "rule": "at body.took, ignore: true",
        "against": "old",
    }
    assert (found["outcome"], found["stored_outcome"], found["rules_changed"]) == ("match", "match", False)


def test_what_was_not_sent_cannot_be_explained(desk: Desk) -> None:
    ran(desk, FINE)
    assert desk.cli("rules", "explain", "n/9").code == 2
    desk.write("replay.yaml", "old: http://127.0.0.1:1\nnew: http://127.0.0.1:1/x\n")
    desk.write("goldens/n/1.yaml", "title: x\nrequest: {method: POST, path: /}\n")
    assert desk.cli("run").code == 3
    ended = desk.cli("rules", "explain", "n/1")
    assert (ended.code, "was not sent" in ended.err) == (2, True)


# --------------------------------------------------------------------------------------------------------------- audit


def test_a_rule_that_is_too_wide_is_named_with_the_narrowest_that_would_do(desk: Desk) -> None:
    ran(desk, WIDE)
    ended = desk.cli("rules", "audit")
    assert (ended.code, ended.err) == (0, "")
    needless = ended.out.partition("Wider than they have to be")[2].partition("As wide as")[0]
    assert "1. at body.debug, ignore: true (noisy)" in needless
    assert "body.debug.total: " in needless
    assert "{at: body.debug.host, same_type: true}" in " ".join(needless.split())
    assert "body.fee" not in needless
    assert all(len(line) <= 80 for line in ended.out.splitlines())


def test_an_audit_adds_up_and_is_there_as_json(desk: Desk) -> None:
    ran(desk, WIDE)
    found = json.loads(desk.cli("rules", "audit", "--cases", "1", "--json").out)
    assert found["cases"] == 1
    assert found["let_through"] == sum(hole["let_through"] for hole in found["holes"])
    worst = found["holes"][0]
    assert worst["rule"] == "at body.debug, ignore: true (noisy)"
    assert {"at": "body.debug.host", "narrowest": "same_type: true"} in worst["differs"]


def test_an_audit_says_the_same_again_and_stores_nothing(desk: Desk) -> None:
    ran(desk, WIDE)
    before = desk.cli("report").out
    first = desk.cli("rules", "audit", "--seed", "3")
    assert desk.cli("rules", "audit", "--seed", "3").out == first.out
    assert desk.cli("report").out == before


def test_a_run_that_compared_nothing_cannot_be_audited(desk: Desk) -> None:
    ran(desk, "compare:\n  - {at: body, ignore: true}\n", code=3)
    ended = desk.cli("rules", "audit")
    assert (ended.code, "nothing to audit" in ended.err) == (3, True)


# ------------------------------------------------------------------------------------------------------ before a run


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('{at: "*", ignore: true}', "replay.yaml:6:5: rule at '*' would ignore whatever is answered"),
        ("{at: body.a, waive: {until: 2026-13-01, owner: o, why: w}}", "is no day; write 2026-12-31"),
        ("{at: body.a, waive: {until: 2026-12-01, owner: o, why: w}, ignore: true}", "has both waive and ignore"),
        ("{at: body.a, rank: {by: id, ndcg: 0.5}}", "what an item is worth"),
        ("{at: body.a, rank: {by: id, ndcg: 0.5, gain: no_such:f}}", "no_such is not in the project's folder"),
    ],
)
def test_rules_that_make_no_sense_are_refused_before_anything_is_sent(desk: Desk, rule: str, told: str) -> None:
    desk.project(f"compare:\n  - {rule}\n")
    ended = desk.cli("run")
    assert (ended.code, told in ended.err) == (2, True), ended.err


def test_a_golden_may_not_ignore_whatever_is_answered(desk: Desk) -> None:
    desk.project(goldens=1)
    desk.write("goldens/own.yaml", 'title: x\nrequest: {json: {n: 1}}\ncompare:\n  - {at: "*", ignore: true}\n')
    ended = desk.cli("run")
    assert (ended.code, "goldens/own.yaml:4:5: rule at '*' would ignore" in ended.err) == (2, True)


def test_a_function_beside_the_settings_tells_what_an_item_is_worth(desk: Desk) -> None:
    desk.project("compare:\n  - {at: body.h, rank: {by: id, ndcg: 0.9, gain: worth_of_items:worth}}\n", goldens=1)
    desk.write("worth_of_items.py", "def worth(item):\n    return item['id']\n")
    hits = '    return {{"h": [{{"id": {}}}, {{"id": {}}}]}}\n'
    desk.write("sides.py", f"def old(n):\n{hits.format(2, 1)}\n\ndef new(n):\n{hits.format(1, 2)}")
    ended = desk.cli("run")
    assert ended.code == 1
    assert "ndcg 0.86 (old's own is 1) is below 0.9" in ended.out


def test_what_is_waived_is_counted_in_the_report_and_marked_in_the_case(desk: Desk) -> None:
    ran(desk, "compare:\n  - {at: body, waive: {until: 9999-12-31, owner: o, why: w}}\n")
    assert "waived 2" in desk.cli("report").out
    shown = desk.cli("show", "n/1").out
    assert "waived by at body, waive: {until: 9999-12-31, owner: o, why: w}" in shown
