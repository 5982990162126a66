"""`replay approve` of scenarios: what each step expects holds in the next run, whatever ids and tokens that brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.cases import read_golden, read_goldens
from tests.shop import by_larger_number, by_number, by_other_text, by_text, open_shop

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended
    from tests.shop import Mint, Shop

BEARER = '{Authorization: "Bearer {{token}}"}'
SCENARIO = f"""\
# An order.
freeze: 2024-02-29T23:59:59Z
steps:
  - name: login   # first
    request: {{method: POST, path: /login, json: {{user: ada}}}}
    capture: {{token: body.access_token}}
  - name: create
    request: {{method: POST, path: /orders, headers: {BEARER}, json: {{sku: A1, total: 9.90}}}}
    capture: {{order: body.id}}   # the id
  - name: read
    request: {{path: "/orders/{{{{order}}}}", headers: {BEARER}}}
    # the end
"""
ORDER = '{id: "{{order}}", links: {self: "/orders/{{order}}"}, sku: A1, total: 9.9, state: open}'
LOGIN = '{access_token: "{{token}}", expires_in: 900}'


def stated(status: int, body: str) -> str:
    return f"    expect:\n      status: {status}\n      json: {body}\n"


APPROVED = (
    SCENARIO.replace("access_token}\n", f"access_token}}\n{stated(200, LOGIN)}")
    .replace("# the id\n", f"# the id\n{stated(201, ORDER)}")
    .replace("    # the end", f"{stated(200, ORDER)}    # the end")
)
NUMBERS = "compare:\n  - {at: steps.*.body.links.self, minted: true}\n"


class Shops:
    """Two shops that stay open, and the commands that are asked of them."""

    def __init__(self, desk: Desk, old: Shop, new: Shop) -> None:
        self.desk, self.old, self.new = desk, old, new

    def run(self, *flags: str) -> Ended:
        """Send the scenario to both."""
        return self.desk.cli("run", "--writable", "both", "--report", "json:r.json", *flags)

    def approve(self, *flags: str) -> Ended:
        """Approve what was answered."""
        return self.desk.cli("approve", *flags)

    @property
    def places(self) -> list[str]:
        """Return where the sides differed last."""
        return [each["at"] for each in self.desk.report("r.json")["results"][0]["differences"]]


@contextmanager
def shops(
    desk: Desk, text: str = SCENARIO, *slips: str, first: Mint = by_text, mint: Mint = by_other_text, settings: str = ""
) -> Iterator[Shops]:
    desk.write("goldens/order.yaml", text)
    with open_shop(first) as old, open_shop(mint, *slips) as new:
        desk.write("replay.yaml", f"old: {old.url}\nnew: {new.url}\n{settings}")
        yield Shops(desk, old, new)


def text() -> str:
    return Path("goldens/order.yaml").read_text("utf-8")


def test_each_step_expects_what_was_answered_with_names_for_what_it_captures(desk: Desk) -> None:
    with shops(desk) as here:
        assert here.run().code == 0
        ended = here.approve("order")
        assert (ended.code, ended.out) == (
            0, "approved  order: expected nothing yet\n1 looked at: 1 approved, 0 as they were, 0 refused\n",
        )  # fmt: skip
        assert text() == APPROVED


def test_what_was_approved_holds_in_the_next_run_and_a_slip_departs_from_it(desk: Desk) -> None:
    with shops(desk) as here:
        here.run()
        here.approve("order")
        assert (here.run().code, here.places) == (0, [])
        assert here.approve("--check").code == 0
        assert here.desk.cli("run", "--writable", "new", "--old", here.new.url, "--new", here.old.url).code in (0, 3)
    with open_shop(by_text) as alone:
        assert here.run("--old", alone.url, "--new", alone.url).code == 0
    with open_shop(by_text) as old, open_shop(by_other_text, "total") as new:
        assert here.run("--old", old.url, "--new", new.url).code == 1
    assert "steps.read.body.total" in here.places


@pytest.mark.parametrize("source", ["both", "new", "old"])
def test_short_numbers_are_named_too_where_they_are_the_id(desk: Desk, source: str) -> None:
    with shops(desk, first=by_number, mint=by_larger_number, settings=NUMBERS) as here:
        assert here.run().code == 0
        assert here.approve("order", "--from", source).code == 0
        case = read_golden(text(), "order", Path("goldens/order.yaml"))
        expect = case.steps[-1].expect
        assert expect is not None
        assert b'"id":"{{order}}"' in (expect.body or b"")
        assert (here.run().code, here.places) == (0, [])


def test_a_side_that_departs_is_refused_until_it_is_said_to_be_right(desk: Desk) -> None:
    with shops(desk, SCENARIO, "total") as here:
        assert here.run().code == 1
        ended = here.approve("order")
        assert (ended.code, "refused   order: the sides disagree at steps.read.body.total" in ended.out) == (1, True)
        assert text() == SCENARIO
        assert here.approve("order", "--from", "new").code == 0
        assert here.run().code == 0, "what new answers is what is expected, and old drifts"
        assert here.approve("--check").out == "1 looked at: 0 stale, 1 as they were, 0 refused\n"


def test_only_steps_that_expect_something_are_looked_at_where_there_are_some(desk: Desk) -> None:
    stale = SCENARIO.replace(
        "    # the end", "    expect: {status: 200, json: {state: closed}}   # said\n    # the end"
    )
    with shops(desk, stale) as here:
        here.run()
        checked = here.approve("--check")
        assert (checked.code, checked.out.splitlines()[0].split(":")[0]) == (1, "stale     order")
        assert here.approve().code == 0
        assert text() == stale.replace("{state: closed}", f"{{state: open, {ORDER[1:-14]}}}")
        assert (here.run().code, here.approve("--check").code) == (0, 0)


def test_one_expectation_for_all_steps_gets_company_at_those_that_depart(desk: Desk) -> None:
    with shops(desk, SCENARIO + "expect: {status: 200}\n") as here:
        here.run()
        ended = here.approve()
        assert (ended.code, ended.out.splitlines()[0]) == (0, "approved  order: steps.create.status")
        case = read_golden(text(), "order", Path("goldens/order.yaml"))
        assert [step.expect is not None for step in case.steps] == [False, True, False]
        assert here.run().code == 0


RANDOM = """
import json, uuid

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"n": 1, "trace": str(uuid.uuid4()), "word": "{{CAPTURED}}"}).encode()]
"""
STEP = "steps:\n  - {name: a, request: {path: /}}\n"


def traced(desk: Desk, settings: str, golden: str = STEP, word: str = "x", app: str = RANDOM) -> None:
    desk.write("sides.py", app.replace("{{CAPTURED}}", word))
    desk.write("replay.yaml", f"old: sides:app\nnew: sides:app\n{settings}")
    desk.write("goldens/order.yaml", golden)


@pytest.mark.parametrize("golden", [STEP, "request: {path: /}\n"])
def test_an_id_that_an_earlier_run_was_told_otherwise_is_refused_by_its_place(desk: Desk, golden: str) -> None:
    traced(desk, "compare: [{at: body.trace, minted: true}]\n", golden)
    desk.cli("run")
    desk.cli("run")
    traced(desk, "", golden)
    ended = desk.cli("approve", "order", "--from", "new")
    at = "steps.a.body.trace" if "steps" in golden else "body.trace"
    assert (ended.code, f"{at} was another one in an" in " ".join(ended.out.split())) == (1, True), ended.out
    assert text() == golden


@pytest.mark.parametrize("rule", ["minted", "ignore", "same_type"])
def test_an_id_of_which_a_rule_speaks_is_approved_and_holds(desk: Desk, rule: str) -> None:
    traced(desk, f"compare: [{{at: body.trace, {rule}: true}}]\n")
    desk.cli("run")
    desk.cli("run")
    assert desk.cli("approve", "order").code == 0
    assert desk.cli("run").code == 0


def test_what_looks_like_a_name_in_an_answer_is_refused(desk: Desk) -> None:
    traced(desk, "compare: [{at: body.trace, ignore: true}]\n", word="{{token}}")
    desk.cli("run")
    ended = desk.cli("approve", "order")
    assert (ended.code, "holds '{{token}}'" in ended.out, text()) == (1, True, STEP)


ROWS = "each:\n  - {id: a, sku: B1}  # one\n  - {id: b, sku: C22}\n"


def test_steps_expect_what_all_rows_have_in_common_with_names_where_their_own_values_stand(desk: Desk) -> None:
    golden = ROWS + SCENARIO.replace("sku: A1", 'sku: "{{sku}}"')
    with shops(desk, golden) as here:
        assert here.run().code == 0
        ended = here.approve("order")
        assert (ended.code, ended.out.splitlines()[-1]) == (0, "2 looked at: 2 approved, 0 as they were, 0 refused")
        assert text() == ROWS + APPROVED.replace("sku: A1", 'sku: "{{sku}}"')
        assert (here.run().code, here.places, here.approve("--check").code) == (0, [], 0)
    with open_shop(by_text) as old, open_shop(by_other_text, "total") as new:
        assert here.run("--old", old.url, "--new", new.url).code == 1


LENGTHS = """
import json

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK" if len(path) < 9 else "204 No Content", [("Content-Type", "application/json")])
    return [json.dumps({"length": len(path), "path": path}).encode()] if len(path) < 9 else [b""]
"""
WORDS = """\
each:
  - {id: a, word: x}   # short
  - id: b
    word: yyy
steps:
  - {name: one, request: {path: "/{{word}}"}}
  - name: two
    request: {path: "/all/{{word}}"}
"""


def said(path: str) -> str:
    return f'{{status: 200, json: {{length: {len(path)}, path: "{path}"}}}}'


def worded(desk: Desk, golden: str = WORDS, app: str = LENGTHS) -> None:
    desk.write("sides.py", app)
    desk.write("replay.yaml", "old: sides:app\nnew: sides:app\n")
    desk.write("goldens/order.yaml", golden)
    desk.cli("run")


def test_rows_that_are_answered_in_different_ways_expect_something_of_their_own_at_each_step(desk: Desk) -> None:
    worded(desk)
    assert desk.cli("approve", "order").code == 0
    first = f"{{steps: {{one: {said('/x')}, two: {said('/all/x')}}}}}"
    other = f"expect:\n      steps:\n        one: {said('/yyy')}\n        two: {said('/all/yyy')}\n"
    assert text() == WORDS.replace("word: x}", f"word: x, expect: {first}}}").replace("yyy\n", f"yyy\n    {other}")
    assert desk.cli("run").code == 0
    desk.write("sides.py", LENGTHS.replace('"path": path', '"path": path.upper()'))
    assert desk.cli("run").code == 1


def test_what_one_row_expects_at_a_step_is_mended_in_that_row_alone(desk: Desk) -> None:
    worded(desk)
    desk.cli("approve", "order")
    before = text()
    worded(desk, before, LENGTHS.replace('"length": len(path)', '"length": len(path) + (len(path) == 8)'))
    assert desk.cli("approve", "--check").out.startswith("stale     order#b: steps.two.body.length\n")
    assert desk.cli("approve").code == 0
    assert text() == before.replace("length: 8", "length: 9")


def test_one_row_that_is_named_expects_something_and_the_others_nothing(desk: Desk) -> None:
    worded(desk)
    assert desk.cli("approve", "order#a").code == 0
    first, other = read_goldens(text(), "order", Path("goldens/order.yaml"))
    assert [[step.expect is not None for step in case.steps] for case in (first, other)] == [[True] * 2, [False] * 2]


def test_a_row_beats_what_all_expect_at_a_step(desk: Desk) -> None:
    golden = WORDS.replace("two\n", "two\n    expect: {status: 200, json: {length: 6, path: /all/x}}\n")
    worded(desk, golden)
    assert desk.cli("approve", "order#b").code == 0
    assert 'expect:\n      steps: {two: {status: 200, json: {length: 8, path: "/all/yyy"}}}\n' in text()
    assert (desk.cli("run").code, desk.cli("approve", "--check").code) == (0, 0)


def test_a_row_that_is_answered_with_nothing_is_left_alone_where_all_expect_a_body(desk: Desk) -> None:
    golden = WORDS.replace("yyy", "yyyyy").replace("two\n", "two\n    expect: {status: 200, json: {length: 6}}\n")
    worded(desk, golden)
    ended = desk.cli("approve", "order#b")
    assert (ended.code, "cannot be changed safely" in ended.err, text()) == (2, True, golden), ended.text


def test_rows_of_a_scenario_in_a_csv_file_get_columns_for_its_steps(desk: Desk) -> None:
    rows = desk.write("goldens/rows.csv", "id,word,expect.status\na,x,\nb,yyy,\n")
    worded(desk, "each: rows.csv\n" + WORDS[WORDS.index("steps") :])
    assert desk.cli("approve", "order").code == 0
    head, first, _ = rows.read_text("utf-8").splitlines()
    assert head == "id,word,expect.status," + ",".join(
        f"expect.steps.{step}.{key}" for step in ("one", "two") for key in ("status", "json")
    )
    assert first == 'a,x,,200,"{""length"":2,""path"":""/x""}",200,"{""length"":6,""path"":""/all/x""}"'
    assert (desk.cli("run").code, desk.cli("approve", "--check").code) == (0, 0)


def test_what_all_rows_of_a_csv_file_have_in_common_stands_in_the_golden(desk: Desk) -> None:
    rows = desk.write("goldens/rows.csv", "id,word\na,x\nb,y\n")
    worded(desk, "each: rows.csv\n" + WORDS[WORDS.index("steps") :])
    assert desk.cli("approve", "order").code == 0
    assert rows.read_text("utf-8") == "id,word\na,x\nb,y\n"
    assert 'json: {length: 6, path: "/all/{{word}}"}' in text()
    assert desk.cli("run").code == 0


KEYED = """
import json, random

def app(environ, start_response):
    made = random.SystemRandom().randrange(10**8, 10**9) if SAID is None else SAID
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"number": made, "all": {str(made): {"number": made}}}).encode()]
"""
KEYS = "steps:\n  - name: make\n    request: {path: /}\n    capture: {number: body.number}\n"


def test_an_id_is_named_where_it_is_a_key_too_and_stays_a_text_there(desk: Desk) -> None:
    desk.write("sides.py", KEYED.replace("SAID", "None"))
    desk.write("replay.yaml", "old: sides:app\nnew: sides:app\n")
    desk.write("goldens/order.yaml", KEYS)
    assert desk.cli("run").code == 0
    assert desk.cli("approve", "order", "--from", "new").code == 0
    assert 'json: {number: "{{number}}", all: {"{{number}}": {number: "{{number}}"}}}' in text()
    assert desk.cli("run").code == 0


def test_a_short_id_that_is_a_key_is_refused_once_an_earlier_run_was_told_another(desk: Desk) -> None:
    desk.write("sides.py", KEYED.replace("SAID", 'int(open("number").read())'))
    desk.write("replay.yaml", "old: sides:app\nnew: sides:app\n")
    desk.write("goldens/order.yaml", KEYS)
    for number in ("17", "18"):
        desk.write("number", number)
        assert desk.cli("run").code == 0
    ended = desk.cli("approve", "order", "--from", "new")
    assert (ended.code, "was another one in an" in " ".join(ended.out.split())) == (1, True), ended.text


def test_a_key_that_an_earlier_run_was_told_otherwise_is_refused(desk: Desk) -> None:
    traced(desk, "", app=RANDOM.replace('"trace": str(uuid.uuid4())', "str(uuid.uuid4()): 1"))
    desk.cli("run")
    desk.cli("run")
    ended = desk.cli("approve", "order", "--from", "new")
    assert (ended.code, "was another one in an" in " ".join(ended.out.split())) == (1, True), ended.out
    assert text() == STEP


def test_no_secret_gets_into_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "correct-horse-battery-staple")
    with shops(
        desk, SCENARIO.replace("sku: A1", 'sku: "{{secret.sku}}"'), settings="secrets: {sku: {env: PASSWORD}}\n"
    ) as here:
        assert here.run().code == 0
        ended = here.approve("order")
        assert (ended.code, "is masked in the" in ended.out) == (1, True), ended.out
        assert "correct-horse" not in text()
