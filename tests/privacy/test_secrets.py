"""Secrets are out of a result before it is written, and equality survives."""

from __future__ import annotations

import base64
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.models import (
    MISSING,
    Acceptance,
    Case,
    CaseError,
    Difference,
    Expectation,
    Failure,
    Headers,
    Measure,
    Membership,
    Observation,
    Request,
    Result,
)
from replay.privacy import Tokeniser, key_from_environment, redact, secret_values
from replay.privacy.headers import has_secret_parameter, holds_urls, is_secret, mask_query, show_secrets
from replay.store import RunRecord, SqliteStore
from replay.store.bodies import unpack

TOKENS = Tokeniser(b"a key")
SECRET = "s3cr3t-v4lu3"
TOKEN = TOKENS.token(SECRET)


def result(
    headers: Headers = (),
    *,
    path: str = "/",
    old: Observation | None = None,
    new: Observation | None = None,
    **more: Any,
) -> Result:
    case = Case("c", "traffic", "f:1", Request("GET", path, headers))
    return Result(case, "deviation", old or Observation(200), new or Observation(200), **more)


def masked(result: Result) -> Result:
    return redact(result, TOKENS)


def test_a_token_is_short_plain_and_the_same_every_time() -> None:
    assert re.fullmatch(r"tok_[a-z2-7]{16}", TOKEN)
    assert Tokeniser(b"a key").token(SECRET) == TOKEN


def test_another_key_gives_another_token() -> None:
    assert Tokeniser(b"another key").token(SECRET) != TOKEN


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_tokens_are_equal_exactly_where_texts_are(one: str, other: str) -> None:
    assert (TOKENS.token(one) == TOKENS.token(other)) == (one == other)


def test_a_token_stays_itself() -> None:
    assert TOKENS.token(TOKEN) == TOKEN


def test_the_key_comes_from_the_environment() -> None:
    key = key_from_environment({"REPLAY_MASK_KEY": "abc"})
    assert (key.key, key.made) == (b"abc", False)


@pytest.mark.parametrize("environ", [{}, {"REPLAY_MASK_KEY": ""}])
def test_without_a_key_one_is_made_and_said(environ: dict[str, str]) -> None:
    one, other = key_from_environment(environ), key_from_environment(environ)
    assert one.made
    assert len(one.key) == 32
    assert one.key != other.key


def test_a_key_is_not_shown() -> None:
    assert "abc" not in repr(key_from_environment({"REPLAY_MASK_KEY": "abc"}))


def test_a_result_without_secrets_is_the_same_object() -> None:
    plain = result((("accept", "text/html"), ("date", "today"), ("idempotency-key", "123456")), path="/a?b=c")
    assert masked(plain) is plain


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", f"Bearer {SECRET}", f"Bearer {TOKEN}"),
        ("authorization", SECRET, TOKEN),
        ("Proxy-Authorization", f"Basic {SECRET}", f"Basic {TOKEN}"),
        ("cookie", f"a={SECRET}; b=x", f"a={TOKEN}; b={TOKENS.token('x')}"),
        ("Set-Cookie", f"sid={SECRET}; Path=/; HttpOnly", f"sid={TOKEN}; Path=/; HttpOnly"),
        ("X-Api-Key", SECRET, TOKEN),
        ("apikey", SECRET, TOKEN),
        ("X-Auth-Token", "ab", TOKENS.token("ab")),
        ("x-amz-security-token", SECRET, TOKEN),
        ("X-CSRF-Token", SECRET, TOKEN),
        ("client-secret", SECRET, TOKEN),
        ("Ocp-Apim-Subscription-Key", SECRET, TOKEN),
    ],
)
def test_secret_fields_become_tokens_wherever_they_stand(name: str, value: str, expected: str) -> None:
    headers = ((name, value),)
    side = Observation(200, headers)
    seen = masked(
        replace(
            result(headers, old=side, new=side),
            case=Case(
                "c", "traffic", "f:1", Request(headers=headers), expect=Expectation(headers=headers), recorded=side
            ),
        )
    )
    assert seen.old
    assert seen.new
    assert seen.case.recorded
    assert seen.case.expect
    shown = {seen.old.headers, seen.new.headers, seen.case.request.headers}
    assert shown | {seen.case.recorded.headers, seen.case.expect.headers} == {((name, expected),)}


@pytest.mark.parametrize(
    "name", ["etag", "x-request-id", "x-token-count", "surrogate-key", "www-authenticate", "tokens"]
)
def test_other_fields_stay_readable(name: str) -> None:
    plain = result(((name, "a-long-value"),))
    assert masked(plain) is plain


def test_a_secret_is_masked_wherever_the_service_repeats_it() -> None:
    old = Observation(200, (("x-echo", f"got {SECRET}"),), f'{{"auth": "Bearer {SECRET}"}}'.encode())
    new = Observation(None, (), b"", Failure("exception", f"bad key {SECRET}"))
    difference = Difference(
        f"body[?@.key=='{SECRET}']", "value", {"k": [SECRET, 1]}, {SECRET: None}, "default", note=f"{SECRET}!"
    )
    seen = masked(
        result(
            (("authorization", f"Bearer {SECRET}"),),
            path=f"/login/{SECRET}?x={SECRET}",
            old=old,
            new=new,
            differences=(difference,),
            accepted=(Acceptance(f"body.{SECRET}", "default"),),
            error=CaseError("new", "exception", f"bad key {SECRET}"),
        )
    )
    assert SECRET not in repr(seen)
    assert repr(seen).count(TOKEN) == 12
    assert seen.old
    assert seen.old.body == f'{{"auth": "Bearer {TOKEN}"}}'.encode()


def test_equality_between_the_sides_survives() -> None:
    cookie = (("cookie", "sid=alice-0001"),)
    same = masked(result(cookie, old=Observation(body=b"alice-0001"), new=Observation(body=b"alice-0001")))
    other = masked(
        result(
            cookie,
            old=Observation(headers=(("set-cookie", "sid=alice-0001"),)),
            new=Observation(headers=(("set-cookie", "sid=bob-000002"),)),
        )
    )
    assert same.old == same.new
    assert other.old != other.new


@pytest.mark.parametrize(
    "form",
    [
        'us\\u00e9r\\"p/w',
        'us\u00e9r\\"p/w',
        'us\\u00e9r\\"p\\/w',
        quote('us\u00e9r"p/w', safe=""),
        "us\u00e9r&quot;p/w",
    ],
)
def test_a_secret_is_found_in_the_spelling_of_json_urls_and_html(form: str) -> None:
    seen = masked(result((("x-api-key", 'us\u00e9r"p/w'),), old=Observation(body=b"[" + form.encode() + b"]")))
    assert seen.old
    assert seen.old.body == b"[" + TOKENS.token('us\u00e9r"p/w').encode() + b"]"


def test_the_user_and_password_of_basic_are_secrets_too() -> None:
    basic = base64.b64encode(b"alice:open-sesame").decode()
    seen = masked(
        result((("authorization", f"Basic {basic}"),), old=Observation(body=f"{basic} alice:open-sesame".encode()))
    )
    assert "sesame" not in repr(seen)
    assert basic not in repr(seen)


def test_a_cookie_is_found_decoded() -> None:
    seen = masked(result((("cookie", "a=one%20two%2Fthree"),), old=Observation(body=b"a is one two/three")))
    assert seen.old
    assert b"one" not in seen.old.body


@pytest.mark.parametrize(
    "name", ["access_token", "api_key", "token", "password", "client_secret", "sig", "X-Amz-Signature"]
)
def test_key_like_query_parameters_are_masked(name: str) -> None:
    seen = masked(result(path=f"/a?x=1&{name}={SECRET}&y=2", old=Observation(body=f"you sent {SECRET}".encode())))
    assert seen.case.request.path == f"/a?x=1&{name}={TOKEN}&y=2"
    assert seen.old
    assert seen.old.body == f"you sent {TOKEN}".encode()


def test_a_short_query_secret_is_masked_in_its_place() -> None:
    assert masked(result(path="/?token=abc")).case.request.path == f"/?token={TOKENS.token('abc')}"


def test_a_redirect_with_a_token_in_it_is_masked() -> None:
    seen = masked(result(new=Observation(302, (("location", f"https://x.example/?access_token={SECRET}#top"),))))
    assert seen.new
    assert seen.new.header("location") == f"https://x.example/?access_token={TOKEN}#top"


def test_the_difference_of_a_secret_header_shows_tokens_however_short() -> None:
    headers = (("x-api-key", "abc"),)
    seen = masked(
        result(
            old=Observation(headers=headers),
            differences=(Difference("headers.x-api-key", "header", "abc", ["abd"], "rule"),),
        )
    )
    assert (seen.differences[0].old, seen.differences[0].new) == (TOKENS.token("abc"), [TOKENS.token("abd")])


def test_cookie_attributes_in_a_difference_stay_readable() -> None:
    difference = Difference("headers.set-cookie.sid.path", "header", "/", MISSING, "default")
    seen = masked(result((("cookie", f"sid={SECRET}"),), differences=(difference,)))
    assert seen.differences == (difference,)


def test_short_values_are_not_looked_for_in_innocent_text() -> None:
    seen = masked(result((("cookie", "lang=en"),), old=Observation(body=b"ten green bottles")))
    assert seen.old
    assert seen.old.body == b"ten green bottles"


def test_digits_are_not_looked_for_inside_longer_numbers() -> None:
    body = b'{"id": 123456, "big": 91234567}'
    seen = masked(result((("cookie", "uid=123456"),), old=Observation(body=body)))
    assert seen.old
    assert b"91234567" in seen.old.body
    assert b" 123456" not in seen.old.body


@pytest.mark.parametrize("value", [123456, Decimal(123456)])
def test_a_number_that_is_a_secret_is_masked_in_values(value: object) -> None:
    seen = masked(result((("cookie", "uid=123456"),), differences=(Difference("body", "value", value, 1, "d"),)))
    assert (seen.differences[0].old, seen.differences[0].new) == (TOKENS.token("123456"), 1)


def test_values_that_cannot_be_searched_are_dropped() -> None:
    deep: Any = SECRET
    for _ in range(5_000):
        deep = [deep]
    seen = masked(result((("x-api-key", SECRET),), differences=(Difference("body", "value", deep, 10**5_000, "d"),)))
    assert seen.differences[0].old == "(dropped: nested too deeply to be searched for secrets)"
    assert seen.differences[0].new == 10**5_000


def test_a_secret_of_a_side_is_masked_although_the_case_does_not_show_it() -> None:
    known = secret_values([("Authorization", f"Bearer {SECRET}"), ("accept", "text/html")])
    assert known == {SECRET}
    seen = redact(result(new=Observation(body=f"hello {SECRET}".encode())), TOKENS, known=known)
    assert seen.new
    assert seen.new.body == f"hello {TOKEN}".encode()


def test_what_a_case_rests_on_is_left_alone() -> None:
    golden = Case("checkout/abcdefghijklmnopqrst", "golden", "checkout/abcdefghijklmnopqrst", Request())
    request = Request(headers=(("cookie", "last=abcdefghijklmnopqrst"),))
    seen = masked(Result(replace(golden, request=request), "match"))
    assert (seen.case.id, seen.case.identity) == (golden.id, golden.identity)


def test_a_session_that_is_the_cookie_itself_is_masked() -> None:
    case = Case("c", "traffic", "f:1", Request(headers=(("cookie", f"sid={SECRET}"),)), session=SECRET)
    assert masked(Result(case, "match")).case.session == TOKEN


SIDE = Observation(200, body=b"plain")
HIDDEN = Observation(body=f"x{SECRET}x".encode())
FAILED = Observation(error=Failure("reset", f"sent {SECRET}"))
REQUEST = Request()


@pytest.mark.parametrize(
    "odd",
    [
        {"case": Case(SECRET * 2, "traffic", "i", REQUEST)},
        {"case": Case("c", "traffic", "i", REQUEST, correlation_id=SECRET * 2)},
        {"case": Case("c", "traffic", "i", REQUEST, session=f"s-{SECRET}")},
        {"case": Case("c", "traffic", "i", Request(path=f"/{SECRET}"))},
        {"case": Case("c", "traffic", "i", Request(headers=(("x-echo", f"a {SECRET}"),)))},
        {"case": Case("c", "traffic", "i", Request(body=HIDDEN.body))},
        {"case": Case("c", "traffic", "i", REQUEST, expect=Expectation(body=HIDDEN.body))},
        {"case": Case("c", "traffic", "i", REQUEST, expect=Expectation(headers=(("x-echo", SECRET),)))},
        {"case": Case("c", "traffic", "i", REQUEST, recorded=HIDDEN)},
        {"case": Case("c", "traffic", "i", REQUEST, recorded=FAILED)},
        {"old": HIDDEN},
        {"new": HIDDEN},
        {"old": FAILED},
        {"new": replace(SIDE, headers=(("x-echo", SECRET),))},
        {"error": CaseError("new", "reset", SECRET)},
        {"skipped": f"because of {SECRET}"},
        {"accepted": (Acceptance(f"body.{SECRET}", "numbers"),)},
        {"measures": (Measure(f"body.{SECRET}", "tau", 1.0),)},
        {"groups": (Membership("whole"), Membership("tenant", f"it is {SECRET}"))},
        {"differences": (Difference("body", "value", {"a": SECRET}, MISSING, "default"),)},
    ],
)
def test_a_known_secret_is_found_in_each_part_of_a_result_that_shows_none(odd: dict[str, Any]) -> None:
    known = frozenset({SECRET, SECRET * 2})
    plain = Result(Case("c", "traffic", "i", REQUEST), "match", SIDE, SIDE)
    assert redact(plain, TOKENS, known=known) is plain
    seen = redact(replace(plain, **odd), TOKENS, known=known)
    assert SECRET not in repr(seen)
    assert "tok_" in repr(seen)


QUERIES = st.lists(
    st.sampled_from(["?", "&", ";", "#", "=", " ", "a", "token", "s", "API-key", "pwd", "sig", "x", "%20", "'", "\n"]),
    max_size=9,
).map("".join)


@given(QUERIES)
@settings(max_examples=400)
def test_a_secret_parameter_is_told_exactly_where_one_would_be_masked(path: str) -> None:
    assert has_secret_parameter(path) == (mask_query(path, lambda _secret: "\0") != path)


@given(st.lists(st.tuples(st.sampled_from(["Location", "link", "x-api-key", "Cookie", "date", "x-a"]), QUERIES)))
def test_fields_show_secrets_exactly_where_one_is_a_secret_or_holds_one(fields: list[tuple[str, str]]) -> None:
    expected = [is_secret(name) or (holds_urls(name) and has_secret_parameter(value)) for name, value in fields]
    assert show_secrets(tuple(fields)) == any(expected)


def test_names_that_a_service_makes_up_are_judged_however_many_and_long_they_are() -> None:
    for number in range(10_000):
        assert not show_secrets(((f"x-{number}", "v"), ("y" * 200 + str(number), "v")))
        assert show_secrets(((f"x-{number}-token", "v"),))
    assert show_secrets((("y" * 200 + "-token", "v"),))


def test_masking_twice_changes_nothing_more() -> None:
    once = masked(result((("authorization", f"Bearer {SECRET}"), ("cookie", f"a={SECRET}")), path=f"/?sig={SECRET}"))
    assert masked(once) == once


@given(
    st.text(min_size=6, max_size=20), st.binary(max_size=30), st.sampled_from(["authorization", "cookie", "x-api-key"])
)
@settings(max_examples=150, deadline=None)
def test_no_secret_of_some_length_survives_in_a_body(secret: str, around: bytes, name: str) -> None:
    headers = ((name, f"a={secret}" if name == "cookie" else secret),)
    found = secret_values(headers)
    seen = masked(result(headers, old=Observation(body=b"".join(around + s.encode() + around for s in found))))
    assert seen.old
    bare = [s for s in found if not s.isdigit()]
    assert all(s.encode() not in seen.old.body.replace(around, b"") for s in bare if s.encode() not in around)


def test_no_secret_reaches_the_files_of_the_store(tmp_path: Path) -> None:
    bearer = (("authorization", f"Bearer {SECRET}"),)
    seen = masked(result(bearer, path=f"/?token={SECRET}", new=Observation(500, bearer, SECRET.encode())))
    with SqliteStore.open(tmp_path / "store.db") as store:
        store.begin(RunRecord("r", datetime(2026, 1, 2, tzinfo=UTC)))
        store.add("r", [seen])
        written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    # Beside what lies in the files as it is: what lies there packed.
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        for data, size, bodies, bodies_size in database.execute("SELECT data, size, bodies, bodies_size FROM pages"):
            written |= {"documents": unpack(data, size), "bodies": unpack(bodies, bodies_size)}
    assert TOKEN.encode() in written["documents"]
    assert any(TOKEN.encode() in content for content in written.values())
    assert not any(SECRET.encode() in content for content in written.values())
