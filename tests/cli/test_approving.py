"""`replay approve`: what goldens expect, written where they expect it; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.cases import read_golden, read_goldens

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

SIDES = """
import random


def answer(n=0, word=""):
    took = random.SystemRandom().random()
    return {"n": n, "word": word.lower(), "took": took, "items": [{"id": 1, "at": took}], "kind": "x"}


def old(n=0, word=""):
    return answer(n, word)


def new(n=0, word=""):
    return answer(n + (n == 3), word)
"""
SETTINGS = """\
old: sides:old
new: sides:new
compare:
  - {at: body.took, ignore: true}
  - {at: "body.items[*].at", ignore: true}
"""
PLAIN = "# Why.\ntitle: Two  # here\nrequest: {json: {n: 2, word: ABC}}\ncompare: [] # none\n"
STATED = "  json:\n    n: 2\n    word: abc\n    items: [{id: 1}]\n    kind: x\n"


def ran(desk: Desk, **goldens: str) -> None:
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", SETTINGS)
    for name, text in goldens.items():
        desk.write(f"goldens/{name}.yaml", text)
    assert desk.cli("run").code in (0, 1, 3)


def text(name: str) -> str:
    return Path(f"goldens/{name}.yaml").read_text("utf-8")


def test_what_both_answered_is_written_without_what_rules_ignore_and_holds_in_the_next_run(desk: Desk) -> None:
    ran(desk, two=PLAIN)
    ended = desk.cli("approve", "two")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == ("approved  two: expected nothing yet\n1 looked at: 1 approved, 0 as they were, 0 refused\n")
    expect = "expect:\n  json: {n: 2, word: abc, items: [{id: 1}], kind: x}\n"
    assert text("two") == PLAIN.replace("compare:", f"{expect}compare:")
    assert desk.cli("run", "--old", "sides:new").code == 0
    desk.write("sides.py", SIDES.replace("word.lower()", "word.upper()"))
    assert desk.cli("run", "--old", "sides:new").code == 1


def test_a_stale_expectation_is_named_by_check_and_mended_where_it_stands(desk: Desk) -> None:
    stale = (
        "request: {json: {n: 2}}\nexpect:\n  # approved by Ada\n  json:\n    n: 1   # two?\n"
        "    word: ''\n    items: [{id: 1}]\n    kind: x\n# the end\n"
    )
    ran(desk, two=stale)
    checked = desk.cli("approve", "--check")
    assert (checked.code, text("two")) == (1, stale)
    assert checked.out == "stale     two: body.n\n1 looked at: 1 stale, 0 as they were, 0 refused\n"
    assert desk.cli("approve").code == 0
    assert text("two") == stale.replace("n: 1 ", "n: 2 ")
    again = desk.cli("approve", "--check")
    assert (again.code, again.out) == (0, "1 looked at: 0 stale, 1 as they were, 0 refused\n")


def test_sides_that_disagree_are_refused_by_name_until_one_is_chosen(desk: Desk) -> None:
    ran(desk, three="request: {json: {n: 3}}\n", two=PLAIN)
    ended = desk.cli("approve", "*")
    assert ended.code == 1
    assert "refused   three: the sides disagree at body.n (say who is right: --from old or" in ended.out
    assert ended.out.endswith("2 looked at: 1 approved, 0 as they were, 1 refused\n")
    assert "expect" not in text("three")
    assert desk.cli("approve", "three", "--from", "new").code == 0
    assert "expect:\n  json: {n: 4," in text("three")
    assert desk.cli("approve", "three", "--from", "old").code == 0
    assert "expect:\n  json: {n: 3," in text("three")


def test_without_a_name_only_goldens_that_expect_something_are_looked_at(desk: Desk) -> None:
    ran(desk, two=PLAIN)
    assert desk.cli("approve").out == "0 looked at: 0 approved, 0 as they were, 0 refused\n"
    assert text("two") == PLAIN


ROWS = """\
each:
  - {id: a, n: 1}   # first
  - id: b
    n: 2            # second
request: {json: {n: "{{n}}"}}
"""


def test_the_row_is_written_where_a_golden_has_rows(desk: Desk) -> None:
    ran(desk, many=ROWS)
    assert desk.cli("approve", "many#a", "many#b").code == 0
    expected = '{json: {n: %d, word: "", items: [{id: 1}], kind: x}}'
    assert text("many") == ROWS.replace("n: 1}", f"n: 1, expect: {expected % 1}}}").replace(
        "# second\n", f"# second\n    expect:\n      json: {expected[7:-1] % 2}\n"
    )
    assert [case.expect is not None for case in read_goldens(text("many"), "many", Path("many.yaml"))] == [True, True]
    assert desk.cli("run").code == 0


def test_the_cells_are_written_where_the_rows_stand_in_a_csv_file(desk: Desk) -> None:
    rows = desk.write("goldens/rows.csv", 'id,n,word\r\na,1,"x,y"\r\nb,2,"Z"\r\n')
    ran(desk, many='each: rows.csv\nrequest: {json: {n: "{{n}}", word: "{{word}}"}}\n')
    assert desk.cli("approve", "many#b").code == 0
    cell = '"{""n"":2,""word"":""z"",""items"":[{""id"":1}],""kind"":""x""}"'
    assert rows.read_bytes().decode() == f'id,n,word,expect.json\r\na,1,"x,y",\r\nb,2,Z,{cell}\r\n'
    desk.write("sides.py", SIDES.replace("word.lower()", "word.upper()"))
    assert desk.cli("run", "--old", "sides:new").code == 1
    assert desk.cli("approve", "--check").out.startswith("stale     many#b: body.word\n")


def test_a_golden_that_has_changed_since_it_was_sent_is_refused(desk: Desk) -> None:
    ran(desk, two=PLAIN)
    desk.write("goldens/two.yaml", PLAIN.replace("n: 2", "n: 5"))
    desk.write("goldens/late.yaml", "request: {}\n")
    ended = desk.cli("approve", "two", "late")
    assert ended.code == 1
    assert "refused   two: its request has changed since it was sent" in ended.out
    assert "refused   late: no stored run has it" in ended.out


def test_what_is_masked_is_approved_only_where_a_rule_says_what_it_looks_like(desk: Desk) -> None:
    desk.write("sides.py", "")
    secret = SIDES.replace('"kind": "x"', '"api_key": "sk_live_51H8xkl2eZvKYlo2C9x8b7Q1a"')
    ran(desk, two=PLAIN)
    desk.write("sides.py", secret)
    desk.cli("run")
    ended = desk.cli("approve", "two")
    assert (ended.code, "what was answered at body.api_key is masked in the store" in ended.out) == (1, True)
    assert text("two") == PLAIN
    desk.write("replay.yaml", SETTINGS + "  - {at: body.api_key, same_type: true}\n")
    assert desk.cli("approve", "two").code == 0
    assert "sk_live" not in text("two")
    assert desk.cli("run").code == 0


HEADED = """
def app(environ, start):
    start("200 OK", [("location", "https://x.test/?token=sk_live_51H8xkl2eZvKYlo2C9x8b7Q1a"), ("content-type", "a/b")])
    return [b"fine"]
"""


def test_a_header_that_is_masked_in_the_store_is_no_expectation_either(desk: Desk) -> None:
    desk.write("sides.py", HEADED)
    desk.write("replay.yaml", "old: sides:app\nnew: sides:app\n")
    golden = "request: {path: /}\nexpect: {headers: {location: /, content-type: a/c}, text: fine}\n"
    desk.write("goldens/two.yaml", golden)
    desk.cli("run")
    ended = desk.cli("approve", "two")
    assert (ended.code, "at headers.location is masked" in ended.out, text("two")) == (1, True, golden)
    desk.write("goldens/two.yaml", golden.replace("location: /, ", ""))
    assert (desk.cli("approve", "two").code, 'content-type: "a/b"' in text("two")) == (0, True)


def test_an_answer_that_names_a_secret_is_no_expectation_as_no_run_would_take_it(desk: Desk) -> None:
    ran(desk, two=PLAIN)
    desk.write("sides.py", SIDES.replace('"kind": "x"', '"kind": "{{secret.SHOP}}"'))
    desk.cli("run")
    ended = desk.cli("approve", "two")
    assert (ended.code, "names a secret" in ended.out, text("two")) == (1, True, PLAIN)


def test_a_file_that_cannot_be_changed_is_named_and_all_others_are_written(desk: Desk) -> None:
    ran(desk, one="expect: {json: &j {n: 2}}\nrequest: {json: *j}\n", three=PLAIN, two=PLAIN)
    ended = desk.cli("approve", "*")
    assert ended.code == 2
    assert ended.err.splitlines()[0] == "error: goldens/one.yaml: is written in a way that cannot be changed safely"
    assert ended.out.splitlines()[0] == "unchanged one"
    assert ended.out.endswith("3 looked at: 2 approved, 1 as they were, 0 refused\n")
    assert ["kind: x" in text(name) for name in ("one", "two", "three")] == [False, True, True]


def test_an_alias_is_written_out_where_it_stands_and_its_anchor_stays(desk: Desk) -> None:
    ran(desk, two="request: {json: &j {n: 2}}\nexpect: {json: *j}   # as asked\n")
    assert desk.cli("approve").code == 0
    stated = '{n: 2, word: "", items: [{id: 1}], kind: x}'
    assert text("two") == f"request: {{json: &j {{n: 2}}}}\nexpect: {{json: {stated}}}   # as asked\n"


LISTED = """\
request: {json: {n: 2, word: abc}}
expect:
  json:
    n: 2
    word: abc
    items: [  # all of them
      {id: 7},  # seven
      {id: 1},  # one
    ]
    kind: x
    lost: 0  # was never there
"""


def test_comments_of_what_goes_or_is_written_anew_stand_above_it(desk: Desk) -> None:
    ran(desk, two=LISTED)
    assert desk.cli("approve").code == 0
    mended = "    # all of them\n    # seven\n    # one\n    items: [{id: 1}]\n    kind: x\n    # was never there\n"
    assert text("two") == LISTED[: LISTED.index("    items")] + mended


def test_goldens_that_share_a_file_of_rows_are_approved_one_after_the_other(desk: Desk) -> None:
    rows = desk.write("goldens/rows.csv", "id,n\na,1\nb,2\n")
    golden = 'each: rows.csv\nrequest: {json: {n: "{{n}}"}}\n'
    ran(desk, one=golden, two=golden)
    ended = desk.cli("approve", "one#a", "two#b")
    assert ended.code == 0, ended.text
    assert rows.read_text().count('""kind"":""x""') == 2


STALE = """\
request: {json: {n: 2, word: abc}}
expect:
  json:
    # the number
    n: 1  # two?
    lost: |
      much

    items:
      # the only one
      - id: 1  # ever
    word:
    last: 0
# the end
"""


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_comments_and_line_ends_stay_where_members_come_and_go(desk: Desk, line: str) -> None:
    ran(desk, two=STALE.replace("\n", line))
    assert desk.cli("approve").code == 0
    mended = STALE.replace("n: 1 ", "n: 2 ").replace("    lost: |\n      much\n", "").replace("word:\n", "word: abc\n")
    wanted = mended.replace("    last: 0\n", "    kind: x\n").replace("\n", line)
    assert Path("goldens/two.yaml").read_bytes().decode() == wanted


@pytest.mark.parametrize(
    "golden",
    ["{request: {json: {n: 2}}}\n", "request: {json: {n: 2}}\nexpect: &e {status: 201}\ntitle: x\n...\n"],
)
def test_any_style_is_kept_or_left_alone(desk: Desk, golden: str) -> None:
    ran(desk, two=golden)
    ended = desk.cli("approve", "two")
    case = read_golden(text("two"), "two", Path("two.yaml"))
    assert (ended.code == 0 and case.expect is not None) or (ended.code == 2 and text("two") == golden)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--from", "left"], "--from left: there is no such side"),
        (["nowhere"], "no golden is called 'nowhere'"),
        (["--run", "nowhere"], "there is no run 'nowhere'"),
        (["--goldens", "nowhere"], "there is no folder with goldens"),
    ],
)
def test_what_makes_no_sense_is_told(desk: Desk, arguments: list[str], fact: str) -> None:
    ran(desk, two=PLAIN)
    ended = desk.cli("approve", *arguments)
    assert (ended.code, fact in ended.err, text("two")) == (2, True, PLAIN)
