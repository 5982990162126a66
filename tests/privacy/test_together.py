"""Several results that are looked at at once lose the secrets that each loses by itself."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.models import (
    Acceptance,
    Again,
    Binding,
    Case,
    CaseError,
    Difference,
    Expectation,
    Failure,
    Figure,
    KeepSpec,
    MaskSpec,
    Measure,
    Membership,
    Observation,
    Request,
    Result,
)
from replay.privacy import TOKEN, Tokeniser, mask_rules, redact
from replay.privacy.detectors import found_in
from replay.privacy.glance import say_little, says_little
from replay.privacy.headers import has_secret_parameter
from replay.privacy.noting import NotingTokeniser
from replay.privacy.rules import MaskRules
from replay.privacy.secrets import redact_all
from replay.privacy.wrapped import LINES_OR_RUN, unwrapped

TOKENS: Final = Tokeniser(b"a key")
MAIL: Final = "eve@example.org"
KNOWN: Final = "hunter2-hunter2"
CASE: Final = Case("c-1", "traffic", "f:1", Request("GET", "/things?n=1", (("Accept", "application/json"),)))
ANSWER: Final = Observation(200, (("Content-Type", "application/json"),), b'{"sku": "A-1"}')
PLAIN: Final = Result(CASE, "match", ANSWER, ANSWER)
DIFFERENCE: Final = Difference("body.who", "value", "x", MAIL, "default")

SHOWING: Final[dict[str, Result]] = {
    "an id": replace(PLAIN, case=replace(CASE, id=MAIL)),
    "a correlation id": replace(PLAIN, case=replace(CASE, correlation_id=MAIL)),
    "a session": replace(PLAIN, case=replace(CASE, session=MAIL)),
    "a query": replace(PLAIN, case=replace(CASE, request=Request("GET", "/things?token=abcdefgh"))),
    "a path": replace(PLAIN, case=replace(CASE, request=Request("GET", f"/things/{MAIL}"))),
    "a field asked with": replace(PLAIN, case=replace(CASE, request=Request(headers=(("Cookie", "a=abcdefgh"),)))),
    "a field answered with": replace(PLAIN, new=replace(ANSWER, headers=(("X-Who", MAIL),))),
    "a body asked with": replace(PLAIN, case=replace(CASE, request=Request("POST", "/", (), MAIL.encode()))),
    "a body answered with": replace(PLAIN, old=replace(ANSWER, body=MAIL.encode())),
    "a body of a coding": replace(
        PLAIN, old=Observation(200, (("Content-Encoding", "deflate"),), gzip.compress(MAIL.encode())[10:-8])
    ),
    "a key": replace(PLAIN, old=replace(ANSWER, body=b"-----BEGIN PRIVATE KEY-----\nabcdefgh\n-----END X-----")),
    "a name of its own": replace(PLAIN, case=replace(CASE, bound=(Binding("abcdefgh", "x", "headers.set-cookie"),))),
    "what is expected": replace(PLAIN, case=replace(CASE, expect=Expectation(200, (), MAIL.encode()))),
    "what was recorded": replace(PLAIN, case=replace(CASE, recorded=replace(ANSWER, body=MAIL.encode()))),
    "how a side failed": replace(PLAIN, new=Observation(error=Failure("dns", MAIL))),
    "how the recorded one failed": replace(
        PLAIN, case=replace(CASE, recorded=Observation(error=Failure("protocol", MAIL)))
    ),
    "an error": replace(PLAIN, outcome="new_error", error=CaseError("new", "dns", MAIL)),
    "why it was skipped": replace(PLAIN, outcome="skipped", skipped=MAIL),
    "a group": replace(PLAIN, groups=(Membership("by customer", MAIL),)),
    "a figure": replace(PLAIN, figures=(Figure("who", old_fault=MAIL),)),
    "a place": replace(PLAIN, accepted=(Acceptance(f"body['{MAIL}']", "default"),)),
    "a rule": replace(PLAIN, accepted=(Acceptance("body", f"map to {MAIL}"),)),
    "a measure": replace(PLAIN, measures=(Measure(f"body['{MAIL}']", "rank.tau", 1.0),)),
    "a difference": replace(PLAIN, outcome="deviation", differences=(DIFFERENCE,)),
    "a further answer": replace(PLAIN, again=Again(((DIFFERENCE,),))),
    "a known one": replace(PLAIN, old=replace(ANSWER, body=f'"{KNOWN}"'.encode())),
    "a known one in a field": replace(PLAIN, old=replace(ANSWER, headers=(("X-Echo", KNOWN),))),
    "a known one in a path": replace(PLAIN, case=replace(CASE, request=Request("GET", f"/echo/{KNOWN}"))),
}


def together(*results: Result) -> list[Result]:
    return redact_all(results, TOKENS, known={KNOWN})


def alone(*results: Result) -> list[Result]:
    return [redact(each, TOKENS, known={KNOWN}) for each in results]


@pytest.mark.parametrize("showing", SHOWING.values(), ids=SHOWING)
def test_what_one_shows_is_masked_among_others_as_it_is_alone(showing: Result) -> None:
    found = together(PLAIN, showing, PLAIN)
    assert found == alone(PLAIN, showing, PLAIN)
    assert found[1] != showing
    assert MAIL not in repr(found)
    assert KNOWN not in repr(found)


RULES: Final = {
    "an exception for a kind": mask_rules([], [KeepSpec(kind="email")]),
    "an exception for a value": mask_rules([], [KeepSpec(value="*@example.org")]),
    "an exception on a route": mask_rules([], [KeepSpec(kind="email", on="GET /things")]),
    "an exception at a location": mask_rules([], [KeepSpec(kind="email", at="body.who")]),
    "a location": mask_rules(
        [MaskSpec(at="body.sku"), MaskSpec(at="headers.x-who"), MaskSpec(at="request.query.n")], []
    ),
    "a location of requests": mask_rules([MaskSpec(at="request.json")], []),
    "a pattern": mask_rules([MaskSpec(match="A-[0-9]")], []),
    "a kind": mask_rules([MaskSpec(kind="ip")], [KeepSpec(kind="email")]),
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("showing", SHOWING.values(), ids=SHOWING)
def test_rules_hold_for_what_one_shows_among_others_as_they_do_alone(showing: Result, rules: MaskRules) -> None:
    several = [PLAIN, showing, PLAIN]
    found = redact_all(several, TOKENS, known={KNOWN}, rules=rules)
    # Nothing that was found out before is remembered by another key.
    assert found == [redact(each, Tokeniser(b"a key"), known={KNOWN}, rules=rules) for each in several]


def test_an_exception_alone_leaves_results_that_show_nothing_the_very_objects() -> None:
    several = [PLAIN, replace(PLAIN, case=replace(CASE, id="c-2"))]
    found = redact_all(several, TOKENS, rules=RULES["an exception for a kind"])
    assert all(kept is given for kept, given in zip(found, several, strict=True))


@pytest.mark.parametrize(
    "path",
    [
        "/search?q=caf%C3%A9",
        "/search?q=eve%40example.org",
        "/a?next=%2Fb%3Ftoken%3Dabcdefgh",
        "/search?q=%2565ve%2540example.org",
    ],
)
def test_a_path_with_percent_signs_is_masked_among_others_as_it_is_alone(path: str) -> None:
    result = replace(PLAIN, case=replace(CASE, request=Request("GET", path)))
    found = together(PLAIN, result)
    assert found == alone(PLAIN, result)
    assert (found[1] is result) == ("caf" in path)


def test_what_a_location_masks_in_requests_alone_stays_in_an_answer_of_the_same_bytes() -> None:
    body = b'{"sku": "A-1"}'
    result = replace(PLAIN, case=replace(CASE, request=Request("POST", "/things", (), body)))
    (kept,) = redact_all([result], TOKENS, rules=mask_rules([MaskSpec(at="request.json.sku")], []))
    assert kept.old is not None
    assert kept.old.body == body != kept.case.request.body


def test_each_token_is_noted_once_however_a_text_is_looked_at() -> None:
    tokeniser = NotingTokeniser(b"a key")
    result = replace(PLAIN, case=replace(CASE, request=Request("GET", "/search?q=eve%40example.org")))
    redact(result, tokeniser)
    assert tokeniser.taken() == {"email": 1}


def test_results_that_show_nothing_stay_the_very_objects() -> None:
    several = [PLAIN, replace(PLAIN, accepted=(Acceptance("headers.date", "default"),))]
    assert all(kept is given for kept, given in zip(together(*several), several, strict=True))


def test_rules_hold_among_others_as_they_do_alone() -> None:
    rules = mask_rules([MaskSpec(at="body.sku")], [])
    (kept, _) = redact_all([PLAIN, PLAIN], TOKENS, rules=rules)
    assert kept == redact(PLAIN, TOKENS, rules=rules) != PLAIN


FRAGMENTS = st.lists(
    st.sampled_from([
        "token", "pin", "cvv2", "pass", "n", "=", "&", "?", ";", "#", " ", "/", "-", ".", "(", ")", ":", "'", '"', "@",
        "4111", "1", "555-", "1234", "DE", "89", "+49", "Basic ", "dXNlcjpwdw", "Bearer ", "eyJ", "abcdefgh", "%", "<",
        "&amp;", "\uff11", "\n", "AKIA", "-----BEGIN", "a.b", "5 5 5 5 ", "\\", "de", "dE8937040044", "0532013000",
        "eyJhbGciOiJIUzI1NiJ9", ".", "ghp_", "a1b2c3d4e5f6a7b8", "YWxpY2VA", "ZXhhbXBsZS5jb20=", "/api/v1/orders/", "_",
        "xoxb-", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
    ]),
    max_size=14,
).map("".join)  # fmt: skip


def finds(text: str) -> bool:
    """Tell whether the thorough search finds anything, or would look at what a run of characters stands for."""
    return any(True for _ in found_in(text)) or has_secret_parameter(text) or packs(text)


def packs(text: str) -> bool:
    """Tell whether a text has base64 of another."""
    return any(unwrapped("".join(found[0].split())) is not None for found in LINES_OR_RUN.finditer(text))


@given(FRAGMENTS)
def test_of_what_says_little_the_thorough_search_finds_nothing(text: str) -> None:
    assert not (says_little(text) and finds(text) and TOKEN.search(text) is None)


@pytest.mark.parametrize("look", [lambda one, other: say_little([one, other]), lambda *two: all(map(says_little, two))])
@given(one=FRAGMENTS, other=FRAGMENTS)
def test_texts_hide_nothing_in_each_other(look: Callable[[str, str], bool], one: str, other: str) -> None:
    assert not (look(one, other) and (finds(one) or finds(other)))


@pytest.mark.parametrize(
    "text",
    [
        "de89370400440532013000",
        "/pay/GB82WEST12345698765432",
        "YWxpY2VAZXhhbXBsZS5vcmc",
        "/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
        "xoxb-0123456789",
        "hooks/ghp_0123456789012345678901234567890123456789",
        base64.encodebytes(b"alice@example.org, who lives in Berlin and has written many letters").decode().strip(),
        "aGVsbG8gd29ybGQ/aGVsbG8=",
    ],
)
def test_long_words_that_hold_something_do_not_say_little_alone_nor_among_others(text: str) -> None:
    assert finds(text)
    assert not says_little(text)
    assert not say_little(["/api/v1/orders/4711", text, "c1"])


@pytest.mark.parametrize(
    "text",
    [
        "/api/v1/customers/4711/orders?page=2",
        "captures/monday-morning.har:4711",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
    ],
)
def test_long_words_that_hold_nothing_are_looked_at_together(text: str) -> None:
    assert not finds(text)
    assert says_little(text)
    assert say_little([text, "c1", text])


@pytest.mark.parametrize("text", ["c4711", "/orders/12?expand=lines&page=2", "it's one of the things", "a.b=c"])
def test_plain_texts_say_little(text: str) -> None:
    assert says_little(text)
    assert say_little([text, text])
