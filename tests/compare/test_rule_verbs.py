"""What each verb of a rule accepts, and what it never hides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from replay.compare import Compared, rule_book
from replay.errors import SettingsError
from replay.models import MISSING, RuleSpec

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]
Rule = Mapping[str, Any]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (1, 1.0, []),
        (1, True, [("body", "type")]),
        (0, False, [("body", "type")]),
        (1, "1", [("body", "type")]),
        (None, 0, [("body", "type")]),
        ({"a": None}, {}, [("body.a", "missing")]),
        ({}, {"a": None}, [("body.a", "extra")]),
        ([1, 2], [2, 1], [("body", "order")]),
        ([1, 2], [3, 4], [("body[0]", "value"), ("body[1]", "value")]),
        ([1], [1, 1], [("body[1]", "extra")]),
        ([], {}, [("body", "type")]),
        ([True], [1], [("body[0]", "type")]),
        (b"9007199254740993", b"9007199254740992", [("body", "value")]),
        (b"0.1000000000000000000000000000001", b"0.1", [("body", "value")]),
        (b"1" * 5000, b"1" * 4999 + b"2", [("body", "value")]),
        (b"1e400", b"1e401", [("body", "value")]),
        (b"-0", b"0", []),
        (b"-0.0", b"0", []),
        (b"1e2", b"100", []),
        (b"1E-2", b"0.01", []),
        (b"1e400", b"1" + b"0" * 400, []),
        (b"1e999999999", b"1e999999998", [("body", "value")]),
        ("", None, [("body", "type")]),
        ([], None, [("body", "type")]),
        ({"a": ""}, {"a": None}, [("body.a", "type")]),
        ({"a": {}}, {"a": []}, [("body.a", "type")]),
        ({"a": {}}, {}, [("body.a", "missing")]),
        ("\u00e9", "e\u0301", [("body", "value")]),
        ("a", "a ", [("body", "value")]),
    ],
)
def test_without_rules_values_are_equal_only_if_they_are_one_value_of_one_type(
    told: Told, old: Any, new: Any, found: list[tuple[str, str]]
) -> None:
    assert told(old, new) == found
    # The same under a rule that could match below, which takes another way through the document.
    assert told(old, new, {"at": "body..unheard", "ignore": True}) == found


# --------------------------------------------------------------------------------------------------------------- ignore


def test_ignore_prunes_what_stands_there_and_says_so(compare: Compare) -> None:
    found = compare({"a": {"b": 1}, "c": 1}, {"a": [2], "c": 1}, {"at": "body.a", "ignore": True})
    assert found.differences == ()
    assert ("body.a", "at body.a, ignore: true") in {(it.at, it.rule) for it in found.accepted}


def test_ignore_tells_true_from_1_in_what_it_says(compare: Compare) -> None:
    found = compare({"a": True}, {"a": 1}, {"at": "body.a", "ignore": True})
    assert "body.a" in {it.at for it in found.accepted}


@pytest.mark.parametrize("new", [{"a": {"b": 2}}, {"a": {}}, {}, {"a": "gone"}, {"a": [1]}], ids=str)
def test_a_later_rule_below_an_ignore_sees_what_changed_and_what_is_gone(told: Told, new: Any) -> None:
    rules = {"at": "body", "ignore": True}, {"at": "body.a.b", "strict": True}
    assert [at for at, _ in told({"a": {"b": 1, "c": 1}}, new, *rules)] == ["body.a.b"]


def test_a_later_rule_below_an_ignored_body_sees_that_new_answers_a_page(told: Told) -> None:
    rules = {"at": "body", "ignore": True}, {"at": "body.total", "strict": True}
    assert ("body.total", "missing") in told(
        {"total": 5}, b"<h1>Oops</h1>", *rules, kinds=("application/json", "text/html")
    )


def test_an_earlier_rule_below_an_ignore_is_pruned(told: Told) -> None:
    assert told({"a": 1}, {"a": 2}, {"at": "body.a", "strict": True}, {"at": "body", "ignore": True}) == []


def test_a_later_renaming_below_an_ignore_is_compared(told: Told) -> None:
    rules = {"at": "body", "ignore": True}, {"at": "body.userName", "renamed": "user_name"}
    assert told({"userName": "ann", "x": 1}, {"user_name": "bob", "x": 2}, *rules) == [("body.userName", "value")]


def test_a_later_schema_below_an_ignore_is_held_against_new(told: Told) -> None:
    rules = {"at": "body", "ignore": True}, {"at": "body.n", "schema": {"type": "integer"}}
    assert told({"n": 1}, {"n": "x"}, *rules) == [("body.n", "schema")]
    assert told({"n": 1}, {}, *rules) == [("body.n", "schema")]
    assert told({"n": 1}, {"n": 2}, *rules) == []


def test_ignoring_one_name_leaves_longer_and_deeper_ones_compared(told: Told) -> None:
    old, new = {"id": 1, "ids": 1, "x": {"id": 1}}, {"id": 2, "ids": 2, "x": {"id": 2}}
    assert told(old, new, {"at": "body.id", "ignore": True}) == [("body.ids", "value"), ("body.x.id", "value")]
    assert told(old, new, {"at": "body..id", "ignore": True}) == [("body.ids", "value")]


def test_a_filter_that_holds_on_one_side_only_ignores_nothing(told: Told) -> None:
    rule = {"at": "body[?@.kind=='gift'].price", "ignore": True}
    assert told([{"kind": "gift", "price": 1}], [{"kind": "gift", "price": 2}], rule) == []
    assert ("body[0].price", "value") in told([{"kind": "gift", "price": 1}], [{"kind": "sale", "price": 2}], rule)


# --------------------------------------------------------------------------------------------------------------- within


@pytest.mark.parametrize(
    ("within", "old", "new", "accepted"),
    [
        (0.01, 1.00, 1.01, True),
        (0.01, 1.00, 1.02, False),
        (0, 1, 1.0, True),
        (0, 1, 1.5, False),
        ("10%", 100, 110, True),
        ("10%", 100, 111, False),
        ("10%", 0, 0.0001, False),
        ([0.01, "10%"], 100, 110, True),
        ([0.01, "10%"], 0, 0.01, True),
        (1, 1, True, False),
        (1, 1, "1", False),
        (1, 1, None, False),
        (0.01, "9.90", "9.91", True),
        (0, "1", "\u0661", False),
        (1, "abc", "abd", False),
        ("2s", "2024-02-29T23:59:59Z", "2024-03-01T00:00:01Z", True),
        ("2s", "2024-02-29T23:59:59Z", "2024-03-01T00:00:02Z", False),
        ("2s", "2024-02-29T23:59:59Z", "2024-03-01T01:00:00+01:00", True),
        ("2s", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59", False),
        ("2s", "Thu, 29 Feb 2024 23:59:59 GMT", "Fri, 01 Mar 2024 00:00:01 GMT", True),
        ("2s", "Thu, 29 Feb 2024 23:59:59 +99999999999", "x", False),
        ("2s", 1, 2, False),
    ],
)
def test_within_accepts_a_distance_up_to_and_with_the_tolerance(
    told: Told,
    within: Any,
    old: Any,
    new: Any,
    accepted: bool,  # noqa: FBT001 - a column of it
) -> None:
    assert (told({"x": old}, {"x": new}, {"at": "body.x", "within": within}) == []) is accepted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-01-01T00:00:00Z", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("2024-01-01", "20240101"),
        ("2024-01-01", "2024-W01-1"),
    ],
)
def test_within_a_time_is_no_leave_to_write_it_in_another_form(told: Told, old: str, new: str) -> None:
    assert told({"x": old}, {"x": new}, {"at": "body.x", "within": "2s"}) == [("body.x", "value")]


@pytest.mark.parametrize(
    ("old", "new"), [(b"1e999999999", b"1"), (b"1e9999999", b"-1e9999999"), (b"5", b"1e-99999999")]
)
def test_within_judges_numbers_beyond_computing(told: Told, old: bytes, new: bytes) -> None:
    assert told(old, new, {"at": "body", "within": 0.5}) == [("body", "value")]


def test_within_at_an_array_does_not_reach_its_items(told: Told) -> None:
    assert told([1], [1.1], {"at": "body", "within": 1}) == [("body[0]", "value")]


# --------------------------------------------------------------------------------------------------- map, renamed, must


def test_map_accepts_the_intended_value_and_nothing_else(told: Told) -> None:
    rule = {"at": "body.r", "map": [["05", "do_not_honor"]]}
    found = [told({"r": "05"}, {"r": new}, rule) for new in ("do_not_honor", "05", "06")]
    assert found == [[], [], [("body.r", "value")]]


def test_map_tells_text_from_number_and_true_from_1(told: Told) -> None:
    assert told({"r": 5}, {"r": "x"}, {"at": "body.r", "map": [["5", "x"]]}) == [("body.r", "type")]
    assert told({"r": True}, {"r": 2}, {"at": "body.r", "map": [[1, 2]]}) == [("body.r", "type")]


def test_map_does_not_hide_that_the_value_is_gone(told: Told) -> None:
    assert told({"r": 1}, {}, {"at": "body.r", "map": [[1, 2]]}) == [("body.r", "missing")]


def test_map_leaves_the_rest_to_a_tolerance_beside(told: Told) -> None:
    rule = {"at": "body.r", "map": [[1, 2]], "within": 0.1}
    assert [told({"r": 5}, {"r": new}, rule) for new in (5.1, 5.2)] == [[], [("body.r", "value")]]


@pytest.mark.parametrize(
    ("scope", "old", "new", "notes"),
    [
        ({}, 10, 9.99, []),
        ({}, 10, 10, ["the intended change is absent"]),
        ({}, 3, 3, []),
        ({"on": "GET /"}, 10, 9.99, []),
        ({"on": "GET /"}, 3, 3, ["the intended change was not seen"]),
        ({"on": "GET /other"}, 3, 3, []),
    ],
)
def test_a_change_that_must_be_seen_and_is_not_is_a_difference(
    compare: Compare, scope: Rule, old: Any, new: Any, notes: list[str]
) -> None:
    rule = {"at": "body.total", "map": [[10, 9.99]], "must": True, **scope}
    assert [it.note for it in compare({"total": old}, {"total": new}, rule).differences] == notes


def test_a_must_in_a_golden_asks_every_case_of_it(compare: Compare) -> None:
    rule = {"at": "body.total", "map": [[10, 9.99]], "must": True}
    assert [it.note for it in compare({}, {}, golden=[rule]).differences] == ["the intended change was not seen"]


def test_a_must_is_asked_of_items_that_are_equal_in_a_bag(compare: Compare) -> None:
    rules = {"at": "body", "unordered": True}, {"at": "body[*].t", "map": [[10, 9.99]], "must": True, "on": "GET /"}
    same = compare([{"t": 10}], [{"t": 10}], *rules)
    changed = compare([{"t": 1}, {"t": 10}], [{"t": 9.99}, {"t": 1}], *rules)
    assert [it.note for it in same.differences] == ["the intended change is absent"]
    assert changed.differences == ()


RENAMED = {"at": "body.a", "renamed": "b"}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"b": 1}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"b": 2}, [("body.a", "value")]),
        ({"a": 1}, {}, [("body.a", "missing")]),
        ({"a": 1}, {"a": 1, "b": 1}, [("body.a", "extra")]),
        ({"a": 1, "b": 1}, {"b": 1}, [("body.b", "missing")]),
        ({"b": 1, "a": 1}, {"b": 1}, [("body.b", "missing")]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, []),
        ({}, {"b": 1}, [("body.b", "extra")]),
    ],
    ids=str,
)
def test_a_renamed_member_is_compared_by_its_new_name_and_swallows_no_other(
    told: Told, old: Any, new: Any, found: list[tuple[str, str]]
) -> None:
    assert told(old, new, RENAMED) == found


def test_two_members_do_not_become_one_by_renaming(told: Told) -> None:
    rules = {"at": "body.a", "renamed": "c"}, {"at": "body.b", "renamed": "c"}
    assert told({"a": 1, "b": 1}, {"c": 1}, *rules) == [("body.b", "missing")]


def test_a_renaming_that_must_be_refuses_the_old_name(compare: Compare) -> None:
    found = compare({"a": 1}, {"a": 1}, RENAMED | {"must": True})
    assert [it.note for it in found.differences] == ["new still says a, not b"]


def test_renaming_reaches_below_same_type_and_into_headers(told: Told) -> None:
    assert told({"a": 1}, {"b": 2}, {"at": "body", "same_type": True}, RENAMED) == []
    rule = {"at": "headers.x-old", "renamed": "X-New"}
    assert told(headers=((("X-Old", "1"),), (("X-New", "1"),)), kind=None) == []
    assert told(b"", b"", rule, headers=((("X-Old", "1"),), (("X-New", "1"),)), kind=None) == []
    assert told(b"", b"", rule, headers=((("X-Old", "1"),), (("X-New", "2"),)), kind=None) == [
        ("headers.x-old", "header")
    ]
    assert told(b"", b"", rule, headers=((("X-Old", "1"),), ()), kind=None) == [("headers.x-old", "header")]


# -------------------------------------------------------------------------------------------------- unordered, match_by

BAG = {"at": "body", "unordered": True}
LINES = {"at": "body", "match_by": "sku"}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([1, 2], [2, 1], []),
        ([1, 1, 2], [1, 2, 2], [("body[1]", "missing"), ("body[2]", "extra")]),
        ([1, 1], [1], [("body[1]", "missing")]),
        ([], [1], [("body[0]", "extra")]),
        ([True], [1], [("body[0]", "missing"), ("body[0]", "extra")]),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1.0}], []),
        ([1], {"0": 1}, [("body", "type")]),
    ],
    ids=str,
)
def test_unordered_compares_bags_and_counts(told: Told, old: Any, new: Any, found: list[tuple[str, str]]) -> None:
    assert told(old, new, BAG) == found


def test_unordered_finds_the_pairing_that_leaves_least_over(told: Told) -> None:
    rule = {"at": "body[*].v", "within": 1}
    assert told([{"v": 2}, {"v": 3.5}], [{"v": 3}, {"v": 1}], BAG, rule) == []


def test_unordered_tells_what_changed_in_an_item_that_is_otherwise_the_same(compare: Compare) -> None:
    old = [{"id": 1, "n": 1, "m": 1}, {"id": 2, "n": 2, "m": 2}]
    new = [{"id": 2, "n": 2, "m": 2}, {"id": 1, "n": 1, "m": 9}]
    assert [(it.at, it.kind, it.note) for it in compare(old, new, BAG).differences] == [
        ("body[0].m", "value", "in new at body[1].m")
    ]


def test_unordered_does_not_take_one_thing_for_another(told: Told) -> None:
    old, new = [{"id": 1, "n": 1}, {"id": 2, "n": 2}], [{"id": 3, "n": 3}, {"id": 1, "n": 1}]
    assert told(old, new, BAG) == [("body[1]", "missing"), ("body[0]", "extra")]


def test_unordered_leaves_ignored_items_out(told: Told) -> None:
    rule = {"at": "body[?@.kind=='ad']", "ignore": True}
    assert told([{"kind": "ad", "n": 1}, {"n": 2}], [{"n": 2}], BAG, rule) == []
    assert told([{"kind": "ad", "n": 1}, {"n": 2}], [{"kind": "ad", "n": 3}, {"n": 4}], BAG, rule) == [
        ("body[1]", "missing"),
        ("body[1]", "extra"),
    ]


def test_unordered_below_strict_compares_spellings(told: Told) -> None:
    assert (
        len(told({"t": [1, 2]}, {"t": [2.0, 1]}, {"at": "body", "strict": True}, {"at": "body.t", "unordered": True}))
        == 2
    )


def test_match_by_pairs_by_key_and_names_items_by_it(told: Told) -> None:
    old, new = [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}], [{"sku": "B", "n": 2}, {"sku": "A", "n": 9}]
    assert told(old, new, LINES) == [("body[?@.sku=='A'].n", "value")]


def test_match_by_tells_items_that_only_one_side_has(told: Told) -> None:
    old, new = [{"sku": "A"}, {"sku": 1}], [{"sku": "A"}, {"sku": "1"}]
    assert told(old, new, LINES) == [("body[?@.sku==1]", "missing"), ("body[?@.sku=='1']", "extra")]


def test_match_by_pairs_the_most_alike_of_repeated_keys_and_loses_none(compare: Compare, told: Told) -> None:
    old, new = [{"sku": "A", "n": 1}, {"sku": "A", "n": 2}], [{"sku": "A", "n": 2}]
    assert told(old, new, LINES) == [("body[0]", "missing")]
    assert told(new, old, LINES) == [("body[0]", "extra")]
    assert [it.note for it in compare(old, new, LINES).differences] == ["sku repeats, paired with the most alike"]


def test_match_by_pairs_repeated_keys_in_order_where_all_differ_as_much(told: Told) -> None:
    old, new = [{"sku": "A", "n": 1}, {"sku": "A", "n": 2}], [{"sku": "A", "n": 3}, {"sku": "A", "n": 4}]
    assert told(old, new, LINES) == [("body[0].n", "value"), ("body[1].n", "value")]


def test_match_by_pairs_items_without_the_key_with_the_most_alike_and_says_so(compare: Compare) -> None:
    old, new = [1, {"sku": "A"}, {"n": 1, "m": 1}], [{"sku": "A"}, {"n": 2, "m": 1}, 1, 3]
    assert [(it.at, it.kind, it.note) for it in compare(old, new, LINES).differences] == [
        ("body[2].n", "value", "in new at body[1].n; without sku, paired with the most alike"),
        ("body[3]", "extra", "without sku, paired with the most alike"),
    ]


def test_match_by_several_fields_needs_all_of_them_equal(told: Told) -> None:
    rule = {"at": "body", "match_by": ["a", "b"]}
    assert told([{"a": 1, "b": 1, "c": 1}], [{"a": 1, "b": 1, "c": 2}], rule) == [
        ("body[?@.a==1 && @.b==1].c", "value")
    ]


# ----------------------------------------------------------------------------------- matches, same_type, strict, schema


@pytest.mark.parametrize(
    ("pattern", "old", "new", "found"),
    [
        ("[0-9]+", "12", "345", []),
        ("[0-9]+", "12", "x345", [("body.x", "validation")]),
        ("[0-9]+", 12, 345, []),
        ("[0-9]+", 12, "345", [("body.x", "type")]),
        ("true", 1, 1, [("body.x", "validation")]),
        ("true|false", True, False, []),
        (".*", {"a": 1}, {"a": 2}, [("body.x", "validation")]),
        (".*", [], [1], [("body.x", "validation")]),
        ("(a*)*b", "a" * 40, "a" * 40, [("body.x", "validation")]),
    ],
)
def test_matches_holds_both_whole_scalars_against_the_pattern(
    told: Told, pattern: str, old: Any, new: Any, found: list[tuple[str, str]]
) -> None:
    assert told({"x": old}, {"x": new}, {"at": "body.x", "matches": pattern}) == found


def test_same_type_accepts_other_values_of_the_same_shape_only(told: Told) -> None:
    old = {"a": 1, "b": [{"c": "x"}], "d": None}
    news: list[Any] = [
        {"a": 2.5, "b": [{"c": "y"}, {"c": "z"}], "d": None},
        old | {"a": "1"},
        old | {"a": True},
        old | {"e": 1},
    ]
    found = [told(old, new, {"at": "body", "same_type": True}) for new in news]
    assert found == [[], [("body.a", "type")], [("body.a", "type")], [("body.e", "extra")]]


def test_a_schema_below_same_type_is_held_against_both(told: Told) -> None:
    rules = {"at": "body", "same_type": True}, {"at": "body.n", "schema": {"maximum": 5}}
    assert told({"n": 1}, {"n": 9}, *rules) == [("body.n", "schema")]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [(b"1", b"1.0", False), (b"1.0", b"1.00", False), (b"-0", b"0", False), (b"1e2", b"1E2", False),
     (b"1.0", b"1.0", True),
     (b"1" * 5000, b"1" * 5000, True), (b"true", b"true", True), (b'"\\u00e9"', '"\u00e9"'.encode(), True)],
)  # fmt: skip
def test_strict_compares_numbers_as_they_are_written(told: Told, old: bytes, new: bytes, *, same: bool) -> None:
    assert (told(old, new, {"at": "body", "strict": True}) == []) is same


@pytest.mark.parametrize(
    ("schema", "old", "new", "found"),
    [
        ({"type": "integer"}, 1, 2, [("body.x", "value")]),
        ({"type": "integer"}, 1, 1, []),
        ({"type": "integer"}, 1, 1.5, [("body.x", "schema"), ("body.x", "value")]),
        ({"type": "integer"}, "1", "1", [("body.x", "schema")]),
        ({"type": "integer"}, "1", 1, [("body.x", "validation"), ("body.x", "type")]),
        ({"type": "integer"}, True, True, [("body.x", "schema")]),
        ({"multipleOf": 0.01}, 9.99, 9.99, []),
        ({"multipleOf": 0.01}, 9.999, 9.999, [("body.x", "schema")]),
        ({"const": 1}, 1, 1, []),
        (False, 1, 1, [("body.x", "schema")]),
        ({"$ref": "#"}, 1, 1, [("body.x", "schema")]),
        ({"$ref": "http://127.0.0.1:9/no.json"}, 1, 1, [("body.x", "schema")]),
        ({"$ref": "file:///etc/hostname"}, 1, 1, [("body.x", "schema")]),
        ({"pattern": "^(a*)*b$"}, "a" * 40, "a" * 40, [("body.x", "schema")]),
    ],
    ids=str,
)
def test_a_schema_is_held_against_both_beside_their_values(
    told: Told, schema: Any, old: Any, new: Any, found: list[tuple[str, str]]
) -> None:
    assert told({"x": old}, {"x": new}, {"at": "body.x", "schema": schema}) == found


@pytest.mark.parametrize("number", [b"1e999999", b"1e-999999"])
def test_a_schema_is_held_against_numbers_beyond_computing(told: Told, number: bytes) -> None:
    assert told(number, number, {"at": "body", "schema": {"multipleOf": 0.5}}) == [("body", "schema")]


def test_a_schema_is_held_against_text_that_both_sides_answer(told: Told) -> None:
    rule = {"at": "body", "schema": {"type": "object"}}
    assert told(b"<h1>Oops</h1>", b"<h1>Oops</h1>", rule, kind="text/html") == [("body", "schema")]


def test_a_schema_difference_does_not_repeat_the_value(compare: Compare) -> None:
    found = compare(
        {"x": "secret"}, {"x": "secret"}, {"at": "body", "schema": {"properties": {"x": {"type": "integer"}}}}
    )
    assert [it.note for it in found.differences] == [
        "new: x does not meet type: integer; old: x does not meet type: integer"
    ]


# ---------------------------------------------------------------------------------------------------------------- books


def test_the_last_rule_that_matches_a_node_wins(told: Told) -> None:
    wide, narrow = {"at": "body..x", "within": 5}, {"at": "body.x", "within": 1}
    assert told({"x": 1}, {"x": 3}, wide, narrow) == [("body.x", "value")]
    assert told({"x": 1}, {"x": 3}, narrow, wide) == []


def test_a_goldens_own_rules_come_after_those_of_the_settings(told: Told) -> None:
    assert told({"x": 1}, {"x": 3}, {"at": "body.x", "ignore": True}, golden=[{"at": "body.x", "within": 1}]) == [
        ("body.x", "value")
    ]


def test_a_rule_with_a_condition_is_for_cases_in_which_both_sides_meet_it(told: Told) -> None:
    rule = {"at": "body.x", "ignore": True, "where": "body.state == 'done'"}
    assert told({"x": 1, "state": "done"}, {"x": 2, "state": "done"}, rule) == []
    assert ("body.x", "value") in told({"x": 1, "state": "done"}, {"x": 2, "state": "open"}, rule)


def test_every_difference_names_the_rule_that_judged_it(compare: Compare) -> None:
    found = compare({"x": 1, "y": 1}, {"x": 9, "y": 2}, {"at": "body.x", "within": 1, "why": "rounding"})
    assert [it.rule for it in found.differences] == ["at body.x, within: 1 (rounding)", "default: values are equal"]


def test_two_documents_with_nothing_in_common_are_told_in_bounds(compare: Compare) -> None:
    found = compare(list(range(5000)), list(range(5000, 10000)))
    assert len(found.differences) == 1001
    assert found.differences[-1].note == "and 4000 more differences"


def test_missing_is_told_as_missing_and_not_as_null(compare: Compare) -> None:
    assert [(it.old, it.new) for it in compare({"a": None}, {}).differences] == [(None, MISSING)]


@pytest.mark.parametrize(
    "rule",
    [
        {"at": "body.x"},
        {"at": "body.x", "ignore": False},
        {"at": "body.x", "within": 1, "ignore": True},
        {"at": "body.x", "within": -1},
        {"at": "body.x", "within": "soon"},
        {"at": "body.x", "within": True},
        {"at": "body.x", "within": []},
        {"at": "body.x", "must": True, "strict": True},
        {"at": "body.x", "match_by": []},
        {"at": "body.x", "matches": "("},
        {"at": "body.x", "rank": {"top": 3}},
        {"at": "body.x", "schema": {"type": "nonsense"}},
        {"at": "body.x", "schema": 3},
        {"at": "headers.x", "as": "json"},
        {"at": "*", "as": "json"},
        {"at": "body.x", "as": ["json", "text"]},
        {"at": "body", "as": [{"csv": {}}, "json"]},
        {"at": "body.x", "via": "a:b"},
        {"at": "body", "via": "a:b"},
        {"at": "body", "via": "a:b", "as": "json"},
        {"at": "body.x", "allow": ["nan"]},
        {"at": "body.x", "renamed": ""},
        {"at": "body", "renamed": "payload"},
        {"at": "headers", "strict": True},
        {"at": "latency_ms", "within": 5},
        {"at": "error.kind", "ignore": True},
        {"at": "body.x", "ignore": True, "on": "nowhere"},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused_before_anything_is_sent(rule: Rule) -> None:
    with pytest.raises(SettingsError):
        rule_book([RuleSpec.model_validate(rule)])
