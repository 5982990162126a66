"""Names that each side gave itself: what counts as one thing, and above all what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Comparison, Pair, rule_book
from replay.compare.handed import handed_out
from replay.compare.names import Names
from replay.identifiers import is_telling, looks_minted
from replay.models import Binding, Case, Difference, Observation, Request, RuleSpec

OLD, NEW = "ord_8f3k92d1", "ord-5381-9d9af453"
OTHER_OLD, OTHER_NEW = "ord_1c2d3e4f", "ord-77a1-b2c3d4e5"
BOUND = (Binding(OLD, NEW, "body.id"), Binding(OTHER_OLD, OTHER_NEW, "body.id"))
JSON = (("Content-Type", "application/json"),)


def answer(body: Any, *headers: tuple[str, str]) -> Observation:
    return Observation(200, (*JSON, *headers), body if isinstance(body, bytes) else json.dumps(body).encode())


def differences(
    old: Observation, new: Observation, *bound: Binding, rules: tuple[dict[str, Any], ...] = ()
) -> tuple[Difference, ...]:
    book = rule_book([RuleSpec(**rule) for rule in rules])
    case = Case("c", "traffic", "c", Request(), bound=bound)
    return Comparison(book, {"old": None, "new": None}).compare(Pair(case, old, new)).differences


def places(old: Any, new: Any, *bound: Binding, rules: tuple[dict[str, Any], ...] = ()) -> list[str]:
    return [it.at for it in differences(answer(old), answer(new), *bound, rules=rules)]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda it: {"id": it},
        lambda it: {"links": {"self": f"/orders/{it}?x=1"}},
        lambda it: {"text": f"Order {it}, thank you"},
        lambda it: {it: 1},
        lambda it: [{"id": it, "n": 1}, {"id": "x", "n": 2}],
    ],
)
def test_two_names_of_one_thing_are_equal_wherever_they_stand(wrap: Any) -> None:
    assert places(wrap(OLD), wrap(NEW)) != []
    assert places(wrap(OLD), wrap(NEW), *BOUND) == []


def test_names_are_found_in_headers_that_are_compared() -> None:
    old, new = (answer({}, ("Location", f"/orders/{name}")) for name in (OLD, NEW))
    assert differences(old, new, *BOUND) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, OTHER_NEW),  # new's name of another thing
        (OLD, OLD),  # old's own name, which new has no business to know
        (OTHER_OLD, NEW),
        (OLD, "ord-0000-00000000"),
        (OLD, NEW + "1"),  # another word
        (OLD, None),
    ],
)
def test_any_other_name_in_its_place_is_a_difference(old: Any, new: Any) -> None:
    assert places({"id": old}, {"id": new}, *BOUND) == ["body.id"]


def test_names_that_have_changed_places_are_a_difference() -> None:
    assert places([OLD, OTHER_OLD], [OTHER_NEW, NEW], *BOUND) != []


def test_items_are_paired_by_what_they_are_named() -> None:
    old = {"lines": [{"id": OLD, "n": 1}, {"id": OTHER_OLD, "n": 2}]}
    new = {"lines": [{"id": OTHER_NEW, "n": 2}, {"id": NEW, "n": 3}]}
    rules = ({"at": "body.lines", "match_by": "id"},)
    assert places(old, new, *BOUND, rules=rules) == [f"body.lines[?@.id=='{OLD}'].n"]


@pytest.mark.parametrize("name", ["a/b+c8f3k92d1==", 'ab"8f3k92d1', "8f3k92d1-\N{LATIN SMALL LETTER E WITH ACUTE}-x"])
def test_a_name_is_the_same_name_however_it_is_written(name: str) -> None:
    other = name.replace("8f3k", "9d9a")
    bound = Binding(name, other, "body.id")
    slashed = json.dumps({"id": other}).replace("/", "\\/").encode()
    for said in (json.dumps({"id": other}).encode(), json.dumps({"id": other}, ensure_ascii=False).encode(), slashed):
        assert places(json.dumps({"id": name}).encode(), said, bound) in ([], ["body.id"][: not is_telling(name)])


SHORT = Binding(17, 4711, "body.id")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"id": 17}, {"id": 4711}, []),
        ({"items": [{"id": 17}]}, {"items": [{"id": 4711}]}, []),
        ({"quantity": 17}, {"quantity": 4711}, ["body.quantity"]),
        ({"id": 17}, {"id": "4711"}, ["body.id"]),
        ({"id": 17}, {"id": 47110}, ["body.id"]),
        ({"id": 17}, {"id": 4711.5}, ["body.id"]),
        ({"id": 17}, {"id": 17}, ["body.id"]),
        ({"text": '"id": 17'}, {"text": '"id": 4711'}, ["body.text"]),
        ({"ids": [17]}, {"ids": [4711]}, ["body.ids[0]"]),
    ],
)
def test_a_short_name_counts_under_its_own_member_alone(old: Any, new: Any, found: list[str]) -> None:
    assert places(old, new, SHORT) == found


def test_a_short_name_counts_in_a_location() -> None:
    old, new = (answer({}, ("Location", f"/orders/{name}/lines")) for name in (17, 4711))
    assert differences(old, new, SHORT) == ()
    other = answer({}, ("Location", "/orders/4712/lines"))
    assert [it.at for it in differences(old, other, SHORT)] == ["headers.location"]


MINTED = ({"at": "body..ref", "minted": True},)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([{"ref": 1}, {"ref": 2}], [{"ref": 8}, {"ref": 9}], []),
        ([{"ref": 1}, {"ref": 1}], [{"ref": 8}, {"ref": 8}], []),
        ([{"ref": 1}, {"ref": 1}], [{"ref": 8}, {"ref": 9}], ["body[1].ref"]),
        ([{"ref": 1}, {"ref": 2}], [{"ref": 8}, {"ref": 8}], ["body[1].ref"]),
        ([{"ref": 1}, {"ref": 2}], [{"ref": 1}, {"ref": 1}], ["body[1].ref"]),
        ([{"ref": 1}, {"ref": 1}], [{"ref": 1}, {"ref": 8}], ["body[1].ref"]),
        ({"ref": 1}, {"ref": "1"}, ["body.ref"]),
        ({"ref": 1}, {"ref": True}, ["body.ref"]),
        ({"ref": 1}, {"ref": None}, ["body.ref"]),
        ({"ref": 1}, {}, ["body.ref"]),
        ({"ref": 17}, {"ref": 4711}, []),
        ({"ref": 17}, {"ref": 17}, ["body.ref"]),
        ({"ref": OLD}, {"ref": NEW}, []),
        ({"ref": OLD}, {"ref": "anything"}, ["body.ref"]),
        ({"ref": "anything"}, {"ref": NEW}, ["body.ref"]),
    ],
)
def test_a_rule_takes_names_for_one_thing_as_long_as_they_correspond(old: Any, new: Any, found: list[str]) -> None:
    assert places(old, new, SHORT, *BOUND, rules=MINTED) == found


@given(st.lists(st.integers(0, 5), max_size=6), st.permutations(range(6)), st.integers(0, 5))
def test_a_rule_accepts_every_renaming_and_no_confusion(things: list[int], names: list[int], thing: int) -> None:
    old = [{"ref": f"o{it}"} for it in things]
    new = [{"ref": f"n{names[it]}"} for it in things]
    assert places(old, new, rules=MINTED) == []
    confused = [*new, {"ref": f"n{names[(thing + 1) % 6]}"}]
    expected = [] if {thing, (thing + 1) % 6}.isdisjoint(things) else [f"body[{len(things)}].ref"]
    assert places([*old, {"ref": f"o{thing}"}], confused, rules=MINTED) == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8), st.integers(0, 9), st.integers(0, 9))
def test_no_two_things_ever_come_to_the_same_words(pairs: list[tuple[int, int]], one: int, other: int) -> None:
    """Names may be shared by the sides for different things: old's second may be new's first."""
    names = Names(Binding(f"ord-8f3k92d{old}", f"ord-8f3k92d{new}", "body.id") for old, new in pairs)
    said = [names.in_words_of_old(answer({"id": f"ord-8f3k92d{it}"}))[0].body for it in (one, other)]
    assert (said[0] == said[1]) is (one == other)


@pytest.mark.parametrize(
    ("method", "at", "old", "new", "counts"),
    [
        ("POST", "body.id", OLD, NEW, True),
        ("GET", "body.id", OLD, NEW, True),
        ("GET", "body.items[0].id", OLD, NEW, False),
        ("POST", "body.items[0].id", OLD, NEW, True),
        ("GET", "body..id", OLD, NEW, False),
        ("POST", "body.id", 17, 18, True),
        ("POST", "body.order_id", 17, 18, True),
        ("POST", "body.orderId", "a", "b", True),
        ("POST", "body.paid", 17, 18, False),
        ("POST", "body.total", 17, 18, False),
        ("POST", "body.id", 17, "17", False),
        ("POST", "body.id", True, False, False),
        ("POST", "body.sku", OLD, NEW, True),
        ("POST", "body.order_id", 1709251199500, 1709337599500, True),
        ("POST", "body.expires_at", 1709251199500, 1709337599500, False),
        ("POST", "body.expires_at", "1709251199500", "1709337599500", False),
        ("POST", "body.id", OLD, "", False),
        ("POST", "body.id", "a", "", False),
        ("POST", "body.token", OLD, "error", False),
        ("POST", "body.token", "error", NEW, False),
    ],
)
def test_what_an_answer_hands_out(method: str, at: str, old: Any, new: Any, counts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    seen = answer({"it": old}), answer({"it": new})
    assert handed_out(Binding(old, new, at), method, *seen) is counts


def test_what_the_other_side_knows_as_well_was_not_handed_out() -> None:
    """A ranking in another order must not pass for two names of its first item."""
    old, new = answer([OLD, NEW]), answer([NEW, OLD])
    assert not handed_out(Binding(OLD, NEW, "body.first"), "POST", old, new)


def test_what_the_other_side_knows_as_well_is_no_name_though_its_member_says_so() -> None:
    old, new = answer({"account_id": 17, "accounts": [17, 18]}), answer({"account_id": 18, "accounts": [17, 18]})
    assert not handed_out(Binding(17, 18, "body.account_id"), "POST", old, new)


@pytest.mark.parametrize(("old", "new"), [("x1", ""), ("", "x1"), (True, False)])
def test_a_rule_takes_neither_an_empty_text_nor_a_flag_for_a_name(old: Any, new: Any) -> None:
    assert places({"ref": old}, {"ref": new}, rules=MINTED) == ["body.ref"]


@pytest.mark.parametrize(
    "text",
    [
        "9d9af453-5381-4a5b-8c6d-7e8f9a0b1c2d", "9d9a1234-5678-4a5b-8c6d-7e8f9a0b1c2d",
        "ord_8f3k92d1", "cus_NffrFeUfNV2Hib", "a11ce000f1", "order-1048213",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl", "KJhGfdSaPoiUyTrEwQ",
    ],
)  # fmt: skip
def test_identifiers_and_tokens_look_minted(text: str) -> None:
    assert looks_minted(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "17", "true", "12345678901", "2024-02-29", "2024-02-29T23:59:59Z", "10:30:00", "delivered",
        "blue-widget", "blue-widget-2000", "en-GB", "application/json", "ada@example.org", "checkout-payments-v2",
        "sha256", "A1042", "Monday morning 8f3k92d1", "iso-8859-1", "1.2.3", "x" * 5_000,
    ],
)  # fmt: skip
def test_words_numbers_and_dates_look_like_no_name_of_a_thing(text: str) -> None:
    assert not looks_minted(text)
