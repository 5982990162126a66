"""A case that goes on from earlier ones of its captured session becomes a scenario that departs as the session did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from replay.cases import read_golden

if TYPE_CHECKING:
    from replay.models import Case
    from tests.cli.conftest import Desk

SIDES: Final = """
import json

def side(name, order):
    def app(environ, start_response):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        said = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fields, told = [("Content-Type", "application/json")], {"user": "ada" in said.decode()}
        if path == "/login":
            fields += [("Set-Cookie", f"sid={name}8f3k92d1aa; Path=/"), ("Set-Cookie", "theme=dark")]
        elif method == "POST":
            fields.append(("Location", f"/orders/{name}77k2d93c"))
            told = {"n": order, "number": order * 10**9}
        else:
            mine = f"{name}77k2d93c" in path or str(order * 10**9) in path or "-" in path
            known = f"sid={name}8f3k92d1aa" in environ.get("HTTP_COOKIE", "")
            told = {"mine": mine, "known": known, "said": str(order) in said.decode(), "total": TOTALS[name]}
        start_response("200 OK", fields)
        return [json.dumps(told).encode()]
    return app

TOTALS = {"x": 1, "y": 2}
old, new = side("x", 17), side("y", 47)
"""
RULES: Final = "compare:\n  - {on: POST /orders, at: body.n, minted: true}\n"
SECRET: Final = "secrets: {password: {env: PASSWORD}}\n"
JSON: Final = [["Content-Type", "application/json"]]
COOKIES: Final = [["Cookie", "sid=r8f3k92d1aa; theme=dark; own=abc12345x"]]


def record(name: str, method: str, path: str, answer: Any = None, *more: list[str], sent: Any = None) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "path": path, "headers": [] if path == "/login" else COOKIES}
    request |= {} if sent is None else {"json": sent}
    response = {"status": 200, "headers": [*JSON, *more], "json": answer or {}}
    return {"id": name, "session": "s", "request": request, "response": response}


SESSION: Final = [
    record("login", "POST", "/login", {}, ["Set-Cookie", "sid=r8f3k92d1aa; Path=/"], ["Set-Cookie", "theme=dark"],
           sent={"user": "ada", "password": "hunter22x"}),
    record("list", "GET", "/lists/a-b"),
    record("create", "POST", "/orders", {"n": 5, "number": 5 * 10**9}, ["Location", "/orders/r77k2d93c"],
           sent={"sku": "A1"}),
    record("read", "GET", "/orders/r77k2d93c"),
    record("change", "PUT", "/numbers/5000000000", sent={"order_n": 5, "number": 5 * 10**9, "note": "n 5000000000"}),
    record("items", "GET", "/orders/r77k2d93c/items"),
]  # fmt: skip


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Have a session replayed that departs in its totals alone."""
    monkeypatch.setenv("PASSWORD", "of-the-test-user")
    desk.write("sides.py", SIDES)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n" + RULES + SECRET)
    desk.capture("c.jsonl", SESSION)
    assert desk.cli("run", "--traffic", "c.jsonl", "--concurrency", "1", "--report", "json:r.json").code == 1
    return desk


def promoted(run: Desk, name: str, *flags: str) -> Case:
    ended = run.cli("promote", name, "--name", f"s/{name}", *flags)
    assert ended.code == 0, ended.text
    path = Path(f"goldens/s/{name}.yaml")
    return read_golden(path.read_text("utf-8"), f"s/{name}", path)


def places(report: Any, name: str) -> list[str]:
    (found,) = [each for each in report["results"] if each["id"] == name]
    assert found["error"] is None
    return [each["at"] for each in found["differences"]]


@pytest.mark.parametrize(("name", "steps"), [
    ("read", ["post_login", "post_orders", "get_orders"]),
    ("change", ["post_login", "post_orders", "put_numbers"]),
])  # fmt: skip
def test_what_led_to_a_case_is_promoted_with_it_and_departs_as_it_did(run: Desk, name: str, steps: list[str]) -> None:
    before = places(run.report("r.json"), name)
    assert before == ["body.total"]
    case = promoted(run, name)
    assert [step.name for step in case.steps] == steps
    assert run.cli("run", "--concurrency", "1", "--report", "json:r.json").code == 1
    assert places(run.report("r.json"), f"s/{name}") == [f"steps.{steps[-1]}.{at}" for at in before]


def test_what_was_handed_out_is_captured_and_named_wherever_it_was_used(run: Desk) -> None:
    login, create, change = promoted(run, "change").steps
    assert login.capture == {"sid": "headers.set-cookie['sid']", "theme": "headers.set-cookie['theme']"}
    assert create.request.header("cookie") == "sid={{sid}}; theme={{theme}}"
    assert create.capture == {"n": "body.n", "number": "body.number"}
    assert change.request.path == "/numbers/{{number}}"
    assert change.request.body == b'{"order_n":"{{n}}","number":"{{number}}","note":"n {{number}}"}'


def test_a_link_is_followed_by_its_name(run: Desk) -> None:
    _, create, read = promoted(run, "read").steps
    assert create.capture == {"location": "headers.location"}
    assert read.request.path == "{{location}}"


def test_secrets_get_names_and_it_is_said_where_they_have_to_be_told(run: Desk) -> None:
    login = promoted(run, "read").steps[0].request
    assert login.body == b'{"user":"ada","password":"{{secret.password}}"}'
    told = run.cli("promote", "read", "--name", "s/again").out
    assert "{{secret.password}} stands for a secret: say under `secrets:` in replay.yaml where it is." in told


def test_what_is_expected_has_names_too(run: Desk) -> None:
    expect = promoted(run, "change", "--expect", "old").steps[-1].expect
    assert expect is not None
    assert expect.body == b'{"mine":true,"known":true,"said":true,"total":1}'


def test_a_part_of_a_link_cannot_be_captured_and_is_refused(run: Desk) -> None:
    ended = run.cli("promote", "items")
    assert ended.code == 2
    assert "no step can capture what create hands out at headers.location: it is a part of what" in ended.err
    assert promoted(run, "items", "--alone").steps == ()


def test_a_case_that_needs_nothing_is_promoted_by_itself_unless_its_session_is_wanted(run: Desk) -> None:
    plain = [("d-0", {"method": "POST", "path": "/orders"}), ("d-1", {"path": "/x"}), ("d-2", {"path": "/y"})]
    run.capture("d.jsonl", [{"id": name, "session": "d", "request": request} for name, request in plain])
    run.cli("run", "--traffic", "d.jsonl")
    assert promoted(run, "d-2").steps == ()
    Path("goldens/s/d-2.yaml").unlink()
    assert [it.name for it in promoted(run, "d-2", "--session").steps] == ["post_orders", "get_y"]


def test_a_session_is_wanted_in_vain_of_a_case_without_one(run: Desk) -> None:
    run.capture("d.jsonl", run.requests(1))
    run.cli("run", "--traffic", "d.jsonl")
    ended = run.cli("promote", "c-0", "--session")
    assert (ended.code, "'c-0' has no session" in ended.err) == (2, True)


def test_short_cookies_stand_in_no_store(run: Desk) -> None:
    kept = b"".join(path.read_bytes() for path in Path(".replay").rglob("*") if path.is_file())
    assert b"dark" not in kept
    assert "dark" not in Path("r.json").read_text("utf-8") + run.cli("show", "login").text


MAPS: Final = """
import json

def side(name, order):
    def app(environ, start_response):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        own, told = f"{name}77k2d93c", {"mine": None}
        if method == "POST":
            told = {"orders": {own: {"id": own} if path == "/orders" else {}}}
        else:
            told = {"mine": own in path, "orders": {own: {"total": TOTALS[name]}}}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(told).encode()]
    return app

TOTALS = {"x": 1, "y": 2}
old, new = side("x", 17), side("y", 47)
"""


def mapped(path: str) -> list[dict[str, Any]]:
    """Return a session whose first answer hands out an id as the key of a map."""
    return [
        record("create", "POST", path, {"orders": {"r77k2d93c": {"id": "r77k2d93c"} if path == "/orders" else {}}}),
        record("read", "GET", "/orders/r77k2d93c", {"mine": True}),
    ]


@pytest.mark.parametrize("path", ["/orders", "/keys"])
def test_the_key_of_a_map_is_an_id_that_each_side_has_its_own_of(desk: Desk, path: str) -> None:
    desk.write("sides.py", MAPS)
    desk.write("replay.yaml", "old: sides:old\nnew: sides:new\n")
    desk.capture("c.jsonl", mapped(path))
    desk.cli("run", "--traffic", "c.jsonl", "--concurrency", "1", "--report", "json:r.json")
    assert places(desk.report("r.json"), "create") == []
    assert places(desk.report("r.json"), "read") == ["body.orders.x77k2d93c.total"]
    if path == "/keys":
        ended = desk.cli("promote", "read", "--name", "s/read")
        assert (ended.code, "no step can capture what create hands out at body.orders.*" in ended.err) == (2, True)
        return
    create, read = promoted(desk, "read").steps
    assert (create.capture, read.request.path) == ({"id": "body.orders.*.id"}, "/orders/{{id}}")
    assert desk.cli("run", "--concurrency", "1", "--report", "json:r.json").code == 1
    assert places(desk.report("r.json"), "s/read") == ["steps.get_orders.body.orders.x77k2d93c.total"]
    assert desk.cli("approve", "s/read", "--from", "new").code == 0
    assert '"{{id}}": {total: 2}' in Path("goldens/s/read.yaml").read_text("utf-8")
    assert desk.cli("run", "--concurrency", "1").code == 0
