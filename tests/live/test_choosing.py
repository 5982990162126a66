"""What is kept of live traffic: whole users in a sample, samples that nest, and nothing that is excluded."""

from __future__ import annotations

from collections import Counter

import pytest

from replay.errors import InputError
from replay.live.choosing import Choice, Seen, parse_pick, parse_share, parse_sticky
from replay.models import GroupSpec, Observation, Request

USERS = 1_000
REQUESTS = 20_000


def chosen(choice: Choice) -> Counter[str]:
    """Return how many of 20,000 requests of 1,000 users are kept, by user."""
    kept: Counter[str] = Counter()
    for number in range(REQUESTS):
        user = f"user-{number % USERS}"
        fields = [(b"Accept", b"*/*"), (b"X-User", user.encode()), (b"Cookie", f"a=b; sid={user}; c=d".encode())]
        seen = Seen(Request("POST", "/", (), f'{{"user": {{"id": "{user}"}}}}'.encode()), None)
        if choice.by_head(fields, f"id-{number}") and choice.why_not(seen, f"id-{number}") is None:
            kept[user] += 1
    return kept


@pytest.mark.parametrize("place", ["header:x-user", "cookie:sid", "body.user.id"])
def test_a_sticky_sample_holds_whole_users_and_nests(place: str) -> None:
    some, more = (chosen(Choice(share, parse_sticky(place))) for share in (0.05, 0.1))
    assert set(some.values()) == set(more.values()) == {REQUESTS // USERS}
    assert set(some) < set(more)
    assert (0.03 < len(some) / USERS < 0.07, 0.07 < len(more) / USERS < 0.13) == (True, True)


def test_one_user_is_in_or_out_wherever_the_name_stands() -> None:
    samples = [
        set(chosen(Choice(0.1, parse_sticky(place)))) for place in ("header:x-user", "cookie:sid", "body.user.id")
    ]
    assert samples[0] == samples[1] == samples[2]


def test_without_a_name_each_request_is_drawn_by_its_id() -> None:
    plain, nameless = (chosen(Choice(0.1, sticky)) for sticky in (None, parse_sticky("header:x-tenant")))
    assert plain == nameless
    assert 0.09 < plain.total() / REQUESTS < 0.11


def test_everything_is_kept_where_nothing_is_said() -> None:
    assert chosen(Choice()).total() == REQUESTS


GROUPS = {
    "vip": GroupSpec(where="request.headers.x-tenant == 'acme'"),
    "old": GroupSpec(on="/v1/**", where="status >= 300"),
}


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("POST /orders/*", True),
        ("/orders/*", True),
        ("GET /orders/*", False),
        ("request.json.vip == true", True),
        ("request.json.vip == 'true'", False),
        ("request.headers.x-tenant == 'acme'", True),
        ("status == 201", True),
        ("body.state == 'open'", True),
        ("vip", True),
        ("old", False),
    ],
)
def test_what_is_excluded_is_a_route_a_group_or_an_expression(text: str, *, excluded: bool) -> None:
    seen = Seen(
        Request("POST", "/orders/7?x=1", (("X-Tenant", "acme"),), b'{"vip": true}'),
        Observation(201, (("Content-Type", "application/json"),), b'{"state": "open"}'),
    )
    pick = parse_pick(text, GROUPS)
    assert Choice(exclude=(pick,)).why_not(seen, "id") == (f"excluded: {text}" if excluded else None)
    assert Choice(scope=(pick,)).why_not(seen, "id") == (None if excluded else "out of scope")


def test_what_nobody_can_decide_is_not_kept() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    runaway = parse_pick("match(request.json.a, '(a*)*b')", {})
    seen = Seen(Request("POST", "/", (), b'{"a": "' + b"a" * 5_000 + b'"}'), None)
    assert Choice(exclude=(runaway,)).why_not(seen, "id") is not None
    assert Choice(scope=(runaway,)).why_not(seen, "id") is not None
    assert Choice(scope=(parse_pick("request.json", {}),)).why_not(Seen(Request("POST", "/", (), deep), None), "id")


@pytest.mark.parametrize("text", ["0%", "101%", "5", "", "-5%", "5 percent", "1e1%", "NaN%"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no share"):
        parse_share(text)


@pytest.mark.parametrize("text", ["x-user", "header:", "cookie:a b", "body", "body.", "body[0]", "status"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no place of a name"):
        parse_sticky(text)


@pytest.mark.parametrize("text", ["nothing", "GET", "status ==", ""])
def test_what_is_neither_route_nor_group_nor_expression_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_pick(text, GROUPS)


def test_a_group_by_tag_says_nothing_of_live_traffic() -> None:
    with pytest.raises(InputError, match="no live request has"):
        parse_pick("money", {"money": GroupSpec(tag="money")})
