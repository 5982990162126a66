"""What deviating and failing cases have in common: laws, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.causes import DEPARTING, Causes, Naming
from replay.causes.gathering import MOST_SETS, MOST_WAYS, SHOWN_IDS
from replay.causes.ways import UNLISTED, ways_of
from replay.compare.text import text_change
from replay.models import (
    MISSING,
    Case,
    CaseError,
    CaseKind,
    Cluster,
    Difference,
    DifferenceKind,
    ErrorKind,
    Observation,
    OutcomeName,
    Request,
    Result,
)


def case(number: int, kind: CaseKind = "traffic", request: Request | None = None) -> Case:
    return Case(f"c-{number}", kind, f"d:{number}", request or Request())


def difference(at: str, old: Any = "one", new: Any = "two", kind: DifferenceKind = "value") -> Difference:
    return Difference(at, kind, old, new, "default")


def status(old: int, new: int) -> Difference:
    return difference("status", old, new, "status")


def departing(number: int, *differences: Difference) -> Result:
    return Result(case(number), "deviation", differences=differences)


def failing(
    number: int, side: Literal["old", "new", "both"], old: int | None, new: int | None, kind: ErrorKind = "status"
) -> Result:
    outcome: OutcomeName = f"{side}_error"  # type: ignore[assignment]
    return Result(case(number), outcome, Observation(old), Observation(new), error=CaseError(side, kind))


def causes_of(results: Iterable[Result]) -> tuple[Cluster, ...]:
    by_identity = {each.case.identity: each for each in results}
    causes = Causes()
    for each in by_identity.values():
        causes.add(each)
    return causes.clusters(by_identity.get)


def titles(*results: Result) -> list[tuple[str, int]]:
    return [(each.title, each.cases) for each in causes_of(results)]


def title(*results: Result) -> str:
    ((found, _),) = titles(*results)
    return found


# ----------------------------------------------------------------------------------------------------------------- laws

PLACES = ["body.a", "body.b", "body.items[0].id", "body.items[7].id", "body", "headers.link"]
KINDS: list[DifferenceKind] = ["value", "type", "missing", "extra", "text"]
DIFFERENCES = st.builds(
    difference, st.sampled_from(PLACES), st.sampled_from(["x", 1, None]), st.sampled_from(["X", 2, ""]),
    st.sampled_from(KINDS),
) | st.builds(status, st.sampled_from([200, 404]), st.sampled_from([201, 500]))  # fmt: skip


@st.composite
def results(draw: st.DrawFn) -> list[Result]:
    found = []
    for number in range(draw(st.integers(0, SHOWN_IDS))):
        outcome = draw(st.sampled_from(sorted(DEPARTING | {"match", "noise"})))
        side: Any = outcome.removesuffix("_error")
        request = Request(draw(st.sampled_from(["GET", "POST"])), draw(st.sampled_from(["/a", "/b/17"])))
        error = CaseError(side, "status") if outcome.endswith("_error") else None
        differences = tuple(draw(st.lists(DIFFERENCES, max_size=4)))
        sides = Observation(200), Observation(draw(st.sampled_from([200, 404, 500])))
        session = draw(st.sampled_from([None, None, "s", "t"]))
        named = replace(case(number, "traffic", request), session=session)
        found.append(Result(named, outcome, *sides, differences=differences, error=error))  # type: ignore[arg-type]
    return found


@given(found=results())
@settings(max_examples=100)
def test_every_case_that_departs_is_counted_in_one_cause(found: list[Result]) -> None:
    departed = [each.case.id for each in found if each.outcome in DEPARTING]
    clusters = causes_of(found)
    assert sum(each.cases for each in clusters) == len(departed)
    assert sorted(name for each in clusters for name in each.ids) == sorted(departed)
    for each in clusters:
        assert sum(each.routes.values()) == each.cases
        assert each.example in each.ids


def reordered(found: list[Result], places: list[int]) -> list[Result]:
    """Return the results in another order, those of one session still one after the other."""
    mixed = [found[place] for place in places]
    waiting = {name: iter([each for each in found if each.case.session == name]) for name in ("s", "t")}
    return [each if each.case.session is None else next(waiting[each.case.session]) for each in mixed]


@given(found=results(), data=st.data())
@settings(max_examples=100)
def test_the_order_in_which_cases_come_does_not_change_the_causes(found: list[Result], data: st.DataObject) -> None:
    places = data.draw(st.permutations(range(len(found))))
    assert causes_of(reordered(found, places)) == causes_of(found)


@given(found=results())
@settings(max_examples=100)
def test_each_case_is_named_where_it_was_counted_and_departs_as_its_cause_says(found: list[Result]) -> None:
    clusters = causes_of(found)
    naming = Naming(clusters)
    counted: Counter[int] = Counter()
    for result in found:
        place = naming.place(result)
        assert (place is not None) == (result.outcome in DEPARTING)
        if place is not None:
            counted[place] += 1
            said = {way for way in clusters[place].ways if way.kind != "session"}
            assert said <= ways_of(result).keys()
    assert [counted[place] for place in range(len(clusters))] == [each.cases for each in clusters]


@given(found=results())
def test_failures_and_statuses_come_first_then_the_largest_and_what_lists_nothing_last(found: list[Result]) -> None:
    order = [(_is_failure(each), each.ways[0] != UNLISTED, each.cases) for each in causes_of(found)]
    assert order == sorted(order, reverse=True)


def test_of_a_flood_the_cause_that_tells_something_comes_first() -> None:
    flood = [*map(departing, range(500)), departing(500, difference("body.x"))]
    assert [each.cases for each in causes_of(flood)] == [1, 500]


def _is_failure(cluster: Cluster) -> bool:
    return cluster.ways[0].kind in ("session", "status") or "failed" in cluster.ways[0].at


# -------------------------------------------------------------------------------------------------------------- bounds


def test_beyond_the_bounds_cases_are_still_counted() -> None:
    causes = Causes()
    for number in range(MOST_WAYS + 500):
        causes.add(departing(number, difference(f"body.key_{'abcdefghij'[number % 10]}_{number}_x"), status(1, 2)))
    for number in range(100):
        causes.add(failing(number, "new", 200, 500))
    found = causes.clusters()
    assert {each.title: each.cases for each in found} == {
        "status 1 -> 2": MOST_WAYS + 500,
        "only new failed, status 200 -> 500": 100,
    }
    assert all(len(each.ids) <= SHOWN_IDS for each in found)


def test_many_sets_of_ways_are_told_by_what_weighs_most() -> None:
    causes = Causes()
    names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]
    for number in range(2 ** len(names)):
        chosen = [difference(f"body.{name}") for bit, name in enumerate(names) if number >> bit & 1]
        causes.add(departing(number, difference("body.z", MISSING, 1, "missing"), *chosen))
    assert 2 ** len(names) > MOST_SETS
    (found,) = causes.clusters()
    assert (found.cases, found.ways[0].at, found.locations) == (4096, "body.z", ("body.z",))


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (failing(1, "old", 500, 302), "only old failed, status 500 -> 302"),
        (failing(1, "new", 200, 500), "only new failed, status 200 -> 500"),
        (failing(1, "new", 200, None, "timeout"), "only new failed, no answer in time"),
        (failing(1, "new", 200, 200, "decode"), "only new failed, the body cannot be decoded"),
        (failing(1, "both", 500, 503), "both failed, status 500 -> 503"),
        (failing(1, "both", 500, 500), "both failed, error status"),
        (departing(1, status(200, 404)), "status 200 -> 404"),
        (departing(1, replace(status(200, 404), against="expect")), "status 200 expected -> 404"),
        (departing(1), "departs in nothing that is listed"),
        (departing(1, difference("body.units", 1, MISSING, "missing")), "body.units is missing"),
        (departing(1, difference("body.ok", MISSING, 1, "extra")), "body.ok is new"),
        (departing(1, difference("body.x", MISSING, MISSING, "missing")), "body.x: the intended change is not seen"),
        (departing(1, difference("body.x", "x", "x", "missing")), "body.x: the intended change is not seen"),
        (departing(1, difference("headers.link", "a", MISSING, "header")), "headers.link is missing"),
        (departing(1, difference("headers.link", "a", "b", "header")), 'headers.link: "a" -> "b"'),
        (departing(1, difference("body.rows[3]", [1], {"a": 1}, "type")), "body.rows[*]: array -> object"),
        (
            departing(1, replace(difference("body", "<html>", {}, "type"), note="text became json")),
            "body: text -> json",
        ),
        (departing(1, difference("body.id", 7, "7", "type")), "body.id: number -> string, spelled alike"),
        (departing(1, difference("body.prices['2024-02-29']", 7, 19)), "body.prices.*: 7 -> 19"),
        (departing(1, difference("body.items[?@.sku=='A1'].price", [1], [2])), "body.items[*].price: another value"),
        (departing(1, difference("body.hits", [1], [2], "rank")), "body.hits: ranked otherwise"),
    ],
)
def test_a_cause_is_told_in_words(found: Result, words: str) -> None:
    assert title(found) == words


def exception(number: int, message: str) -> Result:
    return replace(failing(number, "new", None, None), error=CaseError("new", "exception", message))


def test_exceptions_are_told_apart_by_their_type() -> None:
    assert titles(*map(exception, range(3), ["KeyError: 'a'", "KeyError: 'b'", "ValueError"])) == [
        ("only new failed, exception KeyError", 2),
        ("only new failed, exception ValueError", 1),
    ]


def changes(*pairs: tuple[Any, Any]) -> str:
    return title(*(departing(number, difference("body.x", *pair)) for number, pair in enumerate(pairs)))


def test_a_change_that_is_the_same_in_every_case_is_said_with_both_values() -> None:
    assert changes(("EUR", "USD"), ("EUR", "USD")) == 'body.x: "EUR" -> "USD"'
    assert changes((None, None), (float("nan"), 7)) == "body.x: another value, and never the same change"


def test_a_change_that_is_another_one_in_every_case_is_said_to_be() -> None:
    assert changes(("EUR", "USD"), ("CHF", "GBP")) == "body.x: another value, and never the same change"
    assert changes(("EUR", "USD"), ("CHF", "GBP"), ("EUR", "USD")) == "body.x: another value"
    assert changes(*((number, -7 * number) for number in range(1, 1000))).startswith("body.x: another value")


def test_what_was_added_is_said_where_it_is_the_same() -> None:
    assert changes(("/a", "https://x/a"), ("/b", "https://x/b")) == "body.x: text added in front (https://x)"
    assert changes(("/a", "https://x/a"), ("/b", "https://y/b")) == "body.x: text added in front"


def test_roundings_say_to_how_many_places() -> None:
    numbers = [("1.2345", "1.23"), ("1.2301", "1.23"), ("1.2999", "1.3")]
    assert changes(*((Decimal(old), Decimal(new)) for old, new in numbers)) == "body.x: rounded to 1 or 2 places"


def test_ways_that_change_alike_are_told_together() -> None:
    gone = [difference(f"body.{name}", 1, MISSING, "missing") for name in ("units", "unit", "columns")]
    assert title(departing(1, *gone), departing(2, *gone)) == "body.unit and 2 more are missing"


def test_what_goes_with_a_cause_in_some_cases_is_counted() -> None:
    rows = difference("body.rows[0]", [1], {}, "type")
    ok, title_ = difference("body.ok", MISSING, 1, "extra"), difference("body.title", "a", MISSING, "missing")
    (found,) = causes_of([departing(1, rows, ok), departing(2, rows, ok, title_), departing(3, ok, rows)])
    assert [way.at for way in found.ways] == ["body.rows[*]", "body.ok"]
    assert found.sometimes == {"body.title is missing": 1}


@pytest.mark.parametrize(("kept", "words"), [(40, "body: new stops early"), (230, "body: another CSV text")])
def test_a_text_that_breaks_off_is_a_cause_of_its_own(kept: int, words: str) -> None:
    lines = [f"line {number}\n" for number in range(231)]
    other = lines[:kept] if kept < 100 else ["changed\n", *lines[1:]]
    change = text_change("".join(lines), "".join(other))
    text = replace(difference("body", change.old, change.new, "text"), note=change.note)
    answer = Observation(200, (("Content-Type", "text/csv; charset=utf-8"),))
    assert title(replace(departing(1, text), old=answer, new=answer)) == words


# ---------------------------------------------------------------------------------------------- what stands for it


def test_failures_weigh_most_then_texts_that_break_off_then_the_largest() -> None:
    stops = replace(difference("body", "a", "", "text"), note="new stops at line 1 of 2")
    many = [departing(number, difference("body.a")) for number in range(5)]
    more = [departing(number, difference("body.b", MISSING, 1, "extra")) for number in range(10, 16)]
    found = titles(*many, *more, departing(20, stops), departing(21, status(1, 2)), failing(22, "both", 500, 500))
    assert [words for words, _ in found] == [
        "both failed, error status",
        "status 1 -> 2",
        "body: new stops early",
        "body.b is new",
        'body.a: "one" -> "two"',
    ]


def test_the_example_is_the_case_with_the_least_to_read() -> None:
    rows = difference("body.rows", [1], {}, "type")
    short, long = difference("body.a", "b", "c"), difference("body.a", "b" * 99, "c" * 99)
    (found,) = causes_of([departing(1, rows, short, short), departing(2, long, rows), departing(3, rows, short)])
    assert (found.example, found.sample) == ("c-3", rows)


def test_routes_are_counted_for_any_id() -> None:
    paths = ["/orders/17", "/orders/18?full=1", "/users"]
    found = [
        replace(departing(number, status(1, 2)), case=case(number, "traffic", Request("GET", path)))
        for number, path in enumerate(paths)
    ]
    assert causes_of(found)[0].routes == {"GET /orders/*": 2, "GET /users": 1}


def test_a_golden_is_never_named_for_promotion_nor_what_fails_on_both_sides() -> None:
    golden = replace(departing(1, status(1, 2)), case=case(1, "golden"))
    found = causes_of([golden, failing(2, "both", 500, 500), failing(3, "new", 200, 500)])
    assert {each.example: each.promotable for each in found} == {"c-1": None, "c-2": None, "c-3": "c-3"}
