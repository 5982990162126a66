"""Expressions: what they see, how they compare, and what is told of those that do not parse."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import LocationError
from replay.expressions import document_of, parse_expression
from replay.models import Failure, Observation, Request, Timing

BODY: dict[str, Any] = {
    "yes": True, "one": 1, "price": Decimal("0.10"), "text": "0.1", "none": None, "items": [{"id": 9007199254740993}],
    "odd key": 1, "long": "a" * 40,
}  # fmt: skip
REQUEST = Request("POST", "/orders?q=a%20b&q=c#x", (("X-Kind", "gift"), ("X-Kind", "card")), b"{}")
ANSWER = Observation(201, (("Content-Type", "application/json"),), timing=Timing(12.5))
DOCUMENT = document_of(REQUEST, ANSWER, BODY, {"operationName": "Checkout"})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("status == 201", True),
        ("status >= 500 || body.items", True),
        ("status >= 500 || body.errors", False),
        ("!body.errors && body.yes == true", True),
        ("body.yes == 1", False),
        ("body.one == true", False),
        ("body.one == 1.0", True),
        ("body.one == '1'", False),
        ("body.price == 0.1", True),
        ("body.price < 0.1", False),
        ("body.items[0].id == 9007199254740993", True),
        ("body.items[0].id == 9007199254740992", False),
        ("body.none == null", True),
        ("body.nothing == null", False),
        ("body.none", True),
        ("body['odd key'] == 1", True),
        ("body.items[?@.id > 5]", True),
        ("body.items[?@.id < 5]", False),
        ("headers.content-type == 'application/json'", True),
        ("headers.Content-Type", True),
        ("request.headers.x-kind == 'gift, card'", True),
        ("request.json.operationName == 'Checkout'", True),
        ("request.method == 'POST' && request.path == '/orders'", True),
        ("request.query.q == 'c'", True),
        ("latency_ms > 12.4 && latency_ms < 12.6", True),
        ("error", False),
        ("length(body.text) == 3", True),
        ("match(body.text, '0[.]1')", True),
        ("match(body.long, '(a*)*b')", False),
        ("status == 2.01e2", True),
    ],
)
def test_an_expression_sees_the_answer_and_the_request(text: str, *, holds: bool) -> None:
    assert parse_expression(text).holds(DOCUMENT) is holds


def test_an_expression_sees_the_kind_of_an_error_and_no_status_where_there_is_none() -> None:
    document = document_of(REQUEST, Observation(error=Failure("timeout")), None, None)
    assert [parse_expression(it).holds(document) for it in ("error == 'timeout'", "status", "body")] == [
        True,
        False,
        False,
    ]


def test_a_target_that_no_url_could_be_is_a_path_all_the_same() -> None:
    document = document_of(Request("GET", "//[evil/x?a=1"), ANSWER, None, None)
    assert parse_expression("request.path == '//[evil/x' && request.query.a == '1'").holds(document)


def test_nan_is_in_no_order_with_anything() -> None:
    document = document_of(REQUEST, ANSWER, {"x": Decimal("NaN")}, None)
    assert [parse_expression(f"body.x {sign} 1").holds(document) for sign in ("<", ">", "==", ">=")] == [False] * 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "unexpected end"),
        ("status ==", "unexpected end"),
        ("status = 200", "is no expression"),
        ("true", "is no expression"),
        ("stauts == 200", "did you mean 'status'?"),
        ("outcome == 'x'", "did you mean 'body.outcome'?"),
        ("status, 0", "one condition"),
        ("status == 1, *", "one condition"),
        ("status == 1][?body", "one condition"),
        ("$.status == 200", "not the whole"),
        ("nope(body)", "'nope' is not defined"),
        ("(" * 3000 + "status" + ")" * 3000, "is no expression"),
    ],
    ids=range(12),
)
def test_what_is_no_expression_is_told_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(LocationError, match="hint:") as raised:
        parse_expression(text)
    assert says in str(raised.value)


@given(st.text(alphabet="statusbody.[]*?@='\"\\$ :,-01()&|<>!", max_size=20))
def test_no_expression_brings_the_parser_down(text: str) -> None:
    try:
        found = parse_expression(text).holds(DOCUMENT)
    except LocationError:
        return
    assert found in (True, False)


@pytest.mark.parametrize(
    ("text", "path", "may"),
    [
        ("request.headers.authorization == 'x'", ["request", "headers", "authorization"], True),
        ("request.headers.Authorization == 'x'", ["request", "headers", "authorization"], True),
        ("request.json.operationName == 'authorization'", ["request", "headers", "authorization"], False),
        ("count(request.headers) > 3", ["request", "headers", "authorization"], True),
        ("request.headers['authorization'] == 'x'", ["request", "headers", "authorization"], True),
        ("body.items[0].id == 1", ["request", "headers", "authorization"], False),
        ("body..token", ["body", "session"], True),
        ("body.error && status >= 500", ["body", "token"], False),
        ("body.token.kind == 'a'", ["body", "token"], True),
        ("body.tokens", ["body", "token"], False),
        ("@.body.token == 1", ["body", "token"], True),
        ("status >= 500", ["body"], False),
        ("request.body == 1", ["body"], False),
    ],
)
def test_an_expression_tells_where_it_may_look(text: str, path: list[str], may: object) -> None:
    assert parse_expression(text).may_read(path) is may


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("status >= '500'", "status is a number"),
        ("'500' <= status || body.errors", "status is a number"),
        ("!(latency_ms > '5')", "latency_ms is a number"),
        ("status == true", "status is a number"),
        ("headers.retry-after > 10", "headers.retry-after is a text"),
        ("request.query.page >= 2", "request.query.page is a text"),
        ("request.headers.x-version != 3", "request.headers.x-version is a text"),
        ("request.method == 1.5", "request.method is a text"),
        ("search(body.state, '(')", "'(' is no pattern"),
        ("status > 1 && body.items[?match(@.state, '[a-')]", "'[a-' is no pattern"),
    ],
)
def test_what_would_never_hold_by_a_slip_is_told(text: str, told: str) -> None:
    with pytest.raises(LocationError, match=re.escape(told)):
        parse_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "body.items[?@.status == 'open']",
        "body.status == 'ok'",
        "headers.x == '5'",
        "match(body.a, body.b)",
        "error == null",
    ],
)
def test_what_may_hold_is_not_told(text: str) -> None:
    assert parse_expression(text).text == text
