"""Parts of a side elsewhere: paths, hosts, and what may not go there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from replay.errors import InputError, SettingsError
from replay.models import Case, Headers, LoginSpec, Observation, Request, RouteSpec, TargetSpec
from replay.targets import build_target, check_side
from replay.targets.base import Moment, observed
from replay.targets.routing import way_of

if TYPE_CHECKING:
    from tests.targets.conftest import Answer, Asked, Script, Scripted

SECRET = "a secret that both of them know"
OTHER = "another one, of the other service"


def mapped(on: str, path: str | None, target: str) -> str:
    return way_of(RouteSpec(on=on, path=path))(Request("GET", target)).path


@pytest.mark.parametrize(
    ("on", "path", "target", "expected"),
    [
        ("/users/**", "/v2/people/**", "/users/7/orders", "/v2/people/7/orders"),
        ("/users/**", "/v2/people/**", "/users", "/v2/people"),
        ("/users/**", "/v2/people/**", "/users/", "/v2/people/"),
        ("/users/**", "/**", "/users", "/"),
        ("/users/**", "/**", "/users/7", "/7"),
        ("GET /users/*", "/people/*/profile", "/users/7", "/people/7/profile"),
        ("/a/*/b/*", "/x/*-*", "/a/1/b/2", "/x/1-2"),
        ("/a/**/z", "/y/**/x", "/a/1/2/z", "/y/1/2/x"),
        (
            "/users/**",
            "/v2/people/**",
            "/users/a%2Fb/%C3%BC?q=/users/1&r=%2F",
            "/v2/people/a%2Fb/%C3%BC?q=/users/1&r=%2F",
        ),
        ("/old", "/new", "/old?x#y", "/new?x#y"),
        ("/users/**", None, "/users/7?x", "/users/7?x"),
    ],
)
def test_wildcards_of_the_path_take_what_those_of_the_route_matched(
    on: str, path: str | None, target: str, expected: str
) -> None:
    assert mapped(on, path, target) == expected


@pytest.mark.parametrize(
    ("spec", "fact"),
    [
        ({"on": "users", "path": "/x"}, "'users' is no route"),
        ({"on": "/users/**", "path": "/people/*"}, "the wildcards of /people/\\* are not those of /users/\\*\\*"),
        ({"on": "/users/*", "path": "/people"}, "the wildcards of /people are not those of"),
        ({"on": "/users", "path": "people"}, "'people' is no path"),
        ({"on": "/users", "path": "/people?x=1"}, "'/people\\?x=1' is no path"),
        ({"on": "/users"}, "the route /users changes nothing"),
        ({"on": "/users", "url": "ftp://x"}, "'ftp' is no scheme"),
        ({"on": "/users", "url": "http://me:pw@x"}, "a URL must not hold credentials"),
        ({"on": "/users", "url": "http://x", "clock_secret": "short"}, "clock_secret of /users has fewer than 16"),
        ({"on": "/users", "path": "/x", "credentials": True}, "credentials is the side's"),
        ({"on": "/users", "url": "http://x", "headers": {"a b": "1"}}, "'a b' is no header name"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(spec: dict[str, Any], fact: str) -> None:
    with pytest.raises(InputError, match=fact):
        check_side(TargetSpec(url="http://127.0.0.1:1", routes=(RouteSpec(**spec),)))


def test_only_a_side_that_is_asked_over_http_has_routes() -> None:
    with pytest.raises(SettingsError, match="routes is for a side with a URL, and this one has app"):
        check_side(TargetSpec(app="a:b", routes=(RouteSpec(on="/x", path="/y"),)))


# -------------------------------------------------------------------------------------------------------- on the wire


@pytest.fixture
def two(scripted: Callable[[Script], AbstractContextManager[Scripted]]) -> Iterator[tuple[Scripted, Scripted]]:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/login":
            return 200, {}, b'{"token": "fetched-token"}'
        return 200, {"Replay-Clock": "frozen"}, asked.path.encode()

    with scripted(answer) as mono, scripted(answer) as people:
        yield mono, people


def ask(spec: TargetSpec, *paths: str, headers: Headers = ()) -> list[Observation]:
    async def work() -> list[Observation]:
        target = build_target(spec, concurrency=2)
        try:
            await target.start()
            cases = [Case("c", "golden", "c", Request("GET", path, headers)) for path in paths]
            return [await observed(target, case, Moment(None, 7)) for case in cases]
        finally:
            await target.close()

    return asyncio.run(work())


def split(mono: Scripted, people: Scripted, route: dict[str, Any] | None = None, **side: Any) -> TargetSpec:
    """Return a side whose users live elsewhere."""
    to = {"on": "/users/**", "url": people.url + "/api", "path": "/v2/people/**"} | (route or {})
    return TargetSpec(url=mono.url, routes=(RouteSpec(**to),), **side)


def test_a_part_of_a_side_lives_elsewhere(two: tuple[Scripted, Scripted]) -> None:
    mono, people = two
    seen = ask(split(mono, people), "/users/7?full=1", "/orders/7", "/users/8")
    # They are asked at once, so that either may come first.
    assert sorted(asked.path for asked in people.asked) == ["/api/v2/people/7?full=1", "/api/v2/people/8"]
    assert [asked.path for asked in mono.asked] == ["/orders/7"]
    assert people.asked[0].headers["host"] == people.url.removeprefix("http://")
    assert all(it.timing is not None and it.clock_frozen is None for it in seen)


def test_each_host_has_connections_that_are_kept(two: tuple[Scripted, Scripted]) -> None:
    seen = ask(split(*two), "/users/7", "/orders/7", "/users/8", "/orders/8")
    assert [it.timing is not None and it.timing.connect_ms is not None for it in seen] == [True, True, False, False]


def test_the_last_route_that_matches_decides(two: tuple[Scripted, Scripted]) -> None:
    mono, people = two
    routes = (RouteSpec(on="/users/**", url=people.url), RouteSpec(on="/users/me", path="/whoami"))
    ask(TargetSpec(url=mono.url, routes=routes), "/users/me", "/users/7")
    assert ([it.path for it in mono.asked], [it.path for it in people.asked]) == (["/whoami"], ["/users/7"])


@pytest.mark.parametrize("route", [{"headers": {"x-part": "users"}}, {"url": "http://shop.invalid/users"}])
def test_a_part_on_the_sides_own_host_is_where_the_side_is_connected_to(
    two: tuple[Scripted, Scripted], route: dict[str, Any]
) -> None:
    mono, _ = two
    routes = (RouteSpec(on="/users/**", **route),)
    at = mono.url.removeprefix("http://")
    (seen,) = ask(TargetSpec(url="http://shop.invalid", connect=at, routes=routes), "/users/7")
    assert (seen.status, seen.error) == (200, None)
    assert mono.asked[0].headers["host"] == "shop.invalid"


@pytest.mark.parametrize("url", ["http://localhost", "http://localhost:80/users"])
def test_the_name_of_a_command_itself_leads_nowhere_else(url: str) -> None:
    with pytest.raises(SettingsError, match="which is the name under which the command itself is asked"):
        check_side(TargetSpec(run="shop", routes=(RouteSpec(on="/x", url=url),)))


CREDENTIALS = {"authorization": "Bearer mine", "x-api-key": "k", "x-tenant": "t"}
CASES_OWN: Headers = (("Cookie", "session=1"), ("Accept", "*/*"))


def sent_abroad(two: tuple[Scripted, Scripted], route: dict[str, Any] | None = None, **side: Any) -> dict[str, str]:
    """Return the headers with which the other host was asked, but for those that tell of the moment."""
    mono, people = two
    ask(split(mono, people, route, **side), "/users/7", headers=CASES_OWN)
    (asked,) = people.asked
    return {name: value for name, value in asked.headers.items() if name not in ("host", "traceparent")}


def plain(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith("replay-")}


def test_credentials_do_not_go_to_another_host(two: tuple[Scripted, Scripted]) -> None:
    sent = sent_abroad(two, headers=CREDENTIALS, clock_secret=SECRET)
    assert plain(sent) == {"accept": "*/*", "x-tenant": "t"}
    assert "replay-proof" not in sent


@pytest.mark.parametrize("credentials", [False, True])
def test_a_query_with_a_credential_is_sent_to_another_host_only_where_that_is_said(
    two: tuple[Scripted, Scripted], *, credentials: bool
) -> None:
    (seen,) = ask(split(*two, {"credentials": credentials}), "/users/7?access_token=abc&page=2")
    assert [it.path for it in two[1].asked] == (["/api/v2/people/7?access_token=abc&page=2"] if credentials else [])
    if not credentials:
        assert seen.error is not None
        assert "another host, and the query holds a credential" in seen.error.message
        assert "abc" not in seen.error.message


def test_they_do_where_the_route_says_so(two: tuple[Scripted, Scripted]) -> None:
    sent = sent_abroad(two, {"credentials": True}, headers=CREDENTIALS, clock_secret=SECRET)
    assert plain(sent) == {"accept": "*/*", "cookie": "session=1"} | CREDENTIALS
    assert "replay-proof" not in sent


def test_what_a_route_says_itself_goes_there(two: tuple[Scripted, Scripted]) -> None:
    own = {"headers": {"Authorization": "Bearer theirs", "x-tenant": "u"}, "clock_secret": OTHER}
    sent = sent_abroad(two, own, headers=CREDENTIALS, clock_secret=SECRET)
    assert plain(sent) == {"accept": "*/*", "authorization": "Bearer theirs", "x-tenant": "u"}
    assert len(sent["replay-proof"].split(" ")[1]) == 64


def test_on_the_own_host_everything_goes_along(two: tuple[Scripted, Scripted]) -> None:
    mono, _ = two
    route = RouteSpec(on="/users/**", path="/people/**", headers={"x-part": "people"})
    ask(TargetSpec(url=mono.url, routes=(route,), headers=CREDENTIALS), "/users/7", headers=CASES_OWN)
    assert mono.asked[0].path == "/people/7"
    assert {"cookie": "session=1", "x-part": "people", **CREDENTIALS}.items() <= mono.asked[0].headers.items()


@pytest.mark.parametrize("credentials", [False, True])
def test_a_token_that_was_fetched_stays_with_its_host(two: tuple[Scripted, Scripted], *, credentials: bool) -> None:
    mono, people = two
    spec = split(
        mono,
        people,
        {"credentials": credentials},
        headers={"x-session": "{{token}}"},
        login=LoginSpec(path="/login", capture={"token": "body.token"}),
    )
    ask(spec, "/users/7", "/orders/7")
    assert people.asked[0].headers.get("x-session") == ("fetched-token" if credentials else None)
    assert mono.asked[-1].headers["x-session"] == "fetched-token"
