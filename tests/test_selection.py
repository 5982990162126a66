"""Routes, groups and selections: which cases a rule speaks of, and no others."""

from __future__ import annotations

import pytest

from replay.errors import LocationError, SettingsError
from replay.models import Case, GroupSpec, Request
from replay.selection import parse_route, selection_of


def case_of(method: str = "GET", path: str = "/", *tags: str) -> Case:
    return Case("it", "traffic", "it", Request(method, path), tags=tags)


@pytest.mark.parametrize(
    ("route", "method", "path", "found"),
    [
        ("GET /search", "GET", "/search", True),
        ("GET /search", "get", "/search?q=1", True),
        ("GET /search", "POST", "/search", False),
        ("GET /search", "GET", "/search/", False),
        ("GET /search", "GET", "/searches", False),
        ("/search", "PUT", "/search", True),
        ("* /search", "PUT", "/search", True),
        ("/orders/*", "GET", "/orders/7", True),
        ("/orders/*", "GET", "/orders/", False),
        ("/orders/*", "GET", "/orders/7/lines", False),
        ("/orders/*/lines", "GET", "/orders/7/lines", True),
        ("/orders/**", "GET", "/orders/7/lines", True),
        ("/orders/**", "GET", "/orders", True),
        ("/orders/**", "GET", "/ordersX", False),
        ("/**", "GET", "/", True),
        ("/a.c", "GET", "/abc", False),
        ("/open/**", "POST", "/open/../admin", False),
        ("/open/**", "POST", "/open/%2e%2E/admin", False),
        ("/open/**", "POST", "/open/x%2f..%2f..%2fadmin", False),
        ("/open/**", "POST", "/open/./x..y/...", True),
    ],
)
def test_a_route_means_its_method_and_path(route: str, method: str, path: str, *, found: bool) -> None:
    assert parse_route(route).matches(Request(method, path)) is found


def test_every_condition_has_to_hold() -> None:
    selection = selection_of(on="GET /x", tag="money", where=None)
    cases = [case_of("GET", "/x", "money"), case_of("GET", "/x"), case_of("GET", "/y", "money")]
    assert [selection.holds(it, list) for it in cases] == [True, False, False]


def test_an_expression_has_to_hold_on_both_sides() -> None:
    selection = selection_of(on=None, tag=None, where="status == 200")
    assert selection.holds(case_of(), lambda: [{"status": 200}, {"status": 200}])
    assert not selection.holds(case_of(), lambda: [{"status": 200}, {"status": 404}])


def test_a_group_narrows_like_what_it_is_made_of() -> None:
    groups = {"money": GroupSpec(tag="money"), "carts": GroupSpec(on="POST /carts", where="status == 201")}
    money = selection_of(on="money", tag=None, where=None, groups=groups)
    carts = selection_of(on="carts", tag=None, where=None, groups=groups)
    assert money.holds(case_of("GET", "/", "money"), list)
    assert not money.holds(case_of(), list)
    assert not carts.holds(case_of("POST", "/carts"), lambda: [{"status": 500}])


def test_an_empty_tag_selects_nothing_and_not_everything() -> None:
    selection = selection_of(on=None, tag="", where=None)
    assert selection.narrows
    assert not selection.holds(case_of(), list)


def test_an_empty_condition_is_an_error_and_not_everything() -> None:
    with pytest.raises(LocationError):
        selection_of(on=None, tag=None, where="")


def test_what_is_neither_route_nor_group_is_told_with_the_groups_there_are() -> None:
    with pytest.raises(SettingsError, match="neither a route nor a group") as raised:
        selection_of(on="mony", tag=None, where=None, groups={"money": GroupSpec(tag="money")})
    assert "groups: money" in str(raised.value)
