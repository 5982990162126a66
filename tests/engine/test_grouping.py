"""To which groups a case belongs, whoever answered it."""

from __future__ import annotations

import pytest

from replay.compare import Comparison, rule_book
from replay.engine import Referee
from replay.engine.grouping import LONGEST_VALUE, Grouping, group_of
from replay.errors import LocationError
from replay.models import NO_VALUE, Case, Failure, GroupSpec, Membership, Observation, Request

JSON = (("content-type", "application/json"),)
GONE = Observation(error=Failure("refused", "nobody there"))


def answer(body: bytes, status: int = 200) -> Observation:
    return Observation(status, JSON, body)


def groups(
    old: Observation | None, new: Observation, *, case: Case | None = None, **specs: GroupSpec
) -> dict[str, str | None]:
    referee = Referee(Comparison(rule_book(()), {"old": None, "new": None}), grouping=Grouping(specs, specs))
    found = referee.result(case or Case("c", "traffic", "c", Request("GET", "/search?category=shoes")), old, new)
    return {each.group: each.value for each in found.groups}


def test_routes_tags_and_requests_need_no_answer() -> None:
    case = Case("c", "traffic", "c", Request("POST", "/graphql", JSON, b'{"operation": "Checkout"}'), tags=("money",))
    found = groups(
        GONE,
        GONE,
        case=case,
        here=GroupSpec(on="POST /graphql"),
        there=GroupSpec(on="GET /graphql"),
        money=GroupSpec(tag="money"),
        checkout=GroupSpec(where="request.json.operation == 'Checkout'"),
        other=GroupSpec(where="request.json.operation == 'Search'"),
    )
    assert found == {"here": None, "money": None, "checkout": None}


GIFT = GroupSpec(where="body.kind == 'gift'")


@pytest.mark.parametrize(
    ("old", "new", "belongs"),
    [
        (answer(b'{"kind": "gift"}'), answer(b'{"kind": "gift"}'), True),
        (answer(b'{"kind": "gift"}'), answer(b'{"kind": "loan"}'), True),
        (answer(b'{"kind": "loan"}'), answer(b'{"kind": "gift"}'), True),
        (answer(b'{"kind": "loan"}'), answer(b'{"kind": "loan"}'), False),
        (answer(b'{"kind": "gift"}'), GONE, True),
        (answer(b'{"kind": "gift"}'), answer(b"{}", 500), True),
        (answer(b'{"kind": "loan"}'), GONE, False),
        (GONE, answer(b'{"kind": "loan"}'), False),
        (GONE, GONE, True),
        (answer(b"{}", 500), answer(b"{}", 500), True),
    ],
)
def test_a_case_is_not_lost_because_new_says_something_else_or_nothing(
    old: Observation, new: Observation, *, belongs: bool
) -> None:
    assert ("gift" in groups(old, new, gift=GIFT)) is belongs


def test_a_case_that_was_not_sent_belongs_where_its_request_says_or_where_nobody_can_tell() -> None:
    specs = {
        "search": GroupSpec(on="GET /search"),
        "gift": GIFT,
        "gift elsewhere": GroupSpec(on="/elsewhere", where="body.kind == 'gift'"),
        "q": GroupSpec(where="request.query.category == 'hats'"),
    }
    referee = Referee(Comparison(rule_book(()), {"old": None, "new": None}), grouping=Grouping(specs, specs))
    found = referee.skipped(Case("c", "traffic", "c", Request("GET", "/search?category=shoes")), "not writable")
    assert (found.outcome, found.skipped) == ("skipped", "not writable")
    assert found.groups == (Membership("search"), Membership("gift"))


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("request.query.category", "shoes"),
        ("request.method", "GET"),
        ("body.kind", "gift"),
        ("body.n", "7"),
        ("body.flag", "true"),
        ("body.list", '["a"]'),
        ("body.list[0]", "a"),
        ("status", "200"),
        ("headers.Content-Type", "application/json"),
        ("body.nowhere", NO_VALUE),
    ],
)
def test_a_group_is_divided_by_a_value_as_old_has_it(by: str, value: str) -> None:
    old = answer(b'{"kind": "gift", "n": 7, "flag": true, "list": ["a"]}')
    new = answer(b'{"kind": "loan", "n": 8, "flag": false, "list": []}')
    assert groups(old, new, part=GroupSpec(by=by)) == {"part": value}


def test_where_old_failed_the_value_is_that_of_new() -> None:
    assert groups(GONE, answer(b'{"kind": "loan"}'), part=GroupSpec(by="body.kind")) == {"part": "loan"}
    assert groups(GONE, GONE, part=GroupSpec(by="body.kind")) == {"part": NO_VALUE}


def test_long_values_are_cut_and_still_told_apart() -> None:
    one, other = (
        groups(None, answer(b'{"k": "' + b"x" * 300 + end + b'"}'), part=GroupSpec(by="body.k"))["part"]
        for end in (b"1", b"2")
    )
    assert one is not None
    assert one != other
    assert len(one) < LONGEST_VALUE + 20


def test_only_groups_that_somebody_names_are_looked_for() -> None:
    specs = {"a": GroupSpec(on="/**"), "b": GroupSpec(on="/**")}
    referee = Referee(Comparison(rule_book(()), {"old": None, "new": None}), grouping=Grouping(specs, {"b"}))
    found = referee.result(Case("c", "traffic", "c", Request()), answer(b"1"), answer(b"1"))
    assert found.groups == (Membership("b"),)


@pytest.mark.parametrize(
    "by",
    [
        "", "nowhere.category", "body.items[*].kind", "body..kind", "body[", "$.body.kind",
        "request.headers.authorization", "request.query.api_key", "request.headers['x-api-key']",
    ],
)  # fmt: skip
def test_what_divides_a_group_is_one_place_that_holds_no_secret(by: str) -> None:
    with pytest.raises(LocationError) as caught:
        group_of("it", GroupSpec(by=by))
    assert caught.value.hint
