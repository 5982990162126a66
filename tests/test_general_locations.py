"""Which locations are examples of one: any item, any member of a map."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.locations import Keyed, Machine, Path, Segment, general, parse_location, print_location

NAMES = st.text(max_size=8) | st.sampled_from(
    ["id", "A-00012", "7", "it's", "'", "\\", '"', "\u2028", "a.b", "x['y']", "2024-02-29", "a@b.de", "*", "[*]"]
)
KEYS = st.builds(lambda value: Keyed((("sku", value),)), NAMES | st.integers(0, 9))


def path_of(*parts: Segment) -> Path:
    path: Path = ()
    for part in parts:
        path = (path, part)
    return path


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("status", "status"),
        ("body", "body"),
        ("body.items[3].id", "body.items[*].id"),
        ("body.lines[?@.sku=='A]1'].price", "body.lines[*].price"),
        ("body[0][12]", "body[*][*]"),
        ("body.prices['A-00012'].net", "body.prices.*.net"),
        ("body['7']", "body.*"),
        ("body.users['3f2504e0-4f89-11d3-9a0c-0305e82c3301']", "body.users.*"),
        ("body.users['0305e82c3301'].name", "body.users.*.name"),
        ("body.users.f305e82c3301.name", "body.users.*.name"),
        ("body.days['2024-02-29'].high", "body.days.*.high"),
        ("body.days['2024-02-29T23:59:59Z']", "body.days.*"),
        ("body.hosts['10.0.0.7:8080']", "body.hosts.*"),
        ("body.orders.order_1234.total", "body.orders.*.total"),
        ("body.by_sku.SKU00412", "body.by_sku.*"),
        ("body.customers.cus_NffrFeUfNV2Hib", "body.customers.*"),
        ("body.mails['ann@shop.example']", "body.mails.*"),
        ("body.rows[4]['17'].x", "body.rows[*].*.x"),
        ("body.*", "body.*"),
        ("headers.x-1234", "headers.x-1234"),
        ("headers['1234']", "headers['1234']"),
        ("*", "*"),
    ],
)
def test_items_and_members_named_by_an_id_are_any(at: str, expected: str) -> None:
    assert general(at) == expected


@pytest.mark.parametrize(
    "name",
    ["id", "address1", "line_2", "sha256", "sha_1", "md5", "oauth2", "utf8", "h264", "facade", "decade", "added", "v2",
     "total_2024_net", "x-request-id", "deadbeef", "level", "_id", "customer_number", "p95", "beta", "page_size"],
)  # fmt: skip
def test_the_name_of_a_field_stays(name: str) -> None:
    at = print_location(path_of("body", name))
    assert general(at) == at


@given(st.lists(NAMES | st.integers(0, 20), max_size=4))
def test_a_general_location_matches_what_it_was_made_of(parts: list[str | int]) -> None:
    state = Machine([parse_location(general(print_location(path_of("body", *parts))))]).start.key("body")
    for part in parts:
        state = state.key(part) if isinstance(part, str) else state.index(part)
    assert state.accepts == (0,)


@given(st.lists(NAMES | st.integers(0, 20) | KEYS, max_size=4))
def test_nothing_is_more_general_than_general(parts: list[Segment]) -> None:
    at = general(print_location(path_of("body", *parts)))
    assert general(at) == at
    parse_location(at)


@given(st.text(max_size=30) | st.text(alphabet="body.['\\x]?@=3*", max_size=12))
def test_whatever_is_said_to_be_a_location_something_comes_out(at: str) -> None:
    assert isinstance(general(at), str)
