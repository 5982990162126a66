"""Rules proposed for noise: as narrow as their evidence, refused where they would hide too much, and well placed."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replay.curation.changes import unified
from replay.curation.patching import with_rules
from replay.curation.proposals import MOST_PLACES, Proposals
from replay.curation.spread import rounded_up
from replay.documents import canonical_json, read_yaml
from replay.models import Again, Case, CaseError, Difference, DifferenceKind, Observation, Request, Result

RULE = "{at: body.x, ignore: true, why: \"a: 'b' #c\"}"


def case(path: str, number: int = 1) -> Case:
    return Case(f"c-{number}", "traffic", f"d:{path}{number}", Request(path=path))


def result(*pairs: tuple[Any, Any], at: str = "body.x", kind: DifferenceKind = "value", path: str = "/a") -> Result:
    """Return the result of a side against itself: one pair for each answer after the first, None where it is alike."""
    answers = [
        () if old == new else (Difference(at, kind, old, new, "default: values are equal"),) for old, new in pairs
    ]
    seen = Observation(200)
    return Result(case(path), "deviation", seen, seen, answers[0], again=Again(tuple(answers[1:])))


def made(*results: Result) -> tuple[list[str], list[tuple[str, str]]]:
    proposals = Proposals()
    for each in results:
        proposals.add("old", each)
    rules, refused = proposals.made()
    return [each.text for each in rules], [(each.at, each.why) for each in refused]


def read(text: str) -> Any:
    return read_yaml(text.encode(), "rule.yaml").value


def only(*results: Result) -> Any:
    """Return the only rule, as YAML reads it."""
    (text,), refused = made(*results)
    assert refused == []
    return read(text)


def test_a_number_that_hardly_varies_gets_twice_the_spread_that_was_seen() -> None:
    rule = only(result((100, 101), (100, Decimal("101.2")), (100, 99)))
    assert (rule["on"], rule["at"], rule["within"]) == ("GET /a", "body.x", Decimal(3))
    assert rule["why"] == "noise: differs from itself: old in 3 of 3 askings"


def test_an_instant_gets_a_tolerance_in_time() -> None:
    rule = only(
        result(("2024-02-29T10:00:00Z", "2024-02-29T10:00:01Z"), ("2024-02-29T10:00:00Z", "2024-02-29T09:59:58Z"))
    )
    assert rule["within"] == "5s"


@pytest.mark.parametrize(
    "pairs",
    [
        [("3f2b", "77aa"), ("3f2b", "e001")],
        [(1.5, 700), (1.5, 3)],
        [(0, 0.1), (0, 0.2)],
        [(10, 10.1), (10, "10")],
        [("2024-02-29T10:00:00Z", "2024-03-29T10:00:01Z")] * 2,
        [("2024-02-29T10:00:00Z", "2024-02-29T10:00:01")] * 2,
        [(True, False)] * 2,
    ],
)
def test_what_has_no_small_spread_is_ignored_at_its_own_place(pairs: list[tuple[Any, Any]]) -> None:
    rule = only(result(*pairs))
    assert (rule["at"], rule["ignore"], "within" in rule) == ("body.x", True, False)


def test_items_in_another_order_are_a_bag_and_nothing_below_is_hidden() -> None:
    def listed(*items: Any) -> Observation:
        body = canonical_json({"tags": [{"n": item} for item in items]}).encode()
        return Observation(200, (("content-type", "application/json"),), body)

    found = tuple(
        Difference(f"body.tags[{n}].n", "value", a, b, "default: d")
        for n, (a, b) in enumerate([("a", "b"), ("b", "a")])
    )
    again = Again(((Difference("body.tags[0].n", "value", "a", "b", "default: d"),),))
    same = Result(case("/a"), "deviation", listed("a", "b"), listed("b", "a"), found, again=again)
    rule = only(same)
    assert (rule["at"], rule["unordered"]) == ("body.tags", True)
    other = Result(case("/a", 2), "deviation", listed("a", "b"), listed("b", "c"), found)
    assert all("unordered" not in text for text in made(same, other)[0])


def test_an_array_of_kind_order_is_a_bag() -> None:
    rule = only(result((["a", "b"], ["b", "a"]), at="body.tags", kind="order"))
    assert (rule["at"], rule["unordered"]) == ("body.tags", True)


def test_items_are_generalised_and_routes_are_named_while_they_are_few() -> None:
    few = made(
        *(result(("a1", "b2"), ("a1", "c3"), at="body.items[3].id", path=path) for path in ("/a/1", "/a/2", "/b"))
    )
    assert [read(text)["on"] for text in few[0]] == ["GET /a/*", "GET /b"]
    assert {read(text)["at"] for text in few[0]} == {"body.items[*].id"}
    many = [result(("a1", "b2"), path=f"/{name}") for name in "abcd"]
    assert "on" not in only(*many)
    assert "on 4 routes" in only(*many)["why"]


@pytest.mark.parametrize("at", ["body", "body[*]", "body[0]", "body['2024-02-29']", "status", "headers", "body.a..*"])
def test_a_rule_that_would_hide_a_whole_answer_is_refused(at: str) -> None:
    rules, ((_, why),) = made(result(("a", "b"), ("a", "c"), at=at))
    assert rules == []
    assert "would hide" in why


@pytest.mark.parametrize("kind", ["status", "type", "missing", "extra", "schema", "validation"])
def test_a_rule_that_would_hide_a_loss_is_refused(kind: DifferenceKind) -> None:
    rules, ((_, why),) = made(result((1, "x"), (1, "x"), kind=kind))
    assert rules == []
    assert kind in why


def test_items_of_an_array_that_come_and_go_get_no_rule() -> None:
    gone = result(("a", None), ("a", None), at="body.items[3]", kind="missing")
    moved = result(("a", "b"), ("a", "b"), at="body.items[2].name")
    rules, refused = made(gone, moved)
    assert rules == []
    assert [at for at, _ in refused] == ["body.items[*]", "body.items[*].name"]


def test_what_was_seen_once_and_what_has_a_rule_get_none() -> None:
    assert made(result(("a", "b"), ("a", "a")))[1] == [("body.x", "it was seen once")]
    ruled = Difference("body.x", "value", 1, 2, "at body.x, within: 0.5")
    seen = Observation(200)
    found = Result(case("/a"), "deviation", seen, seen, (ruled,), again=Again(((ruled,),)))
    assert made(found)[1] == [("body.x", "there is a rule already: at body.x, within: 0.5")]


def test_a_case_that_failed_says_nothing_of_noise() -> None:
    found = result(("a", "b"), ("a", "c"))
    failed = Result(found.case, "old_error", found.old, found.new, found.differences, error=CaseError("old", "status"))
    assert made(failed) == ([], [])


def test_memory_is_bounded_and_what_is_left_out_is_counted() -> None:
    proposals = Proposals()
    for number in range(MOST_PLACES + 7):
        proposals.add("old", result(("a", "b"), at=f"body.k{number}x"))
    assert proposals.unlisted == 7


def test_what_a_service_says_cannot_break_out_of_a_rule() -> None:
    rule = only(result(("a1", "b2"), ("a1", "c3"), at="body['a\\'}, ignore: \"x\\n${HOME}']"))
    assert rule["at"] == "body['a\\'}, ignore: \"x\\n$${HOME}']"
    assert rule["ignore"] is True


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_a_tolerance_is_rounded_up_to_one_digit(value: float) -> None:
    rounded = rounded_up(value)
    assert value <= float(rounded) <= 10 * value
    assert len(rounded.as_tuple().digits) == 1 or rounded == rounded.to_integral_value()


# ----------------------------------------------------------------------------------------------------------- the patch

LAYOUTS = {
    "an item a line": "old: a\ncompare:\n  # one\n  - {at: body.a, ignore: true}  # kept\n  # two\n\n# end\nnew: b\n",
    "not indented": "compare:\n- at: body.a\n  ignore: true\nold: a\n",
    "last in the file": "old: a\ncompare:\n    - at: body.a\n      why: |\n        a\n        b\n      ignore: true\n",
    "without a last line end": "old: a\ncompare:\n  - {at: body.a, ignore: true}",
    "in brackets": "compare: [{at: body.a, ignore: true}, {at: body.b, ignore: true}]  # why\nold: a\n",
    "in brackets over lines": "compare: [\n  {at: body.a, ignore: true},\n]\nold: a\n",
    "an empty list": "old: a\ncompare: []  # none yet\nnew: b\n",
    "nothing": "old: a\ncompare:\nnew: b\n",
    "no key": "old: a  # a comment\nnew: b\n",
    "no key and no line end": "old: a",
    "Windows": "old: a\r\ncompare:\r\n  - {at: body.a, ignore: true}\r\nnew: b\r\n",
    "empty": "",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_rules_come_last_and_all_else_stays(name: str) -> None:
    before = LAYOUTS[name]
    after = with_rules(before, [RULE, RULE])
    was, now = yaml.safe_load(before) or {}, yaml.safe_load(after)
    assert now["compare"] == [*(was.get("compare") or []), *[yaml.safe_load(RULE)] * 2]
    assert {key: value for key, value in now.items() if key != "compare"} == {
        key: value for key, value in was.items() if key != "compare"
    }
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert all(f"#{comment}" in after for comment in comments)
    assert before.count("\r\n") == 0 or after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("name", [name for name in LAYOUTS if LAYOUTS[name]])
@pytest.mark.parametrize("tool", [["patch", "-p0", "-s", "--binary"], ["git", "apply", "-p0"]])
def test_the_patch_is_one_that_tools_take(name: str, tool: list[str], tmp_path: Path) -> None:
    before = LAYOUTS[name]
    after = with_rules(before, [RULE])
    (tmp_path / "replay.yaml").write_bytes(before.encode())
    text = unified("replay.yaml", before, after)
    try:
        done = subprocess.run(tool, cwd=tmp_path, input=text.encode(), capture_output=True, check=False, timeout=20)
    except FileNotFoundError:
        pytest.skip(f"{tool[0]} is not here")
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert (tmp_path / "replay.yaml").read_bytes() == after.encode()
