"""Hostile variants of a request: one thing is another in each, and it is what its words say."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from replay.curation.variants import VARIATIONS
from replay.curation.varying import most_made, picked, variants_of
from replay.curation.within import allowing
from replay.errors import InputError
from replay.locations import parse_location
from replay.models import Case, Request, Variant
from replay.wire import check_request

BODY = (
    '{"day":"2024-01-01","at":"2024-01-01T09:00:00Z","price":1.50,"name":"größe","lines":[{"gift":true},{"gift":false}],'
    '"address":{"city":"x"}}'
)
REQUEST = Request(
    "POST",
    "/orders/new?page=2&q=x%20y",
    (("content-type", "application/json"), ("accept", "*/*"), ("x-tenant", "a")),
    BODY.encode(),
)


def variants(kind: str, request: Request = REQUEST) -> dict[str, Request]:
    """Return the variants of a kind by place and words."""
    return {f"{each.at} {each.what}": each.request for each in VARIATIONS[kind](request)}


def case_of(request: Request) -> Case:
    return Case("c-1", "traffic", "c", request)


@pytest.mark.parametrize("kind", VARIATIONS)
def test_every_variant_can_be_sent_or_is_refused_by_name(kind: str) -> None:
    sent = 0
    for request in variants(kind).values():
        with suppress(InputError):
            check_request(request)
            sent += 1
    assert sent > len(variants(kind)) // 2


@pytest.mark.parametrize("kind", VARIATIONS)
def test_every_kind_has_variants_and_none_twice(kind: str) -> None:
    found = [variant for variant, _ in variants_of(case_of(REQUEST), [kind], lambda *_: True)]
    assert found
    assert {each.kind for each in found} == {kind}
    assert len({each.request for each in found} | {REQUEST}) == len(found) + 1


@pytest.mark.parametrize("kind", ["unicode", "numbers", "dates", "sizes", "injection"])
def test_a_variant_of_a_value_is_another_at_one_place_alone(kind: str) -> None:
    for variant, made in variants_of(case_of(REQUEST), [kind], lambda *_: True):
        before, after = json.loads(BODY), json.loads(made.request.body or b"")
        changed = [key for key in before if before[key] != after.get(key)]
        assert len(changed) <= 1 or variant.at == "request.json"
        assert variant.at.startswith("request.query.") == (made.request.path != REQUEST.path)
        assert set(after) <= set(before)


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        ("numbers", "request.json.price 2^53 + 1: 9007199254740993", '"price":9007199254740993,'),
        ("numbers", "request.json.price negative zero: -0", '"price":-0,'),
        ("numbers", "request.json.price a very large one: 1e400", '"price":1e400,'),
        ("numbers", "request.json.price half a cent: 0.005", '"price":0.005,'),
        ("dates", "request.json.day a leap day: 2024-02-29", '"day":"2024-02-29"'),
        ("dates", "request.json.at a leap second: 2016-12-31T23:59:60Z", '"at":"2016-12-31T23:59:60Z"'),
        ("dates", "request.json.at the last day of all: 9999-12-31T09:00:00Z", '"at":"9999-12-31T09:00:00Z"'),
        ("fields", "request.json.price missing", '"at":"2024-01-01T09:00:00Z","name"'),
        ("fields", "request.json.price null: null", '"price":null,'),
        ("fields", "request.json.price there twice", '"address":{"city":"x"},"price":1.50}'),
        ("fields", "request.json.address a member more", '"address":{"city":"x","unexpected":true}'),
        ("fields", "request.json.lines[0].gift the other one: false", '"lines":[{"gift":false},{"gift":false}]'),
        ("sizes", "request.json.lines no item: []", '"lines":[],'),
        ("encodings", "request.body escaped", '"gr\\u00f6\\u00dfe"'),
        ("unicode", "request.json.name decomposed: gro\u0308\u00dfee\u0301", '"gro\u0308\u00dfee\u0301"'),
    ],
)
def test_a_variant_of_the_body_is_what_it_says(kind: str, name: str, body: str) -> None:
    assert body in (variants(kind)[name].body or b"").decode()


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("paging", "request.query.page page zero: 0", "/orders/new?page=0&q=x%20y"),
        ("paging", "request.query.page a plus sign: +1", "/orders/new?page=%2B1&q=x%20y"),
        ("fields", "request.query.page missing", "/orders/new?q=x%20y"),
        ("fields", "request.query.q there twice", "/orders/new?page=2&q=x%20y&q=x%20y"),
        ("fields", "request.query another order", "/orders/new?q=x%20y&page=2"),
        ("encodings", "request.path spaces as plus signs", "/orders/new?page=2&q=x+y"),
        ("encodings", "request.path encoded twice", "/orders/new?page=2&q=x%2520y"),
        ("encodings", "request.path a letter in percents", "/orders/%6Eew?page=2&q=x%20y"),
        ("encodings", "request.path a slash at the end", "/orders/new/?page=2&q=x%20y"),
        ("injection", "request.query.q a NUL: a\x00b", "/orders/new?page=2&q=a%00b"),
    ],
)
def test_a_variant_of_the_path_is_what_it_says(kind: str, name: str, path: str) -> None:
    assert variants(kind)[name].path == path


def test_header_variants_are_what_they_say() -> None:
    found = variants("headers")
    assert found["request.headers.accept no preference"].header("accept") is None
    assert found["request.headers.accept HTML"].header("accept") == "text/html"
    assert [name for name, _ in found["request.headers.x-tenant there twice"].headers].count("x-tenant") == 2
    assert found["request.headers capital names"].headers[0] == ("CONTENT-TYPE", "application/json")


def test_fields_of_a_form_are_varied_as_those_of_a_query() -> None:
    form = Request("POST", "/", (("content-type", "application/x-www-form-urlencoded"),), b"name=anna&n=3")
    assert variants("numbers", form)["request.form.n zero: 0"].body == b"name=anna&n=0"
    assert variants("unicode", form)["request.form.name a sharp s: anna\u00df"].body == b"name=anna%C3%9F&n=3"
    assert variants("fields", form)["request.form.name missing"].body == b"n=3"
    assert variants("fields", form)["request.form a field more"].body == b"name=anna&n=3&unexpected=1"


def test_places_are_told_as_locations_whatever_fields_and_members_are_called() -> None:
    body = b'{"a b":1,"x[0]":{"p\'q":2},"\\n":true,"":null}'
    odd = Request("POST", "/?x%5By%5D=1&&=2&%C3%A9", (("content-type", "application/json"),), body)
    places = {each.at for kind in VARIATIONS for each in VARIATIONS[kind](odd)}
    for at in places:
        assert parse_location(at.replace("request", "body", 1)).steps
    assert {
        "request.query['x[y]']",
        "request.query.\u00e9",
        "request.json['a b']",
        "request.json['x[0]']['p\\'q']",
    } <= places


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("page", True), ("pageSize", True), ("per_page", True), ("max-results", True), ("filter[limit]", True),
     ("country", False), ("account", False), ("paper", False), ("desktop", False)],
)  # fmt: skip
def test_what_asks_for_a_page_is_told_by_the_words_of_its_name(name: str, *, is_one: bool) -> None:
    assert bool(variants("paging", Request("GET", f"/?{name}=3"))) is is_one


def test_a_number_of_very_many_digits_is_varied_as_any_other() -> None:
    digits = "7" * 5_000
    long = Request("POST", "/", (("content-type", "application/json"),), f'{{"n":{digits}}}'.encode())
    [text] = [it.request for it in VARIATIONS["numbers"](long) if it.what.startswith("the same as a text")]
    assert text.body == f'{{"n":"{digits}"}}'.encode()


def test_too_many_are_drawn_evenly_over_kinds_by_the_seed() -> None:
    every = list(variants_of(case_of(REQUEST), list(VARIATIONS), lambda *_: True))
    some, left = picked(every, 45, 7)
    assert (len(some), left) == (45, len(every) - 45)
    assert set(Counter(variant.kind for variant, _ in some).values()) == {5}
    assert picked(every, 45, 7)[0] == some
    assert picked(every, 45, 8)[0] != some


def test_of_a_large_request_a_few_variants_of_each_kind_are_made() -> None:
    body = json.dumps({f"key-{n}": "x" * 100 for n in range(40_000)}).encode()
    large = Request("POST", "/", (("content-type", "application/json"),), body)
    found = Counter(variant.kind for variant, _ in variants_of(case_of(large), ["unicode", "fields"], lambda *_: True))
    assert most_made(large) == 8
    assert set(found) == {"unicode", "fields"}
    assert max(found.values()) <= 8


def test_what_does_not_fit_is_no_variant() -> None:
    def fits(made: Case, _: Request) -> bool:
        return "page=0" in made.request.path

    found: list[Variant] = [it for it, _ in variants_of(case_of(REQUEST), ["paging"], fits)]
    assert [each.what for each in found] == ["page zero: 0"]


SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["price"], "properties": {"price": {"type": "number", "minimum": 0}},
}  # fmt: skip
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/orders/{id}": {
            "parameters": [{"$ref": "#/components/parameters/page"}],
            "post": {
                "parameters": [{"name": "q", "in": "query"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
            },
        }
    },
    "components": {
        "parameters": {"page": {"name": "page", "in": "query", "required": True}},
        "schemas": {"Order": SCHEMA},
    },
}


@pytest.mark.parametrize("description", [SCHEMA, OPENAPI], ids=["schema", "openapi"])
@pytest.mark.parametrize(
    ("name", "allowed"),
    [("price zero: 0", True), ("price minus one: -1", False), ("price the same as a text: 1.50", False)],
)
def test_a_description_tells_which_bodies_are_within_it(
    description: dict[str, Any], name: str, *, allowed: bool
) -> None:
    assert allowing(description, "d")(variants("numbers")[f"request.json.{name}"]) is allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/orders/new?page=2&q=1", True),
        ("/orders/new?page=2", True),
        ("/orders/new?q=1", False),
        ("/orders/new?page=2&z=1", False),
        ("/orders/new/more?page=2", False),
        ("/other?page=2", False),
    ],
)
def test_an_openapi_description_tells_which_paths_and_queries_are_within_it(path: str, *, allowed: bool) -> None:
    assert allowing(OPENAPI, "d")(Request("POST", path, REQUEST.headers, REQUEST.body)) is allowed


@pytest.mark.parametrize("description", [[], "x", {"type": 7}])
def test_what_describes_nothing_is_told(description: Any) -> None:
    with pytest.raises(InputError, match="JSON Schema"):
        allowing(description, "d")


ORDER = Request("POST", "/orders", REQUEST.headers, b'{"n":1}')


@pytest.mark.parametrize(
    ("description", "fact"),
    [
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "leads nowhere"),
        ({"$ref": "#"}, "in a circle"),
        ({"openapi": "3.1.0", "paths": [1]}, "are no object"),
        ({"openapi": "3.1.0", "paths": {"/orders": {"post": {"requestBody": {"$ref": "#/no"}}}}}, ""),
        ({"openapi": "3.1.0", "paths": {1: {}, "/orders": {"parameters": 5, "post": {"parameters": [5, None]}}}}, ""),
        (
            {"openapi": "3.1.0", "paths": {"/orders": {"post": {"requestBody": {
                "content": {"application/json": {"schema": {"properties": {"n": {"type": "no type"}}}}}}}}}},
            "is no JSON Schema",
        ),
    ],
)  # fmt: skip
def test_a_description_that_makes_no_sense_is_told_and_no_traceback(description: Any, fact: str) -> None:
    if not fact:
        assert allowing(description, "d.yaml")(ORDER) in (True, False)
        return
    with pytest.raises(InputError, match=fact):
        allowing(description, "d.yaml")(ORDER)
