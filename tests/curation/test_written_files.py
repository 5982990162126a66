"""Whatever a review or an approval writes into a file is read back as it was meant, and nothing around it changes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from replay.config import Settings
from replay.curation.csv_rows import require_same_rows, with_expected
from replay.curation.patching import with_rules
from replay.curation.rewriting import with_values
from replay.curation.spelling import rule_text
from replay.documents import canonical_json, dump_json, parse_json, read_yaml, validated
from replay.models import RuleSpec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SAID = st.sampled_from(
    ["no", "NO", "on", "null", "true", "1", "1.0", "012", "~", "", " ", "a: b", "# x", "- x", "{{x}}"]
)
WORD = (
    TEXT | SAID | st.sampled_from(["${HOME}", "$", "$$", "a\nb", "\u2028", "\x85", "\ufeff", "\U0001f600", "it's", '"'])
)
NUMBER = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
SCALAR = st.none() | st.booleans() | NUMBER | WORD
FILLED = WORD.filter(bool)
VERBS = (
    st.just({"ignore": True})
    | st.just({"unordered": True})
    | st.sampled_from([{"within": Decimal("0.02")}, {"within": "1%"}, {"within": "2s"}, {"within": Decimal("1E-7")}])
    | st.lists(st.tuples(SCALAR, SCALAR).map(list), min_size=1, max_size=3).map(lambda pairs: {"map": pairs})
    | st.builds(lambda owner, why: {"waive": {"until": "2999-12-31", "owner": owner, "why": why}}, FILLED, FILLED)
)
RULES = st.builds(
    lambda at, on, verb, why: {**({"on": on} if on else {}), "at": at, **verb, "why": why},
    st.sampled_from(["body.a", "headers.etag", "body['x y'][*].z", "steps.one.body.total"]) | FILLED,
    st.sampled_from(["", "GET /a/*", "POST /ü"]),
    VERBS,
    WORD,
)
HEADS = ("", "# first\n", "old: http://a  # b\n", "groups:\n  g: {tag: x}   # why\n", "\ufeff# marked\n")
LISTS = (
    "",
    "compare: []\n",
    "compare: [] # none yet\n",
    "compare: [   # none yet\n  # but soon\n]   # closed\n",
    "compare:   # nothing\n  # at all\n  []\n",
    "compare:\n  - {at: body.id,  ignore: true}   # wide\n\n  # then\n  - at: body.x   # block\n    ignore: true\n",
    "compare:\n- {at: body.id, ignore: true}\n# about nothing\n",
    "compare: [{at: body.id, ignore: true}]   # flow\n",
    "compare: [\n  {at: body.id, ignore: true},  # one\n]\n",
)
TAILS = ("", "\n# What must hold.\ncut_when:\n  - errors <= old   # or fewer\n", "seed: 7")


@given(
    st.sampled_from(HEADS),
    st.sampled_from(LISTS),
    st.sampled_from(TAILS),
    st.lists(RULES, min_size=1, max_size=3),
    st.booleans(),
)
@settings(max_examples=150)
def test_rules_are_read_back_as_they_were_meant_and_every_other_line_stays(
    head: str,
    middle: str,
    tail: str,
    rules: list[dict[str, Any]],
    crlf: bool,  # noqa: FBT001 - drawn
) -> None:
    text = head + middle + tail
    text = text.replace("\n", "\r\n") if crlf else text
    after = with_rules(text, [rule_text(rule, expands=False) for rule in rules])
    read = validated(read_yaml(after, "replay.yaml"), Settings)
    before = (
        validated(read_yaml(text, "replay.yaml"), Settings)
        if text.strip("\ufeff \r\n") and not text.lstrip("\ufeff").startswith("#")
        else None
    )
    meant = tuple(map(RuleSpec.model_validate, rules))
    assert read.compare[-len(rules) :] == meant
    if before is not None:
        assert read.model_copy(update={"compare": before.compare}) == before
    for line in text.splitlines():
        comment = line.partition("#")[2]
        assert not comment or comment in after


@given(RULES)
@settings(max_examples=100)
def test_no_variable_is_meant_by_what_a_rule_says(rule: dict[str, Any]) -> None:
    from replay.config import _VARIABLE  # noqa: PLC0415 - what settings expand

    read = read_yaml(rule_text(rule), "rule.yaml").value

    def expanded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expanded(item) for key, item in value.items()}
        if isinstance(value, list):
            return [expanded(item) for item in value]
        return (
            _VARIABLE.sub(lambda found: "$" if found["name"] is None else "?", value)
            if isinstance(value, str)
            else value
        )

    assert RuleSpec.model_validate(expanded(read)) == RuleSpec.model_validate(rule)


JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4), max_leaves=12
)
EXPECTED = st.fixed_dictionaries({"json": JSON}, optional={"status": st.integers(100, 599)}) | st.builds(
    lambda text: {"status": 200, "text": text}, st.lists(WORD).map("\n".join)
)


def as_read(value: Any) -> Any:
    """Return a value as it is read out of JSON, numbers by their spelling."""
    return parse_json(dump_json(value).encode(), spelled=True).value


@given(EXPECTED, EXPECTED)
@settings(max_examples=150)
def test_what_is_expected_is_read_back_and_comments_elsewhere_stay(one: dict[str, Any], other: dict[str, Any]) -> None:
    one, other = as_read(one), as_read(other)
    text = "# why\ntitle: T   # here\nrequest:\n  path: /a   # there\n\n# rules\ncompare: []   # none\n"
    for wanted in (one, other, one):
        text = with_values(text, [(("expect",), wanted)])
        assert canonical_json(read_yaml(text, "x.yaml").value["expect"]) == canonical_json(wanted)
        for comment in ("# why\n", "T   # here\n", "/a   # there\n", "\n# rules\n", "compare: []   # none\n"):
            assert comment in text


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True),
    st.sampled_from(["- {0}", "- {{id: {0}}}", "- id: {0}", "- [{0}]"]),
    st.booleans(),
)
@settings(max_examples=150)
def test_comments_of_items_that_stay_are_kept_where_others_come_and_go(
    before: list[int],
    kept: list[int],
    item: str,
    crlf: bool,  # noqa: FBT001 - drawn
) -> None:
    after = [n for n in before if n in kept] + [n for n in kept if n not in before]
    lines = "".join(f"    {item.format(n)}   # item-{n};\n" for n in before)
    text = f"expect:\n  json:\n    # all of them\n{lines}  status: 200   # fine\n# the end\n"
    text = text.replace("\n", "\r\n") if crlf else text
    wanted = [read_yaml(item.format(n), "x.yaml").value[0] for n in after]
    changed = with_values(text, [(("expect",), {"json": wanted, "status": 200})])
    assert read_yaml(changed, "x.yaml").value == {"expect": {"json": wanted, "status": 200}}
    if set(before) & set(after):
        assert all(f"{item.format(n)}   # item-{n};" in changed for n in before if n in after)
    assert all(changed.count(f"# item-{n};") == 1 for n in before)
    line = "\r\n" if crlf else "\n"
    assert changed.endswith(f"  status: 200   # fine{line}# the end{line}")


LONG = list(range(60))


@pytest.mark.parametrize("end", ["]", "\n  ]", "  # last\n  ]", ",  # last\n  ]"])
def test_no_block_is_written_within_brackets(end: str) -> None:
    text = f"expect:\n  json: [\n    [1],\n    {{a: 1}}{end}\n"
    for wanted in ([[1], {"a": LONG}], [[1], LONG], [LONG, {"b": LONG}]):
        after = with_values(text, [(("expect",), {"json": as_read(wanted)})])
        assert canonical_json(read_yaml(after, "x.yaml").value["expect"]["json"]) == canonical_json(as_read(wanted))
        assert after.count("# last") == text.count("# last")


LISTED = (
    "[  # open;\n    1,  # one;\n    # between;\n    2,\n    # last;\n  ]  # behind;",
    "{  # open;\n    a: 1,  # one;\n    b: '# no',  # two;\n  }  # behind;",
    "\n    - 1  # one;\n    # between;\n    - 2  # two;",
    "\n    - a: |  # text;\n        # no\n      b: >-   # folded;\n        x\n    # then;\n    - [1, # one;\n       2]",
    "\n    # above;\n    a: 1  # one;\n    b:  # two;\n      # within;\n      - 1",
    "[*y,  # aliased;\n    {a: *y}]",
    "&x  # anchored;\n    - *y  # aliased;",
    '"a # no\n    # no"  # behind;',
    "|  # text;\n    # no",
    "",
)


@given(st.sampled_from(LISTED), JSON, st.booleans(), st.sampled_from(["json", "text"]))
@settings(max_examples=200)
@example(listed=LISTED[0], value={"a": [None] * 30, "b": "1\n2"}, crlf=False, key="json")
@example(listed=LISTED[2], value={"a": [None] * 30, "b": "1\n2"}, crlf=False, key="json")
def test_no_comment_is_lost_whatever_is_written_in_the_place_of_what(
    listed: str,
    value: Any,
    crlf: bool,  # noqa: FBT001 - drawn
    key: str,
) -> None:
    text = f"a: &y 1\nexpect:  # head;\n  status: 200\n  # about;\n  json: {listed}\n# end;\nz: |\n  # no\n"
    text = text.replace("\n", "\r\n") if crlf else text
    wanted = {"status": 200, key: as_read(value) if key == "json" else "x"}
    try:
        after = with_values(text, [(("expect",), wanted)])
    except LookupError:
        assert "&x" in listed, "where the dashes of what is anchored stand is not told"
        return
    assert canonical_json(read_yaml(after, "x.yaml").value["expect"]) == canonical_json(wanted)
    assert sorted(_REMARK.findall(after)) == sorted(_REMARK.findall(text))


_REMARK = re.compile(r"# \w+;")


@given(JSON, st.sampled_from(["{id: a}", "{id: a, }", "{id: a, expect: {status: 1}}"]))
@settings(max_examples=80)
def test_a_row_in_braces_keeps_what_stands_around_it(value: Any, row: str) -> None:
    text = f"each:\n  - {row}   # one\n  - id: b   # two\n    n: 1    # three\nrequest: {{}}\n"
    for place in (0, 1):
        text = with_values(text, [(("each", place, "expect"), {"json": as_read(value)})])
        found = read_yaml(text, "x.yaml").value["each"][place]
        assert canonical_json(found["expect"]) == canonical_json({"json": as_read(value)})
    assert all(comment in text for comment in ("# one\n", "id: b   # two\n", "n: 1    # three\n", "\nrequest: {}\n"))


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), JSON, st.data())
@settings(max_examples=80)
def test_cells_of_other_rows_stay(rows: list[tuple[str, str]], value: Any, data: st.DataObject) -> None:
    lines = [f"{json.dumps(str(number))},{quoted(one)},{quoted(two)}" for number, (one, two) in enumerate(rows)]
    text = "id,a,b\r\n" + "".join(f"{line}\r\n" for line in lines)
    place = data.draw(st.integers(0, len(rows) - 1))
    after = with_expected(text, {place: {"": {"status": 200, "json": as_read(value)}}})
    require_same_rows(text, after, [place])
    kept = [line for number, line in enumerate(lines) if number != place]
    assert all(f"{line},,\r\n" in after for line in kept)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
