"""CSV by rows: as rows and columns mean, and in memory that does not grow with what a row becomes in Python."""

from __future__ import annotations

import csv
import io
import random
import tracemalloc
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Compared
from replay.compare.findings import MOST_DIFFERENCES
from replay.compare.formats import Content, read_as
from replay.compare.row_pairs import AT_ONCE, NONE, aligned, partners
from replay.models import CsvSpec, CsvStep

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]
Rule = dict[str, Any]

CSV = {"at": "body", "as": "csv"}
SHOP = "sku,size,price\nA,1,9.90\nB,2,5.00\nC,3,7.50\n"


def lines(*rows: Sequence[str], delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(rows)
    return text.getvalue().encode()


def changes(told: Told, old: str | bytes, new: str | bytes, *rules: Rule) -> list[tuple[str, str]]:
    sides = [side.encode() if isinstance(side, str) else side for side in (old, new)]
    return told(*sides, *(rules or (CSV,)), kind="text/csv")


def rows(data: bytes, **options: Any) -> Any:
    reading = read_as((CsvStep(csv=CsvSpec(**options)),), Content(data))
    return [flaw.message for flaw in reading.flaws] or reading.value.listed()


# -------------------------------------------------------------------------------------------------------------- reading


CELLS = st.text("ab,;\"'\n é", max_size=4)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(table=TABLES, delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_is_written_is_read_again(table: list[list[str]], delimiter: str, quoting: Any) -> None:
    data = lines(*table, delimiter=delimiter, quoting=quoting)
    wanted = [row for row in table if row]
    found = rows(data, delimiter=delimiter, header=False) if data.strip(b"\r\n") else []
    assert found == wanted


def test_rows_are_objects_by_the_names_of_their_columns() -> None:
    assert rows(b"sku,price\nA,1\nB,2\n") == [{"sku": "A", "price": "1"}, {"sku": "B", "price": "2"}]
    assert rows(b"A;1\n", header=("sku", "price")) == [{"sku": "A", "price": "1"}]
    assert rows(b"A;1\n", header=False) == [["A", "1"]]


def test_no_cell_is_lost_to_a_name_that_is_missing_or_taken() -> None:
    assert rows(b"a,a,,column 2\n1,2,3,4,5\n6\n") == [
        {"a": "1", "column 2'": "2", "column 3": "3", "column 2": "4", "column 5": "5"},
        {"a": "6"},
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'a,b\n1,"2\n3,4\n', "row 1 is no CSV"),
        (b'a,b\n1,2\n3,"4"5\n', "row 2 is no CSV"),
        (b"a,b\r1,2\r", "row 1 is no CSV"),
        (b"a,b\n1,2\n\xff,3\n", "row 2 is not text in its charset"),
        (b"a\n" + b'"' + b"x" * 20_000_000, "row 1 is no CSV: longer than 16,777,216 bytes"),
        (b"a,b\n1,2\n" + b'"\n",' * 5_000_000, "row 2 is no CSV: longer than"),
        (b"," * 20_000_000, "the first row is no CSV: longer than"),
    ],
)
def test_what_is_no_csv_is_told_with_its_row(data: bytes, told: str) -> None:
    found = rows(data)
    assert len(found) == 1
    assert told in found[0] or told.replace("row 1", "the first row") in found[0]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "cp1252"])
def test_rows_are_read_in_the_charset_of_the_answer(told: Told, charset: str) -> None:
    kinds = f"text/csv; charset={charset}", "text/csv; charset=utf-8"
    old, new = "sku;name\nA;é\n".encode(charset), "sku;name\nA;é\n".encode()
    assert told(old, new, CSV, {"at": "headers", "ignore": True}, kinds=kinds) == []


# ------------------------------------------------------------------------------------------------------------ comparing


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SHOP, SHOP.replace("\n", "\r\n")),
        (SHOP, SHOP.replace("A,1", '"A","1"')),
        (SHOP, SHOP + "\n\n"),
        (SHOP, SHOP[:-1]),
        ("", "\n"),
    ],
)
def test_how_a_file_is_written_means_nothing(told: Told, old: str, new: str) -> None:
    assert changes(told, old, new) == []


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (SHOP.replace("5.00", "6.00"), [("body[1].price", "value")]),
        (SHOP.replace("B,2,5.00\n", ""), [("body[1]", "missing")]),
        (SHOP.replace("B,", "X,9,9\nB,"), [("body[1]", "extra")]),
        (SHOP.replace("B,2,5.00\n", "") + "B,2,5.00\n", [("body", "order")]),
        (SHOP.replace("B,2,5.00", "B,2"), [("body[1].price", "missing")]),
        (SHOP.replace("B,2,5.00", "B,2,5.00,x"), [("body[1]['column 4']", "extra")]),
        (SHOP.replace("5.00", "5.000"), [("body[1].price", "value")]),
        (SHOP.replace(",", ";"), [("body", "value")]),
        ("sku,price,size\nA,9.90,1\nB,5.00,2\nC,7.50,3\n", [("body", "order")]),
        ("sku,size,price,new\nA,1,9.90,x\nB,2,5.00,x\nC,3,7.50,x\n", [("body[*].new", "extra")]),
        ("sku,price\nA,9.90\nB,5.00\nC,7.50\n", [("body[*].size", "missing")]),
        ("sku,price\nA,9.90\nB,6.00\nC,7.50\n", [("body[*].size", "missing"), ("body[1].price", "value")]),
        ("", [("body", "missing")]),
        ("sku,size,price\n", [("body[0]", "missing"), ("body[1]", "missing"), ("body[2]", "missing")]),
    ],
)
def test_each_change_of_a_file_is_one_difference(told: Told, new: str, found: list[tuple[str, str]]) -> None:
    assert changes(told, SHOP, new) == found


@pytest.mark.parametrize(
    ("new", "rules"),
    [
        (SHOP.replace("5.00", "5.01"), [{"at": "body[*].price", "within": 0.01}]),
        (SHOP.replace("5.00", "8.88"), [{"at": "body[1].price", "ignore": True}]),
        (SHOP.replace("5.00", "8.88"), [{"at": "body[?@.sku=='B'].price", "ignore": True}]),
        (SHOP.replace("5.00", "8.88"), [{"at": "body[*]", "same_type": True}]),
        (SHOP.replace("5.00", "8.88"), [{"at": "body", "ignore": True}]),
        (SHOP.replace("5.00", "8.88"), [{"at": "body", "same_type": True}]),
        (SHOP.replace("price", "cost"), [{"at": "body[*].price", "renamed": "cost"}]),
        ("sku,price\nA,9.90\nB,5.00\nC,7.50\n", [{"at": "body[*].size", "ignore": True}]),
        ("sku,size,price\nC,3,7.50\nA,1,9.90\nB,2,5.00\n", [{"at": "body", "match_by": "sku"}]),
        ("sku,size,price\nC,3,7.50\nA,1,9.90\nB,2,5.00\n", [{"at": "body", "match_by": ["sku", "size"]}]),
        ("sku,size,price\nC,3,7.50\nA,1,9.90\nB,2,5.00\n", [{"at": "body", "unordered": True}]),
        (
            "sku,size,price\nC,3,7.51\nA,1,9.90\nB,2,5.00\n",
            [{"at": "body", "unordered": True}, {"at": "body[*].price", "within": 0.01}],
        ),
        (
            "sku,price,size\nA,9.90,1\nB,5.00,2\nC,7.50,3\n",
            [{"at": "body", "as": {"csv": {"any_column_order": True}}}],
        ),
    ],
)
def test_rules_speak_of_rows_and_cells(told: Told, compare: Compare, new: str, rules: list[Rule]) -> None:
    assert changes(told, SHOP, new, CSV, *rules) == []
    assert compare(SHOP.encode(), new.encode(), CSV, *rules, kind="text/csv").accepted
    changed = new.replace("7.50", "70.50").replace("7.51", "70.50").replace("C,3", "Z,3").replace("A,", "Y,")
    if not any(rule.get("ignore") and rule["at"] == "body" for rule in rules):
        wider = [rule for rule in rules if not rule.get("same_type")]
        assert changes(told, SHOP, changed, CSV, *wider)


def test_a_row_is_told_by_its_key_unless_that_is_repeated(told: Told) -> None:
    rule = {"at": "body", "as": "csv", "match_by": "sku"}
    new = "sku,size,price\nC,3,7.51\nB,2,5.00\n"
    assert changes(told, SHOP, new, rule) == [("body[?@.sku=='A']", "missing"), ("body[?@.sku=='C'].price", "value")]
    twice = "sku,n\nA,1\nA,2\n"
    assert changes(told, twice, twice.replace("2", "3"), rule) == [("body[1].n", "value")]


def test_rows_without_the_column_they_are_to_be_matched_by_are_not_let_pass(told: Told) -> None:
    assert changes(told, SHOP, SHOP, CSV | {"match_by": "id"}) == [("body", "validation")]


@pytest.mark.parametrize(
    "rule",
    [
        {"at": "body[*].price", "map": [["5.00", "6.00"]], "must": True},
        {"at": "body[*].price", "matches": "[0-9]"},
        {"at": "body[*].price", "schema": {"pattern": "^0"}},
        {"at": "body", "schema": {"maxItems": 2}},
    ],
)
@pytest.mark.parametrize("verb", [{}, {"match_by": "sku"}, {"unordered": True}])
def test_equal_rows_are_held_to_rules_that_may_object_to_them(told: Told, rule: Rule, verb: Rule) -> None:
    assert changes(told, SHOP, SHOP, CSV | verb, rule)


def test_order_and_changes_are_told_apart(told: Told) -> None:
    old = [["id", "n"], *([str(i), str(i)] for i in range(50))]
    new = [old[0], *reversed(old[1:])]
    new[7] = ["42", "changed"]
    found = changes(told, lines(*old), lines(*new))
    assert sorted(kind for _, kind in found) == ["extra", "missing", "order"]


TABLE = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=6)


@given(old=TABLE, new=TABLE)
def test_files_are_equal_exactly_if_their_rows_are(told: Told, old: list[Any], new: list[Any]) -> None:
    mine, theirs = (lines(("k", "v"), *side) for side in (old, new))
    assert (changes(told, mine, theirs) == []) is (old == new)
    assert (changes(told, mine, theirs, CSV | {"unordered": True}) == []) is (Counter(old) == Counter(new))
    kinds = {kind for _, kind in changes(told, mine, theirs)}
    if old != new and Counter(old) == Counter(new):
        assert kinds <= {"order", "value"}


@given(old=TABLE, new=TABLE, data=st.data())
def test_matched_rows_have_no_order(told: Told, old: list[Any], new: list[Any], data: st.DataObject) -> None:
    sides = [list(dict(side).items()) for side in (old, new)]
    rule = CSV | {"match_by": "k"}
    shuffled = [data.draw(st.permutations(side)) for side in sides]
    found = [
        Counter(changes(told, lines(("k", "v"), *mine), lines(("k", "v"), *theirs), rule))
        for mine, theirs in (sides, shuffled)
    ]
    assert found[0] == found[1]


@given(old=TABLE, new=TABLE, widths=st.tuples(st.integers(0, 2), st.integers(0, 2)).map(sorted))
@pytest.mark.parametrize("verb", [{"match_by": "k"}, {"unordered": True}])
def test_a_wider_tolerance_never_adds_a_difference(
    told: Told, verb: Rule, old: list[Any], new: list[Any], widths: list[int]
) -> None:
    mine, theirs = (lines(("k", "v"), *side) for side in (old, new))
    found = [changes(told, mine, theirs, CSV | verb, {"at": "body[*].v", "within": it}) for it in widths]
    assert len(found[1]) <= len(found[0])


@given(old=st.lists(st.integers(0, 4), max_size=8), new=st.lists(st.integers(0, 4), max_size=8))
def test_an_alignment_names_every_row_once(old: list[int], new: list[int]) -> None:
    found = aligned(array("q", old), array("q", new))
    pairs = list(found.pairs)
    assert sorted(i for i, _ in pairs if i is not None) == list(range(len(old)))
    assert sorted(j for _, j in pairs if j is not None) == list(range(len(new)))
    assert (None, None) not in pairs


def test_keys_are_paired_share_by_share_as_they_would_be_at_once() -> None:
    old = array("q", range(-AT_ONCE // 2, AT_ONCE // 2))
    new = array("q", reversed(old[5:]))
    found = partners(old, new)
    assert list(found.of_old[:6]) == [NONE] * 5 + [len(new) - 1]
    assert found.of_old[-1] == 0
    assert list(found.alone_in_new()) == []


# ---------------------------------------------------------------------------------------------------------- many rows


def export(count: int) -> list[bytes]:
    return [b"%d,SKU-%05d,a product with a name,%d.50,EUR\n" % (n, n % 977, n % 1000) for n in range(count)]


HEAD = b"id,sku,name,price,currency\n"


@pytest.mark.parametrize("verb", [{}, {"match_by": "id"}])
def test_two_exports_are_compared_in_a_fraction_of_what_their_rows_would_take(told: Told, verb: Rule) -> None:
    written = export(15_000)
    old = HEAD + b"".join(written)
    written[7_000] = written[7_000].replace(b"EUR", b"USD")
    del written[9_000]
    if verb:
        random.Random(4).shuffle(written)  # noqa: S311 - any order will do
    new = HEAD + b"".join(written)
    tracemalloc.start()
    try:
        found = told(old, new, CSV | verb, kind="text/csv")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert Counter(kind for _, kind in found) == {"value": 1, "missing": 1}
    assert peak < (8 if verb else 2) * 2**20  # as lists of objects, both sides take more than 12 MB


def test_of_very_many_changed_rows_the_first_are_told_and_the_rest_is_counted(compare: Compare) -> None:
    old = HEAD + b"".join(export(100_000))
    found = compare(old, old.replace(b"EUR", b"USD"), CSV, kind="text/csv").differences
    assert len(found) == MOST_DIFFERENCES + 1
    assert found[-1].note == f"and {100_000 - MOST_DIFFERENCES} more differences"


def test_a_rule_on_all_rows_at_once_says_where_they_are_too_many(told: Told, compare: Compare) -> None:
    data = HEAD + b"".join(export(100_001))
    assert changes(told, data, data + b"1,2,3,4,5\n", CSV, {"at": "body", "same_type": True}) == [("body", "value")]
    within = {"at": "body[*].name", "as": "json"}
    assert compare(data, data, CSV, within, kind="text/csv").flaws.keys() == {"old", "new"}
    assert changes(told, data, data + b"1,2,3,4,5\n", CSV, {"at": "body", "ignore": True}) == []
