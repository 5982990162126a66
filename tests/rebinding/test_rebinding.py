"""What counts as handed out, and where a request uses it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from replay.models import Case, Failure, Headers, Observation, Request
from replay.rebinding import Foresight, Handing, Thread, Threads, told_beyond
from replay.rebinding.handing import Spot, link_parts
from replay.rebinding.uses import put

ID, OTHER = "ord_8f3k92d1", "ord-5381-9d9af453"
JSON = (("Content-Type", "application/json"),)


def bearer(token: str) -> Headers:
    return (("Authorization", f"Bearer {token}"),)


def answer(body: Any = None, *headers: tuple[str, str], kind: str = "application/json") -> Observation:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Observation(200, (("Content-Type", kind), *headers), data)


def case(number: int, request: Request, recorded: Observation, session: str | None = "s") -> Case:
    return Case(f"c-{number}", "traffic", f"c-{number}", request, session=session, recorded=recorded)


def handed(
    first: Observation, later: Request, *, method: str = "POST", request: Request | None = None
) -> list[Handing]:
    """Return what the first of two answers of one session hands out to the second request."""
    foresight = Foresight()
    cases = [case(0, request or Request(method, "/"), first), case(1, later, answer({}))]
    came = list(foresight.through(cases, lambda it: it))
    return foresight.handed_out(came[0])


@pytest.mark.parametrize(
    ("first", "later", "at", "used"),
    [
        (answer({"id": ID}), Request("GET", f"/orders/{ID}"), "body.id", ["path"]),
        (answer({"id": ID}), Request("GET", f"/orders?of={ID}&x=1"), "body.id", ["path"]),
        (answer({"a": {"b c": [ID]}}), Request("GET", f"/{ID}"), "body.a['b c'][0]", ["path"]),
        (answer({"a": {ID: {"n": 1}}}), Request("GET", f"/{ID}"), "body.a.*", ["path"]),
        (answer({"a": {OTHER: {"id": ID}}}), Request("GET", f"/{ID}"), "body.a.*.id", ["path"]),
        (answer({"t": ID}), Request("GET", "/", bearer(ID)), "body.t", ["headers.authorization"]),
        (answer({"id": ID}), Request("PUT", "/", (), json.dumps({"order": ID}).encode()), "body.id", ["body"]),
        (answer({"id": "a/b+8f3k92d1=="}), Request("GET", "/x?c=a%2Fb%2B8f3k92d1%3D%3D"), "body.id", ["path"]),
        (answer({"id": 9007199254740993}), Request("GET", "/x/9007199254740993"), "body.id", ["path"]),
        (answer({}, ("Location", f"/orders/{ID}?x=1")), Request("GET", f"/orders/{ID}"), "headers.location", ["path"]),
        (answer({"next": f"/x?cursor={ID}"}), Request("GET", f"/x?cursor={ID}"), "body.next", ["path"]),
        (answer({}, ("X-CSRF", ID)), Request("POST", "/", (("X-CSRF", ID),)), "headers.x-csrf", ["headers.x-csrf"]),
        (answer({}, ("ETag", '"1"')), Request("GET", "/", (("If-None-Match", '"1"'),)), "headers.etag",
         ["headers.if-none-match"]),
        (answer({}, ("Set-Cookie", "sid=7; Path=/")), Request("GET", "/", (("Cookie", "a=7; sid=7"),)),
         "headers.set-cookie", ["headers.cookie"]),
        (answer(f'<form><input type="hidden" name="csrf" value="{ID}"></form>'.encode(), kind="text/html"),
         Request("POST", "/", (("Content-Type", "application/x-www-form-urlencoded"),), f"csrf={ID}".encode()),
         "body", ["body"]),
    ],
)  # fmt: skip
def test_what_an_answer_hands_out_and_a_later_request_uses(
    first: Observation, later: Request, at: str, used: list[str]
) -> None:
    found = handed(first, later)
    assert [(it.spot.at, it.used) for it in found] == [(at, used)]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (answer({"id": 17}), Request("GET", "/orders/17")),
        (answer({"id": "A1"}), Request("GET", "/orders/A1")),
        (answer({"paid": True}), Request("GET", "/true")),
        (answer({"day": "2024-02-29"}), Request("GET", "/2024-02-29")),
        (answer({"slug": "blue-widget-2000"}), Request("GET", "/blue-widget-2000")),
        (answer({"state": "delivered"}), Request("GET", "/delivered")),
        (answer({"id": ID}), Request("GET", f"/orders/{ID}x")),
        (answer({"id": ID}), Request("GET", "/orders")),
    ],
)
def test_what_is_short_common_or_used_by_nobody_is_not_handed_out(first: Observation, later: Request) -> None:
    assert handed(first, later) == []


def test_what_is_listed_by_a_get_was_there_before() -> None:
    assert handed(answer([{"id": ID}]), Request("GET", f"/{ID}"), method="GET") == []
    assert handed(answer({"id": ID}), Request("GET", f"/{ID}"), method="GET") != []


def test_a_key_beside_others_or_in_the_answer_to_a_get_is_not_handed_out() -> None:
    later = Request("GET", f"/{ID}")
    assert handed(answer({"orders": {ID: {}, OTHER: {}}}), later) == []
    assert handed(answer({"orders": {ID: {}}}), later, method="GET") == []
    assert handed(answer({"orders": {"ready": {}}}), Request("GET", "/ready")) == []


def test_each_side_is_sent_its_own_key_and_what_lies_below_it_and_fails_where_it_has_several() -> None:
    (handing,) = handed(answer({"orders": {ID: {"n": 1}}}), Request("GET", f"/{ID}"))
    thread = Thread()
    several: dict[str, Any] = {"ord_77aa12bc": {}, "ord_99ff34de": {}}
    thread.learn([handing], {"old": answer({"orders": {OTHER: {}}}), "new": answer({"orders": several})})
    assert thread.request("old", Request("GET", f"/{ID}/x")) == Request("GET", f"/{OTHER}/x")
    lost = thread.request("new", Request("GET", f"/{ID}/x"))
    assert isinstance(lost, Failure)
    assert "hands out at body.orders.*" in lost.message


def test_what_the_client_brought_along_is_not_handed_out() -> None:
    own = Request("PUT", f"/orders/{ID}")
    assert handed(answer({"id": ID}), Request("GET", f"/orders/{ID}"), request=own) == []
    body = Request("POST", "/orders", JSON, json.dumps({"id": ID}).encode())
    assert handed(answer({"id": ID}), Request("GET", f"/orders/{ID}"), request=body) == []


def test_nothing_passes_from_one_session_to_another() -> None:
    foresight = Foresight()
    cases = [case(0, Request("POST"), answer({"id": ID}), "s"), case(1, Request("GET", f"/{ID}"), answer({}), "t")]
    assert [foresight.handed_out(it) for it in foresight.through(cases, lambda it: it)] == [[], []]


def test_cases_keep_their_order_and_none_waits_without_a_session() -> None:
    read: list[int] = []

    def source() -> Any:
        for number in range(10):
            read.append(number)
            yield case(number, Request(), answer({}), None if number < 5 else "s")

    through = Foresight(most=3).through(source(), lambda it: it)
    assert next(through).id == "c-0"
    assert read == [0]
    assert [it.id for it in through] == [f"c-{n}" for n in range(1, 10)]


def test_no_more_cases_are_held_than_the_bound() -> None:
    read: list[int] = []

    def source() -> Any:
        for number in range(100):
            read.append(number)
            yield case(number, Request(), answer({}))

    through = Foresight(most=7).through(source(), lambda it: it)
    next(through)
    assert len(read) == 8


def followed(foresight: Foresight, cases: Sequence[Case]) -> list[list[str]]:
    """Return what each case hands out, as it comes through."""
    return [[str(it.value) for it in foresight.handed_out(came)] for came in foresight.through(cases, lambda it: it)]


@pytest.mark.parametrize("between", ["s", "t", "u"])
def test_a_use_that_comes_too_late_to_be_foreseen_is_counted(between: str) -> None:
    # Meanwhile its own session goes on, or another one alone, or none that hands out anything.
    others = [case(n, Request(), answer({}), between) for n in range(1, 9)]
    cases = [case(0, Request("POST"), answer({"id": ID})), *others, case(9, Request("GET", f"/{ID}"), answer({}))]
    foresight = Foresight(most=3)
    assert followed(foresight, cases) == [[]] * 10
    assert +foresight.beyond == {"window": 1}


def test_a_use_in_time_makes_later_ones_no_loss() -> None:
    uses = [case(n, Request("GET", f"/{ID}"), answer({})) for n in range(1, 9)]
    foresight = Foresight(most=3)
    assert followed(foresight, [case(0, Request("POST"), answer({"id": ID})), *uses])[0] == [ID]
    assert foresight.beyond.total() == 0


def test_what_is_handed_out_once_more_after_nobody_used_it_counts_again() -> None:
    others = [case(n, Request(), answer({}), "s") for n in range(1, 9)]
    again = [case(9, Request("POST", "/x"), answer({"id": ID})), case(10, Request("GET", f"/{ID}"), answer({}))]
    foresight = Foresight(most=3)
    assert followed(foresight, [case(0, Request("POST"), answer({"id": ID})), *others, *again])[9] == [ID]
    assert foresight.beyond.total() == 0


def test_cases_of_a_session_with_more_values_than_are_remembered_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.rebinding.foresight.MOST_CANDIDATES", 1)
    foresight = Foresight()
    cases = [case(0, Request("POST"), answer({"id": ID, "of": OTHER})), case(1, Request("GET", f"/{ID}"), answer({}))]
    assert followed(foresight, cases) == [[ID], []]
    assert +foresight.beyond == {"values": 1}


def test_cases_of_sessions_that_rested_for_too_long_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.rebinding.foresight.MOST_RESTING", 0)
    foresight = Foresight(most=0)
    cases = [case(0, Request("POST"), answer({"id": ID})), case(1, Request("GET", f"/{ID}"), answer({}))]
    assert followed(foresight, cases) == [[], []]
    assert +foresight.beyond == {"sessions": 1}


def test_every_bound_that_cases_were_beyond_is_told() -> None:
    told = list(told_beyond({"window": 1, "values": 2_000, "sessions": 3}))
    assert [line.split(" ")[:2] for line in told] == [["1", "case"], ["2,000", "cases"], ["3", "cases"]]
    assert "more than 2,000 cases (or 32 MB) before" in told[0]
    assert list(told_beyond({"values": 0})) == []


def bound(handing: Handing, **values: Observation) -> Thread:
    thread = Thread()
    thread.learn([handing], values)  # type: ignore[arg-type] # the names of the sides
    return thread


HANDING = Handing(ID, [Spot("body", ("id",))], "c-0")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", f"/orders/{ID}?of={ID}"), Request("GET", f"/orders/{OTHER}?of={OTHER}")),
        (Request("GET", f"/orders/{ID}x"), Request("GET", f"/orders/{ID}x")),
        (Request("GET", "/", bearer(ID)), Request("GET", "/", bearer(OTHER))),
        (Request("PUT", "/", JSON, f'{{"a":["{ID}"], "n": 1.10}}'.encode()),
         Request("PUT", "/", JSON, f'{{"a":["{OTHER}"], "n": 1.10}}'.encode())),
        (Request("PUT", "/", (), b"\xff\x00" + ID.encode()), Request("PUT", "/", (), b"\xff\x00" + OTHER.encode())),
    ],
)  # fmt: skip
def test_each_side_is_sent_its_own(request_: Request, expected: Request) -> None:
    thread = bound(HANDING, old=answer({"id": ID}), new=answer({"id": OTHER}))
    assert thread.request("new", request_) == expected
    assert thread.request("old", request_) == request_


@pytest.mark.parametrize(
    "said", [Observation(500), answer({}), answer({"id": 17}), answer({"id": None}), answer(b"<html>"), answer(b"")]
)
def test_a_request_that_uses_what_a_side_did_not_give_is_its_failure(said: Observation) -> None:
    thread = bound(HANDING, old=answer({"id": OTHER}), new=said)
    failure = thread.request("new", Request("GET", f"/orders/{ID}"))
    assert isinstance(failure, Failure)
    assert failure.kind == "capture"
    assert thread.request("new", Request("GET", "/orders")) == Request("GET", "/orders")


def test_a_side_that_knows_the_recorded_value_is_sent_it() -> None:
    """Its first hit may be another one than was recorded: that is a difference, and no new name."""
    thread = bound(HANDING, old=answer({"id": ID}), new=answer({"id": OTHER, "more": [ID]}))
    assert thread.request("new", Request("GET", f"/{ID}")) == Request("GET", f"/{ID}")


@pytest.mark.parametrize("value", ["a b", "a/b", "a&b=c", "a\u00e9", 'a"b'])
def test_odd_values_are_written_as_their_place_needs_it(value: str) -> None:
    changed, used = put(Request("GET", f"/x/{ID}"), HANDING, value)
    assert used == ("path",)
    assert changed.path.isascii()
    assert " " not in changed.path
    assert link_parts(changed.path)[2:] == [value]


def test_a_cookie_is_put_by_its_name_alone() -> None:
    cookie = Handing("7", [Spot("cookie", ("sid",))], "c-0")
    sent: Headers = (("Cookie", "a=7; sid=7; b=77; xsid=7"),)
    assert put(Request("GET", "/7", sent), cookie, "new=value")[0] == Request(
        "GET", "/7", (("Cookie", "a=7; sid=new=value; b=77; xsid=7"),)
    )


def test_sessions_that_were_quiet_for_long_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.rebinding.threads.MOST_THREADS", 2)
    threads = Threads()
    cases = [case(n, Request(), answer({}), f"s{n}") for n in range(3)]
    for it in cases:
        threads.begun(it)
    assert [threads.of(it) is None for it in cases] == [True, False, False]
    assert +threads.beyond == {"sessions": 1}


def test_a_session_that_only_uses_what_it_was_given_is_not_forgotten_as_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.rebinding.threads.MOST_THREADS", 2)
    threads = Threads()
    seen = Observation(200)
    cases = [Case(name, "traffic", name, Request(), session=name, recorded=seen) for name in ("a", "b", "c")]
    first = threads.begun(cases[0])
    threads.begun(cases[1])
    assert threads.of(cases[0]) is first
    threads.begun(cases[2])
    assert threads.of(cases[0]) is first
    assert threads.of(cases[1]) is None
