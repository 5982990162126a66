"""Goldens of several rows: what each row fills, expects and is called, and what of rows makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.cases import load_goldens, read_goldens
from replay.cases.chosen import Choice, Chosen
from replay.errors import DocumentError
from replay.models import Case

FOLD = """\
title: "{{word}} in {{id}}"
each:
  - {id: tr, word: "I\u0307 b", n: 1.50}
  - {id: de, word: ß, n: 2, expect: {status: 201, json: {folded: ss}}}
request:
  method: POST
  path: /fold/{{word}}?again={{word}}
  headers: {accept-language: "{{id}}"}
  json: {text: "<{{word}}>", n: "{{n}}"}
expect: {status: 200, json: {n: "{{n}}"}}
"""


def cases(text: str, path: Path = Path("fold.yaml")) -> list[Case]:
    return list(read_goldens(text, "fold", path))


def test_each_row_is_a_case_of_its_own_with_its_values_everywhere() -> None:
    one, other = cases(FOLD)
    assert [(it.id, it.identity, it.title) for it in (one, other)] == [
        ("fold#tr", "fold#tr", "I\u0307 b in tr"),
        ("fold#de", "fold#de", "ß in de"),
    ]
    assert one.request.path == "/fold/I%CC%87%20b?again=I%CC%87%20b"
    assert one.request.headers == (("accept-language", "tr"), ("Content-Type", "application/json"))
    assert one.request.body == '{"text":"<I\u0307 b>","n":1.50}'.encode()
    assert (one.expect and one.expect.body, other.expect and other.expect.body) == (b'{"n":1.50}', b'{"folded":"ss"}')
    assert (one.expect and one.expect.status, other.expect and other.expect.status) == (200, 201)


def test_rows_stand_in_a_csv_file_too(tmp_path: Path) -> None:
    rows = 'locale,word,expect.status,expect.json\ntr,"a,b",,\nde,012,404,"{""x"": 1.50}"\n'
    (tmp_path / "rows.csv").write_text(rows, "utf-8")
    one, other = cases("each: rows.csv\nrequest: {path: '/{{word}}'}\n", tmp_path / "fold.yaml")
    assert (one.id, one.request.path, one.expect) == ("fold#tr", "/a%2Cb", None)
    assert (other.id, other.request.path) == ("fold#de", "/012")
    assert other.expect is not None
    assert (other.expect.status, other.expect.body) == (404, b'{"x":1.50}')


def test_a_scenario_has_rows_and_keeps_its_own_names() -> None:
    steps = """\
each: [{id: a, plan: pro}]
steps:
  - {name: one, request: {path: "/{{plan}}"}, capture: {token: body.t}}
  - {name: two, request: {path: "/{{token}}/{{plan}}"}}
"""
    (case,) = cases(steps)
    assert [step.request.path for step in case.steps] == ["/pro", "/{{token}}/pro"]
    assert case.request.path == "/pro"


def test_a_golden_names_all_of_its_rows_and_a_row_itself(tmp_path: Path) -> None:
    (tmp_path / "fold.yaml").write_text(FOLD, "utf-8")
    source = load_goldens(tmp_path)
    found = {only: [it.id for it in Chosen([source], Choice(only=(only,)))] for only in ("fold", "fold#tr", "fold#*")}
    assert found == {"fold": ["fold#de", "fold#tr"][::-1], "fold#tr": ["fold#tr"], "fold#*": ["fold#tr", "fold#de"]}
    assert source.intake.loaded == 2


def test_other_rows_in_a_file_of_their_own_are_another_input(tmp_path: Path) -> None:
    (tmp_path / "fold.yaml").write_text("each: rows.csv\nrequest: {path: '/{{w}}'}\n", "utf-8")
    digests = set()
    for rows in ("id,w\na,1\n", "id,w\na,2\n", "id,w,expect.status\na,2,200\n"):
        (tmp_path / "rows.csv").write_text(rows, "utf-8")
        digests.add(load_goldens(tmp_path).digest)
    assert len(digests) == 3


def test_a_file_that_is_called_as_a_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fold.yaml").write_text(FOLD, "utf-8")
    (tmp_path / "fold#tr.yaml").write_text("request: {}\n", "utf-8")
    with pytest.raises(DocumentError, match="has the id 'fold#tr', as a row of"):
        list(load_goldens(tmp_path))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("each: []\nrequest: {}", "1:7: each has no row"),
        ("each: [{}]\nrequest: {}", "1:8: a row holds no value"),
        ("each: [{id: a}, {id: a}]\nrequest: {}", "1:17: a row is called 'a' already, at fold.yaml:1:8"),
        ("each: [{id: a/b}]\nrequest: {}", "1:8: 'a/b' is no name for a row"),
        ("each: [{id: [a]}]\nrequest: {}", "1:8: what a row is called has to be text or a number"),
        ("each: [{id: a}]\nrequest: {path: '/{{b}}'}", "1:8: '{{b}}' is no column of each\n  hint: there are id"),
        ("each: [{id: a, b: [1]}]\nrequest: {path: '/{{b}}'}", "1:8: a value of row 'a' cannot stand there"),
        ("each: [{id: a, expect: {stauts: 200}}]\nrequest: {}", "1:24: unknown key 'stauts'"),
        ("each: nowhere.csv\nrequest: {}", "nowhere.csv: cannot be read"),
        ("each: ../x.csv\nrequest: {}", "lies outside the golden's folder"),
        ("each: [{id: a}]\nsteps: [{name: s, request: {path: '/{{b}}'}}]", "no earlier step captures 'b'"),
        ("each: [{id: a, expect: {text: x}}]\nrequest: {method: HEAD}", "an answer to HEAD has no body to expect"),
    ],
)
def test_rows_that_make_no_sense_are_told_with_their_place(text: str, error: str) -> None:
    with pytest.raises(DocumentError) as told:
        cases(text)
    assert error in str(told.value)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (b"", "rows.csv:1: the first line has to name every column"),
        (b"id,w\n", "each has no row"),
        (b"id,id\na,b\n", "rows.csv:1: two columns are called 'id'"),
        (b"id,w\na\n", "rows.csv:2: 1 cells under 2 columns"),
        (b'id,w\na,"b\n', "is no CSV"),
        (b"id,w\n\xff,b\n", "rows.csv is not UTF-8"),
        (b"id,expect.json\na,{\n", "rows.csv:2: expect.json is no JSON"),
        (b"id,expect.status\na,20\n", "rows.csv:2: expect.status: "),
        (b"id,expect.colour\na,20\n", "rows.csv:2: expect.colour: "),
    ],
)
def test_files_of_rows_that_make_no_sense_are_told_with_their_line(tmp_path: Path, rows: bytes, error: str) -> None:
    (tmp_path / "rows.csv").write_bytes(rows)
    with pytest.raises(DocumentError) as told:
        cases("each: rows.csv\nrequest: {}", tmp_path / "fold.yaml")
    assert error in str(told.value)


STEPS = """\
each:
  - {id: a, expect: {status: 201, steps: {two: {json: {id: "{{order}}", row: "{{id}}"}}}}}
  - {id: b, expect: {steps: {one: {status: 204}}}}
steps:
  - {name: one, request: {path: /}, capture: {order: body.id}, expect: {status: 200, json: {x: 1}}}
  - {name: two, request: {path: /}}
"""


def test_a_row_says_what_it_expects_at_a_step_and_beats_the_step_part_by_part() -> None:
    first, other = cases(STEPS)
    assert [case.expect and case.expect.status for case in (first, other)] == [201, None]
    bodies = [[step.expect and step.expect.body for step in case.steps] for case in (first, other)]
    assert bodies == [[b'{"x":1}', b'{"id":"{{order}}","row":"a"}'], [b'{"x":1}', None]]
    assert [step.expect and step.expect.status for step in other.steps] == [204, None]


def test_cells_say_what_a_row_expects_at_a_step(tmp_path: Path) -> None:
    rows = 'id,expect.steps.one.status,expect.steps.two.json\na,204,\nb,,"[1.50]"\n'
    (tmp_path / "rows.csv").write_text(rows, "utf-8")
    first, other = cases("each: rows.csv\n" + STEPS[STEPS.index("steps:\n") :], tmp_path / "fold.yaml")
    said = [[step.expect and (step.expect.status, step.expect.body) for step in case.steps] for case in (first, other)]
    assert said == [[(204, b'{"x":1}'), None], [(200, b'{"x":1}'), (None, b"[1.50]")]]


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("steps: {three: {status: 200}}", "3:5: there is no step 'three' to expect anything at"),
        ("steps: {one: {statsu: 200}}", "unknown key 'statsu'"),
        ("steps: {one: {json: NaN}}", ": NaN is no JSON"),
        ("json: {a: 1e400}", "3:32: 1e400 overflows"),
        ("steps: {one: {json: '{{token}}'}}", "3:5: no step up to 'one' captures 'token'"),
        ("steps: {one: {json: 1, text: x}}", "json and text are both a body"),
        ("steps: [one]", "steps: must be a mapping"),
    ],
)
def test_what_a_row_cannot_expect_of_a_step_is_told_with_its_place(row: str, fact: str) -> None:
    with pytest.raises(DocumentError) as told:
        cases(STEPS.replace("steps: {one: {status: 204}}", row))
    assert fact in str(told.value)


def test_a_row_of_one_request_has_no_step_to_expect_anything_at() -> None:
    with pytest.raises(DocumentError, match="there is no step 'one'") as told:
        cases("each: [{id: a, expect: {steps: {one: {status: 200}}}}]\nrequest: {path: /}\n")
    assert told.value.hint == "it is no scenario: write expect without steps"


@pytest.mark.parametrize("key", ["request", "next", "expect"])
def test_no_number_that_overflows_gets_into_the_body_of_a_step(key: str) -> None:
    walk = "while: body.more, join: body.items, " if key == "next" else ""
    request = "" if key == "request" else "request: {path: /}, "
    with pytest.raises(DocumentError, match="1e400 overflows"):
        cases(f"steps:\n  - {{name: one, {walk}{request}{key}: {{json: [1e400]}}}}\n")


@pytest.mark.parametrize("column", ["expcet", "Expect", " expect", "expected"])
def test_a_column_that_nothing_uses_and_is_nearly_called_expect_is_refused(column: str) -> None:
    with pytest.raises(DocumentError, match="nothing uses") as told:
        cases(f"each:\n  - {{id: a}}\n  - {{id: b, '{column}': {{status: 404}}}}\nrequest: {{path: '/{{{{id}}}}'}}\n")
    assert (str(told.value.place), "did you mean 'expect'" in str(told.value.hint)) == ("fold.yaml:3:5", True)


def test_so_is_one_of_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id, expect.status\na,404\n", "utf-8")
    with pytest.raises(DocumentError, match="nothing uses ' expect"):
        cases("each: rows.csv\nrequest: {path: '/{{id}}'}\n", tmp_path / "fold.yaml")


def test_a_column_called_expected_may_fill_a_name() -> None:
    (one,) = cases("each: [{id: a, expected: 3}]\nrequest: {path: /}\nexpect: {json: {n: '{{expected}}'}}\n")
    assert one.expect is not None
    assert one.expect.body == b'{"n":3}'
