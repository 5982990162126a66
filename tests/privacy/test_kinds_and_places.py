"""Each kind in each place that a case is kept in: found, kept where it is none, one token everywhere, shapes that hold.

One row is one case. `{}` is where the value stands in it.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from email.utils import parseaddr
from urllib.parse import quote

import pytest

from replay.models import Case, Difference, Failure, Observation, Request, Result
from replay.privacy import TOKEN, MaskKey, Redactor
from replay.privacy.checksums import iban_holds, luhn_holds

VALUES = {
    "email": "alice.smith@shop.example",
    "card": "4111111111111111",
    "iban": "DE89370400440532013000",
    "phone": "+49 170 1234567",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVz",
    "key": "AKIAIOSFODNN7EXAMPLE",
    "pem": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----",
}
SECRET = "hunter22"
PLACES = [
    "path", "query", "query, encoded twice", "header", "request body", "answer", "name of a member", "JSON in JSON",
    "form", "multipart", "HTML", "entities", "base64", "gzip", "escapes", "difference", "error", "recorded",
]  # fmt: skip
NOT_IN = {("pem", place) for place in ("path", "header", "name of a member")} | {("phone", "name of a member")}
TABLE = [(kind, place) for kind in VALUES for place in PLACES if (kind, place) not in NOT_IN]
SECRET_TABLE = {
    "authorization": Request("GET", "/", (("Authorization", f"Bearer {SECRET}"),)),
    "basic": Request("GET", "/", (("Authorization", "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()),)),
    "cookie": Request("GET", "/", (("Cookie", f"theme=dark; sid={SECRET}"),)),
    "key header": Request("GET", "/", (("X-Api-Key", SECRET),)),
    "query": Request("GET", f"/?access_token={SECRET}"),
    "query, a short name behind another": Request("GET", f"/?x=1&pin={SECRET}"),
    "query, a session": Request("GET", f"/?PHPSESSID={SECRET}&x=1"),
    "query, in brackets": Request("GET", f"/?user[password]={SECRET}"),
    "query, in encoded brackets": Request("GET", f"/?user%5Bpassword%5D={SECRET}"),
    "query, a name with percent signs": Request("GET", f"/?%70assword={SECRET}"),
    "query, of a URL within": Request("GET", f"/?next=http%3A%2F%2Fh%2F%3Faccess_token%3D{SECRET}%26x%3D1"),
    "query, of a URL within, twice encoded": Request("GET", f"/?next=http%253A%252F%252Fh%252F%253Ftoken%253D{SECRET}"),
    "path, a session": Request("GET", f"/cart;jsessionid={SECRET}/items;v=1?page=2"),
    "JSON": Request("POST", "/", (), json.dumps({"password": SECRET}).encode()),
    "JSON, two words": Request("POST", "/", (), json.dumps({"PassWord": SECRET}).encode()),
    "JSON, said again": Request("POST", "/", (), json.dumps({"password_confirmation": SECRET}).encode()),
    "JSON, numbered": Request("POST", "/", (), json.dumps({"password2": SECRET}).encode()),
    "JSON, camel case": Request("POST", "/", (), json.dumps({"clientSecret": SECRET}).encode()),
    "JSON, hashed": Request("POST", "/", (), json.dumps({"passwordHash": SECRET}).encode()),
    "JSON, a code": Request("POST", "/", (), json.dumps({"mfaCode": SECRET}).encode()),
    "JSON, a code to recover": Request("POST", "/", (), json.dumps({"recovery_codes": [SECRET]}).encode()),
    "JSON, below a holder": Request("POST", "/", (), json.dumps({"credentials": {"one": [SECRET]}}).encode()),
    "JSON, by a name beside": Request("POST", "/", (), json.dumps({"name": "api_key", "value": SECRET}).encode()),
    "form": Request("POST", "/", (), f"user=ann&password={SECRET}".encode()),
    "form, a short name behind another": Request("POST", "/", (), f"number=1&cvc={SECRET}".encode()),
    "form, in brackets": Request("POST", "/", (), f"card[cvc]={SECRET}&x=1".encode()),
    "form, with a quote": Request("POST", "/", (), f"user=ann&password=it's;\"<{SECRET}&x=1\n".encode()),
    "multipart": Request(
        "POST", "/", (), f'--x\r\nContent-Disposition: form-data; name="pin"\r\n\r\n{SECRET}'.encode()
    ),
    "XML": Request("POST", "/", (), f"<login><password>{SECRET}</password></login>".encode()),
    "input": Request("POST", "/", (), f"<input name='token' value='{SECRET}'>".encode()),
    "Python": Request("POST", "/", (), f"{{'user': 'ann', 'password': '{SECRET}'}}".encode()),
    "log": Request("POST", "/", (), f"login failed: password={SECRET}".encode()),
    "YAML": Request("POST", "/", (), f"user: ann\ndb:\n  - password: {SECRET}  # for now\n".encode()),
    "YAML, quoted": Request("POST", "/", (), f"client-secret: 'as {SECRET} says'\r\nuser: ann\r\n".encode()),
    "YAML, inline": Request("POST", "/", (), f'db: {{user: ann, password: "{SECRET}"}}\n'.encode()),
    "YAML in JSON": Request("POST", "/", (), json.dumps({"file": f"user: ann\npassword: {SECRET}"}).encode()),
    "INI": Request("POST", "/", (), f"[db]\nuser = ann\npassword   = {SECRET}\n".encode()),
    "TOML": Request("POST", "/", (), f'[db]\npassword = "{SECRET}"\n'.encode()),
    "a line of a scheme": Request("POST", "/", (), f"api_token: Bearer {SECRET}\n".encode()),
    "CSV": Request("POST", "/", (), f"user,password\nbob,\nann,{SECRET}\n".encode()),
    "CSV, quoted": Request("POST", "/", (), f'"user","api key"\r\n"a ""b"", c","as {SECRET}, so"\r\n'.encode()),
    "CSV, in Europe": Request("POST", "/", (), f"user;PIN;note\nann;{SECRET};a, b\n".encode()),
    "GraphQL": Request(
        "POST", "/", (), json.dumps({"query": f'mutation {{ l(user: 1, password: "{SECRET}") }}'}).encode()
    ),
    "GraphQL, by itself": Request("POST", "/", (), f'{{ login(password: "{SECRET}") {{ id }} }}'.encode()),
}
STAYS = {
    "a number with a wrong sum": "4111111111111112",
    "a number that no issuer gives out": "9999999999999995",
    "an IBAN with a wrong sum": "DE88370400440532013000",
    "a UUID": "0b7c1f6e-3c1d-4f0a-9d1e-2a6f5f0c9b11",
    "an order": "ORD-2024-000123",
    "an instant": "2024-02-29T23:59:59Z",
    "milliseconds": "1709251199000",
    "an amount": "1234567.89",
    "a hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "a version": "10.20.30",
    "an image": "logo@2x.png",
    "a decorator": "@property",
    "a placeholder": "{{token}}",
    "a token type": "Bearer",
}


KEEPS_NO_SPELLING = {"phone", "pem"}
"""Kinds of which the spelling counts: a plus may be a space, and the ends of lines are written in several ways."""


def redactor(key: bytes = b"a key") -> Redactor:
    return Redactor(MaskKey(key, made=False))


PATHS = {
    "path": lambda value: f"/users/{_quoted(value)}/orders",
    "query": lambda value: f"/?note={_quoted(value)}&b=1",
    "query, encoded twice": lambda value: "/?next=" + _quoted(f"/a?note={_quoted(value)}"),
}
BODIES = {
    "request body": lambda value: json.dumps({"note": f"it is {value} here"}),
    "answer": lambda value: json.dumps({"note": f"it is {value} here"}),
    "recorded": lambda value: json.dumps({"note": f"it is {value} here"}),
    "name of a member": lambda value: json.dumps({value: 1}),
    "JSON in JSON": lambda value: json.dumps({"event": json.dumps({"note": value})}),
    "form": lambda value: f"a=1&note={_quoted(value)}",
    "multipart": lambda value: f'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n{value}\r\n--x--',
    "HTML": lambda value: f"<p>it is {value}</p>",
    "entities": lambda value: f"<p>{''.join(f'&#{ord(it)};' for it in value)}</p>",
    "base64": lambda value: json.dumps({"data": base64.b64encode(f"it is {value}".encode()).decode()}),
    "escapes": lambda value: '{"note": "' + "".join(f"\\u{ord(it):04x}" for it in value) + '"}',
}


def _quoted(value: str) -> str:
    return quote(value, safe="")


def placed(value: str, place: str) -> Result:
    """Return a result that has a value in one place."""
    get = Request("GET", PATHS[place](value) if place in PATHS else "/")
    if place == "header":
        return _result(replace(get, headers=(("X-Note", f"for {value}"),)))
    if place == "error":
        return _result(get, Observation(error=Failure("protocol", f"said {value}")))
    if place == "request body":
        return _result(Request("POST", "/", (), BODIES[place](value).encode()))
    differences = (Difference("body.note", "value", value, f"not {value}", ""),) if place == "difference" else ()
    body = (
        BODIES[place](value).encode() if place in BODIES else gzip.compress(value.encode()) if place == "gzip" else b""
    )
    return _result(get, Observation(200, (), body), differences, recorded=place == "recorded")


def _result(
    request: Request,
    new: Observation | None = None,
    differences: tuple[Difference, ...] = (),
    *,
    recorded: bool = False,
) -> Result:
    case = Case("c", "traffic", "c", request, recorded=new if recorded else None)
    return Result(case, "deviation", new=None if recorded else new, differences=differences)


def legible(result: Result) -> str:
    """Return all that a result says, unpacked and decoded."""
    sides = [side for side in (result.case.recorded, result.old, result.new) if side is not None]
    bodies = [body for body in (result.case.request.body, *(side.body for side in sides)) if body]
    unpacked = [gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body for body in bodies]
    texts = [repr(result), *(body.decode() for body in unpacked)]
    inner = [base64.b64decode(found) for text in texts for found in re.findall(r'"data": "([\w+/=]+)"', text)]
    texts += [it.decode() for it in inner]
    parsed = [json.loads(text) for text in texts if text.startswith('{"')]
    return "\n".join([*texts, *map(str, parsed)])


def tokens(result: Result) -> set[str]:
    return {found[0] for found in TOKEN.finditer(re.sub(r"%(?:25)?40", "@", legible(result)))}


@pytest.mark.parametrize(("kind", "place"), TABLE)
def test_it_is_found_and_has_one_token_in_all_runs_and_places(kind: str, place: str) -> None:
    value, before = VALUES[kind], placed(VALUES[kind], place)
    kept = redactor().result(before)
    assert kept != before
    assert value not in legible(kept)
    assert value.replace("\n", "\\n") not in legible(kept)
    assert redactor().result(before) == kept
    assert redactor().result(kept) == kept
    assert redactor(b"another key").result(before) != kept
    here = tokens(redactor().result(placed(value, "request body")))
    assert here <= tokens(kept) or kind in KEEPS_NO_SPELLING


@pytest.mark.parametrize("place", SECRET_TABLE)
def test_a_secret_is_found_by_what_it_is_called(place: str) -> None:
    before = _result(SECRET_TABLE[place], Observation(200, (), f"you sent {SECRET}, thanks".encode()))
    kept = redactor().result(before)
    in_request = legible(_result(kept.case.request))
    assert SECRET not in in_request
    assert base64.b64encode(f"ann:{SECRET}".encode()).decode() not in in_request
    assert TOKEN.search(in_request)
    assert redactor().result(kept) == kept


@pytest.mark.parametrize("place", ["authorization", "basic", "cookie", "key header", "query"])
def test_what_a_service_repeats_of_a_credential_is_found_too(place: str) -> None:
    before = _result(SECRET_TABLE[place], Observation(200, (), f"you sent {SECRET}, thanks".encode()))
    assert SECRET not in legible(redactor().result(before))


@pytest.mark.parametrize("place", SECRET_TABLE)
def test_what_a_service_repeats_of_a_secret_that_it_was_sent_is_found_too(place: str) -> None:
    before = _result(SECRET_TABLE[place], Observation(200, (), f"you sent {SECRET}, thanks".encode()))
    kept = redactor().result(before)
    secret = SECRET_TABLE[place]
    # Of a text around it, the whole is the secret, and is what would be repeated.
    whole = place in {"YAML, quoted", "CSV, quoted", "form, with a quote"}
    assert secret != kept.case.request
    assert whole or SECRET not in legible(kept)


PLAIN_TEXTS = [
    "Password: at least eight characters, one of them a digit\n",
    "password:\n  type: string\n  format: password\n",
    "password: {type: string}\ntoken: null\npin: ~\nsecret: true\n",
    "secrets are told nobody: that is what they are\ntokens: 15\nkeys: 3\n",
    "Forgot your password? Token = what we mailed you\n",
    "name,price\nsoap,12.50\n",
    "Passwords, tokens and keys are secret,\nand are told to nobody, ever\n",
    'query Me($password: String!, $token: String) { me(id: "7") { name } }',
    '{"note": "enter the password: ", "next": "Token: "}',
    '{"note": "password: ", "id": 12, "kind": "a:\\"b\\""}',
    "/list;v=1;sort=name?page=2",
]


@pytest.mark.parametrize("text", PLAIN_TEXTS)
@pytest.mark.parametrize("packed", [False, True])
def test_what_only_speaks_of_secrets_stays(text: str, *, packed: bool) -> None:
    body = json.dumps({"note": text}).encode() if packed else text.encode()
    before = _result(Request("POST", "/", (), body))
    assert redactor().result(before) == before


def test_a_password_that_is_a_plain_word_is_masked_where_it_was_sent_and_no_word_elsewhere() -> None:
    asked = Request("POST", "/", (), b'{"password": "button", "pin": "1234"}')
    kept = redactor().result(_result(asked, Observation(200, (), b'{"password": "x", "button": "press 1234 times"}')))
    assert b"button" not in (kept.case.request.body or b"")
    assert kept.new is not None
    assert b'"button": "press 1234 times"' in kept.new.body


def test_a_table_keeps_all_but_the_cells_of_its_secret_columns() -> None:
    table = 'user,Password,"phone"\r\n"a, b",hunter22,0170 1234567\r\nbob,"hunter23",\r\n\r\nlast'
    kept = redactor().result(_result(Request("POST", "/", (), table.encode()))).case.request.body or b""
    found = re.fullmatch(
        r'user,Password,"phone"\r\n"a, b",(tok_\w{16}),\+999\d{12}\r\nbob,"(tok_\w{16})",\r\n\r\nlast', kept.decode()
    )
    assert found is not None
    assert found[1] != found[2]


@pytest.mark.parametrize("what", STAYS)
@pytest.mark.parametrize("place", ["query", "header", "request body", "HTML"])
def test_what_is_neither_personal_nor_secret_stays(what: str, place: str) -> None:
    before = placed(STAYS[what], place)
    assert redactor().result(before) == before


@pytest.mark.parametrize("kind", ["email", "card", "iban", "phone"])
def test_tokens_keep_the_shape_that_validators_ask_for(kind: str) -> None:
    kept = redactor().result(placed(VALUES[kind], "request body"))
    (token,) = tokens(kept)
    holds = {
        "email": lambda: parseaddr(token)[1] == token and token.endswith("@example.invalid"),
        "card": lambda: len(token) == len(VALUES["card"]) and luhn_holds(token),
        "iban": lambda: token.startswith("DE") and iban_holds(token),
        "phone": lambda: re.fullmatch(r"\+999\d{12}", token) is not None,
    }
    assert holds[kind]()


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) + len(SECRET_TABLE) + 4 * len(STAYS) >= 80
