"""What requests for many things of one sort have in common."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.identifiers import names_one
from replay.models import Request
from replay.routes import LONGEST, MOST_SEGMENTS, route_of
from replay.selection import parse_route


@pytest.mark.parametrize(
    "text",
    [
        "17", "-3", "12.50", "2024-02-29", "2024-02-29T23:59:59Z", "10:30", "order-17", "INC-1042", "A1042",
        "550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000", "5f2b8c9a",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV", "me@example.org", "V1StGXR8_Z5jdHi6B-myT", "x" * 65,
    ],
)  # fmt: skip
def test_what_a_machine_counted_or_made_names_one_thing_of_many(text: str) -> None:
    assert names_one(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "v1", "oauth2", "sha256", "utf-8", "iso8601", "facade", "deadbeef", "checkout-payments-v2", "-",
        "line1", "top10", "user_name", "x-amz-id-2", "a b", "not-found", "application",
        "iso_8601_timestamp_utc", "sha_1",
    ],
)  # fmt: skip
def test_a_word_stays_a_word(text: str) -> None:
    assert not names_one(text)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/orders/17", "GET /orders/*"),
        ("/orders/17?full=1#top", "GET /orders/*"),
        ("/orders/17.json", "GET /orders/*.json"),
        ("/v1/users/me%40example.org/lines/3", "GET /v1/users/*/lines/*"),
        ("/shop/product.csv", "GET /shop/product.csv"),
        ("/-/actor.json", "GET /-/actor.json"),
        ("/caf\u00e9/a b", "GET /*/*"),
        ("/", "GET /"),
        ("", "GET /"),
        ("/orders/", "GET /orders/"),
        ("/a" * 20, "GET " + "/a" * MOST_SEGMENTS + "/**"),
        ("/a/" + "b" * 10_000, "GET /a/**"),
        ("/a/" + "b/" * LONGEST, "GET /a" + "/b" * (MOST_SEGMENTS - 1) + "/**"),
    ],
)
def test_a_route_leaves_out_which_one_is_asked_for(path: str, route: str) -> None:
    assert route_of(Request("get", path)) == route


SEGMENT = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#."), max_size=60),
    st.integers().map(str),
    st.uuids().map(str),
    st.sampled_from(["17.json", "a.b.csv", "2024-02-29.txt"]),
)


@given(segments=st.lists(SEGMENT, max_size=20), query=st.text("a=&1", max_size=5))
@settings(max_examples=200)
def test_a_route_selects_the_requests_that_go_there(segments: list[str], query: str) -> None:
    request = Request("POST", "/" + "/".join(segments) + "?" + query)
    assert parse_route(route_of(request)).matches(request)
