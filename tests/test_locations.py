"""The location language: what parses, what it selects, and that what is printed can be pasted."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import LocationError
from replay.locations import Keyed, Machine, Path, Segment, State, parse_location, print_location

NAMES = st.text(max_size=6) | st.sampled_from(
    ["it's", "a\\b", "a.b", "\u2028", "\x00", "\ud800", "İ", "", "ü", "-", "0"]
)
SEGMENTS = st.lists(NAMES | st.integers(0, 9), max_size=4)


def path_of(*parts: Segment) -> Path:
    path: Path = ()
    for part in parts:
        path = (path, part)
    return path


def reached(machine: Machine, *parts: str | int) -> State:
    state = machine.start
    for part in parts:
        state = state.key(part) if isinstance(part, str) else state.index(part)
    return state


def accepted(location: str, *parts: str | int) -> bool:
    return bool(reached(Machine([parse_location(location)]), *parts).accepts)


@given(SEGMENTS)
def test_a_printed_location_matches_the_path_that_it_was_printed_of(parts: list[str | int]) -> None:
    assert accepted(print_location(path_of("body", *parts)), "body", *parts)


@given(SEGMENTS, SEGMENTS)
def test_a_printed_location_matches_no_other_path(parts: list[str | int], others: list[str | int]) -> None:
    assert accepted(print_location(path_of("body", *parts)), "body", *others) == (parts == others)


@given(st.from_regex(r"[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True))
def test_a_printed_header_matches_it(name: str) -> None:
    assert accepted(print_location(path_of("headers", name)), "headers", name)


@pytest.mark.parametrize(
    "key",
    ["A1", "it's", "\x00\u2028", 9007199254740993, 10**4400, Decimal("0.1"), Decimal("1E+400"), -7, True, None, ""],
    ids=lambda key: str(key)[:8] if not isinstance(key, int) or isinstance(key, bool) or key < 10**30 else "huge",
)
def test_a_printed_key_finds_its_item_and_no_neighbour(key: Any) -> None:
    machine = Machine([parse_location(print_location(path_of("body", Keyed((("k", key),)))))])
    body = machine.start.key("body")
    neighbours = [
        {"k": it} for it in ("A2", 9007199254740992, 1, 0, False, Decimal("0.10000001"), "null", "None") if it != key
    ]
    assert body.with_tests(body.index(0), [{"k": key}], 0, 1).accepts == (0,)
    assert [it for it in neighbours if body.with_tests(body.index(0), [it], 0, 1).accepts and it["k"] is not key] == []


@pytest.mark.parametrize(
    ("location", "parts", "found"),
    [
        ("status", ("status",), True),
        ("headers.Content-Type", ("headers", "content-type"), True),
        ("headers['X Odd']", ("headers", "x odd"), True),
        ("headers.*", ("headers", "etag"), True),
        ("body.a", ("body", "a"), True),
        ("body.a", ("body", "aa"), False),
        ("body.a", ("body", "b", "a"), False),
        ("body.a", ("body", "a", "b"), False),
        ("body..a", ("body", "b", 3, "a"), True),
        ("body..a", ("body", "a", "b"), False),
        ("body..a", ("headers", "a"), False),
        ("..a", ("headers", "a"), True),
        ("*", ("status",), True),
        ("body[*].id", ("body", 7, "id"), True),
        ("body[*].id", ("body", "id"), False),
        ("body.*.id", ("body", "x", "id"), True),
        ("body[2]", ("body", 2), True),
        ("body[2]", ("body", 3), False),
        ("body['2']", ("body", 2), False),
        ("body[2]", ("body", "2"), False),
        ("body[0,2]", ("body", 2), True),
        ("body..[1].b", ("body", "x", 1, "b"), True),
    ],
)
def test_a_location_selects_whole_segments_from_the_root(
    location: str, parts: tuple[str | int, ...], *, found: bool
) -> None:
    assert accepted(location, *parts) is found


@pytest.mark.parametrize(
    ("location", "index", "count", "found"),
    [("body[-1]", 2, 3, True), ("body[-1]", 1, 3, False), ("body[1:3]", 2, 9, True), ("body[::2]", 3, 9, False)],
)
def test_an_index_from_the_end_and_a_slice_look_at_the_length(
    location: str, index: int, count: int, *, found: bool
) -> None:
    body = Machine([parse_location(location)]).start.key("body")
    assert bool(body.with_tests(body.index(index), [None], index, count).accepts) is found


def test_a_filter_has_to_hold_on_both_sides() -> None:
    body = Machine([parse_location("body[?@.kind=='gift']")]).start.key("body")
    gift, sold = {"kind": "gift"}, {"kind": "sold"}
    found = [
        body.with_tests(body.index(0), items, 0, 1).accepts for items in ([gift, gift], [gift, sold], [sold, sold])
    ]
    assert found == [(0,), (), ()]


def test_a_filter_tells_true_from_1_and_a_number_from_its_text() -> None:
    body = Machine([parse_location("body[?@.k==1]")]).start.key("body")
    found = [
        bool(body.with_tests(body.index(0), [{"k": it}], 0, 1).accepts) for it in (1, Decimal("1.0"), True, "1", None)
    ]
    assert found == [True, True, False, False, False]


def test_a_pattern_of_a_filter_that_runs_away_is_not_met() -> None:
    body = Machine([parse_location("body[?match(@, '(a*)*b')]")]).start.key("body")
    assert body.with_tests(body.index(0), ["a" * 40], 0, 1).accepts == ()


def test_patterns_that_match_the_same_node_are_told_in_order() -> None:
    machine = Machine([parse_location(it) for it in ("body..id", "body.x", "body.items[*].id", "body.items[0].id")])
    assert reached(machine, "body", "items", 0, "id").accepts == (0, 2, 3)


def test_states_do_not_grow_with_documents() -> None:
    machine = Machine([parse_location("body..id"), parse_location("body.items[*].x")])
    states = {reached(machine, "body", "items", index, f"name{index}") for index in range(200)}
    assert len(states) == 1


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("", "is no location"),
        ("$.body", "leave out the '$': body"),
        ("bdoy.x", "did you mean 'body.x'"),
        ("items[0]", "did you mean 'body.items[0]'"),
        ("body.", "is no location"),
        ("body[", "is no location"),
        ("body.a | body.b", "is no location"),
        ("body[?nope(@.a)]", "'nope' is not defined"),
        ("body[?@.id==$.body.main]", "its own item"),
        ("body[99999999999999999999]", "out of range"),
        (f"body[?{'(' * 3000}@.a{')' * 3000}]", "is no location"),
    ],
    ids=range(11),
)
def test_what_is_no_location_is_told_with_a_remedy(location: str, says: str) -> None:
    with pytest.raises(LocationError, match="hint:") as raised:
        parse_location(location)
    assert says in str(raised.value)


@given(st.text(alphabet="body.[]*?@='\"\\u$ :,-0a()&|", max_size=20))
def test_no_text_brings_the_parser_down(text: str) -> None:
    with contextlib.suppress(LocationError):
        assert parse_location(text).text == text
