"""Personal data and secrets are found by what they look like, in each place they may stand; everything else stays."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.documents import parse_json
from replay.models import Case, Difference, Failure, Observation, Request, Result
from replay.privacy import TOKEN, Tokeniser, redact
from replay.privacy.checksums import iban_holds, luhn_digit, luhn_holds
from replay.privacy.detectors import DETECTORS
from replay.privacy.masking import DROPPED_BODY, Mask
from replay.privacy.suspicion import innocent, innocent_fields
from replay.store import RunRecord, SqliteStore
from replay.store.bodies import unpack

KEY = Tokeniser(b"a key")
MASK = Mask(KEY)

MAIL = "alice.smith@shop.example.com"
CARD = "4111111111111111"
IBAN = "DE89370400440532013000"
PHONE = "+49 170 1234567"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImlhdCI6MX0.c2lnbmF0dXJlLWJ5dGVz"
BASIC = base64.b64encode(b"alice:wonderland").decode()
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7c0ffee7c0ffee\nabcd+/==\n-----END RSA PRIVATE KEY-----"
KEYS = {
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "github": "ghp_" + "a1B2" * 9,
    "gitlab": "glpat-" + "x9Y8" * 5,
    "slack": "xoxb-" + "123456789012-abcdef",
    "the shortest": "xoxb-" + "1234567890",
    "stripe": "sk_live_" + "4eC39HqLyjWDarjt",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "npm": "npm_" + "a1B2" * 9,
    "sendgrid": "SG." + "a1B2c3D4e5F6g7H8" + "." + "a1B2c3D4e5F6g7H8",
    "model": "sk-" + "proj-a1B2c3D4e5F6g7H8",
}  # fmt: skip
PLANTED = {"email": MAIL, "card": CARD, "iban": IBAN, "phone": PHONE, "jwt": JWT, "pem": PEM} | KEYS


URLS = [
    "postgres://shop:{}@db.internal:5432/orders",
    "https://alice:{}@example.com/a?b=c",
    "redis://:{}@cache",
    "mysql+pymysql://root:{}%40x@db/orders",
    r"amqp:\/\/guest:{}@[::1]:5672",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("around", ["cannot connect to {}: refused", '{{"dsn": "{}"}}'])
def test_the_password_of_a_url_is_a_secret_and_its_host_is_none(url: str, around: str) -> None:
    found = MASK.text(around.format(url.replace("{}", "w0nder-land")))
    assert "w0nder-land" not in found
    assert found.partition("@")[2] == around.format(url).partition("@")[2]
    assert MASK.text(found) == found


@pytest.mark.parametrize(
    "text", ["http://host:8080/a@b", "https://alice@host/x", "see a://b: x@ y", "http://[::1]:80/@x"]
)
def test_a_url_without_a_password_stays(text: str) -> None:
    assert MASK.text(text) == text


def _text(value: str) -> bytes:
    return f"it is {value} here".encode()


def _member(value: str) -> bytes:
    return json.dumps({"note": f"it is {value}, thanks", "n": 1}).encode()


def _name(value: str) -> bytes:
    return json.dumps({value: {"seen": True}}).encode()


def _nested(value: str) -> bytes:
    return json.dumps({"event": json.dumps({"inner": json.dumps([value])})}).encode()


def _escaped(value: str) -> bytes:
    return ('{"note": "' + "".join(f"\\u{ord(it):04x}" for it in value) + '"}').encode()


def _form(value: str) -> bytes:
    return f"a=1&note={quote(value, safe='')}&b=2".encode()


def _twice(value: str) -> bytes:
    return f"next=%2Fa%3Fnote%3D{quote(quote(value, safe=''), safe='')}%26b%3D2".encode()


def _multipart(value: str) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n{value}\r\n--x--\r\n'.encode()


def _html(value: str) -> bytes:
    return f"<!doctype html><p class='a'>{value}</p><br>".encode()


def _entities(value: str) -> bytes:
    return f"<p>{''.join(f'&#{ord(it)};' if not it.isalnum() else it for it in value)}</p>".encode()


def _all_entities(value: str) -> bytes:
    return f"<p>{''.join(f'&#x{ord(it):x};' for it in value)}</p>".encode()


def _base64(value: str) -> bytes:
    return json.dumps({"data": base64.b64encode(f"note: {value}".encode()).decode()}).encode()


def _safe_base64(value: str) -> bytes:
    return b"data=" + base64.urlsafe_b64encode(f"note: {value} \u00ff\u00fe".encode()).rstrip(b"=")


def _zipped(value: str) -> bytes:
    return gzip.compress(_member(value))


def _zipped_in_base64(value: str) -> bytes:
    return json.dumps({"data": base64.b64encode(gzip.compress(value.encode())).decode()}).encode()


def _lines(value: str) -> bytes:
    return b'{"a":1}\n' + _member(value) + b"\n"


def _cut_json(value: str) -> bytes:
    return _member(value)[:-9] + b'"'


def _utf16(value: str) -> bytes:
    return f"\ufeff<note>{value}</note>".encode("utf-16-le")


def _xml(value: str) -> bytes:
    return f'<?xml version="1.0"?><order note="{value}"/>'.encode()


def _csv(value: str) -> bytes:
    return f"id,note\r\n7,{value}\r\n".encode()


def _binary(value: str) -> bytes:
    return b"\xff\x00\x80" + value.encode() + b"\x00\xfe"


PLACES = (
    _text, _member, _name, _nested, _escaped, _form, _twice, _multipart, _html, _entities, _all_entities, _base64,
    _safe_base64,
    _zipped, _zipped_in_base64, _lines, _cut_json, _utf16, _xml, _csv, _binary,
)  # fmt: skip


def everything_in(body: bytes) -> str:
    """Return a body and all that can be read out of it, decoded by the library's own means."""
    seen = [body]
    for content in seen:
        if content.startswith(b"\x1f\x8b"):
            seen.append(gzip.decompress(content))
        if content.startswith(b"\xff\xfe"):
            seen.append(content.decode("utf-16-le").encode())
        seen += [
            base64.b64decode(run + b"==", b"-_") for run in re.findall(rb"[\w+/-]{20,}", content) if len(run) % 4 != 1
        ]
    return "\n".join(content.decode("utf-8", "replace") for content in seen)


@pytest.mark.parametrize("place", PLACES, ids=lambda it: it.__name__.strip("_"))
@pytest.mark.parametrize("kind", PLANTED)
def test_it_is_found_wherever_it_stands(kind: str, place: object) -> None:
    assert callable(place)
    masked = MASK.body(place(PLANTED[kind]))
    assert masked != place(PLANTED[kind])
    assert PLANTED[kind] not in everything_in(masked)
    assert TOKEN.search(everything_in(masked))


@pytest.mark.parametrize("place", PLACES, ids=lambda it: it.__name__.strip("_"))
@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_masked_once_stays_as_it_is(kind: str, place: object) -> None:
    assert callable(place)
    masked = MASK.body(place(PLANTED[kind]))
    assert MASK.body(masked) == masked


INNOCENT = {
    "a number whose Luhn sum is wrong": "4111111111111112",
    "a number that no issuer gives out": "1234567890123452",
    "an IBAN whose checksum is wrong": "DE88370400440532013000",
    "an IBAN of no country": "ZZ89370400440532013000",
    "a UUID": "41111111-1111-4111-8111-111111111111",
    "a UUID of digits": "53fb2d0a-4a6f-4f4e-9a3c-111111111111",
    "an id with a number": "ord_8f3k92d1k2",
    "a long id": "01HZX3Y8Q5V7W2K4M6N8P0R1S3",
    "a hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "milliseconds": "1732800000123",
    "nanoseconds": "1732800000123456789",
    "an instant": "2024-02-29T23:59:59.123456Z",
    "an offset": "2024-02-29T23:59:59+02:00",
    "a version": "1.2.3-rc.4+5678",
    "an amount": "1234567.89",
    "a float": "0.41111111111111111",
    "a long decimal": "41111.1111111111111",
    "a package": "@scope/package@1.2.3",
    "a decorator": "@app.route",
    "a host": "db.internal:5432",
    "an address": "192.168.100.200",
    "basic words": "Basic information, bearer of news",
    "base64 of bytes": base64.b64encode(bytes(range(128, 170))).decode(),
    "a percentage": "50% of 100",
    "a long word": "internationalization",
    "a certificate": "-----BEGIN CERTIFICATE-----",
    "an ISBN": "978-3-16-148410-0",
    "an EAN": "4006381333931",
    "a snowflake": "1541815603606036480",
    "coordinates": "52.520008, 13.404954",
}


@pytest.mark.parametrize("value", INNOCENT.values(), ids=INNOCENT)
@pytest.mark.parametrize("place", [_text, _member, _name, _nested, _form, _base64, _html], ids=lambda it: it.__name__)
def test_what_is_neither_personal_nor_secret_stays(place: object, value: str) -> None:
    assert callable(place)
    assert MASK.body(place(value)) == place(value)


ALIKE = {
    "full-width digits": "".join(chr(ord(it) + 0xFEE0) for it in CARD),
    "full-width letters": "".join(chr(ord(it) + 0xFEE0) for it in MAIL),
    "Arabic digits": "".join(chr(0x660 + int(it)) for it in CARD),
    "zero-width characters": "\u200b".join(MAIL),
    "soft hyphens": "41\u00ad11\u00ad111111111111",
    "no-break spaces": "4111\u00a01111\u00a01111\u00a01111",
    "spaces": "4111 1111 1111 1111",
    "hyphens": "4111-1111-1111-1111",
    "an IBAN in fours": "DE89 3704 0044 0532 0130 00",
    "a lower-case IBAN": IBAN.lower(),
    "an American number": "(415) 555-2671",
    "a number with 00": "0049 170 1234567",
    "a dashed number": "415-555-2671",
    "an address with a plus": "alice+news@example.org",
    "an address of a language": "j\u00f6rg@m\u00fcller.example",
    "American Express": "378282246310005",
    "Mastercard": "5555555555554444",
}


@pytest.mark.parametrize("value", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("place", [_text, _member, _escaped, _nested, _base64, _html], ids=lambda it: it.__name__)
def test_it_is_found_however_it_is_written(place: object, value: str) -> None:
    assert callable(place)
    masked = MASK.body(place(value))
    assert value not in everything_in(masked)
    assert TOKEN.search(everything_in(masked))


NAMED = {
    "JSON": (b'{"password": "hunter2!"}', b"hunter2!"),
    "JSON in humps": (b'{"accessToken": "abc-def-1"}', b"abc-def-1"),
    "JSON in capitals": (b'{"CLIENT_SECRET" : "abc-def-1"}', b"abc-def-1"),
    "a number": (b'{"pin": 98761}', b"98761"),
    "a list": (b'{"tokens": ["abc", {"id": "xyz9"}], "x": "abcd"}', b"xyz9"),
    "cookies": (b'{"cookies": {"session": "qwertz"}}', b"qwertz"),
    "a header that is echoed": (b'{"headers": {"Cookie": "sid=qwertz; a=b"}}', b"qwertz"),
    "JSON in JSON": (json.dumps({"raw": '{"api_key": "qwertz"}'}).encode(), b"qwertz"),
    "a form": (b"user=a&password=hunter2%21", b"hunter2"),
    "the first field of a form": (b"password=hunter2&user=a", b"hunter2"),
    "multipart": (b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x--', b"hunter2"),
    "XML": (b"<login><Password>hunter2</Password></login>", b"hunter2"),
    "an input": (b'<form><input type="hidden" name="csrf_token" value="hunter2"></form>', b"hunter2"),
    "a link in JSON": (b'{"href": "/reset?token=hunter2&a=b"}', b"hunter2"),
    "a telephone number": (b'{"phone": "0170 1234567"}', b"1234567"),
    "a telephone number as a number": (b'{"mobileNumber": 491701234567}', b"491701234567"),
    "Basic": (f"use Basic {BASIC} then".encode(), BASIC.encode()),
    "Bearer": (b"send Bearer abcdef0123456789abcd to it", b"abcdef0123456789abcd"),
}


@pytest.mark.parametrize(("body", "value"), NAMED.values(), ids=NAMED)
def test_what_is_called_a_secret_is_one(body: bytes, value: bytes) -> None:
    masked = MASK.body(body)
    assert value not in masked
    assert TOKEN.search(masked.decode())
    assert MASK.body(masked) == masked


@pytest.mark.parametrize("phone", ["0049 (30) 1234567", "001 (212) 555 0199", "+49 170 1234567", "(212) 555-0123"])
def test_a_telephone_number_is_found_in_a_short_text(phone: str) -> None:
    assert MASK.text(f"call {phone} now") != f"call {phone} now"


@pytest.mark.parametrize("space", ["", " ", "\n", "\t", "\r", " \n  "])
@pytest.mark.parametrize("name", ["password", "apiKey", "mobile_number"])
def test_a_member_is_known_by_its_name_whatever_stands_before_its_colon(name: str, space: str) -> None:
    body = f'{{"a": "x y", "{name}"{space}:"0170hunter2345", "z": 1}}'.encode()
    assert b"hunter" not in MASK.body(body)


def named(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(st.text(max_size=8), inner, max_size=3)


@given(
    value=st.recursive(st.text(max_size=8) | st.integers(), lambda inner: st.lists(inner) | named(inner), max_leaves=8),
    indent=st.sampled_from([None, 0, 1]),
    colon=st.sampled_from([":", ": ", " : ", "\n:"]),
)
def test_a_member_is_known_by_its_name_wherever_it_stands(value: object, indent: int | None, colon: str) -> None:
    body = json.dumps([value, {"x": value, "password": "hunter2", "y": value}], indent=indent, separators=(",", colon))
    assert b"hunter2" not in MASK.body(body.encode())


@pytest.mark.parametrize("before", ["", "name=", "a.b=1 ", "x" * 300 + " "])
@pytest.mark.parametrize(
    "field", ["password=hunter2", "user[password]=hunter2", "password: hunter2", "db.password=hunter2"]
)
def test_a_field_of_a_text_is_looked_at_more_closely(before: str, field: str) -> None:
    assert not innocent((before + field).encode())


def test_a_head_is_looked_at_though_many_were_seen_before() -> None:
    for number in range(3000):
        assert innocent_fields((("X-Number", str(number)), ("Server", "nginx")))
        assert not innocent_fields((("X-Number", str(number)), ("X-From", f"{number}@shop.example.com")))
    assert not innocent_fields((("X-From", MAIL), ("X-Long", "a b " * 2000)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"token_type": "bearer", "expires_in": 3600, "password_reset": true, "token": null, "max_tokens": 4096}',
        b'{"secret": "", "password": false}',
        b'{"phones": [], "telephone": "n/a", "keyboard": "qwertz", "monkey": 12345}',
    ],
)
def test_names_that_only_look_like_it_and_values_that_say_nothing_stay(body: bytes) -> None:
    assert MASK.body(body) == body


# --------------------------------------------------------------------------------------------------------------- tokens


@pytest.mark.parametrize("kind", PLANTED)
def test_one_value_has_one_token_in_every_place_and_run(kind: str) -> None:
    masks = [Mask(Tokeniser(b"a key")) for _ in range(2)]
    masked = [
        everything_in(mask.body(place(PLANTED[kind]))) for mask in masks for place in (_text, _nested, _base64, _zipped)
    ]
    tokens = {found[0].removesuffix(" here") for text in masked if (found := TOKEN.search(text))}
    assert len(tokens) == 1


@pytest.mark.parametrize("kind", PLANTED)
def test_another_key_gives_another_token_of_the_same_kind(kind: str) -> None:
    other = Mask(Tokeniser(b"another key")).body(_text(PLANTED[kind]))
    assert other != MASK.body(_text(PLANTED[kind]))
    assert TOKEN.search(other.decode())


def only(value: str) -> str:
    return MASK.text(f"<{value}>")[1:-1]


@pytest.mark.parametrize("card", [CARD, "378282246310005", "30569309025904", "4222222222222", "4111 1111 1111 1111"])
def test_the_token_of_a_card_is_a_card_of_the_same_layout(card: str) -> None:
    token = only(card)
    assert luhn_holds(re.sub(r"\D", "", token))
    assert re.sub(r"\d", "0", token) == re.sub(r"\d", "0", card)
    assert TOKEN.fullmatch(token)


@pytest.mark.parametrize(
    "iban",
    [IBAN, "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947",
     "MT84MALT011000012345MTLCAST001S",
     "DE89 3704 0044 0532 0130 00"],
)  # fmt: skip
def test_the_token_of_an_iban_is_one_of_that_country_and_layout(iban: str) -> None:
    token = only(iban)
    assert token != iban
    assert iban_holds(token.replace(" ", ""))
    assert re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", token)) == re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", iban))
    assert TOKEN.fullmatch(token)


def test_the_token_of_an_address_cannot_be_written_to() -> None:
    assert re.fullmatch(r"tok_[a-z2-7]{16}@example\.invalid", only(MAIL))


def test_the_token_of_a_telephone_number_has_the_form_of_one() -> None:
    assert re.fullmatch(r"\+[1-9]\d{7,14}", only(PHONE))


@pytest.mark.parametrize("coding", ["utf-8", "latin-1", "utf-16-le"])
def test_half_a_character_stays_an_escape_beside_what_is_masked(coding: str) -> None:
    body = f'{{"note": "é \\ud800 {MAIL}"}}'
    assert MASK.body(body.encode(coding)) == body.replace(MAIL, MASK.text(MAIL)).encode(coding)


def test_numbers_stay_numbers() -> None:
    masked = json.loads(MASK.body(f'{{"pan": {CARD}, "total": 12.50}}'.encode()))
    assert luhn_holds(str(masked["pan"]))
    assert isinstance(masked["pan"], int)


@given(st.integers(10**8, 10**9 - 1), st.integers(10**8, 10**9 - 1))
def test_cards_have_equal_tokens_exactly_where_they_are_equal(one: int, other: int) -> None:
    def token(number: int) -> str:
        digits = f"411111{number}"
        return only(digits + luhn_digit(digits))

    assert (token(one) == token(other)) == (one == other)


def test_what_only_looks_alike_has_a_token_of_its_own() -> None:
    assert len({only(MAIL), only(MAIL.upper()), only("\u200b".join(MAIL)), only(ALIKE["full-width letters"])}) == 4


# --------------------------------------------------------------------------------------------------------------- bodies


def test_everything_else_in_a_document_stays_byte_for_byte() -> None:
    body = b'{ "a":1.10,"a" : 1e400,\t"b\\u00e9": "x", "n": 00012, "mail": "m@x.io", "c": NaN}\r\n'
    token = KEY.token("m@x.io").encode() + b"@example.invalid"
    assert MASK.body(body) == body.replace(b"m@x.io", token)


def test_bytes_that_are_no_text_stay() -> None:
    body = b"\xff\xfd\xfd m@x.io \x80"
    assert MASK.body(body) == body.replace(b"m@x.io", KEY.token("m@x.io").encode() + b"@example.invalid")


def test_what_is_too_large_to_be_unpacked_is_dropped() -> None:
    assert MASK.body(gzip.compress(bytes(33 * 1024 * 1024))) == DROPPED_BODY


@pytest.mark.parametrize(
    "body",
    [
        b"@" * 200_000, b"a@" * 100_000, b"4 " * 200_000, b"eyJ-" * 100_000, b"-----BEGIN PRIVATE KEY-----" * 8_000,
        b"[" * 200_000, b'{"a":' * 50_000, b'"\\' * 100_000, b"%25" * 100_000, b"&amp;" * 50_000, b"+1" * 100_000,
        b"a." * 100_000 + b"@" + b"a." * 100_000, b"<a b=" * 50_000 + b"@", b'name="' * 50_000 + b"password",
        b"\\u0022" * 50_000, b"DE89" * 50_000, b"Basic " * 50_000, b"password=" * 30_000, b"\x1f\x8b" * 50_000,
    ],
    ids=range(19),
)  # fmt: skip
def test_no_body_keeps_the_patterns_busy(body: bytes) -> None:
    begun = process_time()
    MASK.body(body)
    assert process_time() - begun < 10


@pytest.mark.parametrize("text", ["@", "a@", "a.a@", "a@b.", "+@"])
def test_a_text_full_of_signs_is_passed_over_without_a_step_at_each(text: str) -> None:
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)  # calls of C as well: what is searched within one of them is not counted
    found = list(DETECTORS["email"](text * 10_000 + " "))
    sys.setprofile(None)
    assert (found, steps < 100) == ([], True)


@pytest.mark.parametrize("name", ["a", "a.b", "+a", "a" * 64, "é'-x"])
@pytest.mark.parametrize("before", ["", "(", "'", "--", ".."])
def test_an_address_begins_with_its_first_letter_whatever_stands_before(before: str, name: str) -> None:
    start = len(before)
    assert list(DETECTORS["email"](f"{before}{name}@ab.cd@x")) == [(start, start + len(name) + 6)]


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_masked_without_an_error(body: bytes) -> None:
    MASK.body(body + b" m@x.io " + body)


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
    )
)
def test_json_stays_json(value: object) -> None:
    body = json.dumps({"v": value, "mail": "m@x.io"}).encode()
    assert parse_json(MASK.body(body).decode()).ok


# -------------------------------------------------------------------------------------------------------------- results


def planted() -> Result:
    """Return a result that holds everything everywhere."""
    every = " , ".join([*PLANTED.values(), f"Basic {BASIC}"])
    plain = every.replace("\n", "")
    side = Observation(
        200, (("x-note", plain), ("location", f"/a?note={quote(plain)}")), json.dumps({"note": every}).encode()
    )
    failed = Observation(None, (), b"", Failure("exception", every))
    request = Request("POST", f"/u/{quote(MAIL)}?phone={quote(PHONE)}", (("x-user", MAIL),), _form(every))
    differences = (Difference("body.note", "value", every, [every, {MAIL: int(CARD)}], "default", note=every),)
    return Result(Case(f"user {MAIL}", "traffic", "f:1", request, session=MAIL), "deviation", side, failed, differences)


@pytest.mark.parametrize("kind", PLANTED)
def test_no_part_of_a_result_holds_it(kind: str) -> None:
    seen = repr(redact(planted(), KEY))
    assert PLANTED[kind].replace("\n", "\\n") not in seen
    assert quote(PLANTED[kind], safe="") not in seen
    assert "wonderland" not in seen
    assert BASIC not in seen


def test_a_difference_is_masked_as_the_bodies_are() -> None:
    old, new = (
        Observation(200, (), f'{{"password": "{it}-secret", "mail": "{it}@x.io"}}'.encode()) for it in ("alice", "bob")
    )
    differences = (
        Difference("body.password", "value", "alice-secret", "bob-secret", "default"),
        Difference("body.mail", "value", "alice@x.io", "bob@x.io", "default"),
    )
    seen = redact(Result(Case("c", "traffic", "f:1", Request()), "deviation", old, new, differences), KEY)
    assert seen.old is not None
    assert json.loads(seen.old.body) == {"password": seen.differences[0].old, "mail": seen.differences[1].old}
    assert all(each.old != each.new for each in seen.differences)
    assert "alice" not in repr(seen)
    assert "bob" not in repr(seen)


def test_a_difference_alone_is_masked_where_nothing_else_shows_anything() -> None:
    difference = Difference("body.from", "value", MAIL, "bob@shop.example.com", "default")
    plain = Observation(200, (("Content-Type", "text/plain"),), b"hello")
    result = Result(Case("c", "traffic", "f:1", Request()), "deviation", plain, plain, (difference,))
    seen = redact(result, KEY)
    assert MAIL not in repr(seen)
    assert seen.differences[0].old != seen.differences[0].new
    assert (seen.case, seen.old, seen.new) == (result.case, result.old, result.new)


def test_lines_of_a_key_are_masked_where_only_they_are_told() -> None:
    old, new = (Observation(200, (), PEM.replace("c0ffee", it).encode()) for it in ("c0ffee", "decade"))
    line, other = (side.body.decode().splitlines()[1] for side in (old, new))
    differences = (Difference("body", "value", line, other, "default"),)
    seen = redact(Result(Case("c", "traffic", "f:1", Request()), "deviation", old, new, differences), KEY)
    assert line not in repr(seen)
    assert other not in repr(seen)
    assert seen.differences[0].old != seen.differences[0].new


def test_nothing_of_it_reaches_the_files_of_the_store(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "store.db") as store:
        store.begin(RunRecord("r", datetime(2026, 1, 2, tzinfo=UTC)))
        store.add("r", [redact(planted(), KEY)])
        written = [path.read_bytes() for path in tmp_path.iterdir()]
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        for data, size, bodies, bodies_size in database.execute("SELECT data, size, bodies, bodies_size FROM pages"):
            written += [unpack(data, size), unpack(bodies, bodies_size)]
    content = b"\n".join(written)
    assert b"example.invalid" in content
    for value in [*PLANTED.values(), BASIC, "wonderland"]:
        assert value.encode() not in content
        assert quote(value, safe="").encode() not in content
        assert json.dumps(value)[1:-1].encode() not in content
